#include "src/engine/as_of_fold.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/initialize.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "src/common/block_pool.h"
#include "src/common/test_rounds.h"
#include "src/engine/row_chunks.h"

namespace viand::engine {
namespace {

using Column = std::shared_ptr<arrow::Array>;

/// Numbers below `end` as a type of integers or times, every tenth null.
template <typename Builder>
Column Numbers(Builder builder, std::mt19937_64* random, int64_t rows, int64_t end) {
  for (int64_t i = 0; i < rows; ++i) {
    const auto value = static_cast<int64_t>((*random)() % end);
    EXPECT_TRUE(((*random)() % 10 == 0 ? builder.AppendNull() : builder.Append(value)).ok());
  }
  return builder.Finish().ValueOrDie();
}

Column Times(std::mt19937_64* random, int64_t rows, int64_t end) {
  if (end % 2 == 0) return Numbers(arrow::Date32Builder(), random, rows, end);
  return Numbers(arrow::TimestampBuilder(arrow::timestamp(arrow::TimeUnit::MILLI, "UTC"),
                                         arrow::default_memory_pool()),
                 random, rows, end);
}

AsOfSide Side(std::mt19937_64* random, int64_t rows, int64_t times, bool created) {
  AsOfSide side{.keys = {Numbers(arrow::Int64Builder(), random, rows, 4)},
                .time = Times(random, rows, times)};
  if (created) side.created = Times(random, rows, times);
  return side;
}

AsOfSide Slice(const AsOfSide& side, int64_t first, int64_t rows) {
  return {.keys = {side.keys[0]->Slice(first, rows)},
          .time = side.time->Slice(first, rows),
          .created = side.created == nullptr ? nullptr : side.created->Slice(first, rows)};
}

/// Cuts the features into batches of parts, adds these in a random order, and compares with the
/// join of all at once.
void CheckOne(uint64_t seed) {
  std::mt19937_64 random(seed);
  const int64_t rows = static_cast<int64_t>(random() % 60);
  const int64_t times = 1 + static_cast<int64_t>(random() % 30);
  const AsOfSide spine = Side(&random, static_cast<int64_t>(random() % 40), times, false);
  const AsOfSide features = Side(&random, rows, times, seed % 2 == 0);
  AsOfOptions options;
  if (random() % 2 == 0) options.ttl_us = 1000 * static_cast<int64_t>(random() % 9);
  options.created_not_after = features.created != nullptr && random() % 2 == 0;
  std::vector<int64_t> ends;  // of parts
  while (ends.empty() || ends.back() < rows)
    ends.push_back(std::min<int64_t>(rows, (ends.empty() ? 0 : ends.back()) + random() % 9));
  std::vector<int> batch_ends = {static_cast<int>(ends.size())};
  for (size_t part = 1; part < ends.size(); ++part) {
    if (random() % 2 == 0) batch_ends.push_back(static_cast<int>(part));
  }
  std::sort(batch_ends.begin(), batch_ends.end());
  std::vector<size_t> order(batch_ends.size());
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), random);
  AsOfFold fold(spine, options, batch_ends.size() == 1, ProcessPool());
  arrow::Int32Builder all_positions;
  for (int64_t row = 0; row < rows; ++row)
    ASSERT_TRUE(all_positions.Append(static_cast<int32_t>(row)).ok());
  const Column positions = all_positions.Finish().ValueOrDie();
  for (size_t batch : order) {
    const int first = batch == 0 ? 0 : batch_ends[batch - 1];
    const int64_t start = first == 0 ? 0 : ends[first - 1];
    std::vector<int64_t> part_ends;
    for (int part = first; part < batch_ends[batch]; ++part)
      part_ends.push_back(ends[part] - start);
    const int64_t count = part_ends.back();
    ASSERT_TRUE(
        fold.Add(Slice(features, start, count), *positions->Slice(start, count), first, part_ends)
            .ok());
  }
  const auto expected = AsOfJoin(spine, features, options).ValueOrDie();
  for (int64_t i = 0; i < expected->length(); ++i) {
    if (expected->IsNull(i)) {
      ASSERT_EQ(PartOf(fold.found()[i]), -1) << i;
      continue;
    }
    const auto part = std::upper_bound(ends.begin(), ends.end(), expected->Value(i));
    ASSERT_EQ(PartOf(fold.found()[i]), part - ends.begin()) << i;
    ASSERT_EQ(PositionOf(fold.found()[i]), expected->Value(i)) << i;
  }
}

TEST(AsOfFold, PartByPartFindsWhatAllAtOnceFind) {
  ASSERT_TRUE(arrow::compute::Initialize().ok());
  for (int seed = 0; seed < TestRounds(500); ++seed) {
    SCOPED_TRACE(seed);
    CheckOne(seed);
  }
}

TEST(RowChunks, EveryRowGoesToItsChunk) {
  arrow::Int64Builder numbers;
  ASSERT_TRUE(numbers.AppendValues({0, 3, 4, 9, 10, 25}).ok());
  const Column column = numbers.Finish().ValueOrDie();
  const auto table =
      arrow::Table::Make(arrow::schema({arrow::field("row", arrow::int64())}),
                         {std::make_shared<arrow::ChunkedArray>(arrow::ArrayVector{
                             column->Slice(0, 2), column->Slice(2, 0), column->Slice(2)})});
  const auto dealt = DealByRow(table, {.rows_each = 5, .count = 4}).ValueOrDie();
  std::vector<int64_t> rows;
  for (const auto& chunk : dealt) rows.push_back(chunk->num_rows());
  EXPECT_EQ(rows, (std::vector<int64_t>{3, 1, 1, 1})) << "the last has all that follow";
  EXPECT_EQ(RowsBetween(table, 4, 10)->num_rows(), 2);
  EXPECT_EQ(RowsBetween(table, 11, 25)->num_rows(), 0);
  EXPECT_EQ(RowsBetween(table, 0, 26), table);
  const auto texts = arrow::Table::Make(
      arrow::schema({arrow::field("row", arrow::utf8())}),
      {std::make_shared<arrow::ChunkedArray>(arrow::ArrayVector{}, arrow::utf8())});
  EXPECT_EQ(DealByRow(texts, {.rows_each = 5, .count = 2}).status().message(),
            "a fragment's rows have no numbers");
}

}  // namespace
}  // namespace viand::engine
