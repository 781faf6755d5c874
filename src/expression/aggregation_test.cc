// Cutting at aggregates, the shape of calls, and pushdown.
#include "src/expression/aggregation.h"

#include <arrow/compute/expression.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include "src/expression/arrow_filter.h"
#include "src/expression/binder.h"
#include "src/expression/sql_types.h"
#include "src/expression/to_sql.h"

namespace viand::expression {
namespace {

Scope TestScope() {
  return {.columns = arrow::schema(
              {arrow::field("id", arrow::int32()), arrow::field("amount", arrow::float64()),
               arrow::field("order_no", arrow::utf8()), arrow::field("void", arrow::boolean()),
               arrow::field("time", TimestampType())}),
          .aggregates = true,
          .as_of = true};
}

ExpressionPtr Tree(std::string_view text) { return ParseAndBind(text, TestScope()).ValueOrDie(); }

TEST(SplitAggregates, ListsEqualCallsOnce) {
  const auto cut =
      SplitAggregates(Tree("sum(amount) / count(*) + SUM( amount ) - days(as_of - max(time))"));
  ASSERT_TRUE(cut.ok());
  EXPECT_EQ(cut->calls.size(), 3U);
  EXPECT_EQ(cut->call_schema->ToString(), "$0: double\n$1: int64\n$2: timestamp[us]");
  EXPECT_EQ(ToSql(*cut->result), "\"$0\" / cast(\"$1\" as double) + \"$0\" - days(as_of - \"$2\")");
  const auto again =
      ParseAndBind(ToSql(*cut->result), {.columns = cut->call_schema, .as_of = true});
  ASSERT_TRUE(again.ok()) << again.status().ToString();
  EXPECT_EQ(ToSql(**again), ToSql(*cut->result));
}

TEST(SplitAggregates, RefusesABareColumn) {
  const auto cut = SplitAggregates(Tree("sum(amount) + id"));
  EXPECT_EQ(RenderError(cut.status()),
            "line 1:15: column \"id\" outside an aggregate\n  hint: a feature is one value for all "
            "rows of a window: "
            "write first(id), max(id) or the like");
}

TEST(Aggregates, HaveTheTypesOfTheirArguments) {
  const struct {
    const char* text;
    const char* type;
  } cases[] = {{"count(*)", "int64"},
               {"count(distinct order_no)", "int64"},
               {"approx_count_distinct(id)", "int64"},
               {"sum(id)", "int64"},
               {"sum(void)", "int64"},
               {"sum(amount)", "double"},
               {"avg(id)", "double"},
               {"variance(id)", "double"},
               {"stddev_samp(amount)", "double"},
               {"median(id)", "double"},
               {"quantile(amount, 0.9)", "double"},
               {"min(time)", "timestamp[us]"},
               {"first(order_no order by amount)", "string"},
               {"mode(id)", "int32"},
               {"any(void)", "bool"},
               {"bool_and(void)", "bool"},
               {"max(gap(time))", "duration[us]"},
               {"max(gap(id))", "int32"},
               {"last_n(id, 3)", "list<item: int32>"}};
  for (const auto& c : cases) EXPECT_EQ(Tree(c.text)->type->ToString(), c.type) << c.text;
}

TEST(Aggregates, PerTakesCallsOutOfTheArgument) {
  const auto tree = Tree("avg(floor_days(gap(first(time) per order_no, id where not void)))");
  const AggregateCall& call = *tree->aggregate;
  ASSERT_EQ(call.per_calls.size(), 1U);
  EXPECT_EQ(call.per_calls[0]->function, AggregateFunction::kFirst);
  EXPECT_EQ(call.per_keys.size(), 2U);
  EXPECT_EQ(ToSql(*call.where), "not void");
  EXPECT_EQ(call.argument->type->ToString(), "int64");
  EXPECT_EQ(ColumnsOf(*tree), (std::vector<std::string>{"id", "order_no", "time", "void"}));
  EXPECT_TRUE(HasAggregate(*tree));
}

std::string Pushed(std::string_view text) { return ToArrowFilter(*Tree(text)).ToString(); }

TEST(ArrowFilter, PushesWhatArrowDecidesAlike) {
  EXPECT_EQ(Pushed("id is not null"), "is_valid(id)");
  EXPECT_EQ(Pushed("3 < id and amount > 1.0"), "(id > 3)");
  EXPECT_EQ(Pushed("id = 1 or amount > 1.0"), "true");
  EXPECT_EQ(Pushed("not void"), "invert(void)");
  EXPECT_EQ(Pushed("id in (1, 2)"), "((id == 1) or (id == 2))");
  EXPECT_EQ(Pushed("(id = 1 and length(order_no) > 2) or id between 3 and 4"),
            "((id == 1) or ((id >= 3) and (id <= 4)))");
  EXPECT_EQ(Pushed("id + 1 = 2"), "true");
  EXPECT_EQ(Pushed("not (id = 1 and length(order_no) > 2)"), "true");
}

TEST(SplitAggregates, ErrorsShowTheAggregates) {
  const auto schema = arrow::schema({arrow::field("x", arrow::int64())});
  const auto bound =
      ParseAndBind("sum(x) + 1", {.columns = schema, .aggregates = true}, {"canonical", 1, 1});
  const auto placed = PlacedAt(*bound, {"f.yaml", 7, 9});
  const auto split = SplitAggregates(placed);
  ASSERT_TRUE(split.ok());
  EXPECT_EQ(ToSql(*split->result), "\"$0\" + cast(1 as bigint)");
  EXPECT_EQ(ShownSql(*split->result), "sum(x) + cast(1 as bigint)");
  EXPECT_EQ(split->result->where.ToString(), "f.yaml:7:9");
  EXPECT_EQ(split->calls[0]->argument->where.ToString(), "f.yaml:7:9");
}

}  // namespace
}  // namespace viand::expression
