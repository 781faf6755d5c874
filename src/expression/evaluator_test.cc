// The batch evaluator on what files hold, its errors, and laziness.
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/cast.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include "src/common/error.h"
#include "src/expression/expression_fixture.h"

namespace viand::expression {
namespace {

std::shared_ptr<arrow::RecordBatch> BatchOf(const std::shared_ptr<arrow::Array>& x) {
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("x", x->type())}), x->length(), {x});
}

std::shared_ptr<arrow::Array> Integers(std::vector<Value> values,
                                       const TypePtr& type = arrow::int64()) {
  return ToArray(values, type).ValueOrDie();
}

/// Evaluates over one column "x"; joins the values.
std::string Over(const std::shared_ptr<arrow::Array>& x, std::string_view text) {
  const auto batch = BatchOf(x);
  auto tree = ParseAndBind(text, {.columns = batch->schema()}, {"f", 1, 1});
  if (!tree.ok()) return RenderError(tree.status());
  auto result = EvaluateBatch(**tree, *batch);
  if (!result.ok()) return RenderError(result.status());
  std::string all;
  for (int64_t i = 0; i < (*result)->length(); ++i) all += (i == 0 ? "" : "|") + Shown(*result, i);
  return all;
}

TEST(EvaluateBatch, ReadsEveryEncodingOfAColumn) {
  const auto text = Integers({Value("a"), Value(), Value("b"), Value("a")}, arrow::utf8());
  EXPECT_EQ(Over(arrow::compute::Cast(*text, arrow::large_utf8()).ValueOrDie(), "upper(x)"),
            "A|NULL|B|A");
  const auto dictionary = arrow::dictionary(arrow::int32(), arrow::utf8());
  EXPECT_EQ(Over(arrow::compute::Cast(*text, dictionary).ValueOrDie(), "x = 'a'"),
            "true|NULL|false|true");
  const auto ns = arrow::timestamp(arrow::TimeUnit::NANO, "Europe/Berlin");
  const auto times =
      arrow::MakeArrayFromScalar(arrow::TimestampScalar(1'500'000'000, ns), 2).ValueOrDie();
  EXPECT_EQ(Over(times, "x"), "1970-01-01 00:00:01.5+00|1970-01-01 00:00:01.5+00");
  const auto decimal = arrow::MakeArrayFromScalar(
      arrow::Decimal128Scalar(arrow::Decimal128(-1250), arrow::decimal128(9, 2)), 1);
  EXPECT_EQ(Over(decimal.ValueOrDie(), "x * 2"), "-25.0");
  const auto natural = arrow::MakeArrayFromScalar(arrow::UInt64Scalar(7), 1).ValueOrDie();
  EXPECT_EQ(Over(natural, "x - 8"), "-1");
  EXPECT_EQ(
      Over(Integers({Value(int64_t{1}), Value(int64_t{2}), Value(int64_t{3})})->Slice(1), "x + 1"),
      "3|4");
}

TEST(EvaluateBatch, RefusesInexactTimes) {
  const auto ns = arrow::timestamp(arrow::TimeUnit::NANO);
  const auto times = arrow::MakeArrayFromScalar(arrow::TimestampScalar(1, ns), 2).ValueOrDie();
  EXPECT_EQ(Over(times, "x"),
            "column \"x\", row 0: 1970-01-01 00:00:00.000000001 has no exact timestamp");
  const auto natural = arrow::MakeArrayFromScalar(arrow::UInt64Scalar(UINT64_MAX), 1).ValueOrDie();
  EXPECT_EQ(Over(natural, "x"), "column \"x\", row 0: 18446744073709551615 has no exact bigint");
}

TEST(EvaluateBatch, NamesExpressionPlaceValuesAndRow) {
  const auto x = Integers({Value(int64_t{1}), Value(), Value(INT64_MAX)});
  EXPECT_EQ(Over(x, "1 + x * 2"),
            "f:1:5: x * cast(2 as bigint): integer overflow; the values are 9223372036854775807, "
            "2, in row 2");
  EXPECT_EQ(Over(x, "cast(x as tinyint)"),
            "f:1:1: cast(x as tinyint): the result does not fit tinyint; the values are "
            "9223372036854775807, in row 2");
  EXPECT_EQ(Over(x, "try_cast(x as tinyint)"), "1|NULL|NULL");
  EXPECT_EQ(Over(x, "5 // (x - 1)"),
            "f:1:1: cast(5 as bigint) // (x - cast(1 as bigint)): division by zero; the values are "
            "5, 0, in row 0\n  "
            "hint: divide by nullif(x, 0) for a null, or use / for a double");
  EXPECT_EQ(Over(Integers({Value("7"), Value("seven")}, arrow::utf8()), "cast(x as bigint)"),
            "f:1:1: cast(x as bigint): it is no number; the values are 'seven', in row 1");
}

TEST(EvaluateBatch, NamesTheRowByWhatElseIsInIt) {
  const auto schema =
      arrow::schema({arrow::field("user", arrow::utf8()),
                     arrow::field("at", arrow::timestamp(arrow::TimeUnit::SECOND)),
                     arrow::field("x", arrow::int64()), arrow::field("$0", arrow::int64())});
  const auto times =
      arrow::MakeArrayFromScalar(arrow::TimestampScalar(90, schema->field(1)->type()), 1)
          .ValueOrDie();
  const auto x = Integers({Value(INT64_MAX)});
  const auto batch =
      arrow::RecordBatch::Make(schema, 1, {Integers({Value("ann")}, arrow::utf8()), times, x, x});
  const auto tree = ParseAndBind("x + 1", {.columns = schema});
  EXPECT_EQ(EvaluateBatch(**tree, *batch).status().message(),
            "x + cast(1 as bigint): integer overflow; the values are 9223372036854775807, 1, in "
            "the row with user ann, at 1970-01-01 00:01:30");
  const auto as_of =
      arrow::MakeArrayFromScalar(arrow::TimestampScalar(0, TimestampType()), 1).ValueOrDie();
  EXPECT_EQ(EvaluateBatch(**tree, *batch, as_of).status().message(),
            "x + cast(1 as bigint): integer overflow; the values are 9223372036854775807, 1, at "
            "1970-01-01 00:00:00");
}

TEST(EvaluateBatch, LeavesBranchesNotTakenAlone) {
  const auto x = Integers({Value(int64_t{0}), Value(int64_t{2}), Value()});
  EXPECT_EQ(Over(x, "case when x = 0 then -1 else 10 // x end"), "-1|5|NULL");
  EXPECT_EQ(Over(x, "case x when 0 then -1 when 10 // (x - 1) then 1 else 10 // x end"),
            "-1|5|NULL");
  EXPECT_EQ(Over(x, "x = 0 or 10 // x = 5"), "true|true|NULL");
  EXPECT_EQ(Over(x, "x <> 0 and 10 // x = 5"), "false|true|NULL");
  EXPECT_EQ(Over(x, "coalesce(nullif(x, 0), 10 // (x - 2), 7)"), "-5|2|7");
  EXPECT_EQ(Over(x, "case when x = 0 then 1 when x = 2 then cast('2' as integer) end"), "1|2|NULL");
  EXPECT_EQ(Over(x->Slice(0, 0), "1 // 0"), "");
}

TEST(EvaluateBatch, OverflowsAtEveryWidth) {
  const struct {
    TypePtr type;
    const char* name;
  } widths[] = {{arrow::int8(), "tinyint"},   {arrow::int16(), "smallint"},
                {arrow::int32(), "integer"},  {arrow::int64(), "bigint"},
                {arrow::uint8(), "utinyint"}, {arrow::uint16(), "usmallint"},
                {arrow::uint32(), "uinteger"}};
  for (const auto& width : widths) {
    const IntegerRange range = RangeOf(*width.type);
    const auto most = Integers({Value(range.greatest)}, width.type);
    const auto least = Integers({Value(range.least)}, width.type);
    for (const char* text : {"x + 1", "x * 2", "x * x"}) {
      EXPECT_NE(Over(most, text).find("the values are"), std::string::npos) << text << width.name;
    }
    EXPECT_NE(Over(least, "x - 1").find("the values are"), std::string::npos) << width.name;
    if (range.least == 0) continue;
    for (const char* text : {"-x", "abs(x)", "x // -1"}) {
      EXPECT_NE(Over(least, text).find("the values are"), std::string::npos) << text << width.name;
    }
    EXPECT_EQ(Over(least, "x % -1"), "0");
  }
}

TEST(EvaluateBatch, ReadsAsOf) {
  const auto x = Integers({Value(int64_t{0}), Value(int64_t{86'400'000'000})}, TimestampType());
  const auto batch = BatchOf(x);
  const auto tree =
      ParseAndBind("floor_days(as_of - x)", {.columns = batch->schema(), .as_of = true})
          .ValueOrDie();
  const auto as_of =
      Integers({Value(int64_t{-1}), Value(int64_t{4 * 86'400'000'000 - 1})}, TimestampType());
  const auto days = EvaluateBatch(*tree, *batch, as_of).ValueOrDie();
  EXPECT_EQ(Shown(days, 0), "-1");
  EXPECT_EQ(Shown(days, 1), "2");
  const Value row(int64_t{0});
  EXPECT_EQ(std::get<int64_t>(EvaluateRow(*tree, {&row, 1}, -1).ValueOrDie()), -1);
  EXPECT_FALSE(EvaluateBatch(*tree, *batch).ok());
}

TEST(EvaluateBatch, TakesNullsAndEmptyTexts) {
  const auto x = Integers({Value(""), Value(), Value("ñandú")}, arrow::utf8());
  EXPECT_EQ(Over(x, "length(x)"), "0|NULL|5");
  EXPECT_EQ(Over(x, "x in ('', 'a', 'b', 'c', 'd')"), "true|NULL|false");
  EXPECT_EQ(Over(x, "x in ('', 'a', 'b', 'c', null)"), "true|NULL|NULL");
  EXPECT_EQ(Over(x, "concat(x, null, 1)"), "1|1|ñandú1");
  EXPECT_EQ(Over(x, "regexp_matches(x, '^.and')"), "false|NULL|true");
  EXPECT_EQ(Over(x, "x is not distinct from null"), "false|true|false");
}

}  // namespace
}  // namespace viand::expression
