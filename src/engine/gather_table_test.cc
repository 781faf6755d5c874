#include "src/engine/gather_table.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/initialize.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <random>

#include "src/common/test_rounds.h"

namespace viand::engine {
namespace {

using Column = std::shared_ptr<arrow::Array>;

/// Numbers as a type that they can be cast to, some null.
Column Values(std::mt19937_64* random, const std::shared_ptr<arrow::DataType>& type, int64_t rows,
              bool nulls) {
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < rows; ++i)
    EXPECT_TRUE((nulls && (*random)() % 4 == 0
                     ? builder.AppendNull()
                     : builder.Append(static_cast<int64_t>((*random)() % 100)))
                    .ok());
  return arrow::compute::Cast(*builder.Finish().ValueOrDie(), type).ValueOrDie();
}

/// The column in pieces, cut anywhere.
std::shared_ptr<arrow::ChunkedArray> Cut(std::mt19937_64* random, const Column& column) {
  arrow::ArrayVector chunks;
  for (int64_t first = 0; first < column->length();) {
    const auto rows = static_cast<int64_t>((*random)() % 20);
    chunks.push_back(column->Slice(first, rows));
    first += chunks.back()->length();
  }
  return std::make_shared<arrow::ChunkedArray>(chunks, column->type());
}

std::shared_ptr<arrow::Table> Found(const std::vector<std::pair<int64_t, int64_t>>& rows) {
  arrow::Int64Builder spine, table;
  for (const auto& [of_spine, of_table] : rows) {
    EXPECT_TRUE(spine.Append(of_spine).ok());
    EXPECT_TRUE(table.Append(of_table).ok());
  }
  return arrow::Table::Make(FoundInTableSchema(),
                            {spine.Finish().ValueOrDie(), table.Finish().ValueOrDie()});
}

void CheckOne(uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto rows = static_cast<int64_t>(1 + random() % 90);
  const bool nulls = random() % 2 == 0, whole = random() % 3 == 0;
  const std::vector<std::shared_ptr<arrow::DataType>> types = {
      arrow::int64(),           arrow::int16(), arrow::float64(), arrow::int8(),
      arrow::decimal128(21, 2), arrow::utf8(),  arrow::int32(),   arrow::boolean()};
  GatherFragment gather;
  arrow::FieldVector fields;
  std::vector<std::shared_ptr<arrow::ChunkedArray>> columns;
  for (size_t i = 0; i < types.size(); ++i) {
    const Column values = Values(&random, types[i], rows, nulls);
    columns.push_back(whole ? std::make_shared<arrow::ChunkedArray>(values) : Cut(&random, values));
    fields.push_back(arrow::field(std::to_string(i), types[i]));
    gather.file_columns.push_back(fields.back()->name());
    gather.outputs.push_back(static_cast<int>(i));
  }
  gather.columns = arrow::schema(fields);
  gather.first_row = 1000;
  gather.rows = static_cast<int64_t>(random() % 60);
  std::vector<std::pair<int64_t, int64_t>> found[2];
  std::vector<int64_t> expected(gather.rows, -1);
  for (int64_t i = 0; i < gather.rows; ++i) {
    if (random() % 5 == 0) continue;
    expected[i] = static_cast<int64_t>(random() % rows);
    found[random() % 2].emplace_back(1000 + i, expected[i]);
  }
  const auto table = arrow::Table::Make(gather.columns, columns, rows);
  const auto result =
      GatherFromTable(gather, {table, Found(found[0]), Found(found[1])}, {}).ValueOrDie()[0];
  ASSERT_TRUE(result->ValidateFull().ok());
  ASSERT_EQ(result->num_rows(), gather.rows);
  for (int64_t i = 0; i < gather.rows; ++i) {
    EXPECT_EQ((*result->column(0)->GetScalar(i))->ToString(), std::to_string(1000 + i));
    for (int column = 0; column < table->num_columns(); ++column) {
      const auto value = *result->column(column + 1)->GetScalar(i);
      if (expected[i] < 0)
        ASSERT_FALSE(value->is_valid);
      else
        ASSERT_TRUE(value->Equals(**table->column(column)->GetScalar(expected[i])));
    }
  }
}

TEST(GatherTable, TakesEveryRowThatWasFound) {
  ASSERT_TRUE(arrow::compute::Initialize().ok());
  for (int seed = 0; seed < TestRounds(200); ++seed) {
    SCOPED_TRACE(seed);
    CheckOne(seed);
  }
}

TEST(GatherTable, RefusesRowsThatCannotBe) {
  GatherFragment gather;
  gather.columns = arrow::schema({arrow::field("x", arrow::int64())});
  gather.file_columns = {"x"};
  gather.outputs = {0};
  gather.first_row = 10;
  gather.rows = 5;
  std::mt19937_64 random(1);
  const auto table =
      arrow::Table::Make(gather.columns, {Values(&random, arrow::int64(), 3, false)});
  const auto error_of = [&](const std::vector<std::pair<int64_t, int64_t>>& rows) {
    return GatherFromTable(gather, {table, Found(rows)}, {}).status().message();
  };
  EXPECT_EQ(error_of({{10, 2}, {14, 0}}), "");
  for (const auto& rows : std::vector<std::vector<std::pair<int64_t, int64_t>>>{
           {{9, 0}}, {{15, 0}}, {{10, 3}}, {{10, -1}}, {{10, 0}, {10, 1}}})
    EXPECT_EQ(error_of(rows), "an executor made up rows of a source");
  EXPECT_EQ(GatherFromTable(gather, {}, {}).status().message(),
            "a gather fragment without files takes a table");
  gather.file_columns = {"y"};
  EXPECT_NE(error_of({}), "");
}

}  // namespace
}  // namespace viand::engine
