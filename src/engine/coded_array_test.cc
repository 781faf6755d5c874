// Joined dictionaries hold the texts that their chunks hold, nulls included, once each.
#include "src/engine/coded_array.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/initialize.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "src/common/test_rounds.h"
#include "src/engine/plain_array.h"

namespace viand::engine {
namespace {

// Words of 0 to 12 bytes, some with a common start, and nulls.
std::shared_ptr<arrow::Array> RandomTexts(std::mt19937_64* random, int64_t rows) {
  arrow::StringBuilder out;
  for (int64_t i = 0; i < rows; ++i) {
    const uint64_t draw = (*random)() % 60;
    const auto status = draw == 0
                            ? out.AppendNull()
                            : out.Append(std::string(draw % 13, static_cast<char>('a' + draw % 3)) +
                                         (draw % 2 ? std::string(1, '\0') : ""));
    EXPECT_TRUE(status.ok());
  }
  return *out.Finish();
}

TEST(CodedArrayTest, JoiningKeepsTheTexts) {
  ASSERT_TRUE(arrow::compute::Initialize().ok());
  std::mt19937_64 random(7);
  for (int round = 0; round < TestRounds(50); ++round) {
    arrow::ArrayVector coded, plain;
    for (int chunk = 0; chunk < 1 + round % 4; ++chunk) {
      const auto texts = RandomTexts(&random, static_cast<int64_t>(random() % 80));
      plain.push_back(texts);
      const auto encoded =
          *ToPlainOrCoded(texts, CodedType(arrow::utf8()), arrow::default_memory_pool());
      // A slice too: its dictionary holds values that it does not use.
      coded.push_back(encoded->Slice(encoded->length() / 3));
      plain.back() = texts->Slice(texts->length() / 3);
    }
    const auto joined = *JoinCoded(coded, arrow::default_memory_pool());
    ASSERT_TRUE(joined->ValidateFull().ok());
    const auto& dictionary = static_cast<const arrow::DictionaryArray&>(*joined).dictionary();
    const auto decoded = *ToPlain(joined, arrow::utf8(), arrow::default_memory_pool());
    int64_t at = 0;
    std::set<std::string> values;
    for (const auto& chunk : plain) {
      EXPECT_TRUE(chunk->Equals(decoded->Slice(at, chunk->length())));
      at += chunk->length();
      const auto& texts = static_cast<const arrow::StringArray&>(*chunk);
      for (int64_t i = 0; i < texts.length(); ++i) {
        if (texts.IsValid(i)) values.insert(texts.GetString(i));
      }
    }
    EXPECT_EQ(at, decoded->length());
    EXPECT_EQ(dictionary->length(), static_cast<int64_t>(values.size()));
  }
}

TEST(CodedArrayTest, AnyTextBecomesCoded) {
  const auto views = std::make_shared<arrow::LargeStringArray>(
      2, arrow::Buffer::FromVector(std::vector<int64_t>{0, 1, 3}),
      arrow::Buffer::FromString("abc"));
  const auto coded = ToPlainOrCoded(views, CodedType(arrow::utf8()), arrow::default_memory_pool());
  ASSERT_TRUE(coded.ok()) << coded.status().ToString();
  EXPECT_TRUE((*coded)->type()->Equals(CodedType(arrow::utf8())));
  const auto number =
      std::make_shared<arrow::Int64Array>(1, arrow::Buffer::FromVector(std::vector<int64_t>{5}));
  EXPECT_TRUE(
      (*ToPlainOrCoded(number, arrow::int64(), arrow::default_memory_pool()))->Equals(number));
}

}  // namespace
}  // namespace viand::engine
