#include "src/ingest/ingest.h"

#include <arrow/compute/initialize.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "src/expression/binder.h"
#include "src/ingest/column_conversion.h"
#include "src/ingest/parquet_sink.h"
#include "src/ingest/row_processor.h"
#include "src/ingest/table_scan.h"

namespace viand::ingest {
namespace {

using definition::BoundDataset;
using definition::Dataset;

arrow::Result<expression::ExpressionPtr> BindSql(const definition::Sql& sql,
                                                 const std::shared_ptr<arrow::Schema>& raw,
                                                 const std::string& dataset) {
  expression::Scope scope;
  scope.columns = raw;
  scope.described_as = fmt::format("the raw columns of dataset {}", dataset);
  return expression::ParseAndBind(sql.text, scope, sql.where);
}

arrow::Result<expression::ExpressionPtr> BindFilter(const definition::Sql& sql,
                                                    const std::shared_ptr<arrow::Schema>& raw,
                                                    const std::string& dataset) {
  VIAND_ASSIGN_OR_RETURN(auto filter, BindSql(sql, raw, dataset));
  if (filter->type->id() == arrow::Type::BOOL) return filter;
  return ErrorAt(
      sql.where, ErrorKind::kDefinition,
      fmt::format("`where` is {}; expected boolean", expression::TypeToSql(*filter->type)));
}

/// Binds filter and columns over `raw`.
arrow::Result<RowPlan> BindPlan(const Dataset& dataset, std::shared_ptr<arrow::Schema> raw) {
  RowPlan plan;
  plan.raw = std::move(raw);
  plan.on_error = dataset.on_error;
  if (dataset.filter) {
    VIAND_ASSIGN_OR_RETURN(plan.filter, BindFilter(*dataset.filter, plan.raw, dataset.name));
  }
  arrow::FieldVector fields;
  for (const definition::NamedSql& column : dataset.columns) {
    VIAND_ASSIGN_OR_RETURN(auto bound, BindSql(column.sql, plan.raw, dataset.name));
    fields.push_back(arrow::field(column.name, bound->type));
    plan.columns.push_back(std::move(bound));
  }
  plan.output = dataset.columns.empty() ? plan.raw : arrow::schema(std::move(fields));
  return plan;
}

/// Finds the types first; then only the columns that are declared or used are read.
arrow::Result<RowPlan> InferPlan(const Dataset& dataset, const std::string& root) {
  VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Schema> raw, InferRawSchema(dataset, root));
  VIAND_ASSIGN_OR_RETURN(RowPlan plan, BindPlan(dataset, raw));
  if (dataset.columns.empty()) return plan;
  std::set<std::string> used;
  for (const auto& [name, type] : dataset.from.types) used.insert(name);
  std::vector<expression::ExpressionPtr> expressions = plan.columns;
  if (plan.filter != nullptr) expressions.push_back(plan.filter);
  for (const auto& bound : expressions) {
    const std::vector<std::string> names = expression::ColumnsOf(*bound);
    used.insert(names.begin(), names.end());
  }
  arrow::FieldVector fields;
  for (const auto& field : raw->fields()) {
    if (used.contains(field->name())) fields.push_back(field);
  }
  return BindPlan(dataset, arrow::schema(std::move(fields)));
}

/// Takes what is bound already, or infers. Declared columns that the binder left out are read too:
/// their types are checked.
arrow::Result<RowPlan> MakePlan(const BoundDataset& bound, const std::string& root) {
  const Dataset& dataset = *bound.dataset;
  if (bound.raw == nullptr) return InferPlan(dataset, root);
  RowPlan plan;
  plan.filter = bound.filter;
  plan.on_error = dataset.on_error;
  arrow::FieldVector raw = bound.raw->fields();
  for (const auto& [name, type_name] : dataset.from.types) {
    if (bound.raw->GetFieldIndex(name) >= 0) continue;
    VIAND_ASSIGN_OR_RETURN(auto type, expression::TypeFromSql(type_name));
    raw.push_back(arrow::field(name, std::move(type)));
  }
  arrow::FieldVector output;
  for (const auto& [name, column] : bound.columns) {
    output.push_back(arrow::field(name, column->type));
    plan.columns.push_back(column);
  }
  plan.raw = arrow::schema(std::move(raw));
  plan.output = plan.columns.empty() ? plan.raw : arrow::schema(std::move(output));
  return plan;
}

int64_t TotalBytes(const std::vector<std::string>& files) {
  int64_t total = 0;
  for (const std::string& file : files) {
    std::error_code error;
    const auto size = std::filesystem::file_size(file, error);
    if (!error) total += static_cast<int64_t>(size);
  }
  return total;
}

/// One ingest: from the scan's tables to the sink.
class IngestRun {
 public:
  IngestRun(const Dataset& dataset, RowPlan plan, const IngestOptions& options)
      : dataset_(dataset), options_(options), processor_(std::move(plan)) {}

  arrow::Result<IngestReport> Run(std::vector<std::string> files) {
    const RowPlan& plan = processor_.plan();
    for (const auto& field : plan.raw->fields()) {
      VIAND_RETURN_NOT_OK(WithContext(CheckConvertible(*field->type()),
                                      fmt::format("column \"{}\": ", field->name())));
    }
    report_.files = files;
    report_.schema = plan.output;
    const std::string target =
        (std::filesystem::path(options_.root) / dataset_.to).lexically_normal().string();
    VIAND_ASSIGN_OR_RETURN(
        sink_, ParquetSink::Open(target, plan.output, options_.sort_by, options_.created_by));
    options_.progress->Begin("ingest " + dataset_.name, TotalBytes(files), "bytes");
    const arrow::Result<TableScanReport> scanned = Scan(std::move(files));
    options_.progress->End();
    VIAND_RETURN_NOT_OK(scanned.status());
    report_.bytes_read = scanned->bytes_read;
    report_.rows_skipped += scanned->skipped_rows;
    report_.rows_read += scanned->skipped_rows;
    VIAND_RETURN_NOT_OK(CheckRows());
    report_.rows_written = sink_->rows();
    VIAND_ASSIGN_OR_RETURN(report_.bytes_written, sink_->Commit());
    return report_;
  }

 private:
  arrow::Result<TableScanReport> Scan(std::vector<std::string> files) {
    TableScanOptions scan;
    scan.files = std::move(files);
    scan.dataset = &dataset_;
    scan.progress = options_.progress;
    seen_.resize(processor_.plan().raw->num_fields());
    scan.select = [this](RawFile* file) {
      return file->Select(processor_.plan().raw->field_names());
    };
    scan.work = [this](const RawFile&, const CellTable& table) {
      return processor_.Process(table);
    };
    scan.consume = [this](const RawFile& file, const CellTable& table, int64_t base,
                          std::unique_ptr<TableWork> work) {
      return Take(file, table, base, static_cast<const RowBatch&>(*work));
    };
    return ScanTables(scan);
  }

  arrow::Status Take(const RawFile& file, const CellTable& table, int64_t base,
                     const RowBatch& rows) {
    VIAND_RETURN_NOT_OK(processor_.Check(rows, file, table, base));
    report_.rows_read += rows.rows_read;
    report_.rows_skipped += rows.rows_skipped;
    report_.cells_nulled += rows.cells_nulled;
    report_.rows_filtered += rows.rows_filtered;
    for (size_t i = 0; i < seen_.size(); ++i) {
      if (file.has_header() || table.seen[i]) seen_[i] = true;
    }
    if (!file.has_header()) others_.insert(table.names.begin(), table.names.end());
    return rows.batch == nullptr ? arrow::Status::OK() : sink_->Write(rows.batch);
  }

  /// JSON has no header: a column that no line had is found missing at the end.
  arrow::Status CheckRows() const {
    for (size_t i = 0; i < seen_.size() && report_.rows_read > 0; ++i) {
      if (seen_[i]) continue;
      const std::string& name = processor_.plan().raw->field(static_cast<int>(i))->name();
      const std::string nearest = DidYouMean(name, {others_.begin(), others_.end()});
      return MakeError(
          ErrorKind::kInput,
          fmt::format("{} has no column \"{}\" in any line", fmt::join(report_.files, ", "), name),
          nearest);
    }
    if (sink_->rows() > 0) return arrow::Status::OK();
    const bool filtered = report_.rows_filtered > 0;
    return ErrorAt(
        filtered ? dataset_.filter->where : dataset_.where, ErrorKind::kInput,
        fmt::format("dataset \"{}\" has no rows{}: {} read, {} left out by on_error, {} by where",
                    dataset_.name, filtered ? " after where" : "", report_.rows_read,
                    report_.rows_skipped, report_.rows_filtered));
  }

  const Dataset& dataset_;
  const IngestOptions& options_;
  const RowProcessor processor_;
  std::unique_ptr<ParquetSink> sink_;
  std::vector<bool> seen_;        // columns that some line had
  std::set<std::string> others_;  // members of JSON lines that are no column
  IngestReport report_;
};

}  // namespace

arrow::Result<IngestReport> Ingest(const BoundDataset& dataset, const IngestOptions& options) {
  VIAND_RETURN_NOT_OK(arrow::compute::Initialize());
  VIAND_ASSIGN_OR_RETURN(std::vector<std::string> files,
                         InputFiles(*dataset.dataset, options.root));
  VIAND_ASSIGN_OR_RETURN(RowPlan plan, MakePlan(dataset, options.root));
  return IngestRun(*dataset.dataset, std::move(plan), options).Run(std::move(files));
}

}  // namespace viand::ingest
