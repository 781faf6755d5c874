#include "src/engine/snapshot_rows.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/builder_time.h>
#include <arrow/compute/initialize.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace viand::engine {
namespace {

using TablePtr = std::shared_ptr<arrow::Table>;

struct Row {
  std::string text;
  int64_t number;
  int64_t time_us;
};

std::shared_ptr<arrow::Schema> PlainKeys() {
  return arrow::schema(
      {arrow::field("text", arrow::utf8()), arrow::field("number", arrow::int64()),
       arrow::field("event_timestamp", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
       arrow::field("value", arrow::int64())});
}

TablePtr TableOf(const std::vector<Row>& rows) {
  arrow::StringBuilder texts;
  arrow::Int64Builder numbers;
  arrow::TimestampBuilder times(PlainKeys()->field(2)->type(), arrow::default_memory_pool());
  arrow::Int64Builder values;
  for (const Row& row : rows) {
    EXPECT_TRUE(texts.Append(row.text).ok());
    EXPECT_TRUE(numbers.Append(row.number).ok());
    EXPECT_TRUE(times.Append(row.time_us).ok());
    EXPECT_TRUE(values.Append(row.number * 7 + row.time_us).ok());
  }
  return arrow::Table::Make(
      PlainKeys(), {*texts.Finish(), *numbers.Finish(), *times.Finish(), *values.Finish()});
}

/// Rows dealt out to parts, each in order; some parts in several chunks, some empty.
Tables Dealt(const std::vector<Row>& rows, size_t count, std::mt19937* random) {
  std::vector<std::vector<Row>> dealt(count);
  for (const Row& row : rows) dealt[(*random)() % count].push_back(row);
  Tables parts;
  for (auto& part : dealt) {
    std::sort(part.begin(), part.end(), [](const Row& a, const Row& b) {
      return std::tie(a.time_us, a.text, a.number) < std::tie(b.time_us, b.text, b.number);
    });
    const size_t cut = part.empty() ? 0 : (*random)() % part.size();
    parts.push_back(*arrow::ConcatenateTables(
        {TableOf({part.begin(), part.begin() + static_cast<std::ptrdiff_t>(cut)}),
         TableOf({part.begin() + static_cast<std::ptrdiff_t>(cut), part.end()})}));
  }
  return parts;
}

/// The oracle: a sort of the rows of one time.
TablePtr SortedAt(std::vector<Row> rows, int64_t time_us) {
  std::erase_if(rows, [time_us](const Row& row) { return row.time_us != time_us; });
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::tie(a.text, a.number) < std::tie(b.text, b.number);
  });
  return TableOf(rows);
}

TEST(SnapshotRows, AreMergedAsASortWouldPutThem) {
  ASSERT_TRUE(arrow::compute::Initialize().ok());
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    std::map<std::tuple<int64_t, std::string, int64_t>, Row> distinct;
    for (uint32_t i = random() % 300; i > 0; --i) {
      const Row row{std::string(1 + random() % 2, static_cast<char>('a' + random() % 3)),
                    static_cast<int64_t>(random() % 40) - 20, static_cast<int64_t>(random() % 4)};
      distinct.emplace(std::tuple(row.time_us, row.text, row.number), row);
    }
    std::vector<Row> rows;
    for (const auto& [key, row] : distinct) rows.push_back(row);
    const int64_t batch_rows = 1 + random() % 40;
    const SnapshotRows snapshots(PlainKeys(), 2, Dealt(rows, 1 + random() % 9, &random),
                                 batch_rows);
    for (int64_t time_us = -1; time_us < 5; ++time_us) {
      const auto reader = snapshots.At(time_us).ValueOrDie();
      const auto batches = reader->ToRecordBatches().ValueOrDie();
      for (size_t i = 0; i + 1 < batches.size(); ++i) EXPECT_EQ(batches[i]->num_rows(), batch_rows);
      const auto merged = arrow::Table::FromRecordBatches(snapshots.schema(), batches).ValueOrDie();
      const auto wanted = SortedAt(rows, time_us);
      EXPECT_TRUE(merged->Equals(*wanted)) << merged->ToString() << wanted->ToString();
    }
  }
}

TEST(SnapshotRows, AreCutBetweenTimes) {
  const auto rows = TableOf({{"a", 1, 2}, {"b", 1, 2}, {"a", 2, 5}, {"a", 3, 9}});
  const auto lengths = [&](const std::vector<int64_t>& times_us) {
    std::vector<int64_t> result;
    for (const auto& table : CutAtTimes(rows, 2, times_us)) result.push_back(table->num_rows());
    return result;
  };
  EXPECT_EQ(lengths({}), (std::vector<int64_t>{4}));
  EXPECT_EQ(lengths({5}), (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(lengths({1, 3, 5, 6, 10}), (std::vector<int64_t>{0, 2, 0, 1, 1, 0}));
}

TEST(SnapshotRows, KeysGetTheTypeOfTheSource) {
  ASSERT_TRUE(arrow::compute::Initialize().ok());
  auto schema = PlainKeys();
  schema = *schema->SetField(
      0, schema->field(0)->WithType(arrow::dictionary(arrow::int8(), arrow::utf8())));
  const SnapshotRows snapshots(schema, 2,
                               {TableOf({{"b", 1, 0}, {"b", 2, 0}}), TableOf({{"a", 3, 0}})});
  const auto reader = snapshots.At(0).ValueOrDie();
  EXPECT_TRUE(reader->ToTable().ValueOrDie()->schema()->Equals(*schema));
  EXPECT_TRUE(snapshots.Whole().ValueOrDie()->schema()->Equals(*schema));
}

TEST(SnapshotRows, WithoutKeysThereIsOneRowATime) {
  ASSERT_TRUE(arrow::compute::Initialize().ok());
  const auto schema = arrow::schema({PlainKeys()->field(2), PlainKeys()->field(3)});
  const auto part = TableOf({{"", 0, 1}, {"", 0, 2}})->SelectColumns({2, 3}).ValueOrDie();
  const SnapshotRows snapshots(schema, 0, {part});
  EXPECT_EQ(snapshots.At(2).ValueOrDie()->ToTable().ValueOrDie()->num_rows(), 1);
  EXPECT_TRUE(snapshots.Whole().ValueOrDie()->Equals(*part));
}

}  // namespace
}  // namespace viand::engine
