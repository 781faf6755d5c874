// Random well-typed trees over random rows: the two evaluators agree, value by value and error by
// error; printing and binding again gives the same tree; and no function of the table stays
// unexercised.
#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>

#include "src/common/test_rounds.h"
#include "src/expression/cast.h"
#include "src/expression/comparison.h"
#include "src/expression/expression_fixture.h"
#include "src/expression/function_table.h"
#include "src/expression/overload.h"
#include "src/expression/to_sql.h"

namespace viand::expression {
namespace {

const std::vector<TypePtr>& Types() {
  static const std::vector<TypePtr> types = {
      arrow::boolean(), arrow::int8(),   arrow::int16(),  arrow::int32(),    arrow::int64(),
      arrow::uint8(),   arrow::uint16(), arrow::uint32(), arrow::float32(),  arrow::float64(),
      arrow::utf8(),    arrow::date32(), TimestampType(), TimestampTzType(), IntervalType()};
  return types;
}

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {
    arrow::FieldVector fields;
    for (size_t i = 0; i < Types().size(); ++i) {
      fields.push_back(arrow::field(fmt::format("c{}", i), Types()[i]));
    }
    schema_ = arrow::schema(fields);
  }

  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }

  size_t Below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random_); }

  template <class T>
  T Pick(std::initializer_list<T> values) {
    return *(values.begin() + Below(values.size()));
  }

  Value RandomValue(const arrow::DataType& type) {
    if (Below(6) == 0) return Value();
    switch (ClassOf(type)) {
      case TypeClass::kBoolean:
        return Value(Below(2) == 0);
      case TypeClass::kFloat: {
        const double value = Pick({0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 0.1, 1e9, -1e18, 1e300,
                                   std::nan(""), HUGE_VAL, -HUGE_VAL});
        return CheckedFloat(value, type);
      }
      case TypeClass::kVarchar:
        return Value(std::string(
            Pick<const char*>({"", "a", "b", "Ab c", "  x ", "añb", "日本語", "12", "-3.5", "true",
                               "2011-01-31", "2011-01-31 10:20:30", "1 day", "a_%b", "it's"})));
      case TypeClass::kDate:
        return Value(Pick<int64_t>({0, 14975, -1, 15399, INT32_MAX, INT32_MIN, 11016}));
      case TypeClass::kTimestamp:
      case TypeClass::kInterval:
        return Value(Pick<int64_t>({0, 1, -1, 86'400'000'000, -86'400'000'001, 1296468030500000,
                                    INT64_MAX, INT64_MIN, 951782400000000}));
      default: {
        const IntegerRange range = RangeOf(type);
        const int64_t value =
            Pick<int64_t>({0, 1, -1, 2, 3, -5, 7, 100, range.least, range.greatest});
        return Value(std::max(value, range.least));
      }
    }
  }

  std::shared_ptr<arrow::RecordBatch> RandomBatch(int64_t rows) {
    arrow::ArrayVector columns;
    for (const TypePtr& type : Types()) {
      std::vector<Value> values;
      for (int64_t i = 0; i < rows + 3; ++i) values.push_back(RandomValue(*type));
      columns.push_back(ToArray(values, type).ValueOrDie()->Slice(3));  // an offset, as slices have
    }
    return arrow::RecordBatch::Make(schema_, rows, columns);
  }

  /// A tree of the type; null where the dice came to no tree.
  ExpressionPtr Tree(const TypePtr& type, int depth) {
    if (depth == 0 || Below(8) == 0) return Leaf(type);
    if (Below(5) == 0) return CastTree(type, depth);
    std::vector<const Function*> able;
    for (const Function& function : FunctionTable()) {
      if (Yields(function, type)) able.push_back(&function);
    }
    return able.empty() ? Leaf(type) : CallTree(*able[Below(able.size())], type, depth);
  }

  ExpressionPtr CallTree(const Function& function, const TypePtr& type, int depth) {
    const Params& params = function.params;
    size_t count = params.required;
    if (params.arity == Arity::kMany) count += Below(4);
    if (params.arity != Arity::kFixed && params.arity != Arity::kMany) count += 2 * Below(2);
    const TypePtr shared =
        function.result == ResultType::kCommon ? type : SharedType(params.kinds[0]);
    const TypePtr operand = Types()[Below(Types().size())];
    std::vector<Argument> args;
    for (size_t i = 0; i < count; ++i) {
      Param param = params.kinds[params.arity == Arity::kFixed ? i : 0];
      TypePtr any = shared;
      if (params.arity == Arity::kCase)
        param = i + 1 < count && i % 2 == 0 ? Param::kBoolean : Param::kAny;
      if (params.arity == Arity::kCaseOf && (i == 0 || (i % 2 == 1 && i + 1 < count)))
        any = operand;
      ExpressionPtr arg = ArgumentTree(function, param, any, type, depth - 1);
      if (arg == nullptr) return nullptr;
      args.push_back({std::move(arg)});
    }
    auto call = MakeCall(std::string(function.name), {}, args);
    return call.ok() ? *call : nullptr;
  }

 private:
  static Value CheckedFloat(double value, const arrow::DataType& type) {
    return Value(type.id() == arrow::Type::FLOAT ? static_cast<double>(static_cast<float>(value))
                                                 : value);
  }

  TypePtr SharedType(Param param) {
    const bool number = param == Param::kNumber || param == Param::kFraction;
    return number ? Types()[1 + Below(9)] : Types()[Below(Types().size())];
  }

  static bool Yields(const Function& function, const TypePtr& type) {
    switch (function.result) {
      case ResultType::kCommon:
        if (function.params.kinds[0] == Param::kNumber) return IsNumber(*type);
        if (function.params.kinds[0] == Param::kFraction)
          return ClassOf(*type) == TypeClass::kFloat;
        return true;
      case ResultType::kFirst:
      case ResultType::kSecond:
        return ClassOf(*type) == TypeClass::kTimestamp;
      case ResultType::kBoolean:
        return type->id() == arrow::Type::BOOL;
      case ResultType::kTinyint:
        return type->id() == arrow::Type::INT8;
      case ResultType::kInteger:
        return type->id() == arrow::Type::INT32;
      case ResultType::kBigint:
        return type->id() == arrow::Type::INT64;
      case ResultType::kDouble:
        return type->id() == arrow::Type::DOUBLE;
      case ResultType::kVarchar:
        return type->id() == arrow::Type::STRING;
      case ResultType::kDate:
        return type->id() == arrow::Type::DATE32;
      case ResultType::kTimestamp:
        return type->Equals(*TimestampType());
      case ResultType::kTimestampTz:
        return type->Equals(*TimestampTzType());
      case ResultType::kInterval:
        return type->Equals(*IntervalType());
    }
    return false;
  }

  ExpressionPtr ArgumentTree(const Function& function, Param param, const TypePtr& any,
                             const TypePtr& result, int depth) {
    switch (param) {
      case Param::kBoolean:
        return Tree(arrow::boolean(), depth);
      case Param::kNumber:
      case Param::kFraction:
      case Param::kAny:
        return Tree(any, depth);
      case Param::kBigint:
        return Tree(arrow::int64(), depth);
      case Param::kDouble:
        return Tree(arrow::float64(), depth);
      case Param::kVarchar:
        return Tree(arrow::utf8(), depth);
      case Param::kText:
        return Tree(Types()[Below(Types().size())], depth);
      case Param::kLiteral: {
        const char* text =
            function.name == "regexp_matches"
                ? Pick<const char*>({"a", "^.b", "[0-9]+", "ñ", ""})
                : Pick<const char*>({"second", "hour", "day", "week", "month", "quarter", "year"});
        return MakeLiteral(std::make_shared<arrow::StringScalar>(text), {}).ValueOrDie();
      }
      case Param::kDate:
        return Tree(arrow::date32(), depth);
      case Param::kTimestamp: {
        const bool kept =
            function.result == ResultType::kFirst || function.result == ResultType::kSecond;
        return Tree(
            kept ? result : Pick<TypePtr>({TimestampType(), TimestampTzType(), arrow::date32()}),
            depth);
      }
      case Param::kInterval:
        return Tree(IntervalType(), depth);
      case Param::kMonths:
        return MakeLiteral(std::make_shared<arrow::MonthIntervalScalar>(Pick({1, -1, 13, 120})), {})
            .ValueOrDie();
    }
    return nullptr;
  }

  ExpressionPtr CastTree(const TypePtr& type, int depth) {
    const TypePtr from = Types()[Below(Types().size())];
    if (FindCast(*from, *type) == nullptr) return Leaf(type);
    ExpressionPtr value = Tree(from, depth - 1);
    if (value == nullptr) return nullptr;
    auto cast = MakeCast(value, type, {}, Below(2) == 0);
    return cast.ok() ? *cast : nullptr;
  }

  ExpressionPtr Leaf(const TypePtr& type) {
    if (Below(3) == 0) {
      Value value = RandomValue(*type);
      // Times that no text can hold come from columns only.
      const TypeClass kind = ClassOf(*type);
      const bool timed = kind == TypeClass::kDate || kind == TypeClass::kTimestamp;
      if (timed && !IsNull(value) && std::abs(std::get<int64_t>(value) / 2) > 1'000'000'000'000'000)
        value = Value();
      if (kind == TypeClass::kDate && !IsNull(value) && std::abs(std::get<int64_t>(value)) > 20000)
        value = Value();
      return MakeLiteral(ToScalar(value, type).ValueOrDie(), {}).ValueOrDie();
    }
    for (int i = 0; i < schema_->num_fields(); ++i) {
      if (!schema_->field(i)->type()->Equals(*type)) continue;
      auto node = std::make_shared<Expression>();
      node->kind = ExpressionKind::kColumn;
      node->type = type;
      node->column = schema_->field(i)->name();
      node->column_index = i;
      return node;
    }
    return nullptr;
  }

  std::mt19937_64 random_;
  std::shared_ptr<arrow::Schema> schema_;
};

bool Same(const Value& a, const Value& b) {
  if (a.index() != b.index()) return false;
  if (IsNull(a)) return true;
  if (const double* x = std::get_if<double>(&a)) {
    if (std::signbit(*x) != std::signbit(std::get<double>(b)) && !std::isnan(*x)) return false;
  }
  return CompareValues(a, b) == 0;
}

void CollectFunctions(const Expression& tree, std::set<const Function*>* found) {
  if (tree.function != nullptr) found->insert(tree.function);
  for (const ExpressionPtr& child : tree.children) CollectFunctions(*child, found);
}

/// Tells whether `place`, the end of an error, names the i-th row: by number, or by its cells.
bool NamesRow(std::string_view place, const arrow::RecordBatch& batch, int64_t i) {
  if (place == fmt::format("row {}", i)) return true;
  constexpr std::string_view kCells = "the row with ";
  if (!place.starts_with(kCells)) return false;
  place.remove_prefix(kCells.size());
  for (int column = 0; column < batch.num_columns(); ++column) {
    const std::string cell = batch.column_name(column) + " " +
                             Shortened(batch.column(column)->GetScalar(i).ValueOrDie()->ToString());
    // Times are printed shorter than Arrow prints them.
    const bool is_time = batch.column(column)->type_id() == arrow::Type::TIMESTAMP;
    const size_t shown = is_time ? std::min(place.find(", "), place.size()) : cell.size();
    if (!place.starts_with(is_time ? std::string_view(batch.column_name(column)) : cell)) continue;
    place.remove_prefix(std::min(place.size(), shown + 2));
  }
  return place.empty();
}

/// Compares both evaluators over all rows.
void CheckEvaluators(const Expression& tree, const arrow::RecordBatch& batch) {
  const auto result = EvaluateBatch(tree, batch);
  if (result.ok()) {
    ASSERT_TRUE((*result)->type()->Equals(*tree.type))
        << ToSql(tree) << " " << (*result)->type()->ToString();
    ASSERT_TRUE((*result)->ValidateFull().ok()) << ToSql(tree);
  }
  bool explained = false;
  for (int64_t i = 0; i < batch.num_rows(); ++i) {
    std::vector<Value> row;
    for (const auto& column : batch.columns()) row.push_back(ValueAt(*column, i).ValueOrDie());
    const auto value = EvaluateRow(tree, row);
    if (result.ok()) {
      ASSERT_TRUE(value.ok()) << ToSql(tree) << "\n" << value.status().ToString();
      ASSERT_TRUE(Same(ValueAt(**result, i).ValueOrDie(), *value)) << ToSql(tree) << " row " << i;
    } else if (!value.ok()) {
      const std::string& message = result.status().message();
      const std::string start = value.status().message() + ", in ";
      const bool placed = message.starts_with(start) &&
                          NamesRow(std::string_view(message).substr(start.size()), batch, i);
      explained = explained || placed || value.status().message() == message;
    }
  }
  EXPECT_TRUE(result.ok() || explained) << ToSql(tree) << "\n" << result.status().ToString();
}

void CheckRoundTrip(const Expression& tree, const std::shared_ptr<arrow::Schema>& schema) {
  const std::string text = ToSql(tree);
  const auto again = ParseAndBind(text, {.columns = schema});
  ASSERT_TRUE(again.ok()) << text << "\n" << RenderError(again.status());
  EXPECT_EQ(ToSql(**again), text);
  EXPECT_TRUE((*again)->type->Equals(*tree.type)) << text;
}

TEST(RandomExpressions, EvaluatorsAgreeAndTextsRoundTrip) {
  Generator generator(20110301);
  int checked = 0;
  for (int i = 0; i < TestRounds(1500); ++i) {
    const TypePtr type = Types()[generator.Below(Types().size())];
    const ExpressionPtr tree = generator.Tree(type, 1 + static_cast<int>(generator.Below(4)));
    if (tree == nullptr) continue;
    const auto batch = generator.RandomBatch(static_cast<int64_t>(1 + generator.Below(24)));
    CheckEvaluators(*tree, *batch);
    CheckRoundTrip(*tree, generator.schema());
    if (HasFatalFailure()) return;
    ++checked;
  }
  EXPECT_GT(checked, 1000);
}

TEST(RandomExpressions, EveryFunctionIsExercised) {
  Generator generator(7);
  std::set<const Function*> exercised;
  for (const Function& function : FunctionTable()) {
    for (int i = 0; i < 40; ++i) {
      const TypePtr type =
          function.params.kinds[0] == Param::kAny ? Types()[generator.Below(Types().size())]
          : function.result == ResultType::kFirst || function.result == ResultType::kSecond
              ? TimestampType()
          : i % 2 == 0
              ? arrow::float64()
              : (function.params.kinds[0] == Param::kFraction ? arrow::float32() : arrow::int64());
      const ExpressionPtr tree = generator.CallTree(function, type, 1);
      if (tree == nullptr) continue;
      CollectFunctions(*tree, &exercised);
      const auto batch = generator.RandomBatch(32);
      CheckEvaluators(*tree, *batch);
      CheckRoundTrip(*tree, generator.schema());
      if (HasFatalFailure()) return;
    }
    EXPECT_TRUE(exercised.contains(&function)) << Signature(function);
  }
}

}  // namespace
}  // namespace viand::expression
