// Aggregate calls over the windows of base rows: `agg(scalar(inner(x) per k where p))` with gap,
// order by and all, for every set at once. What calls share (an argument, a condition, a window, a
// grouping) is computed once. Not thread-safe.
//
//   where -> rows of the sets;  per -> groups, and an inner call for each;  gap -> differences;
//   argument;  aggregate
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/engine/aggregate_function.h"
#include "src/engine/aggregate_values.h"
#include "src/engine/time_window.h"
#include "src/engine/window_members.h"
#include "src/engine/window_spans.h"

namespace arrow {
class RecordBatch;
}

namespace viand::engine {

/// Scalar expressions over the rows of one batch, each evaluated once over all rows: an error is
/// raised even where no window covers its row.
class RowValues {
 public:
  /// `order`: int32 rows of the batch, in whose order the values come; null: as the batch has them.
  RowValues(std::shared_ptr<arrow::RecordBatch> batch, arrow::MemoryPool* pool,
            std::shared_ptr<arrow::Array> order = nullptr);

  /// Returns what belongs to this and lives as long.
  arrow::Result<AggregateValues*> Of(const expression::Expression& expression);

  /// Returns values of which only equality and nulls are asked: texts may be coded.
  arrow::Result<AggregateValues*> ComparedOf(const expression::Expression& expression);

  /// Returns the group of each row by the values of `keys`, null being one: numbers from 0, in no
  /// order.
  arrow::Result<const std::vector<int32_t>*> GroupsOf(
      const std::vector<std::shared_ptr<const expression::Expression>>& keys);

 private:
  /// A column of the batch in the order of the values.
  arrow::Result<std::shared_ptr<arrow::Array>> Ordered(int column);
  arrow::Result<std::shared_ptr<arrow::Array>> Evaluate(const expression::Expression& expression);
  arrow::Result<std::vector<int32_t>> Group(
      const std::vector<std::shared_ptr<const expression::Expression>>& keys);

  std::shared_ptr<arrow::RecordBatch> batch_;
  std::shared_ptr<arrow::Array> order_;
  std::vector<std::shared_ptr<arrow::Array>> ordered_;  // by column, once it is needed
  std::vector<std::shared_ptr<arrow::Array>> decoded_;  // of these, without dictionary
  arrow::MemoryPool* pool_;
  std::map<std::string, std::unique_ptr<AggregateValues>> values_;       // by SQL text
  std::map<std::string, std::unique_ptr<AggregateValues>> compared_;     // coded columns, by name
  std::map<std::string, std::unique_ptr<std::vector<int32_t>>> groups_;  // by SQL text of the keys
};

class CallEvaluator {
 public:
  /// `spans_of` makes the base rows of the sets in a window.
  CallEvaluator(RowValues* rows, const Sets& sets, AggregateContext context,
                std::function<Spans(const TimeWindow&)> spans_of)
      : rows_(*rows), sets_(sets), context_(std::move(context)), spans_of_(std::move(spans_of)) {}

  /// Returns one value a set.
  arrow::Result<std::shared_ptr<arrow::Array>> Evaluate(const expression::AggregateCall& call,
                                                        const TimeWindow& window);

 private:
  /// The rows of the calls of one window and condition, and groupings of them.
  struct Selection {
    Spans spans;
    SpanSums sums = {};
    std::optional<Members> members = {};  // the spans, once a call needs them so
    std::map<const std::vector<int32_t>*, std::unique_ptr<Groups>> groups =
        {};  // by groups of rows
  };
  const Members& MembersIn(Selection* selection) const;

  arrow::Result<Selection*> Select(const expression::AggregateCall& call, const TimeWindow& window);
  arrow::Result<const Groups*> GroupBy(const expression::AggregateCall& call, Selection* selection);
  arrow::Result<std::shared_ptr<arrow::Array>> OverGroups(const expression::AggregateCall& call,
                                                          const Groups& groups);
  arrow::Result<std::shared_ptr<arrow::Array>> OverSpans(const expression::AggregateCall& call,
                                                         Selection* selection);
  /// The call over members of sets, once where and per are done with.
  arrow::Result<std::shared_ptr<arrow::Array>> OverMembers(const expression::AggregateCall& call,
                                                           RowValues* rows, const Members& members,
                                                           const Sets& sets);
  arrow::Result<std::shared_ptr<arrow::Array>> OverGaps(const expression::AggregateCall& call,
                                                        RowValues* rows, const Members& members,
                                                        const Sets& sets);

  RowValues& rows_;
  const Sets& sets_;
  AggregateContext context_;
  std::function<Spans(const TimeWindow&)> spans_of_;
  std::map<std::string, std::unique_ptr<Selection>>
      selections_;  // by window and SQL text of the condition
};

}  // namespace viand::engine
