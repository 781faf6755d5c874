#include "src/distributed/packed_numbers.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/chunked_array.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace viand::distributed {
namespace {

using Column = std::shared_ptr<arrow::Array>;

Column Numbers(const std::vector<int64_t>& numbers) {
  arrow::Int64Builder builder;
  EXPECT_TRUE(builder.AppendValues(numbers).ok());
  return builder.Finish().ValueOrDie();
}

Column Narrow(const std::vector<int64_t>& numbers) {
  arrow::Int32Builder builder;
  for (const int64_t number : numbers)
    EXPECT_TRUE(builder.Append(static_cast<int32_t>(number)).ok());
  return builder.Finish().ValueOrDie();
}

/// Packs, unpacks and compares; returns the bits of a number.
int CheckOne(const arrow::ChunkedArray& column) {
  EXPECT_TRUE(CanPack(column));
  const PackedLayout layout = ChooseLayout(column);
  const std::string bytes = PackNumbers(column, layout);
  EXPECT_EQ(static_cast<int64_t>(bytes.size()), PackedBytes(layout));
  const auto read = UnpackNumbers(layout, reinterpret_cast<const uint8_t*>(bytes.data()),
                                  column.type(), arrow::default_memory_pool())
                        .ValueOrDie();
  EXPECT_TRUE(read->ValidateFull().ok());
  EXPECT_TRUE(arrow::ChunkedArray(read).Equals(column)) << column.ToString();
  return layout.bits;
}

int CheckOne(const Column& column) { return CheckOne(arrow::ChunkedArray(column)); }

TEST(PackedNumbers, TakeTheNarrowerOfRangeAndDifferences) {
  EXPECT_EQ(CheckOne(Numbers({})), 0);
  EXPECT_EQ(CheckOne(Numbers({-5})), 0);
  EXPECT_EQ(CheckOne(Numbers({7, 7, 7})), 0);
  EXPECT_EQ(CheckOne(Numbers({1000, 1007, 1001})), 3);
  EXPECT_EQ(CheckOne(Numbers({1000, 2000, 3001, 4001})), 1);
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  constexpr int64_t kGreatest = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(CheckOne(Numbers({kLeast, kGreatest, 0, kGreatest})), 64);
  EXPECT_EQ(CheckOne(Numbers({kLeast, kGreatest})), 0) << "a difference may wrap around";
  EXPECT_EQ(CheckOne(Narrow({-2147483648, 2147483647, 0})), 32);
  EXPECT_EQ(CheckOne(*Numbers({1, 2, 3})->View(arrow::timestamp(arrow::TimeUnit::MICRO))), 0);
}

TEST(PackedNumbers, OfAnyWidthComeBack) {
  std::mt19937_64 random(3);
  for (int bits = 1; bits <= 64; ++bits) {
    std::vector<int64_t> numbers, sums;
    for (int i = 0; i < 100; ++i) {
      numbers.push_back(static_cast<int64_t>(random() >> (64 - bits)));
      sums.push_back(static_cast<int64_t>(static_cast<uint64_t>(sums.empty() ? -3 : sums.back()) +
                                          static_cast<uint64_t>(numbers.back())));
    }
    for (const Column& column : {Numbers(numbers), Numbers(sums), Narrow(numbers), Narrow(sums)}) {
      CheckOne(column);
      CheckOne(arrow::ChunkedArray({column->Slice(0, 3), column->Slice(3, 0), column->Slice(3)}));
    }
  }
}

TEST(PackedNumbers, AreNeitherNullsNorFloatsNorNarrow) {
  arrow::Int64Builder builder;
  ASSERT_TRUE(builder.AppendNull().ok());
  EXPECT_FALSE(CanPack(arrow::ChunkedArray(builder.Finish().ValueOrDie())));
  for (const auto& type : {arrow::float64(), arrow::int16(), arrow::utf8(), arrow::boolean()})
    EXPECT_FALSE(CanPack(*arrow::ChunkedArray::MakeEmpty(type).ValueOrDie())) << type->ToString();
}

}  // namespace
}  // namespace viand::distributed
