// What a worker does with a table of cells: types are checked, then `where`, then `columns`.
// Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/definition/model.h"
#include "src/expression/expression.h"
#include "src/ingest/raw_file.h"
#include "src/ingest/table_scan.h"

namespace arrow {
class RecordBatch;
class Schema;
}  // namespace arrow

namespace viand::ingest {

/// A dataset with every type known.
struct RowPlan {
  std::shared_ptr<arrow::Schema>
      raw;  ///< columns to read: those of the expressions, and all that are declared
  expression::ExpressionPtr filter;                ///< null: all rows
  std::vector<expression::ExpressionPtr> columns;  ///< empty: raw as it is
  std::shared_ptr<arrow::Schema> output;
  definition::OnError on_error = definition::OnError::kFail;
};

struct RowBatch : TableWork {
  std::shared_ptr<arrow::RecordBatch> batch;  ///< of the output
  int64_t rows_read = 0;
  int64_t rows_skipped = 0;
  int64_t cells_nulled = 0;
  int64_t rows_filtered = 0;

  struct Misfit {
    int64_t row = 0;
    int column = 0;
  };
  std::optional<Misfit> misfit;  ///< the first, where on_error is fail
  arrow::Status status;          ///< of an expression
};

class RowProcessor {
 public:
  explicit RowProcessor(RowPlan plan) : plan_(std::move(plan)) {}

  const RowPlan& plan() const { return plan_; }
  std::unique_ptr<RowBatch> Process(const CellTable& table) const;
  /// Turns what a batch says of a failure into an error with its place.
  arrow::Status Check(const RowBatch& rows, const RawFile& file, const CellTable& table,
                      int64_t base) const;

 private:
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Convert(const CellTable& table,
                                                             RowBatch* rows) const;
  arrow::Status Evaluate(const CellTable& table, RowBatch* rows) const;

  const RowPlan plan_;
};

}  // namespace viand::ingest
