#include "src/cli/table_output.h"

#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <fmt/format.h>

#include <algorithm>

#include "src/common/time.h"
#include "src/store/arrow_border.h"

namespace viand::cli {
namespace {

std::string CellText(const arrow::Scalar& cell) {
  if (!cell.is_valid) return "null";
  if (cell.type->id() == arrow::Type::DOUBLE) {
    return fmt::format("{:.6g}", static_cast<const arrow::DoubleScalar&>(cell).value);
  }
  if (cell.type->id() == arrow::Type::TIMESTAMP &&
      static_cast<const arrow::TimestampType&>(*cell.type).unit() == arrow::TimeUnit::MICRO) {
    return FormatTimestamp(static_cast<const arrow::TimestampScalar&>(cell).value);
  }
  return cell.ToString();
}

arrow::Result<std::string> RenderHead(const arrow::Table& table, const Terminal& terminal) {
  TextTable text(table.schema()->field_names());
  for (int column = 0; column < table.num_columns(); ++column) {
    if (!arrow::is_base_binary_like(table.column(column)->type()->id())) text.AlignRight(column);
  }
  for (int64_t row = 0; row < std::min(kHeadRows, table.num_rows()); ++row) {
    std::vector<std::string> cells;
    for (const auto& column : table.columns()) {
      ARROW_ASSIGN_OR_RAISE(const auto cell, column->GetScalar(row));
      cells.push_back(CellText(*cell));
    }
    text.Add(std::move(cells));
  }
  return text.Render(terminal);
}

}  // namespace

Result<std::string> HeadOfTable(Table table, const Terminal& terminal) {
  const auto read = store::ToArrowTable(std::move(table));
  if (!read.ok()) return store::ToPublic(read.status());
  auto text = RenderHead(**read, terminal);
  if (!text.ok()) return store::ToPublic(text.status());
  return *std::move(text);
}

}  // namespace viand::cli
