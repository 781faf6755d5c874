// Texts that do not parse or bind: the message, the place and the hint that the user reads.
#include <arrow/type.h>
#include <gtest/gtest.h>

#include "src/expression/binder.h"
#include "src/expression/sql_types.h"

namespace viand::expression {
namespace {

Scope TestScope() {
  return {.columns = arrow::schema(
              {arrow::field("quantity", arrow::int64()), arrow::field("price", arrow::float64()),
               arrow::field("name", arrow::utf8()), arrow::field("flag", arrow::boolean()),
               arrow::field("time", TimestampType()), arrow::field("day", arrow::date32()),
               arrow::field("small", arrow::int8())}),
          .aggregates = true,
          .as_of = true,
          .described_as = "source orders"};
}

std::string Failure(std::string_view text) {
  const auto tree = ParseAndBind(text, TestScope(), {"f.yaml", 3, 7});
  return tree.ok() ? "no error: " + ToSql(**tree) : RenderError(tree.status());
}

struct Case {
  const char* text;
  const char* error;
};

TEST(ParserErrors, NameThePlaceAndWhatWasExpected) {
  const Case cases[] = {
      {"", "f.yaml:3:7: empty expression"},
      {"1 +", "f.yaml:3:10: expected a value, found the end"},
      {"(1 + 2", "f.yaml:3:13: expected \")\", found the end"},
      {"quantity quantity",
       "f.yaml:3:16: expected an operator or the end of the expression, found \"quantity\""},
      {"'abc",
       "f.yaml:3:7: string without its closing '\n  hint: write the quote twice to have it inside"},
      {"1 < 2 < 3", "f.yaml:3:13: chained comparisons\n  hint: combine comparisons with \"and\""},
      {"time - 90d",
       "f.yaml:3:14: \"90d\" is not a number\n  hint: a span of time is written interval '90 "
       "days'"},
      {"1 ? 2", "f.yaml:3:9: unexpected character \"?\""},
      {"case 1 end", "f.yaml:3:14: expected \"when\", found \"end\""},
      {"1 +\n  * 2", "f.yaml:4:3: expected a value, found \"*\""},
      {"'ñ' + )", "f.yaml:3:13: expected a value, found \")\""},
      {"quantity is 3",
       "f.yaml:3:19: expected null, true, false or distinct from after \"is\", found \"3\""},
      {"interval '3 moons'",
       "f.yaml:3:16: '3 moons' is not an interval: unknown unit \"moons\"\n  hint: write it as "
       "interval '90 days', "
       "interval '1 month' or interval '1 day 02:30:00'"},
      {"quantity in ()", "f.yaml:3:20: expected a value, found \")\""},
      {"count(*) where flag",
       "f.yaml:3:16: expected an operator or the end of the expression, found \"where\"\n  hint: "
       "the "
       "condition stands inside the aggregate: count(* where x > 0)"},
      {"sum(price) over ()",
       "f.yaml:3:18: expected an operator or the end of the expression, found \"over\"\n  hint: "
       "the "
       "window is the view's or the feature's key \"window\""},
      {"flag && flag", "f.yaml:3:12: unexpected character \"&\"\n  hint: write: a and b"},
      {"1 /* open", "f.yaml:3:9: comment without its end\n  hint: close it with */"},
  };
  for (const Case& c : cases) EXPECT_EQ(Failure(c.text), c.error) << c.text;
}

TEST(BinderErrors, NameTheNearest) {
  const Case cases[] = {
      {"quantty * 2",
       "f.yaml:3:7: unknown column \"quantty\" in source orders\n  hint: did you mean "
       "\"quantity\"?"},
      {"1 + Quantity",
       "f.yaml:3:11: unknown column \"Quantity\" in source orders\n  hint: did you mean "
       "\"quantity\"?"},
      {"flor(price)", "f.yaml:3:7: unknown function \"flor\"\n  hint: did you mean \"floor\"?"},
      {"cuont(*)", "f.yaml:3:7: unknown function \"cuont\"\n  hint: did you mean \"count\"?"},
      {"cuont(distinct name where flag)",
       "f.yaml:3:7: unknown function \"cuont\"\n  hint: did you mean \"count\"?"},
      {"floor(*)", "f.yaml:3:7: \"floor\" is no aggregate: it takes no distinct and no *"},
      {"cast(price as bigit)",
       "f.yaml:3:21: unknown type \"bigit\"\n  hint: did you mean \"bigint\"?"},
      {"name + 1",
       "f.yaml:3:7: no function +(varchar, integer)\n  hint: it takes +(number, number) or +(date, "
       "integer) or "
       "+(integer, date) or +(timestamp, interval) or +(interval, timestamp) or +(timestamp, "
       "calendar interval) or "
       "+(interval, interval)"},
      {"name = quantity",
       "f.yaml:3:7: varchar and bigint do not go together in \"=\"\n  hint: cast one side, as in "
       "cast(x as varchar)"},
      {"time > 'soon'",
       "f.yaml:3:14: 'soon' does not read as timestamp: it is no time such as 2011-03-01 "
       "08:26:00"},
      {"9223372036854775808",
       "f.yaml:3:7: 9223372036854775808 does not fit bigint\n  hint: write 9223372036854775808.0 "
       "for a double"},
      {"sum(max(quantity))",
       "f.yaml:3:11: the aggregate \"max\" inside an aggregate lacks its \"per\"\n  hint: an "
       "aggregate of aggregates "
       "groups rows by keys: avg(sum(x) per key)"},
      {"sum(quantity where price)",
       "f.yaml:3:26: \"where\" takes a boolean, not double\n  hint: compare it, as in x > 0"},
      {"avg(sum(price) + quantity per name)",
       "f.yaml:3:24: column \"quantity\" outside the inner aggregate\n  hint: a group is one row: "
       "write "
       "first(quantity), max(quantity) or the like"},
      {"sum(price per name)",
       "f.yaml:3:11: column \"price\" outside the inner aggregate\n  hint: a group is one row: "
       "write first(price), max(price) or the like"},
      {"avg(time - time)",
       "f.yaml:3:7: \"avg\" takes numbers, not interval\n  hint: convert the interval, as in "
       "avg(days(x))"},
      {"avg(days(time - as_of))",
       "f.yaml:3:23: as_of inside an aggregate, which is evaluated on rows, not at a time\n  hint: "
       "use it around aggregates, as in hours(as_of - max(event_time)); a time range is the "
       "feature's window"},
      {"count(* where time < as_of)",
       "f.yaml:3:28: as_of inside an aggregate, which is evaluated on rows, not at a time\n  hint: "
       "use it around aggregates, as in hours(as_of - max(event_time)); a time range is the "
       "feature's window"},
      {"gap(time)",
       "f.yaml:3:7: gap stands only inside an aggregate\n  hint: as in avg(days(gap(event_time)))"},
      {"date_trunc('moon', time)",
       "f.yaml:3:18: 'moon': unknown part of time\n  hint: parts are year, quarter, month, week, "
       "day, hour, minute, "
       "second and finer"},
      {"interval '1 month'",
       "f.yaml:3:7: a calendar interval has no value of its own\n  hint: months and years stand "
       "only beside + or - of a timestamp"},
  };
  for (const Case& c : cases) EXPECT_EQ(Failure(c.text), c.error) << c.text;
}

TEST(Parser, RefusesDeepAndLongTexts) {
  const std::string deep = std::string(5000, '(') + "1" + std::string(5000, ')');
  EXPECT_NE(Failure(deep).find("nested deeper than 200 levels"), std::string::npos);
  std::string chain = "quantity";
  for (int i = 0; i < 5000; ++i) chain += "+1";
  EXPECT_NE(Failure(chain).find("nested deeper than 400 levels"), std::string::npos);
  EXPECT_NE(Failure("f(" + std::string(70000, ' ')).find("the limit is 65536"), std::string::npos);
  std::string nots;
  for (int i = 0; i < 3000; ++i) nots += "not ";
  EXPECT_NE(Failure(nots + "flag").find("nested deeper"), std::string::npos);
  EXPECT_NE(Failure(std::string(3000, '+') + "1"), "");
}

std::string Printed(std::string_view text) {
  const auto tree = ParseAndBind(text, TestScope());
  return tree.ok() ? ToSql(**tree) : RenderError(tree.status());
}

TEST(ToSql, PrintsWhatBindsToTheSameTree) {
  const Case cases[] = {
      {"quantity*2+1", "quantity * cast(2 as bigint) + cast(1 as bigint)"},
      {"small * 3", "small * cast(3 as tinyint)"},
      {"small + 300", "cast(small as integer) + 300"},
      {"(quantity + 1) * 2", "(quantity + cast(1 as bigint)) * cast(2 as bigint)"},
      {"-(-quantity)", "-(-quantity)"},
      {"not (flag or quantity > 1) and flag",
       "not (flag or quantity > cast(1 as bigint)) and flag"},
      {"time >= '2011-03-01'", "time >= timestamp '2011-03-01 00:00:00'"},
      {"day + interval '1 month 2 days'",
       "cast(day as timestamp) + interval '1 month' + interval '2 days'"},
      {"extract(year from day)", "year(cast(day as timestamp))"},
      {"if(flag, 1, 2.5)", "case when flag then 1.0 else 2.5 end"},
      {"case quantity when 1 then 'a' end",
       "case quantity when cast(1 as bigint) then 'a' else cast(null as varchar) end"},
      {"name not in ('it''s', null)", "not name in ('it''s', cast(null as varchar))"},
      {"count(*  WHERE not flag) > 0", "count(* where not flag) > cast(0 as bigint)"},
      {"avg(cast(first(flag) as double) per name)", "avg(cast(first(flag) as double) per name)"},
      {"avg(floor_days(gap(first(time) per name where not flag)))",
       "avg(floor_days(gap(first(time))) per name where not flag)"},
      {"floor_days(as_of - max(time))", "floor_days(as_of - max(time))"},
      {"count(distinct name where not flag)", "count(distinct name where not flag)"},
      {"median(small)", "quantile(cast(small as bigint), 0.5)"},
      {"first(name order by price desc)", "last(name order by price)"},
      {"last_n(name, 3)", "last_n(name, 3)"},
      {"try_cast(name as double)", "try_cast(name as double)"},
      {"position('a' in name)", "strpos(name, 'a')"},
      {"name ilike 'A!_%' escape '!'", "name ilike 'A!_%' escape '!'"},
      {"price = 'nan'::double", "price = cast('nan' as double)"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Printed(c.text), c.error) << c.text;
    EXPECT_EQ(Printed(c.error), c.error) << c.text;
  }
}

}  // namespace
}  // namespace viand::expression
