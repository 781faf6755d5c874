#include "src/engine/aggregate_call.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/datum.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include "src/engine/key_index.h"
#include "src/engine/plain_array.h"
#include "src/engine/row_order.h"
#include "src/engine/sliding_aggregates.h"
#include "src/expression/batch_evaluator.h"
#include "src/expression/overload.h"
#include "src/expression/to_sql.h"

namespace viand::engine {
namespace {

using expression::AggregateCall;
using expression::AggregateFunction;
using expression::Expression;
using expression::ExpressionKind;
using expression::ExpressionPtr;
using ArrayResult = arrow::Result<std::shared_ptr<arrow::Array>>;

const Expression* FindGap(const ExpressionPtr& tree) {
  if (!tree) return nullptr;
  if (tree->kind == ExpressionKind::kGap) return tree.get();
  for (const ExpressionPtr& child : tree->children) {
    if (const Expression* gap = FindGap(child)) return gap;
  }
  return nullptr;
}

ExpressionPtr Replace(const ExpressionPtr& tree, const Expression* old, const ExpressionPtr& by) {
  if (tree.get() == old) return by;
  if (tree->children.empty()) return tree;
  auto copy = std::make_shared<Expression>(*tree);
  for (ExpressionPtr& child : copy->children) child = Replace(child, old, by);
  return copy;
}

ExpressionPtr ColumnOf(const Expression& like, std::string name, int index) {
  auto column = std::make_shared<Expression>();
  column->kind = ExpressionKind::kColumn;
  column->type = like.type;
  column->where = like.where;
  column->column = std::move(name);
  column->column_index = index;
  return column;
}

std::shared_ptr<arrow::RecordBatch> BatchOf(
    const std::vector<std::shared_ptr<arrow::Array>>& columns,
    const std::vector<std::string>& names, int64_t rows) {
  arrow::FieldVector fields;
  for (size_t i = 0; i < columns.size(); ++i)
    fields.push_back(arrow::field(names[i], columns[i]->type()));
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows, columns);
}

// Gives members the order of `by`.
arrow::Status OrderBy(bool nulls_last, AggregateValues* by, Members* members) {
  VIAND_ASSIGN_OR_RETURN(const RowOrder order, RowOrder::Make(nulls_last, by));
  members->order.resize(members->size());
  PoolVector<std::tuple<bool, int64_t, int64_t>> sorted;
  for (size_t segment = 0; segment + 1 < members->begin.size(); ++segment) {
    sorted.clear();
    for (int64_t i = members->begin[segment]; i < members->begin[segment + 1]; ++i) {
      const auto [null_rank, key] = order((*members)[i].value);
      sorted.emplace_back(null_rank, key, i);
    }
    std::sort(sorted.begin(), sorted.end());
    for (size_t rank = 0; rank < sorted.size(); ++rank) {
      members->order[std::get<2>(sorted[rank])] = static_cast<int64_t>(rank);
    }
  }
  return arrow::Status::OK();
}

std::string TextOf(const TimeWindow& window) {
  return std::to_string(window.unbounded) + std::to_string(window.following) +
         std::to_string(window.length_us) + " ";
}

bool Slides(const AggregateCall& call) {
  return call.per_keys.empty() && SlidesOverSpans(call.function) && !call.order_by &&
         !FindGap(call.argument);
}

std::string TextOf(const ExpressionPtr& tree) { return tree ? ToSql(*tree) : ""; }

}  // namespace

bool HasGap(const AggregateCall& call) { return FindGap(call.argument) != nullptr; }

arrow::Result<AggregateValues*> RowValues::Of(const Expression& expression) {
  std::unique_ptr<AggregateValues>& values = values_[ToSql(expression)];
  if (!values) {
    VIAND_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> array, Evaluate(expression));
    VIAND_ASSIGN_OR_RETURN(AggregateValues made, AggregateValues::Make(array));
    values = std::make_unique<AggregateValues>(std::move(made));
  }
  return values.get();
}

RowValues::RowValues(std::shared_ptr<arrow::RecordBatch> batch, arrow::MemoryPool* pool,
                     std::shared_ptr<arrow::Array> order)
    : batch_(std::move(batch)),
      order_(std::move(order)),
      ordered_(batch_->num_columns()),
      decoded_(batch_->num_columns()),
      pool_(pool) {}

ArrayResult RowValues::Ordered(int column) {
  std::shared_ptr<arrow::Array>& ordered = ordered_[column];
  if (ordered) return ordered;
  ordered = batch_->column(column);
  if (order_) {
    arrow::compute::ExecContext exec(pool_);
    VIAND_ASSIGN_OR_RETURN(
        ordered, arrow::compute::Take(*ordered, *order_,
                                      arrow::compute::TakeOptions::NoBoundsCheck(), &exec));
  }
  return ordered;
}

ArrayResult RowValues::Evaluate(const Expression& expression) {
  // Columns that the expression does not read stay as the batch has them: nobody looks.
  std::vector<std::shared_ptr<arrow::Array>> columns = batch_->columns();
  for (const std::string& name : ColumnsOf(expression)) {
    const int column = batch_->schema()->GetFieldIndex(name);
    if (column < 0) continue;
    if (!decoded_[column]) {
      VIAND_ASSIGN_OR_RETURN(const auto ordered, Ordered(column));
      VIAND_ASSIGN_OR_RETURN(decoded_[column], DecodeDictionary(ordered, pool_));
    }
    columns[column] = decoded_[column];
  }
  const int64_t rows = order_ ? order_->length() : batch_->num_rows();
  return expression::EvaluateBatch(
      expression,
      *arrow::RecordBatch::Make(PlainSchema(*batch_->schema()), rows, std::move(columns)), nullptr,
      pool_);
}

arrow::Result<AggregateValues*> RowValues::ComparedOf(const Expression& expression) {
  const bool is_column = expression.kind == ExpressionKind::kColumn;
  const int index = is_column ? batch_->schema()->GetFieldIndex(expression.column) : -1;
  if (index < 0 || batch_->column(index)->type_id() != arrow::Type::DICTIONARY)
    return Of(expression);
  // A null among a dictionary's values is one that its codes do not show.
  const auto& coded = static_cast<const arrow::DictionaryArray&>(*batch_->column(index));
  if (coded.dictionary()->null_count() > 0) return Of(expression);
  std::unique_ptr<AggregateValues>& values = compared_[expression.column];
  if (!values) {
    VIAND_ASSIGN_OR_RETURN(auto ordered, Ordered(index));
    values = std::make_unique<AggregateValues>(AggregateValues::MakeCompared(std::move(ordered)));
  }
  return values.get();
}

arrow::Result<const PoolVector<int32_t>*> RowValues::GroupsOf(
    const std::vector<ExpressionPtr>& keys) {
  std::string text;
  for (const ExpressionPtr& key : keys) text += ToSql(*key) + ", ";
  std::unique_ptr<PoolVector<int32_t>>& groups = groups_[text];
  if (!groups) {
    VIAND_ASSIGN_OR_RETURN(PoolVector<int32_t> made, Group(keys));
    groups = std::make_unique<PoolVector<int32_t>>(std::move(made));
  }
  return groups.get();
}

arrow::Result<PoolVector<int32_t>> RowValues::Group(const std::vector<ExpressionPtr>& keys) {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (const ExpressionPtr& key : keys) {
    VIAND_ASSIGN_OR_RETURN(AggregateValues * values, ComparedOf(*key));
    if (keys.size() == 1) {
      VIAND_ASSIGN_OR_RETURN(const PoolVector<int32_t>* codes, values->Codes());
      PoolVector<int32_t> groups = *codes;
      if (values->HasNulls()) {
        std::replace(groups.begin(), groups.end(), int32_t{KeyColumn::kNullCode},
                     static_cast<int32_t>(values->code_count()));
      }
      return groups;
    }
    columns.push_back(values->array());
  }
  VIAND_ASSIGN_OR_RETURN(
      const KeyIndex index,
      KeyIndex::Make(columns, columns[0]->length(), {.null_is_value = true, .floats = true}));
  return index.groups();
}

arrow::Result<CallEvaluator::RowSet*> CallEvaluator::RowsWhere(const AggregateCall& call,
                                                               const TimeWindow& window) {
  if (!call.where) return &all_;
  std::unique_ptr<RowSet>& some = row_sets_[{ToSql(*call.where), ""}];
  if (!some) {
    VIAND_ASSIGN_OR_RETURN(AggregateValues * condition, rows_.Of(*call.where));
    const int64_t* holds = condition->Integers();
    const bool nulls = condition->HasNulls();
    RowChoice choice(In(window, &all_)->spans, [&](int64_t row) {
      return holds[row] != 0 && !(nulls && condition->IsNull(row));
    });
    some = std::make_unique<RowSet>(RowSet{std::move(choice), &all_});
  }
  return some.get();
}

CallEvaluator::RowSet* CallEvaluator::Valid(const AggregateCall& call, AggregateValues* values,
                                            const TimeWindow& window, RowSet* rows) {
  if (values == nullptr || !values->HasNulls()) return rows;
  std::unique_ptr<RowSet>& some = row_sets_[{TextOf(call.where), TextOf(call.argument)}];
  if (!some) {
    RowChoice choice(In(window, rows)->spans, [&](int64_t row) { return !values->IsNull(row); });
    some = std::make_unique<RowSet>(RowSet{std::move(choice), rows});
  }
  return some.get();
}

CallEvaluator::Selection* CallEvaluator::In(const TimeWindow& window, RowSet* rows) {
  std::unique_ptr<Selection>& selection = rows->windows[TextOf(window)];
  if (selection) return selection.get();
  const Spans* like = window.following ? nullptr : rows->preceding;
  selection = std::make_unique<Selection>(
      Selection{rows->choice ? rows->choice->Of(In(window, rows->of)->spans, like)
                             : spans_of_(window, like)});
  if (!window.following) rows->preceding = &selection->spans;
  return selection.get();
}

const Members& CallEvaluator::MembersIn(Selection* selection) const {
  if (!selection->members) selection->members = MembersOf(selection->spans, sets_);
  return *selection->members;
}

arrow::Result<const Groups*> CallEvaluator::GroupBy(const AggregateCall& call,
                                                    Selection* selection) {
  VIAND_ASSIGN_OR_RETURN(const PoolVector<int32_t>* group_of_row, rows_.GroupsOf(call.per_keys));
  std::unique_ptr<Groups>& groups = selection->groups[group_of_row];
  if (!groups) {
    groups = std::make_unique<Groups>(GroupMembers(MembersIn(selection), sets_, *group_of_row));
  }
  return groups.get();
}

void CallEvaluator::Announce(const AggregateCall& call, const TimeWindow& window) {
  if (Slides(call))
    sliding_[{TextOf(call.where), TextOf(call.argument)}].calls.emplace_back(&call, window);
}

ArrayResult CallEvaluator::Evaluate(const AggregateCall& call, const TimeWindow& window) {
  if (Slides(call)) return OverSpans(call, window);
  VIAND_ASSIGN_OR_RETURN(RowSet * rows, RowsWhere(call, window));
  Selection* selection = In(window, rows);
  if (call.per_keys.empty()) return OverMembers(call, &rows_, MembersIn(selection), sets_);
  VIAND_ASSIGN_OR_RETURN(const Groups* groups, GroupBy(call, selection));
  return OverGroups(call, *groups);
}

ArrayResult CallEvaluator::OverSpans(const AggregateCall& call, const TimeWindow& window) {
  Sliding& sliding = sliding_[{TextOf(call.where), TextOf(call.argument)}];
  const std::string name = TextOf(window) + ToSql(call);
  if (!sliding.results.contains(name)) {
    sliding.calls.emplace_back(&call, window);
    VIAND_RETURN_NOT_OK(SlideTogether(&sliding));
  }
  return sliding.results.at(name);
}

arrow::Status CallEvaluator::SlideTogether(Sliding* sliding) {
  const AggregateCall& any = *sliding->calls[0].first;
  const TimeWindow any_window = sliding->calls[0].second;
  AggregateValues* values = nullptr;
  if (any.argument) {
    VIAND_ASSIGN_OR_RETURN(values, rows_.Of(*any.argument));
  }
  VIAND_ASSIGN_OR_RETURN(RowSet * rows, RowsWhere(any, any_window));
  rows = Valid(any, values, any_window, rows);
  std::vector<SlidingCall> calls;
  std::vector<std::string> names;
  for (const auto& [call, window] : sliding->calls) {
    std::string name = TextOf(window) + ToSql(*call);
    if (sliding->results.contains(name) ||
        std::find(names.begin(), names.end(), name) != names.end())
      continue;
    calls.push_back({call, &In(window, rows)->spans});
    names.push_back(std::move(name));
  }
  auto results = AggregateSpans(calls, values, sets_, WithTallies(any));
  for (size_t i = 0; i < calls.size(); ++i)
    sliding->results.emplace(std::move(names[i]), std::move(results[i]));
  sliding->calls.clear();
  return arrow::Status::OK();
}

AggregateContext CallEvaluator::WithTallies(const AggregateCall& call) const {
  AggregateContext context = context_;
  if (context.tallies_of) context.tallies = context.tallies_of(call);
  return context;
}

ArrayResult CallEvaluator::OverGroups(const AggregateCall& call, const Groups& groups) {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  std::vector<std::string> names;
  for (const std::shared_ptr<const AggregateCall>& inner : call.per_calls) {
    const auto over = [&](const Members& rows) {
      return OverMembers(*inner, &rows_, rows, groups.versions);
    };
    if (!inner->where) {
      VIAND_ASSIGN_OR_RETURN(columns.emplace_back(), over(groups.rows));
    } else {
      VIAND_ASSIGN_OR_RETURN(AggregateValues * condition, rows_.Of(*inner->where));
      VIAND_ASSIGN_OR_RETURN(columns.emplace_back(), over(Filter(groups.rows, [&](int64_t row) {
                               return condition->Integers()[row] != 0 && !condition->IsNull(row);
                             })));
    }
    names.push_back("$" + std::to_string(names.size()));
  }
  RowValues values(BatchOf(columns, names, groups.versions.size()), context_.pool);
  return OverMembers(call, &values, groups.members, sets_);
}

ArrayResult CallEvaluator::OverMembers(const AggregateCall& call, RowValues* rows,
                                       const Members& members, const Sets& sets) {
  if (FindGap(call.argument)) return OverGaps(call, rows, members, sets);
  AggregateValues* values = nullptr;
  if (call.argument) {
    VIAND_ASSIGN_OR_RETURN(values, call.function == AggregateFunction::kCountDistinct
                                       ? rows->ComparedOf(*call.argument)
                                       : rows->Of(*call.argument));
  }
  if (!call.order_by) {
    const bool of_events = rows == &rows_ && &sets == &sets_;
    return AggregateSets(call, values, members, sets, of_events ? WithTallies(call) : context_);
  }
  Members ordered = members;
  VIAND_ASSIGN_OR_RETURN(AggregateValues * by, rows->Of(*call.order_by));
  VIAND_RETURN_NOT_OK(OrderBy(call.function == AggregateFunction::kFirst, by, &ordered));
  return AggregateSets(call, values, ordered, sets, context_);
}

ArrayResult CallEvaluator::OverGaps(const AggregateCall& call, RowValues* rows,
                                    const Members& members, const Sets& sets) {
  const Expression* gap = FindGap(call.argument);
  const Expression& operand = *gap->children[0];
  VIAND_ASSIGN_OR_RETURN(AggregateValues * values, rows->Of(operand));
  VIAND_ASSIGN_OR_RETURN(const int64_t* keys, values->OrderKeys());
  const Gaps gaps =
      GapMembers(Filter(members, [&](int64_t row) { return !values->IsNull(row); }), sets, keys);
  const auto take = [&](const PoolVector<int64_t>& indices) -> ArrayResult {
    const auto index_array = std::make_shared<arrow::Int64Array>(
        static_cast<int64_t>(indices.size()), arrow::Buffer::Wrap(indices.data(), indices.size()));
    arrow::compute::ExecContext exec(context_.pool);
    VIAND_ASSIGN_OR_RETURN(
        const arrow::Datum taken,
        arrow::compute::Take(values->array(), index_array,
                             arrow::compute::TakeOptions::NoBoundsCheck(), &exec));
    return taken.make_array();
  };
  VIAND_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> lower, take(gaps.lower));
  VIAND_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> upper, take(gaps.upper));
  VIAND_ASSIGN_OR_RETURN(
      const ExpressionPtr difference,
      expression::MakeCall("-", gap->where,
                           {{ColumnOf(operand, "upper", 0)}, {ColumnOf(operand, "lower", 1)}}));
  const ExpressionPtr argument = Replace(call.argument, gap, difference);
  RowValues differences(BatchOf({upper, lower}, {"upper", "lower"}, lower->length()),
                        context_.pool);
  VIAND_ASSIGN_OR_RETURN(AggregateValues * argument_values, differences.Of(*argument));
  return AggregateSets(call, argument_values, gaps.members, sets, context_);
}

}  // namespace viand::engine
