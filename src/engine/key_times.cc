#include "src/engine/key_times.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/datum.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include "src/engine/executor.h"
#include "src/engine/key_index.h"
#include "src/engine/map_stage.h"
#include "src/engine/opened_lookup.h"
#include "src/engine/view_columns.h"

namespace viand::engine {

arrow::Result<std::shared_ptr<arrow::Table>> ReadKeyTimes(const Lookup& lookup,
                                                          const TimeRange& range,
                                                          const ExecuteOptions& options) {
  VIAND_ASSIGN_OR_RETURN(OpenedScan source, OpenScan(SourceOf(lookup), {}, options.executor));
  VIAND_RETURN_NOT_OK(CheckTimeColumn(source, TimeOf(lookup)));
  MapRequest request;
  request.keys = std::visit([](const auto& view) { return view.keys; }, lookup.view);
  request.columns = request.keys;
  request.columns.push_back(TimeOf(lookup));
  request.drop_null_keys = true;
  request.filter = SourceOf(lookup).filter;
  request.time_column = TimeOf(lookup);
  request.range = range;
  VIAND_ASSIGN_OR_RETURN(MapOutputs mapped, RunMapStage(&source, request, options));
  VIAND_RETURN_NOT_OK(CheckUnchanged(source));
  std::vector<std::string> names = lookup.spine_keys;
  names.emplace_back("event_timestamp");
  std::vector<std::shared_ptr<arrow::Table>> tables;
  for (const TableReference& part : mapped.partitions[0]) {
    VIAND_ASSIGN_OR_RETURN(auto table, options.executor->Fetch(part));
    VIAND_ASSIGN_OR_RETURN(table, table->RenameColumns(names));
    tables.push_back(std::move(table));
  }
  if (!tables.empty()) return arrow::ConcatenateTables(tables);
  VIAND_ASSIGN_OR_RETURN(const auto schema, mapped.schema->WithNames(names));
  return arrow::Table::MakeEmpty(schema);
}

arrow::Result<std::shared_ptr<arrow::Table>> DistinctRows(
    const std::shared_ptr<arrow::Table>& table, arrow::MemoryPool* pool) {
  if (table->num_rows() == 0) return table;  // whose columns may have no chunk
  arrow::ArrayVector columns;
  for (const auto& column : table->columns()) {
    VIAND_ASSIGN_OR_RETURN(auto whole, column->num_chunks() == 1
                                           ? column->chunk(0)
                                           : arrow::Concatenate(column->chunks(), pool));
    columns.push_back(std::move(whole));
  }
  VIAND_ASSIGN_OR_RETURN(const KeyIndex index,
                         KeyIndex::Make(columns, table->num_rows(), {.null_is_value = true}));
  const std::shared_ptr<arrow::Array> rows = std::make_shared<arrow::Int64Array>(
      index.size(), arrow::Buffer::Wrap(index.first_rows().data(), index.first_rows().size()));
  arrow::compute::ExecContext context(pool);
  VIAND_ASSIGN_OR_RETURN(
      auto distinct, arrow::compute::Take(arrow::Datum(table), arrow::Datum(rows),
                                          arrow::compute::TakeOptions::NoBoundsCheck(), &context));
  return distinct.table();
}

}  // namespace viand::engine
