#include "src/engine/spine.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/datum.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include "src/common/block_pool.h"
#include "src/engine/executor.h"
#include "src/engine/plain_array.h"
#include "src/engine/read_file.h"
#include "src/engine/scan_schema.h"
#include "src/expression/batch_evaluator.h"
#include "src/expression/binder.h"

namespace viand::engine {
namespace {

/// Rows read at a time; the pieces become the chunks of the result.
constexpr int64_t kSpineBatchRows = 1024 * 1024;

/// Gives a batch of one file the types of the whole scan.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> WithTypes(
    const arrow::RecordBatch& batch, const std::shared_ptr<arrow::Schema>& schema) {
  arrow::ArrayVector columns;
  for (int i = 0; i < schema->num_fields(); ++i) {
    const auto& type = schema->field(i)->type();
    if (batch.column(i)->type()->Equals(*type)) {
      columns.push_back(batch.column(i));
      continue;
    }
    VIAND_ASSIGN_OR_RETURN(auto plain, ToPlain(batch.column(i), PlainType(type)));
    VIAND_ASSIGN_OR_RETURN(auto restored, RestoreType(plain, type));
    columns.push_back(std::move(restored));
  }
  return arrow::RecordBatch::Make(schema, batch.num_rows(), std::move(columns));
}

arrow::Result<std::shared_ptr<arrow::Table>> ReadFiles(const OpenedScan& scan,
                                                       const ExecuteOptions& options) {
  VIAND_RETURN_NOT_OK(SelectColumns(scan, scan.schema->field_names()));
  std::vector<std::string> names;
  for (const std::string& name : scan.schema->field_names()) names.push_back(scan.NameInFile(name));
  const ReadOptions read{.batch_rows = kSpineBatchRows,
                         .decode_in_parallel = options.executor->Parallelism() > 1,
                         .pool = ProcessPool()};
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (const OpenedFile& file : scan.files) {
    const FilePart part = PartOf(scan, file);
    if (part.groups.empty()) continue;
    const auto visit = [&](int64_t /*first_row*/, const auto& batch) -> arrow::Status {
      VIAND_ASSIGN_OR_RETURN(auto typed, WithTypes(*batch, scan.schema));
      batches.push_back(std::move(typed));
      return arrow::Status::OK();
    };
    VIAND_RETURN_NOT_OK(ReadFilePart(part, names, scan.described_as, read, visit));
  }
  return arrow::Table::FromRecordBatches(scan.schema, batches);
}

arrow::Result<std::shared_ptr<arrow::Table>> Filtered(const std::shared_ptr<arrow::Table>& table,
                                                      const std::string& filter,
                                                      const std::string& described_as) {
  const auto plain = PlainSchema(*table->schema());
  VIAND_ASSIGN_OR_RETURN(auto bound, expression::ParseAndBind(
                                         filter, {.columns = plain, .described_as = described_as}));
  arrow::ArrayVector passed;
  arrow::TableBatchReader reader(*table);
  std::shared_ptr<arrow::RecordBatch> batch;
  while (true) {
    VIAND_RETURN_NOT_OK(reader.ReadNext(&batch));
    if (batch == nullptr) break;
    VIAND_ASSIGN_OR_RETURN(auto typed, WithTypes(*batch, plain));
    VIAND_ASSIGN_OR_RETURN(auto keep, expression::EvaluateBatch(*bound, *typed));
    passed.push_back(std::move(keep));
  }
  if (passed.empty()) return table;
  arrow::compute::ExecContext context(ProcessPool());
  VIAND_ASSIGN_OR_RETURN(
      auto kept,
      arrow::compute::Filter(arrow::Datum(table),
                             arrow::Datum(std::make_shared<arrow::ChunkedArray>(std::move(passed))),
                             arrow::compute::FilterOptions::Defaults(), &context));
  return kept.table();
}

arrow::Status FindTime(const std::string& name, Spine* spine) {
  const auto field = spine->table->schema()->GetFieldByName(name);
  if (field == nullptr)
    return MissingColumn(name, *spine->table->schema(), "", spine->described_as);
  spine->time = spine->table->GetColumnByName(name);
  if (field->type()->id() == arrow::Type::NA) {
    const auto type = arrow::timestamp(arrow::TimeUnit::MICRO);
    VIAND_ASSIGN_OR_RETURN(auto nulls, arrow::MakeArrayOfNull(type, spine->table->num_rows()));
    spine->time = std::make_shared<arrow::ChunkedArray>(nulls);
  }
  if (IsTimeType(*spine->time->type())) {
    spine->range = RangeOf(*spine->time);
    return arrow::Status::OK();
  }
  return MakeError(
      ErrorKind::kInput,
      fmt::format("column \"{}\" of {} is {}, expected a timestamp or a date", name,
                  spine->described_as, field->type()->ToString()),
      "write it as a timestamp (2011-03-01 08:26:00 in CSV), or name another column with "
      "--timestamp-column");
}

}  // namespace

arrow::Result<Spine> ReadSpine(
    const RetrievalPlan& plan,
    const std::map<std::string, std::shared_ptr<arrow::DataType>>& csv_types,
    const ExecuteOptions& options) {
  VIAND_ASSIGN_OR_RETURN(const OpenedScan scan, OpenScan(plan.spine, csv_types));
  Spine spine;
  spine.described_as = scan.described_as.empty() ? "the spine" : scan.described_as;
  if (scan.table != nullptr) {
    VIAND_ASSIGN_OR_RETURN(const auto renamed,
                           RenamedSchema(*scan.table->schema(), scan.renames, spine.described_as));
    VIAND_ASSIGN_OR_RETURN(spine.table, scan.table->RenameColumns(renamed->field_names()));
  } else {
    VIAND_ASSIGN_OR_RETURN(spine.table, ReadFiles(scan, options));
  }
  if (!plan.spine.filter.empty()) {
    VIAND_ASSIGN_OR_RETURN(spine.table,
                           Filtered(spine.table, plan.spine.filter, spine.described_as));
  }
  VIAND_RETURN_NOT_OK(FindTime(plan.spine_timestamp, &spine));
  return spine;
}

arrow::Result<OpenedScan> KeysOf(const Spine& spine, const std::vector<std::string>& keys,
                                 const std::vector<std::shared_ptr<arrow::DataType>>& types) {
  arrow::FieldVector fields;
  std::vector<std::shared_ptr<arrow::ChunkedArray>> columns;
  for (size_t i = 0; i < keys.size(); ++i) {
    auto column = spine.table->GetColumnByName(keys[i]);
    if (column == nullptr)
      return MissingColumn(keys[i], *spine.table->schema(), "", spine.described_as);
    if (column->type()->id() == arrow::Type::NA) {
      VIAND_ASSIGN_OR_RETURN(auto nulls, arrow::MakeArrayOfNull(types[i], column->length()));
      column = std::make_shared<arrow::ChunkedArray>(nulls);
    }
    fields.push_back(arrow::field(fmt::format("key {}", i), column->type()));
    columns.push_back(std::move(column));
  }
  fields.push_back(arrow::field("time", spine.time->type()));
  columns.push_back(spine.time);
  OpenedScan scan;
  scan.described_as = spine.described_as;
  scan.schema = arrow::schema(std::move(fields));
  scan.table = arrow::Table::Make(scan.schema, std::move(columns), spine.table->num_rows());
  return scan;
}

}  // namespace viand::engine
