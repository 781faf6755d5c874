#include "src/engine/execute_window.h"

#include <arrow/array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include <algorithm>
#include <iterator>

#include "src/engine/bind_view.h"
#include "src/engine/partition_inputs.h"
#include "src/engine/plain_array.h"
#include "src/engine/snapshot_rows.h"
#include "src/expression/binder.h"

namespace viand::engine {
namespace {

/// Puts the row numbers in front.
arrow::Result<std::shared_ptr<arrow::Table>> WithRows(const arrow::Array& spine_rows,
                                                      const SpineFeatures& found,
                                                      arrow::MemoryPool* pool) {
  arrow::compute::ExecContext execution(pool);
  VIAND_ASSIGN_OR_RETURN(
      auto rows, arrow::compute::Take(spine_rows, *found.rows,
                                      arrow::compute::TakeOptions::NoBoundsCheck(), &execution));
  arrow::FieldVector fields = found.features->schema()->fields();
  arrow::ArrayVector columns = found.features->columns();
  fields.insert(fields.begin(), arrow::field("row", arrow::int64(), false));
  columns.insert(columns.begin(), std::move(rows));
  return arrow::Table::Make(arrow::schema(std::move(fields)), columns, found.features->num_rows());
}

arrow::Result<WindowSpec> SpecOf(const WindowTask& task, const WindowFragment& window) {
  const auto schema = PlainSchema(*window.events);
  VIAND_ASSIGN_OR_RETURN(WindowSpec spec, BindWindowSpec(task.features, task.existence, task.having,
                                                         schema, window.described_as));
  spec.absent = task.absent;
  if (task.filter.empty()) return spec;
  const expression::Scope scope{.columns = schema, .described_as = window.described_as};
  VIAND_ASSIGN_OR_RETURN(spec.filter, expression::ParseAndBind(task.filter, scope));
  if (spec.filter->type->id() != arrow::Type::BOOL) {
    return MakeError(ErrorKind::kDefinition,
                     "the filter \"" + task.filter + "\" is not a condition");
  }
  return spec;
}

}  // namespace

arrow::Result<Tables> ExecuteWindow(const WindowFragment& window, const Tables& inputs,
                                    const FragmentContext& context) {
  arrow::MemoryPool* pool = context.pool;
  VIAND_RETURN_NOT_OK(CheckInputs(inputs, window.spine_parts, *window.events));
  std::vector<WindowSpec> specs;
  for (const WindowTask& task : window.tasks) {
    VIAND_ASSIGN_OR_RETURN(specs.emplace_back(), SpecOf(task, window));
  }
  SpinePart spine;
  if (window.at_spine) {
    VIAND_ASSIGN_OR_RETURN(spine, ReadSpine(inputs, window.spine_parts, window.keys.size(), pool));
  }
  EventRows events;
  VIAND_ASSIGN_OR_RETURN(events.columns,
                         JoinParts(inputs, window.spine_parts, inputs.size(), window.events, pool));
  std::vector<std::string> key_names;
  for (int key : window.keys) {
    events.keys.push_back(events.columns->column(key));
    key_names.push_back(window.events->field(key)->name());
  }
  events.time = events.columns->column(window.time_column);
  VIAND_ASSIGN_OR_RETURN(const auto sorted, SortedEvents::Make(std::move(events), pool));
  Tables outputs;
  for (size_t i = 0; i < specs.size(); ++i) {
    if (!window.at_spine) {
      VIAND_ASSIGN_OR_RETURN(auto rows, AggregateAtGrid(sorted.get(), key_names,
                                                        window.tasks[i].cutoffs_us, specs[i]));
      VIAND_ASSIGN_OR_RETURN(const auto table, arrow::Table::FromRecordBatches({rows}));
      VIAND_ASSIGN_OR_RETURN(outputs.emplace_back(),
                             InSnapshotOrder(table, key_names.size(), pool));
      continue;
    }
    VIAND_ASSIGN_OR_RETURN(const SpineFeatures found,
                           AggregateAtSpine(sorted.get(), spine.keys, spine.time, specs[i]));
    VIAND_ASSIGN_OR_RETURN(const auto rows, WithRows(*spine.rows, found, pool));
    VIAND_ASSIGN_OR_RETURN(Tables dealt, DealByRow(rows, window.chunks));
    std::move(dealt.begin(), dealt.end(), std::back_inserter(outputs));
  }
  return outputs;
}

}  // namespace viand::engine
