#include "src/ingest/row_processor.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>

#include "src/expression/batch_evaluator.h"
#include "src/expression/binder.h"
#include "src/ingest/cell_value.h"
#include "src/ingest/column_conversion.h"

namespace viand::ingest {
namespace {

namespace compute = arrow::compute;
using definition::OnError;

arrow::Result<ConvertedColumn> ConvertRawColumn(const CellTable& table, int column,
                                                const std::shared_ptr<arrow::DataType>& type) {
  if (table.arrays.empty()) return ConvertColumn(table, column, type);
  const std::shared_ptr<arrow::Array>& array = table.arrays[column];
  if (array->type()->Equals(*type)) return ConvertedColumn{array, {}};
  CellTable cells(1);
  cells.row_numbers.resize(array->length());
  cells.cells.resize(array->length());
  VIAND_RETURN_NOT_OK(ArrayToCells(*array, 0, &cells));
  return ConvertColumn(cells, 0, type);
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> KeepRows(
    const std::shared_ptr<arrow::RecordBatch>& batch, const std::vector<bool>& keep) {
  arrow::BooleanBuilder builder;
  VIAND_RETURN_NOT_OK(builder.AppendValues(keep));
  VIAND_ASSIGN_OR_RETURN(const auto mask, builder.Finish());
  VIAND_ASSIGN_OR_RETURN(const arrow::Datum kept, compute::Filter(batch, mask));
  return kept.record_batch();
}

}  // namespace

std::unique_ptr<RowBatch> RowProcessor::Process(const CellTable& table) const {
  auto rows = std::make_unique<RowBatch>();
  rows->rows_read = table.rows();
  rows->status = Evaluate(table, rows.get());
  return rows;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> RowProcessor::Convert(const CellTable& table,
                                                                         RowBatch* rows) const {
  arrow::ArrayVector arrays;
  std::vector<bool> keep;
  for (int column = 0; column < plan_.raw->num_fields(); ++column) {
    VIAND_ASSIGN_OR_RETURN(ConvertedColumn converted,
                           ConvertRawColumn(table, column, plan_.raw->field(column)->type()));
    arrays.push_back(std::move(converted.array));
    if (converted.misfits.empty()) continue;
    if (plan_.on_error == OnError::kFail) {
      const int64_t row = converted.misfits.front();
      if (!rows->misfit || row < rows->misfit->row) rows->misfit = RowBatch::Misfit{row, column};
    } else if (plan_.on_error == OnError::kNull) {
      rows->cells_nulled += static_cast<int64_t>(converted.misfits.size());
    } else {
      keep.resize(table.rows(), true);
      for (int64_t row : converted.misfits) keep[row] = false;
    }
  }
  auto batch = arrow::RecordBatch::Make(plan_.raw, table.rows(), std::move(arrays));
  if (keep.empty()) return batch;
  rows->rows_skipped = std::count(keep.begin(), keep.end(), false);
  return KeepRows(batch, keep);
}

arrow::Status RowProcessor::Evaluate(const CellTable& table, RowBatch* rows) const {
  VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::RecordBatch> batch, Convert(table, rows));
  if (rows->misfit) return arrow::Status::OK();
  if (plan_.filter != nullptr && batch->num_rows() > 0) {
    VIAND_ASSIGN_OR_RETURN(const auto mask, expression::EvaluateBatch(*plan_.filter, *batch));
    VIAND_ASSIGN_OR_RETURN(const arrow::Datum kept, compute::Filter(batch, mask));
    rows->rows_filtered = batch->num_rows() - kept.record_batch()->num_rows();
    batch = kept.record_batch();
  }
  if (batch->num_rows() == 0) return arrow::Status::OK();
  if (plan_.columns.empty()) {
    rows->batch = std::move(batch);
    return arrow::Status::OK();
  }
  arrow::ArrayVector arrays;
  for (const expression::ExpressionPtr& column : plan_.columns) {
    VIAND_ASSIGN_OR_RETURN(auto array, expression::EvaluateBatch(*column, *batch));
    arrays.push_back(std::move(array));
  }
  rows->batch = arrow::RecordBatch::Make(plan_.output, batch->num_rows(), std::move(arrays));
  return arrow::Status::OK();
}

arrow::Status RowProcessor::Check(const RowBatch& rows, const RawFile& file, const CellTable& table,
                                  int64_t base) const {
  if (rows.misfit) {
    const auto [row, column] = *rows.misfit;
    RawCell cell;
    CellTable converted(1);
    if (table.arrays.empty()) {
      cell = table.At(row, column);
    } else {
      converted.row_numbers.resize(1);
      converted.cells.resize(1);
      VIAND_RETURN_NOT_OK(ArrayToCells(*table.arrays[column]->Slice(row, 1), 0, &converted));
      cell = converted.cells[0];
    }
    return MakeError(
        ErrorKind::kInput,
        fmt::format("{}{}: found {}, expected {}", file.Describe(),
                    file.DescribePlace(RowNumber(table, row, base), column), DescribeCell(cell),
                    expression::TypeToSql(*plan_.raw->field(column)->type())),
        HintOfMisfit(cell));
  }
  if (rows.status.ok() || table.rows() == 0) return rows.status;
  return WithContext(rows.status,
                     fmt::format("{}, rows {} to {}: ", file.Describe(), RowNumber(table, 0, base),
                                 RowNumber(table, table.rows() - 1, base)));
}

}  // namespace viand::ingest
