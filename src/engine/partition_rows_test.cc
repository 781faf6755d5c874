#include "src/engine/partition_rows.h"

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include "src/engine/partition_hash.h"

namespace viand::engine {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

ArrayPtr Make(const std::shared_ptr<arrow::DataType>& type, const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

std::vector<uint64_t> Hashes(const std::shared_ptr<arrow::DataType>& type,
                             const std::string& json) {
  const ArrayPtr array = Make(type, json);
  std::vector<uint64_t> hashes(array->length(), 0);
  MixKeyHash(*array, &hashes);
  return hashes;
}

TEST(PartitionHash, EqualValuesOfOtherTypesHashAlike) {
  const auto integers = Hashes(arrow::int64(), "[0, 7, -3, null, 100]");
  for (const auto& type : {arrow::int8(), arrow::int16(), arrow::int32()}) {
    EXPECT_EQ(Hashes(type, "[0, 7, -3, null, 100]"), integers) << type->ToString();
  }
  EXPECT_EQ(Hashes(arrow::uint64(), "[0, 7, 100]"), Hashes(arrow::uint8(), "[0, 7, 100]"));
  EXPECT_EQ(Hashes(arrow::uint64(), "[0, 7, 100]"), Hashes(arrow::int64(), "[0, 7, 100]"));
  EXPECT_EQ(Hashes(arrow::decimal128(9, 2), R"(["0.00", "7.00", "-3.00", null, "100.00"])"),
            integers);
  EXPECT_EQ(Hashes(arrow::decimal256(40, 0), R"(["0", "7", "-3", null, "100"])"), integers);
  EXPECT_EQ(Hashes(arrow::decimal128(9, 2), R"(["0.50"])"),
            Hashes(arrow::decimal128(9, 1), R"(["0.5"])"));
  const std::string texts = R"(["", "a", "twelve bytes", null, "sixteen bytes ok"])";
  EXPECT_EQ(Hashes(arrow::utf8(), texts), Hashes(arrow::large_utf8(), texts));
  EXPECT_EQ(Hashes(arrow::fixed_size_binary(3), R"(["abc"])"),
            Hashes(arrow::binary(), R"(["abc"])"));
  const auto seconds = Hashes(arrow::timestamp(arrow::TimeUnit::SECOND), "[0, -86400, 86400]");
  EXPECT_EQ(Hashes(arrow::timestamp(arrow::TimeUnit::NANO, "UTC"),
                   "[0, -86400000000000, 86400000000000]"),
            seconds);
  EXPECT_EQ(Hashes(arrow::date32(), "[0, -1, 1]"), seconds);
  EXPECT_EQ(Hashes(arrow::date64(), "[0, -86400000, 86400000]"), seconds);
}

TEST(PartitionHash, SpreadsDenseKeys) {
  std::vector<int> counts(8, 0);
  std::string json = "[0";
  for (int i = 1; i < 8000; ++i) json += "," + std::to_string(i);
  for (uint64_t hash : Hashes(arrow::int64(), json + "]")) ++counts[PartitionOf(hash, 8)];
  for (int count : counts) EXPECT_NEAR(count, 1000, 200);
}

TEST(SplitRows, KeepsOrderAndDropsRows) {
  const auto schema =
      arrow::schema({arrow::field("x", arrow::int32()), arrow::field("s", arrow::utf8())});
  const auto batch = arrow::RecordBatch::Make(
      schema, 5,
      arrow::ArrayVector{Make(arrow::int32(), "[0, 1, null, 3, 4]"),
                         Make(arrow::utf8(), R"(["a", null, "c", "d", "e"])")});
  const auto parts = SplitRows(batch, {2, 0, 2, -1, 0}, 3).ValueOrDie();
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_TRUE(parts[0]->column(0)->Equals(*Make(arrow::int32(), "[1, 4]")));
  EXPECT_TRUE(parts[0]->column(1)->Equals(*Make(arrow::utf8(), R"([null, "e"])")));
  EXPECT_EQ(parts[1], nullptr);
  EXPECT_TRUE(parts[2]->column(0)->Equals(*Make(arrow::int32(), "[0, null]")));
}

TEST(SplitRows, MovesNumbersOfEveryWidth) {
  for (const auto& type : {arrow::int8(), arrow::uint16(), arrow::float32(), arrow::date32(),
                           arrow::int64(), arrow::float64()}) {
    const auto batch =
        arrow::RecordBatch::Make(arrow::schema({arrow::field("x", type)}), 4,
                                 arrow::ArrayVector{Make(type, "[9, 0, 1, 2, 3]")->Slice(1)});
    const auto parts = SplitRows(batch, {1, 0, -1, 1}, 2).ValueOrDie();
    EXPECT_TRUE(parts[0]->column(0)->Equals(*Make(type, "[1]"))) << type->ToString();
    EXPECT_TRUE(parts[1]->column(0)->Equals(*Make(type, "[0, 3]"))) << type->ToString();
  }
}

TEST(SplitRows, DoesNotCopyWhatStaysTogether) {
  const auto schema = arrow::schema({arrow::field("x", arrow::int32())});
  const auto batch =
      arrow::RecordBatch::Make(schema, 2, arrow::ArrayVector{Make(arrow::int32(), "[0, 1]")});
  const auto parts = SplitRows(batch, {0, 0}, 1).ValueOrDie();
  EXPECT_EQ(parts[0]->column(0)->data()->buffers[1]->data(),
            batch->column(0)->data()->buffers[1]->data());
}

TEST(ChoosePartitions, RowsThatAreNotKeptHaveNone) {
  EXPECT_EQ(ChoosePartitions({}, {1, 0, 1}, 4), (std::vector<int32_t>{0, -1, 0}));
}

}  // namespace
}  // namespace viand::engine
