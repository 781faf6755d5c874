#include "src/engine/execute_window.h"

#include <arrow/array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <numeric>

#include "src/engine/bind_view.h"
#include "src/engine/partition_inputs.h"
#include "src/engine/plain_array.h"
#include "src/engine/snapshot_rows.h"
#include "src/engine/window_summary.h"
#include "src/expression/binder.h"

namespace viand::engine {
namespace {

/// Puts the row numbers in front.
arrow::Result<std::shared_ptr<arrow::Table>> WithRows(const arrow::Array& spine_rows,
                                                      const std::vector<SpineFeatures>& found,
                                                      arrow::MemoryPool* pool) {
  arrow::compute::ExecContext execution(pool);
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (const SpineFeatures& piece : found) {
    VIAND_ASSIGN_OR_RETURN(
        const auto rows,
        arrow::compute::Take(spine_rows, *piece.rows, arrow::compute::TakeOptions::NoBoundsCheck(),
                             &execution));
    VIAND_ASSIGN_OR_RETURN(
        batches.emplace_back(),
        piece.features->AddColumn(0, arrow::field("row", arrow::int64(), false), rows));
  }
  return arrow::Table::FromRecordBatches(batches);
}

arrow::Result<WindowSpec> SpecOf(const WindowTask& task, const WindowFragment& window) {
  const auto schema = PlainSchema(*window.events);
  VIAND_ASSIGN_OR_RETURN(WindowSpec spec, BindWindowSpec(task.features, task.existence, task.having,
                                                         schema, window.described_as));
  spec.absent = task.absent;
  for (const int key : window.keys) spec.key_names.push_back(schema->field(key)->name());
  if (task.filter.empty()) return spec;
  const expression::Scope scope{.columns = schema, .described_as = window.described_as};
  VIAND_ASSIGN_OR_RETURN(spec.filter, expression::ParseAndBind(task.filter, scope));
  if (spec.filter->type->id() != arrow::Type::BOOL) {
    return MakeError(ErrorKind::kDefinition,
                     "the filter \"" + task.filter + "\" is not a condition");
  }
  return spec;
}

/// The inputs behind the spine's, whose last may be summaries, as rows of events.
class EventInputs {
 public:
  EventInputs(const WindowFragment& window, const std::vector<WindowSpec>& specs,
              arrow::MemoryPool* pool)
      : window_(window), tallied_(TalliedRowsOf(specs)), pool_(pool) {}

  arrow::Result<EventRows> Join(const Tables& inputs) {
    const size_t first = window_.spine_parts;
    const size_t plain = inputs.size() - window_.summary_parts;
    Tables tables(inputs.begin() + static_cast<std::ptrdiff_t>(first), inputs.end());
    std::vector<int> of_events(window_.events->num_fields());
    std::iota(of_events.begin(), of_events.end(), 0);
    for (size_t i = plain; i < inputs.size(); ++i) {
      VIAND_ASSIGN_OR_RETURN(tables[i - first], inputs[i]->SelectColumns(of_events));
    }
    EventRows events;
    VIAND_ASSIGN_OR_RETURN(events.columns,
                           JoinParts(tables, 0, tables.size(), window_.events, pool_));
    for (const int key : window_.keys) events.keys.push_back(events.columns->column(key));
    events.time = events.columns->column(window_.time_column);
    if (plain < inputs.size()) VIAND_RETURN_NOT_OK(AddTallies(inputs, plain, &events));
    return events;
  }

  arrow::Status Check(const Tables& inputs) const {
    const auto parts = static_cast<size_t>(window_.summary_parts);
    if (inputs.size() < window_.spine_parts + parts) return InputsDoNotFit();
    const auto summary = SummarySchema(*window_.events, tallied_.size());
    for (size_t i = inputs.size() - parts; i < inputs.size(); ++i) {
      if (!inputs[i]->schema()->Equals(*summary, false)) return InputsDoNotFit();
    }
    return CheckInputs(Tables(inputs.begin(), inputs.end() - window_.summary_parts),
                       window_.spine_parts, *window_.events);
  }

 private:
  arrow::Status AddTallies(const Tables& inputs, size_t plain, EventRows* events) const {
    for (size_t each = 0; each < tallied_.size(); ++each) {
      RowTallies tallies(events->time->length());
      int64_t row = 0;
      for (size_t i = window_.spine_parts; i < inputs.size(); ++i) {
        if (i < plain) {
          row += inputs[i]->num_rows();
          continue;
        }
        const int column = window_.events->num_fields() + static_cast<int>(each);
        for (const auto& chunk : inputs[i]->column(column)->chunks()) {
          VIAND_RETURN_NOT_OK(tallies.Add(*chunk, row));
          row += chunk->length();
        }
      }
      events->tallies.emplace(tallied_[each].Name(), std::move(tallies));
    }
    return arrow::Status::OK();
  }

  const WindowFragment& window_;
  const std::vector<TalliedRows> tallied_;
  arrow::MemoryPool* const pool_;
};

}  // namespace

arrow::Result<Tables> ExecuteWindow(const WindowFragment& window, const Tables& inputs,
                                    const FragmentContext& context) {
  arrow::MemoryPool* pool = context.pool;
  std::vector<WindowSpec> specs;
  for (const WindowTask& task : window.tasks) {
    VIAND_ASSIGN_OR_RETURN(specs.emplace_back(), SpecOf(task, window));
  }
  EventInputs event_inputs(window, specs, pool);
  VIAND_RETURN_NOT_OK(event_inputs.Check(inputs));
  SpinePart spine;
  if (window.at_spine) {
    VIAND_ASSIGN_OR_RETURN(spine, ReadSpine(inputs, window.spine_parts, window.keys.size(), pool));
  }
  VIAND_ASSIGN_OR_RETURN(EventRows events, event_inputs.Join(inputs));
  VIAND_ASSIGN_OR_RETURN(const auto sorted, SortedEvents::Make(std::move(events), pool));
  if (window.summarize) {
    VIAND_ASSIGN_OR_RETURN(const auto summary, Summarize(sorted.get(), specs));
    VIAND_ASSIGN_OR_RETURN(auto table, arrow::Table::FromRecordBatches({summary}));
    return Tables{std::move(table)};
  }
  Tables outputs;
  for (size_t i = 0; i < specs.size(); ++i) {
    if (!window.at_spine) {
      VIAND_ASSIGN_OR_RETURN(auto rows, AggregateAtGrid(sorted.get(), specs[i].key_names,
                                                        window.tasks[i].cutoffs_us, specs[i]));
      VIAND_ASSIGN_OR_RETURN(const auto table, arrow::Table::FromRecordBatches({rows}));
      VIAND_ASSIGN_OR_RETURN(const auto ordered, InSnapshotOrder(table, window.keys.size(), pool));
      Tables cut = CutAtTimes(ordered, window.keys.size(), window.tasks[i].cut_at_us);
      std::move(cut.begin(), cut.end(), std::back_inserter(outputs));
      continue;
    }
    VIAND_ASSIGN_OR_RETURN(const auto found,
                           AggregateAtSpine(sorted.get(), spine.keys, spine.time, specs[i]));
    VIAND_ASSIGN_OR_RETURN(const auto rows, WithRows(*spine.rows, found, pool));
    VIAND_ASSIGN_OR_RETURN(Tables dealt, DealByRow(rows, window.chunks));
    std::move(dealt.begin(), dealt.end(), std::back_inserter(outputs));
  }
  return outputs;
}

}  // namespace viand::engine
