// Binding before the data is there: what does not depend on columns that nobody knows yet is
// checked.
#include <arrow/type.h>
#include <gtest/gtest.h>

#include "src/expression/binder.h"
#include "src/expression/sql_types.h"

namespace viand::expression {
namespace {

struct Case {
  const char* text;
  const char* expected;
};

/// One column is known, another has an unknown type, and there may be more.
Scope OpenScope(bool open) {
  return {.columns = arrow::schema(
              {arrow::field("amount", arrow::float64()), arrow::field("note", UnknownType())}),
          .aggregates = true,
          .as_of = true,
          .open = open,
          .described_as = "source orders"};
}

std::string TypeOf(std::string_view text, bool open = true) {
  const auto bound = ParseAndBind(text, OpenScope(open), {"f.yaml", 3, 7});
  return bound.ok() ? TypeToSql(*(*bound)->type) : RenderError(bound.status());
}

TEST(OpenScope, TypesWhatDoesNotDependOnTheData) {
  const Case cases[] = {
      {"later", "unknown"},
      {"later + 1", "unknown"},
      {"coalesce(later, 'a')", "unknown"},
      {"upper(later)", "varchar"},
      {"later > 3 and not other", "boolean"},
      {"cast(later as date)", "date"},
      {"case when later then 1 else amount end", "unknown"},
      {"later + interval '1 month'", "unknown"},
      {"count(later where other)", "bigint"},
      {"count(distinct later)", "bigint"},
      {"avg(later)", "double"},
      {"sum(later)", "unknown"},
      {"last_n(later, 3)", "unknown"},
      {"any(later)", "boolean"},
      {"avg(sum(later) per key where not flag)", "double"},
      {"avg(floor_days(gap(first(later) per key)))", "double"},
      {"floor_days(as_of - max(later))", "bigint"},
      {"quantile(note, 0.5)", "double"},
      {"max(amount)", "double"},
  };
  for (const Case& c : cases) EXPECT_EQ(TypeOf(c.text), c.expected) << c.text;
}

TEST(OpenScope, FindsMistakesThatNeedNoData) {
  const Case cases[] = {
      {"cuont(*)", "f.yaml:3:7: unknown function \"cuont\"\n  hint: did you mean \"count\"?"},
      {"lenght(later)",
       "f.yaml:3:7: unknown function \"lenght\"\n  hint: did you mean \"length\"?"},
      {"substring(later)",
       "f.yaml:3:7: no function substring(unknown)\n  hint: it takes substring(varchar, integer) "
       "or "
       "substring(varchar, integer, integer)"},
      {"upper(later, 1)",
       "f.yaml:3:7: no function upper(unknown, integer)\n  hint: it takes upper(varchar)"},
      {"sum(later, 1)", "f.yaml:3:7: \"sum\" takes 1 argument, not 2"},
      {"sum(max(later))",
       "f.yaml:3:11: the aggregate \"max\" inside an aggregate lacks its \"per\"\n  hint: an "
       "aggregate of aggregates groups rows by keys: avg(sum(x) per key)"},
      {"sum(upper(later))",
       "f.yaml:3:7: \"sum\" takes numbers, not varchar\n  hint: cast it, as in sum(cast(x as "
       "double))"},
      {"count(* where upper(later))",
       "f.yaml:3:21: \"where\" takes a boolean, not varchar\n  hint: compare it, as in x > 0"},
      {"cast(later as bigit)",
       "f.yaml:3:21: unknown type \"bigit\"\n  hint: did you mean \"bigint\"?"},
      {"cast('a' as integer) + later",
       "f.yaml:3:12: 'a' does not read as integer: it is no number"},
  };
  for (const Case& c : cases) EXPECT_EQ(TypeOf(c.text), c.expected) << c.text;
}

TEST(OpenScope, KnowsNamesWhereTheyAreAll) {
  EXPECT_EQ(TypeOf("max(amuont)", false),
            "f.yaml:3:11: unknown column \"amuont\" in source orders\n  hint: did you mean "
            "\"amount\"?");
  EXPECT_EQ(TypeOf("max(later)", false),
            "f.yaml:3:11: unknown column \"later\" in source orders\n  hint: columns are amount, "
            "note");
  EXPECT_EQ(TypeOf("max(note)", false), "unknown");
}

}  // namespace
}  // namespace viand::expression
