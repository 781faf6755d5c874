#include "src/expression/aggregation.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <map>
#include <string>

#include "src/expression/to_sql.h"

namespace viand::expression {
namespace {

class Splitter {
 public:
  arrow::Result<ExpressionPtr> Cut(const ExpressionPtr& tree) {
    if (tree->kind == ExpressionKind::kAggregate) return CallColumn(*tree);
    if (tree->kind == ExpressionKind::kColumn) {
      return ErrorAt(
          tree->where, ErrorKind::kDefinition,
          fmt::format("column \"{}\" outside an aggregate", tree->column),
          fmt::format("a feature is one value for all rows of a window: write first({0}), "
                      "max({0}) or the like",
                      tree->column));
    }
    if (tree->children.empty()) return tree;
    auto copy = std::make_shared<Expression>(*tree);
    for (ExpressionPtr& child : copy->children) {
      VIAND_ASSIGN_OR_RETURN(child, Cut(child));
    }
    return copy;
  }

  Aggregation Finish(ExpressionPtr result) {
    return {std::move(calls_), arrow::schema(std::move(fields_)), std::move(result)};
  }

 private:
  ExpressionPtr CallColumn(const Expression& tree) {
    const auto [found, is_new] =
        indexes_.try_emplace(ToSql(*tree.aggregate), static_cast<int>(calls_.size()));
    const std::string name = fmt::format("${}", found->second);
    if (is_new) {
      calls_.push_back(tree.aggregate);
      fields_.push_back(arrow::field(name, tree.aggregate->type));
    }
    auto column = std::make_shared<Expression>();
    column->kind = ExpressionKind::kColumn;
    column->type = tree.aggregate->type;
    column->where = tree.where;
    column->column = name;
    column->column_index = found->second;
    column->stands_for = tree.aggregate;
    return column;
  }

  std::map<std::string, int> indexes_;  ///< of a call by its text
  std::vector<std::shared_ptr<const AggregateCall>> calls_;
  arrow::FieldVector fields_;
};

}  // namespace

arrow::Result<Aggregation> SplitAggregates(const ExpressionPtr& expression) {
  Splitter splitter;
  VIAND_ASSIGN_OR_RETURN(ExpressionPtr result, splitter.Cut(expression));
  return splitter.Finish(std::move(result));
}

}  // namespace viand::expression
