#include "src/expression/expression.h"

#include <set>

namespace viand::expression {
namespace {

void Collect(const ExpressionPtr& tree, std::set<std::string>* names);

void CollectOfCall(const AggregateCall& call, std::set<std::string>* names) {
  // With `per`, the argument's columns are the inner calls, whose columns are the real ones.
  if (call.per_keys.empty()) Collect(call.argument, names);
  Collect(call.where, names);
  Collect(call.order_by, names);
  for (const ExpressionPtr& key : call.per_keys) Collect(key, names);
  for (const auto& inner : call.per_calls) CollectOfCall(*inner, names);
}

void Collect(const ExpressionPtr& tree, std::set<std::string>* names) {
  if (tree == nullptr) return;
  if (tree->kind == ExpressionKind::kColumn) names->insert(tree->column);
  if (tree->aggregate != nullptr) CollectOfCall(*tree->aggregate, names);
  for (const ExpressionPtr& child : tree->children) Collect(child, names);
}

std::shared_ptr<const AggregateCall> PlacedAt(const AggregateCall& call,
                                              const SourceLocation& where) {
  auto copy = std::make_shared<AggregateCall>(call);
  copy->argument = expression::PlacedAt(call.argument, where);
  copy->where = expression::PlacedAt(call.where, where);
  copy->order_by = expression::PlacedAt(call.order_by, where);
  for (ExpressionPtr& key : copy->per_keys) key = expression::PlacedAt(key, where);
  for (auto& inner : copy->per_calls) inner = PlacedAt(*inner, where);
  return copy;
}

}  // namespace

ExpressionPtr PlacedAt(const ExpressionPtr& tree, const SourceLocation& where) {
  if (tree == nullptr) return nullptr;
  auto copy = std::make_shared<Expression>(*tree);
  copy->where = where;
  for (ExpressionPtr& child : copy->children) child = PlacedAt(child, where);
  if (tree->aggregate != nullptr) copy->aggregate = PlacedAt(*tree->aggregate, where);
  return copy;
}

std::vector<std::string> ColumnsOf(const Expression& expression) {
  std::set<std::string> names;
  if (expression.kind == ExpressionKind::kColumn) names.insert(expression.column);
  if (expression.aggregate != nullptr) CollectOfCall(*expression.aggregate, &names);
  for (const ExpressionPtr& child : expression.children) Collect(child, &names);
  return {names.begin(), names.end()};
}

bool HasAggregate(const Expression& expression) {
  if (expression.kind == ExpressionKind::kAggregate) return true;
  for (const ExpressionPtr& child : expression.children) {
    if (HasAggregate(*child)) return true;
  }
  return false;
}

}  // namespace viand::expression
