#include "src/engine/as_of_merge.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/builder.h>
#include <arrow/compute/initialize.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "src/common/test_rounds.h"

namespace viand::engine {
namespace {

using Column = std::shared_ptr<arrow::Array>;

Column Keys(std::mt19937_64* random, int64_t rows) {
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < rows; ++i)
    EXPECT_TRUE(((*random)() % 9 == 0 ? builder.AppendNull()
                                      : builder.Append(static_cast<int64_t>((*random)() % 4)))
                    .ok());
  return builder.Finish().ValueOrDie();
}

Column Times(const std::vector<int64_t>& times, bool with_nulls) {
  arrow::TimestampBuilder builder(arrow::timestamp(arrow::TimeUnit::MILLI, "UTC"),
                                  arrow::default_memory_pool());
  for (const int64_t time : times)
    EXPECT_TRUE((with_nulls && time % 5 == 0 ? builder.AppendNull() : builder.Append(time)).ok());
  return builder.Finish().ValueOrDie();
}

std::vector<int64_t> Numbers(std::mt19937_64* random, int64_t rows, int64_t end) {
  std::vector<int64_t> numbers(rows);
  for (int64_t& number : numbers) number = static_cast<int64_t>((*random)() % end);
  return numbers;
}

AsOfSide Slice(const AsOfSide& side, int64_t first, int64_t rows) {
  return {.keys = {side.keys[0]->Slice(first, rows)},
          .time = side.time->Slice(first, rows),
          .created = side.created == nullptr ? nullptr : side.created->Slice(first, rows)};
}

/// Places are those of the rows in all pieces together, by offsets of a permutation or without.
void CheckOne(uint64_t seed) {
  std::mt19937_64 random(seed);
  // Some of more rows than are looked up at a time.
  const int64_t rows = static_cast<int64_t>(random() % (seed % 50 == 0 ? 20'000 : 60));
  const int64_t spine_rows = static_cast<int64_t>(random() % 40);
  const auto end = static_cast<int64_t>(1 + random() % 30);
  std::vector<int64_t> times = Numbers(&random, rows, end);
  std::sort(times.begin(), times.end());
  const AsOfSide spine{.keys = {Keys(&random, spine_rows)},
                       .time = Times(Numbers(&random, spine_rows, end), true)};
  AsOfSide features{.keys = {Keys(&random, rows)}, .time = Times(times, false)};
  if (random() % 2 == 0) features.created = Times(Numbers(&random, rows, end), true);
  AsOfOptions options;
  if (random() % 2 == 0) options.ttl_us = 1000 * static_cast<int64_t>(random() % 9);
  if (random() % 3 == 0) options.grid_us = {3000, 11000};
  std::vector<int32_t> offsets(rows);
  std::iota(offsets.begin(), offsets.end(), 100);
  std::shuffle(offsets.begin(), offsets.end(), random);
  const bool with_offsets = random() % 2 == 0;
  std::vector<AsOfPiece> pieces;
  for (int64_t first = 0; first < rows;) {
    const int64_t count = std::min<int64_t>(rows - first, random() % 9 == 0 ? rows : random() % 9);
    pieces.push_back({.rows = Slice(features, first, count),
                      .first_place = with_offsets ? 7 : first,
                      .offsets = with_offsets ? offsets.data() + first : nullptr});
    first += count;
  }
  ASSERT_TRUE(CanMerge(spine, pieces, options));
  std::vector<int64_t> found(spine_rows);
  ASSERT_TRUE(MergeAsOf(spine, pieces, options, found.data()).ok());
  const auto expected = AsOfJoin(spine, features, options).ValueOrDie();
  for (int64_t i = 0; i < spine_rows; ++i) {
    const int64_t row = expected->IsNull(i) ? -1 : expected->Value(i);
    ASSERT_EQ(found[i], row < 0 || !with_offsets ? row : 7 + offsets[row]) << i;
  }
}

TEST(AsOfMerge, PiecesFindWhatTheyFindTogether) {
  ASSERT_TRUE(arrow::compute::Initialize().ok());
  for (int seed = 0; seed < TestRounds(500); ++seed) {
    SCOPED_TRACE(seed);
    CheckOne(seed);
  }
}

TEST(AsOfMerge, IsForTimesThatAscendAlone) {
  const auto piece = [](const std::vector<int64_t>& times, bool nulls = false) {
    std::mt19937_64 random(1);
    const auto rows = static_cast<int64_t>(times.size());
    return AsOfPiece{.rows = {.keys = {Keys(&random, rows)}, .time = Times(times, nulls)}};
  };
  const AsOfSide spine = piece({1}).rows;
  EXPECT_TRUE(CanMerge(spine, {}, {}));
  EXPECT_TRUE(CanMerge(spine, {piece({1, 2, 2}), piece({}), piece({2, 3})}, {}));
  EXPECT_FALSE(CanMerge(spine, {piece({1, 3, 2})}, {}));
  EXPECT_FALSE(CanMerge(spine, {piece({1, 3}), piece({2})}, {}));
  EXPECT_FALSE(CanMerge(spine, {piece({1, 5, 6}, true)}, {}));
  AsOfPiece created = piece({1, 2});
  created.rows.created = created.rows.time;
  EXPECT_TRUE(CanMerge(spine, {created}, {}));
  EXPECT_FALSE(CanMerge(spine, {created}, {.created_not_after = true}));
}

}  // namespace
}  // namespace viand::engine
