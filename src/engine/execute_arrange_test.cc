#include "src/engine/execute_arrange.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/initialize.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <tuple>

#include "src/common/test_rounds.h"

namespace viand::engine {
namespace {

/// (text, number, place): texts and numbers with nulls, which come last.
using Row = std::tuple<std::optional<std::string>, std::optional<int64_t>, int64_t>;
using Rows = std::vector<Row>;

template <typename Value>
bool Before(const std::optional<Value>& a, const std::optional<Value>& b) {
  return a.has_value() && (!b.has_value() || *a < *b);
}

/// By text, then number.
bool IsBefore(const Row& a, const Row& b) {
  if (std::get<0>(a) != std::get<0>(b)) return Before(std::get<0>(a), std::get<0>(b));
  return Before(std::get<1>(a), std::get<1>(b));
}

Rows RandomRows(std::mt19937_64* random, size_t count) {
  Rows rows;
  for (size_t i = 0; i < count; ++i) {
    Row row{std::string(1, static_cast<char>('a' + (*random)() % 3)), (*random)() % 4,
            static_cast<int64_t>(i)};
    if ((*random)() % 8 == 0) std::get<0>(row).reset();
    if ((*random)() % 8 == 0) std::get<1>(row).reset();
    rows.push_back(std::move(row));
  }
  return rows;
}

std::shared_ptr<arrow::Table> TableOf(const Rows& rows) {
  arrow::StringBuilder texts;
  arrow::Int32Builder numbers;
  arrow::Int64Builder places;
  for (const auto& [text, number, place] : rows) {
    EXPECT_TRUE((text ? texts.Append(*text) : texts.AppendNull()).ok());
    EXPECT_TRUE(
        (number ? numbers.Append(static_cast<int32_t>(*number)) : numbers.AppendNull()).ok());
    EXPECT_TRUE(places.Append(place).ok());
  }
  return arrow::Table::Make(
      arrow::schema({arrow::field("text", arrow::utf8()), arrow::field("number", arrow::int32()),
                     arrow::field("place", arrow::int64())}),
      {*texts.Finish(), *numbers.Finish(), *places.Finish()});
}

/// What a table has, its numbers being int64.
Rows RowsOf(const arrow::Table& table) {
  Rows rows;
  const auto batch = table.CombineChunksToBatch().ValueOrDie();
  const auto& texts = static_cast<const arrow::StringArray&>(*batch->column(0));
  const auto& numbers = static_cast<const arrow::Int64Array&>(*batch->column(1));
  const auto& places = static_cast<const arrow::Int64Array&>(*batch->column(2));
  for (int64_t i = 0; i < batch->num_rows(); ++i) {
    Row row;
    if (texts.IsValid(i)) std::get<0>(row) = texts.GetString(i);
    if (numbers.IsValid(i)) std::get<1>(row) = numbers.Value(i);
    std::get<2>(row) = places.Value(i);
    rows.push_back(std::move(row));
  }
  return rows;
}

ArrangeFragment ByTextAndNumber() {
  ArrangeFragment arrange;
  arrange.columns =
      arrow::schema({arrow::field("text", arrow::utf8()), arrow::field("number", arrow::int64()),
                     arrow::field("place", arrow::int64())});
  arrange.order = {0, 1};
  return arrange;
}

Tables Execute(const ArrangeFragment& arrange, const Tables& inputs) {
  return ExecuteFragment(arrange, inputs).ValueOrDie();
}

TEST(ExecuteArrange, RowsAreInOrderAndDistinct) {
  for (int seed = 0; seed < TestRounds(200); ++seed) {
    std::mt19937_64 random(seed);
    Tables inputs;
    Rows wanted;
    for (size_t i = random() % 4; i > 0; --i) {
      const Rows rows = RandomRows(&random, random() % 30);
      inputs.push_back(TableOf(rows));
      wanted.insert(wanted.end(), rows.begin(), rows.end());
    }
    std::stable_sort(wanted.begin(), wanted.end(), IsBefore);
    ArrangeFragment arrange = ByTextAndNumber();
    EXPECT_EQ(RowsOf(*Execute(arrange, inputs)[0]), wanted) << seed;
    arrange.distinct = 1;
    const auto same_text = [](const Row& a, const Row& b) {
      return std::get<0>(a) == std::get<0>(b);
    };
    wanted.erase(std::unique(wanted.begin(), wanted.end(), same_text), wanted.end());
    EXPECT_EQ(RowsOf(*Execute(arrange, inputs)[0]), wanted) << seed;
  }
}

TEST(ExecuteArrange, PartsBeginWhereTheirRowsWouldLie) {
  for (int seed = 0; seed < TestRounds(200); ++seed) {
    std::mt19937_64 random(seed);
    const Rows rows = RandomRows(&random, random() % 60);
    ArrangeFragment arrange = ByTextAndNumber();
    arrange.parts = 2 + static_cast<int>(random() % 5);
    Rows begins = RandomRows(&random, random() % (arrange.parts + 1));
    std::stable_sort(begins.begin(), begins.end(), IsBefore);
    const auto of_order = TableOf(begins)->SelectColumns({0, 1}).ValueOrDie();
    const Tables parts = Execute(arrange, {TableOf(rows), of_order});
    ASSERT_EQ(parts.size(), arrange.parts);
    Rows all;
    for (size_t part = 0; part < parts.size(); ++part) {
      for (const Row& row : RowsOf(*parts[part])) {
        if (part > 0) EXPECT_FALSE(IsBefore(row, begins.at(part))) << seed;
        if (part + 1 < begins.size()) EXPECT_TRUE(IsBefore(row, begins[part + 1])) << seed;
        all.push_back(row);
      }
    }
    Rows wanted = rows;
    std::stable_sort(wanted.begin(), wanted.end(), IsBefore);
    EXPECT_EQ(all, wanted) << seed;
  }
}

TEST(ExecuteArrange, SomeRowsAreEvenlySpacedAndStamped) {
  std::mt19937_64 random(1);
  ArrangeFragment arrange;
  arrange.chosen = {2, 1};
  arrange.most_rows = 4;
  arrange.dropped = 1;
  arrange.time_us = 77;
  arrange.time_name = "t";
  const auto table = Execute(arrange, {TableOf(RandomRows(&random, 10))})[0];
  EXPECT_EQ(table->schema()->ToString(), "place: int64\nt: timestamp[us, tz=UTC]");
  const auto batch = table->CombineChunksToBatch().ValueOrDie();
  EXPECT_EQ(batch->column(0)->ToString(), "[\n  0,\n  2,\n  5,\n  7\n]");
  EXPECT_EQ(static_cast<const arrow::TimestampArray&>(*batch->column(1)).Value(3), 77);
  arrange.most_rows = 0;
  EXPECT_EQ(Execute(arrange, {TableOf(RandomRows(&random, 10))})[0]->num_rows(), 0);
}

TEST(ExecuteArrange, InputsThatDoNotFitAreErrors) {
  const auto message = [](const ArrangeFragment& arrange, const Tables& inputs) {
    return ExecuteFragment(arrange, inputs).status().message();
  };
  const std::string do_not_fit = "a fragment's inputs do not fit it";
  std::mt19937_64 random(1);
  const auto table = TableOf(RandomRows(&random, 5));
  const auto order = table->SelectColumns({0, 1}).ValueOrDie();
  EXPECT_EQ(message({}, {}), do_not_fit);
  ArrangeFragment arrange = ByTextAndNumber();
  EXPECT_EQ(message(arrange, {order}), do_not_fit);
  arrange.order = {3};
  EXPECT_EQ(message(arrange, {table}), do_not_fit);
  arrange = ByTextAndNumber();
  arrange.chosen = {0, 1, 3};
  EXPECT_EQ(message(arrange, {table}), do_not_fit);
  arrange = ByTextAndNumber();
  arrange.dropped = 4;
  EXPECT_EQ(message(arrange, {table}), do_not_fit);
  arrange = ByTextAndNumber();
  arrange.parts = 3;
  EXPECT_EQ(message(arrange, {}), do_not_fit);
  EXPECT_EQ(message(arrange, {table, table}), do_not_fit);
  EXPECT_EQ(message(arrange, {table, order}), do_not_fit);  // five rows begin three parts
}

}  // namespace
}  // namespace viand::engine
