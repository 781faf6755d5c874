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
#include <utility>
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

/// Tells whether a call's argument has a gap.
bool HasGap(const expression::AggregateCall& call);

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
  arrow::Result<const PoolVector<int32_t>*> GroupsOf(
      const std::vector<std::shared_ptr<const expression::Expression>>& keys);

 private:
  /// A column of the batch in the order of the values.
  arrow::Result<std::shared_ptr<arrow::Array>> Ordered(int column);
  arrow::Result<std::shared_ptr<arrow::Array>> Evaluate(const expression::Expression& expression);
  arrow::Result<PoolVector<int32_t>> Group(
      const std::vector<std::shared_ptr<const expression::Expression>>& keys);

  std::shared_ptr<arrow::RecordBatch> batch_;
  std::shared_ptr<arrow::Array> order_;
  std::vector<std::shared_ptr<arrow::Array>> ordered_;  // by column, once it is needed
  std::vector<std::shared_ptr<arrow::Array>> decoded_;  // of these, without dictionary
  arrow::MemoryPool* pool_;
  std::map<std::string, std::unique_ptr<AggregateValues>> values_;      // by SQL text
  std::map<std::string, std::unique_ptr<AggregateValues>> compared_;    // coded columns, by name
  std::map<std::string, std::unique_ptr<PoolVector<int32_t>>> groups_;  // by SQL text of the keys
};

class CallEvaluator {
 public:
  /// Makes the base rows of the sets in a window; `like` as in SpansOf.
  using SpanMaker = std::function<Spans(const TimeWindow& window, const Spans* like)>;

  CallEvaluator(RowValues* rows, const Sets& sets, AggregateContext context, SpanMaker spans_of)
      : rows_(*rows),
        sets_(sets),
        context_(std::move(context)),
        spans_of_(std::move(spans_of)),
        all_{.choice = std::nullopt, .of = nullptr} {}

  /// Announces a call that will be evaluated: those that slide over one argument are computed
  /// together when the first of them is asked for. The call must stay.
  void Announce(const expression::AggregateCall& call, const TimeWindow& window);

  /// Returns one value a set.
  arrow::Result<std::shared_ptr<arrow::Array>> Evaluate(const expression::AggregateCall& call,
                                                        const TimeWindow& window);

 private:
  /// The rows of one window that pass a condition, and groupings of them.
  struct Selection {
    Spans spans;
    std::optional<Members> members = {};  // the spans, once a call needs them so
    std::map<const PoolVector<int32_t>*, std::unique_ptr<Groups>> groups = {};  // by groups of rows
  };
  /// All rows, or those of others that pass a condition.
  struct RowSet {
    std::optional<RowChoice> choice;
    RowSet* of;
    std::map<std::string, std::unique_ptr<Selection>> windows = {};
    const Spans* preceding = nullptr;  // of a window that ends at t, where there is one
  };
  /// Calls that slide over one argument of one row set.
  struct Sliding {
    std::vector<std::pair<const expression::AggregateCall*, TimeWindow>> calls;
    std::map<std::string, arrow::Result<std::shared_ptr<arrow::Array>>> results;  // by window, call
  };

  const Members& MembersIn(Selection* selection) const;
  Selection* In(const TimeWindow& window, RowSet* rows);
  /// The rows that pass the call's condition; `window` is one that it is asked for in.
  arrow::Result<RowSet*> RowsWhere(const expression::AggregateCall& call, const TimeWindow& window);
  /// Those of them that have a value.
  RowSet* Valid(const expression::AggregateCall& call, AggregateValues* values,
                const TimeWindow& window, RowSet* rows);
  arrow::Result<const Groups*> GroupBy(const expression::AggregateCall& call, Selection* selection);
  arrow::Result<std::shared_ptr<arrow::Array>> OverGroups(const expression::AggregateCall& call,
                                                          const Groups& groups);
  arrow::Result<std::shared_ptr<arrow::Array>> OverSpans(const expression::AggregateCall& call,
                                                         const TimeWindow& window);
  arrow::Status SlideTogether(Sliding* sliding);
  /// What the rows of events stand for, for a call over these rows.
  AggregateContext WithTallies(const expression::AggregateCall& call) const;
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
  SpanMaker spans_of_;
  RowSet all_;
  // By the SQL text of a condition, and of an argument that is not null.
  std::map<std::pair<std::string, std::string>, std::unique_ptr<RowSet>> row_sets_;
  std::map<std::pair<std::string, std::string>, Sliding> sliding_;
};

}  // namespace viand::engine
