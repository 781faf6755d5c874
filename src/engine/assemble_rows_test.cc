#include "src/engine/assemble_rows.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

namespace viand::engine {
namespace {

constexpr int64_t kFirstRow = 1000;

std::shared_ptr<arrow::Schema> Features() {
  return arrow::schema({arrow::field("n", arrow::int64()), arrow::field("s", arrow::utf8())});
}

/// What row `number` has: now and then a null.
bool IsNull(int64_t number) { return number % 3 == 0; }
std::string TextOf(int64_t number) { return "text " + std::to_string(number); }

std::shared_ptr<arrow::Table> PieceOf(const std::vector<int64_t>& numbers) {
  arrow::Int64Builder rows, values;
  arrow::StringBuilder texts;
  for (const int64_t number : numbers) {
    EXPECT_TRUE(rows.Append(number).ok());
    EXPECT_TRUE((IsNull(number) ? values.AppendNull() : values.Append(number * 7)).ok());
    EXPECT_TRUE(texts.Append(TextOf(number)).ok());
  }
  arrow::FieldVector fields = Features()->fields();
  fields.insert(fields.begin(), arrow::field("row", arrow::int64(), false));
  return arrow::Table::Make(arrow::schema(fields),
                            {*rows.Finish(), *values.Finish(), *texts.Finish()});
}

/// Rows [kFirstRow, kFirstRow + rows) without every `hole`-th, dealt to `parts`, of which each has
/// several chunks.
Tables Dealt(int64_t rows, int64_t hole, int parts) {
  std::mt19937 random(3);
  std::vector<std::vector<int64_t>> numbers(parts);
  for (int64_t row = kFirstRow; row < kFirstRow + rows; ++row) {
    if (row % hole != 0) numbers[random() % parts].push_back(row);
  }
  Tables tables;
  for (const auto& of_part : numbers) {
    const auto middle = of_part.begin() + static_cast<std::ptrdiff_t>(of_part.size() / 3);
    tables.push_back(*arrow::ConcatenateTables(
        {PieceOf({of_part.begin(), middle}), PieceOf({middle, of_part.end()})}));
  }
  return tables;
}

TEST(AssembleRows, PutsEachValueAtItsRow) {
  constexpr int64_t kRows = 40'000;  // several blocks, the last one short
  constexpr int64_t kHole = 11;
  const Tables parts = Dealt(kRows, kHole, 4);
  const Tables reversed(parts.rbegin(), parts.rend());
  for (const auto& each : {parts, reversed}) {
    const auto columns = *AssembleRows(each, *Features(), kRows,
                                       {.first_row = kFirstRow, .missing = MissingRows::kNull});
    const auto& values = static_cast<const arrow::Int64Array&>(*columns[0]);
    const auto& texts = static_cast<const arrow::StringArray&>(*columns[1]);
    for (int64_t row = 0; row < kRows; ++row) {
      const int64_t number = kFirstRow + row;
      const bool missing = number % kHole == 0;
      ASSERT_EQ(values.IsNull(row), missing || IsNull(number));
      // Also where it is null the value is the same, however rows were dealt.
      ASSERT_EQ(values.Value(row), values.IsNull(row) ? 0 : number * 7);
      ASSERT_EQ(texts.IsNull(row), missing);
      if (!missing) {
        ASSERT_EQ(texts.GetString(row), TextOf(number));
      }
    }
  }
}

TEST(AssembleRows, RowsThatAreMissingOrTwiceAreAnError) {
  const Tables parts = Dealt(100, 11, 2);
  const AssembleOptions whole{.first_row = kFirstRow, .missing = MissingRows::kRefused};
  EXPECT_FALSE(AssembleRows(parts, *Features(), 100, whole).ok());
  EXPECT_TRUE(AssembleRows(Dealt(100, 1'000'000, 2), *Features(), 100, whole).ok());
  EXPECT_FALSE(AssembleRows({parts[0], parts[1], parts[0]}, *Features(), 100,
                            {.first_row = kFirstRow, .missing = MissingRows::kNull})
                   .ok());
}

}  // namespace
}  // namespace viand::engine
