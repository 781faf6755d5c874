#include "src/expression/comparison.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api_scalar.h>
#include <arrow/compute/exec.h>
#include <arrow/scalar.h>

#include <cmath>
#include <string_view>

#include "src/expression/row_map.h"

namespace viand::expression {
namespace {

int CompareDoubles(double a, double b) {
  if (a < b) return -1;
  if (a > b) return 1;
  return static_cast<int>(std::isnan(a)) - static_cast<int>(std::isnan(b));
}

template <class T>
int CompareOf(T a, T b) {
  if constexpr (std::is_same_v<T, double>) {
    return CompareDoubles(a, b);
  } else {
    return a < b ? -1 : (b < a ? 1 : 0);
  }
}

template <class T>
bool Equal(T a, T b) {
  return CompareOf(a, b) == 0;
}
template <class T>
bool NotEqual(T a, T b) {
  return CompareOf(a, b) != 0;
}
template <class T>
bool Less(T a, T b) {
  return CompareOf(a, b) < 0;
}
template <class T>
bool LessEqual(T a, T b) {
  return CompareOf(a, b) <= 0;
}
template <class T>
bool Greater(T a, T b) {
  return CompareOf(a, b) > 0;
}
template <class T>
bool GreaterEqual(T a, T b) {
  return CompareOf(a, b) >= 0;
}

/// Compares where Arrow's kernels differ (NaN) or are not defined for every type.
template <class T>
arrow::Result<arrow::Datum> CompareMapped(std::string_view kernel, const BatchCall& call) {
  if (kernel == "equal") return MapBatch<&Equal<T>>(call);
  if (kernel == "not_equal") return MapBatch<&NotEqual<T>>(call);
  if (kernel == "less") return MapBatch<&Less<T>>(call);
  if (kernel == "less_equal") return MapBatch<&LessEqual<T>>(call);
  if (kernel == "greater") return MapBatch<&Greater<T>>(call);
  return MapBatch<&GreaterEqual<T>>(call);
}

/// Scalars alone: what the row evaluator says.
arrow::Result<arrow::Datum> CompareScalars(std::string_view kernel, const arrow::Scalar& a,
                                           const arrow::Scalar& b) {
  VIAND_ASSIGN_OR_RETURN(const Value left, FromScalar(a));
  VIAND_ASSIGN_OR_RETURN(const Value right, FromScalar(b));
  const int order = CompareValues(left, right);
  const bool holds = kernel == "equal"        ? order == 0
                     : kernel == "not_equal"  ? order != 0
                     : kernel == "less"       ? order < 0
                     : kernel == "less_equal" ? order <= 0
                     : kernel == "greater"    ? order > 0
                                              : order >= 0;
  return arrow::Datum(std::make_shared<arrow::BooleanScalar>(holds));
}

arrow::Result<arrow::Datum> Kernel(const char* name, const std::vector<arrow::Datum>& args,
                                   arrow::MemoryPool* pool) {
  arrow::compute::ExecContext context(pool);
  return arrow::compute::CallFunction(name, args, &context);
}

/// Turns null into false.
arrow::Result<arrow::Datum> Surely(const arrow::Datum& condition, arrow::MemoryPool* pool) {
  return Kernel("coalesce", {condition, arrow::Datum(false)}, pool);
}

arrow::Result<Value> Compared(std::span<const Value> args, bool (*holds)(int order)) {
  return Value(holds(CompareValues(args[0], args[1])));
}

/// A literal in-list of a hashable type, as Arrow's set: the non-null items. Null where the list is
/// otherwise.
arrow::Result<std::shared_ptr<arrow::Array>> LiteralSet(const BatchCall& call, bool* has_null) {
  // Below this, comparing one by one is as fast.
  constexpr size_t kLeastItems = 4;
  if (call.args.size() <= kLeastItems || ClassOf(*call.args[0].type()) == TypeClass::kFloat)
    return nullptr;
  std::vector<Value> items;
  for (size_t i = 1; i < call.args.size(); ++i) {
    if (!call.args[i].is_scalar()) return nullptr;
    VIAND_ASSIGN_OR_RETURN(Value item, FromScalar(*call.args[i].scalar()));
    if (IsNull(item)) {
      *has_null = true;
    } else {
      items.push_back(std::move(item));
    }
  }
  return ToArray(items, call.args[0].type());
}

arrow::Result<arrow::Datum> InSet(const BatchCall& call, const std::shared_ptr<arrow::Array>& set,
                                  bool has_null) {
  arrow::compute::ExecContext context(call.pool);
  const arrow::compute::SetLookupOptions options{arrow::Datum(set)};
  VIAND_ASSIGN_OR_RETURN(arrow::Datum found,
                         arrow::compute::CallFunction("is_in", {call.args[0]}, &options, &context));
  const arrow::Datum null(std::make_shared<arrow::BooleanScalar>());
  if (has_null) return Kernel("if_else", {found, arrow::Datum(true), null}, call.pool);
  VIAND_ASSIGN_OR_RETURN(arrow::Datum valid, Kernel("is_valid", {call.args[0]}, call.pool));
  return Kernel("if_else", {valid, found, null}, call.pool);
}

arrow::Result<arrow::Datum> Extreme(const char* kernel, const BatchCall& call) {
  arrow::Datum best = call.args[0];
  for (size_t i = 1; i < call.args.size(); ++i) {
    const arrow::Datum& next = call.args[i];
    VIAND_ASSIGN_OR_RETURN(arrow::Datum beats,
                           CompareDatums(kernel, next, best, call.rows, call.pool));
    VIAND_ASSIGN_OR_RETURN(arrow::Datum missing, Kernel("is_null", {best}, call.pool));
    VIAND_ASSIGN_OR_RETURN(beats, Kernel("or_kleene", {beats, missing}, call.pool));
    VIAND_ASSIGN_OR_RETURN(beats, Surely(beats, call.pool));
    VIAND_ASSIGN_OR_RETURN(best, Kernel("if_else", {beats, next, best}, call.pool));
  }
  return best;
}

Value ExtremeOf(std::span<const Value> args, int sign) {
  Value best;
  for (const Value& arg : args) {
    if (IsNull(arg)) continue;
    if (IsNull(best) || CompareValues(arg, best) * sign > 0) best = arg;
  }
  return best;
}

}  // namespace

int CompareValues(const Value& a, const Value& b) {
  if (const bool* flag = std::get_if<bool>(&a)) return CompareOf(*flag, std::get<bool>(b));
  if (const int64_t* number = std::get_if<int64_t>(&a))
    return CompareOf(*number, std::get<int64_t>(b));
  if (const double* number = std::get_if<double>(&a))
    return CompareOf(*number, std::get<double>(b));
  return std::get<std::string>(a).compare(std::get<std::string>(b));
}

arrow::Result<arrow::Datum> CompareDatums(const char* kernel, const arrow::Datum& a,
                                          const arrow::Datum& b, int64_t rows,
                                          arrow::MemoryPool* pool) {
  for (const arrow::Datum* side : {&a, &b}) {
    if (side->is_scalar() && !side->scalar()->is_valid) {
      return arrow::Datum(std::make_shared<arrow::BooleanScalar>());
    }
  }
  if (a.is_scalar() && b.is_scalar()) return CompareScalars(kernel, *a.scalar(), *b.scalar());
  const TypeClass type = ClassOf(*a.type());
  if (type != TypeClass::kFloat && type != TypeClass::kBoolean) return Kernel(kernel, {a, b}, pool);
  Expression call;
  call.kind = ExpressionKind::kCall;
  call.type = arrow::boolean();
  const std::vector<arrow::Datum> args = {a, b};
  const BatchCall mapped{call, args, rows, pool};
  return type == TypeClass::kFloat ? CompareMapped<double>(kernel, mapped)
                                   : CompareMapped<bool>(kernel, mapped);
}

arrow::Result<arrow::Datum> EqualBatch(const BatchCall& call) {
  return CompareDatums("equal", call.args[0], call.args[1], call.rows, call.pool);
}
arrow::Result<arrow::Datum> NotEqualBatch(const BatchCall& call) {
  return CompareDatums("not_equal", call.args[0], call.args[1], call.rows, call.pool);
}
arrow::Result<arrow::Datum> LessBatch(const BatchCall& call) {
  return CompareDatums("less", call.args[0], call.args[1], call.rows, call.pool);
}
arrow::Result<arrow::Datum> LessEqualBatch(const BatchCall& call) {
  return CompareDatums("less_equal", call.args[0], call.args[1], call.rows, call.pool);
}
arrow::Result<arrow::Datum> GreaterBatch(const BatchCall& call) {
  return CompareDatums("greater", call.args[0], call.args[1], call.rows, call.pool);
}
arrow::Result<arrow::Datum> GreaterEqualBatch(const BatchCall& call) {
  return CompareDatums("greater_equal", call.args[0], call.args[1], call.rows, call.pool);
}

arrow::Result<Value> EqualRow(const Expression&, std::span<const Value> args) {
  return Compared(args, [](int order) { return order == 0; });
}
arrow::Result<Value> NotEqualRow(const Expression&, std::span<const Value> args) {
  return Compared(args, [](int order) { return order != 0; });
}
arrow::Result<Value> LessRow(const Expression&, std::span<const Value> args) {
  return Compared(args, [](int order) { return order < 0; });
}
arrow::Result<Value> LessEqualRow(const Expression&, std::span<const Value> args) {
  return Compared(args, [](int order) { return order <= 0; });
}
arrow::Result<Value> GreaterRow(const Expression&, std::span<const Value> args) {
  return Compared(args, [](int order) { return order > 0; });
}
arrow::Result<Value> GreaterEqualRow(const Expression&, std::span<const Value> args) {
  return Compared(args, [](int order) { return order >= 0; });
}

arrow::Result<arrow::Datum> DistinctBatch(const BatchCall& call) {
  VIAND_ASSIGN_OR_RETURN(arrow::Datum differ, NotEqualBatch(call));
  VIAND_ASSIGN_OR_RETURN(arrow::Datum a_null, Kernel("is_null", {call.args[0]}, call.pool));
  VIAND_ASSIGN_OR_RETURN(arrow::Datum b_null, Kernel("is_null", {call.args[1]}, call.pool));
  VIAND_ASSIGN_OR_RETURN(arrow::Datum one_null, Kernel("xor", {a_null, b_null}, call.pool));
  return Kernel("coalesce", {differ, one_null}, call.pool);
}

arrow::Result<arrow::Datum> NotDistinctBatch(const BatchCall& call) {
  VIAND_ASSIGN_OR_RETURN(arrow::Datum distinct, DistinctBatch(call));
  return Kernel("invert", {distinct}, call.pool);
}

arrow::Result<Value> DistinctRow(const Expression&, std::span<const Value> args) {
  if (IsNull(args[0]) || IsNull(args[1])) return Value(IsNull(args[0]) != IsNull(args[1]));
  return Value(CompareValues(args[0], args[1]) != 0);
}

arrow::Result<Value> NotDistinctRow(const Expression& call, std::span<const Value> args) {
  VIAND_ASSIGN_OR_RETURN(const Value distinct, DistinctRow(call, args));
  return Value(!std::get<bool>(distinct));
}

arrow::Result<arrow::Datum> BetweenBatch(const BatchCall& call) {
  VIAND_ASSIGN_OR_RETURN(arrow::Datum above, CompareDatums("greater_equal", call.args[0],
                                                           call.args[1], call.rows, call.pool));
  VIAND_ASSIGN_OR_RETURN(arrow::Datum below, CompareDatums("less_equal", call.args[0], call.args[2],
                                                           call.rows, call.pool));
  return Kernel("and_kleene", {above, below}, call.pool);
}

arrow::Result<Value> BetweenRow(const Expression&, std::span<const Value> args) {
  bool unknown = false;
  for (size_t i = 1; i < 3; ++i) {
    if (IsNull(args[0]) || IsNull(args[i])) {
      unknown = true;
      continue;
    }
    const int order = CompareValues(args[0], args[i]);
    if (i == 1 ? order < 0 : order > 0) return Value(false);
  }
  return unknown ? Value() : Value(true);
}

arrow::Result<arrow::Datum> InBatch(const BatchCall& call) {
  bool has_null = false;
  VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> set, LiteralSet(call, &has_null));
  if (set != nullptr) return InSet(call, set, has_null);
  arrow::Datum any(false);
  for (size_t i = 1; i < call.args.size(); ++i) {
    VIAND_ASSIGN_OR_RETURN(arrow::Datum equal, CompareDatums("equal", call.args[0], call.args[i],
                                                             call.rows, call.pool));
    VIAND_ASSIGN_OR_RETURN(any, Kernel("or_kleene", {any, equal}, call.pool));
  }
  return any;
}

arrow::Result<Value> InRow(const Expression&, std::span<const Value> args) {
  if (IsNull(args[0])) return Value();
  bool unknown = false;
  for (const Value& item : args.subspan(1)) {
    if (IsNull(item)) {
      unknown = true;
    } else if (CompareValues(args[0], item) == 0) {
      return Value(true);
    }
  }
  return unknown ? Value() : Value(false);
}

arrow::Result<arrow::Datum> GreatestBatch(const BatchCall& call) {
  return Extreme("greater", call);
}
arrow::Result<arrow::Datum> LeastBatch(const BatchCall& call) { return Extreme("less", call); }
arrow::Result<Value> GreatestRow(const Expression&, std::span<const Value> args) {
  return ExtremeOf(args, 1);
}
arrow::Result<Value> LeastRow(const Expression&, std::span<const Value> args) {
  return ExtremeOf(args, -1);
}

arrow::Result<arrow::Datum> NullifBatch(const BatchCall& call) {
  VIAND_ASSIGN_OR_RETURN(arrow::Datum equal, EqualBatch(call));
  VIAND_ASSIGN_OR_RETURN(equal, Surely(equal, call.pool));
  const arrow::Datum null(arrow::MakeNullScalar(call.args[0].type()));
  return Kernel("if_else", {equal, null, call.args[0]}, call.pool);
}

arrow::Result<Value> NullifRow(const Expression&, std::span<const Value> args) {
  if (IsNull(args[0]) || IsNull(args[1])) return args[0];
  return CompareValues(args[0], args[1]) == 0 ? Value() : args[0];
}

arrow::Result<arrow::Datum> IsNullBatch(const BatchCall& call) {
  return Kernel("is_null", {call.args[0]}, call.pool);
}
arrow::Result<arrow::Datum> IsNotNullBatch(const BatchCall& call) {
  return Kernel("is_valid", {call.args[0]}, call.pool);
}
arrow::Result<Value> IsNullRow(const Expression&, std::span<const Value> args) {
  return Value(IsNull(args[0]));
}
arrow::Result<Value> IsNotNullRow(const Expression&, std::span<const Value> args) {
  return Value(!IsNull(args[0]));
}

}  // namespace viand::expression
