#include "src/expression/arrow_filter.h"

#include <arrow/compute/expression.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <algorithm>
#include <optional>

#include "src/expression/function_table.h"
#include "src/expression/sql_types.h"

namespace viand::expression {
namespace {

namespace cp = arrow::compute;

bool IsPlainColumn(const Expression& tree) {
  return tree.kind == ExpressionKind::kColumn && ClassOf(*tree.type) != TypeClass::kOther;
}

bool IsValue(const Expression& tree) {
  return tree.kind == ExpressionKind::kLiteral && tree.literal->is_valid;
}

/// Floats stay out: Arrow's NaN is unequal to itself and less than nothing. Blobs have no order in
/// statistics.
bool ComparesAlike(const arrow::DataType& type) {
  const TypeClass kind = ClassOf(type);
  return kind == TypeClass::kInteger || kind == TypeClass::kVarchar || kind == TypeClass::kDate ||
         kind == TypeClass::kTimestamp || kind == TypeClass::kBoolean;
}

std::string ArrowComparison(std::string_view name, bool swapped) {
  if (name == "=") return "equal";
  if (name == "<>") return "not_equal";
  if (name == "<") return swapped ? "greater" : "less";
  if (name == "<=") return swapped ? "greater_equal" : "less_equal";
  if (name == ">") return swapped ? "less" : "greater";
  if (name == ">=") return swapped ? "less_equal" : "greater_equal";
  return "";
}

cp::Expression Field(const Expression& column) {
  return cp::field_ref(arrow::FieldRef(column.column));
}

cp::Expression CallOf(std::string name, cp::Expression a, cp::Expression b) {
  return cp::call(std::move(name), {std::move(a), std::move(b)});
}

/// Returns what Arrow decides exactly as we do, or nothing.
std::optional<cp::Expression> Exact(const Expression& tree);

std::optional<cp::Expression> Comparison(const Expression& tree) {
  if (tree.children.size() != 2) return std::nullopt;
  const bool swapped = IsValue(*tree.children[0]);
  const Expression& column = *tree.children[swapped ? 1 : 0];
  const Expression& value = *tree.children[swapped ? 0 : 1];
  const std::string name = ArrowComparison(tree.function->name, swapped);
  if (name.empty() || !IsPlainColumn(column) || !IsValue(value) || !ComparesAlike(*column.type)) {
    return std::nullopt;
  }
  return CallOf(name, Field(column), cp::literal(value.literal));
}

std::optional<cp::Expression> Between(const Expression& tree) {
  const Expression& column = *tree.children[0];
  if (!IsPlainColumn(column) || !IsValue(*tree.children[1]) || !IsValue(*tree.children[2]) ||
      !ComparesAlike(*column.type)) {
    return std::nullopt;
  }
  return CallOf("and_kleene",
                CallOf("greater_equal", Field(column), cp::literal(tree.children[1]->literal)),
                CallOf("less_equal", Field(column), cp::literal(tree.children[2]->literal)));
}

/// A chain of equalities, which the scanner's statistics understand as they do not is_in.
std::optional<cp::Expression> Membership(const Expression& tree) {
  // Longer lists cost more to check against every row group than they save.
  constexpr size_t kMostItems = 64;
  const Expression& column = *tree.children[0];
  const bool values = std::all_of(tree.children.begin() + 1, tree.children.end(),
                                  [](const auto& item) { return IsValue(*item); });
  if (!IsPlainColumn(column) || !values || !ComparesAlike(*column.type) ||
      tree.children.size() > kMostItems) {
    return std::nullopt;
  }
  std::optional<cp::Expression> any;
  for (size_t i = 1; i < tree.children.size(); ++i) {
    cp::Expression equal = CallOf("equal", Field(column), cp::literal(tree.children[i]->literal));
    any = any ? CallOf("or_kleene", *any, std::move(equal)) : std::move(equal);
  }
  return any;
}

std::optional<cp::Expression> Logic(const Expression& tree, const char* kernel) {
  std::optional<cp::Expression> all;
  for (const ExpressionPtr& child : tree.children) {
    std::optional<cp::Expression> part = Exact(*child);
    if (!part) return std::nullopt;
    all = all ? CallOf(kernel, *all, *part) : *part;
  }
  return all;
}

std::optional<cp::Expression> Exact(const Expression& tree) {
  if (IsPlainColumn(tree) && ClassOf(*tree.type) == TypeClass::kBoolean) return Field(tree);
  if (tree.kind != ExpressionKind::kCall) return std::nullopt;
  const std::string_view name = tree.function->name;
  if (name == "and") return Logic(tree, "and_kleene");
  if (name == "or") return Logic(tree, "or_kleene");
  if (name == "in") return Membership(tree);
  if (name == "between") return Between(tree);
  if (name == "not") {
    std::optional<cp::Expression> inner = Exact(*tree.children[0]);
    if (!inner) return std::nullopt;
    return cp::not_(*inner);
  }
  if ((name == "is null" || name == "is not null") && IsPlainColumn(*tree.children[0])) {
    cp::Expression field = Field(*tree.children[0]);
    return name == "is null" ? cp::is_null(std::move(field)) : cp::is_valid(std::move(field));
  }
  return Comparison(tree);
}

/// Returns something weaker than the tree where only parts of it can be pushed: under `and`, the
/// other parts may go; under `or`, every branch needs one.
std::optional<cp::Expression> Weaker(const Expression& tree) {
  if (std::optional<cp::Expression> exact = Exact(tree)) return exact;
  if (tree.kind != ExpressionKind::kCall) return std::nullopt;
  const bool conjunction = tree.function->name == "and";
  if (!conjunction && tree.function->name != "or") return std::nullopt;
  std::optional<cp::Expression> all;
  for (const ExpressionPtr& child : tree.children) {
    std::optional<cp::Expression> part = Weaker(*child);
    if (!part && !conjunction) return std::nullopt;
    if (!part) continue;
    all = all ? CallOf(conjunction ? "and_kleene" : "or_kleene", *all, *part) : *part;
  }
  return all;
}

}  // namespace

cp::Expression ToArrowFilter(const Expression& predicate) {
  return Weaker(predicate).value_or(cp::literal(true));
}

}  // namespace viand::expression
