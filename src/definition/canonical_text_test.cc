#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "src/definition/definition_test_repos.h"
#include "src/definition/sql_normal_form.h"
#include "src/definition/yaml_document.h"

namespace viand::definition {
namespace {

Definitions Read(const std::string& text) {
  Definitions definitions;
  const auto status = ReadDefinitionText(text, "r.yaml", &definitions);
  EXPECT_TRUE(status.ok()) << RenderError(status);
  return definitions;
}

/// All canonical texts of a repo, one a line.
std::string Canonical(const Definitions& definitions,
                      CanonicalScope scope = CanonicalScope::kMeaning) {
  std::string text;
  const auto add = [&](const auto& objects) {
    for (const auto& object : objects) text += CanonicalText(object, scope) + "\n";
  };
  add(definitions.entities);
  add(definitions.datasets);
  add(definitions.sources);
  add(definitions.snapshots);
  add(definitions.feature_views);
  add(definitions.labels);
  add(definitions.feature_services);
  add(definitions.models);
  return text;
}

TEST(CanonicalText, IsOneSortedLine) {
  const Definitions retail = Read(kRetail);
  EXPECT_EQ(CanonicalText(retail.snapshots[0]),
            R"({"every":"30d","first":"start + 90d","last":"end - 30d","name":"monthly",)"
            R"("source":"transactions"})");
  EXPECT_EQ(
      CanonicalText(retail.labels[0]),
      R"json({"columns":[{"expr":"cast(count(* where not is_cancellation) > 0 as bigint)",)json"
      R"json("name":"purchased"}],"name":"purchased_30d","population":"customer_rfm_features",)json"
      R"json("source":"transactions","window":"30d following"})json");
  EXPECT_EQ(CanonicalText(retail.entities[0]),
            R"({"join_keys":["customer_id"],"name":"customer","value_types":["INT64"]})");
  EXPECT_EQ(CanonicalText(retail.entities[0], CanonicalScope::kWithDocumentation),
            R"({"description":"Retail customer","join_keys":["customer_id"],"name":"customer",)"
            R"("value_types":["INT64"]})");
}

TEST(CanonicalText, IsTheSameForAnotherLayout) {
  const std::string before = Canonical(Read(kRetail));
  const std::pair<const char*, const char*> kSame[] = {
      {"monetary: sum(revenue)", "monetary: \"SUM( revenue )\""},
      {"monetary: sum(revenue)", "monetary: |\n        Sum ( -- all of it\n        revenue)"},
      {"monetary: sum(revenue)", "monetary: {expr: 'sum(\"revenue\")'}"},
      {"where: not is_cancellation\n    features:\n      recency",
       "where: |\n      NOT /* real ones */\n        is_cancellation\n    features:\n      "
       "recency"},
      {"window: 90d\n    where", "window: 2160h\n    where"},
      {"first: start + 90d", "first: start+12w6d"},
      {"description: Retail customer", "description: A customer"},
      {"types: {InvoiceNo: varchar, StockCode: varchar",
       "types: {StockCode: VARCHAR, InvoiceNo: varchar"},
      {"cast(first(is_cancellation) as double)", "CAST(first(is_cancellation) AS DOUBLE)"},
      {"ttl: 0d", "ttl: 0s"},
      {"fill_null: 0", "fill_null: 0.0"},
  };
  for (const auto& [from, to] : kSame) {
    EXPECT_EQ(Canonical(Read(Replaced(kRetail, from, to))), before) << to;
  }
}

TEST(CanonicalText, IsAnotherForAnotherMeaning) {
  const std::string before = Canonical(Read(kRetail));
  const std::pair<const char*, const char*> kOther[] = {
      {"monetary: sum(revenue)", "monetary: sum(Revenue)"},
      {"monetary: sum(revenue)", "monetary: avg(revenue)"},
      {"starts_with(InvoiceNo, 'C')", "starts_with(InvoiceNo, 'c')"},
      {"starts_with(InvoiceNo, 'C')", "starts_with(InvoiceNo, ' C')"},
      {"window: unbounded", "window: 365d"},
      {"window: 90d", "window: 91d"},
      {"ttl: 0d", "ttl: 1d"},
      {"    ttl: 0d\n", ""},
      {"default: 0", "default: 1"},
      {"last: end - 30d", "last: end"},
      {"last: end - 30d", "last: 2011-12-01"},
      {"value_type: INT64", "value_type: INT32"},
      {"eta: 0.1", "eta: 0.2"},
      {"split: {test: last_snapshot}", "split: {test: {after: 2011-10-01}}"},
      {"    where: CustomerID is not null\n", ""},
      {"    where: CustomerID is not null\n",
       "    where: CustomerID is not null\n    on_error: skip\n"},
      {"InvoiceDate: timestamp", "InvoiceDate: date"},
      {"features: [customer_rfm_features, ", "features: [\"customer_rfm_features:monetary\", "},
      {"window: 30d following", "window: 31d following"},
      {"      quantity: Quantity\n      invoice_date: InvoiceDate\n",
       "      invoice_date: InvoiceDate\n      quantity: Quantity\n"},
  };
  for (const auto& [from, to] : kOther) {
    EXPECT_NE(Canonical(Read(Replaced(kRetail, from, to))), before) << from << " -> " << to;
  }
}

/// Prints a tree as YAML in flow style, the keys of every mapping shuffled but where their order
/// makes columns.
std::string Shuffled(const YamlNode& node, const std::string& key, std::mt19937* random) {
  if (node.kind == YamlKind::kText) {
    std::string escaped;
    for (char c : node.text) {
      if (c == '"' || c == '\\') escaped += '\\';
      escaped += c == '\n' ? std::string("\\n") : std::string(1, c);
    }
    return "\"" + escaped + "\"";
  }
  std::vector<std::string> parts;
  for (const YamlNodePtr item : node.items) parts.push_back(Shuffled(*item, "", random));
  for (const YamlEntry& entry : node.entries) {
    parts.push_back("\"" + entry.key + "\": " + Shuffled(*entry.value, entry.key, random));
  }
  const bool list = node.kind == YamlKind::kList;
  if (!list && key != "features" && key != "columns")
    std::shuffle(parts.begin(), parts.end(), *random);
  std::string text = list ? "[" : "{";
  for (size_t i = 0; i < parts.size(); ++i) text += (i > 0 ? ", " : "") + parts[i];
  return text + (list ? "]" : "}");
}

TEST(CanonicalText, DoesNotDependOnTheOrderOfKeys) {
  std::mt19937 random(7);
  for (const char* repo : {kRetail, kLogistics}) {
    const std::string before = Canonical(Read(repo), CanonicalScope::kWithDocumentation);
    const auto tree = LoadYaml(repo, "r.yaml");
    ASSERT_TRUE(tree.ok());
    for (int i = 0; i < 50; ++i) {
      const std::string text = Shuffled(*tree->root, "", &random);
      ASSERT_EQ(Canonical(Read(text), CanonicalScope::kWithDocumentation), before) << text;
    }
  }
}

TEST(CanonicalText, OfAViewReadsBack) {
  for (const char* repo : {kRetail, kLogistics}) {
    for (const FeatureView& view : Read(repo).feature_views) {
      for (const auto scope : {CanonicalScope::kMeaning, CanonicalScope::kWithDocumentation}) {
        const std::string text = CanonicalText(view, scope);
        const auto back = ViewFromCanonicalText(text);
        ASSERT_TRUE(back.ok()) << RenderError(back.status());
        EXPECT_EQ(CanonicalText(*back, scope), text);
        EXPECT_EQ(back->computed, view.computed);
        EXPECT_EQ(back->ttl_us, view.ttl_us);
      }
    }
  }
}

TEST(CanonicalText, BrokenOnesAreRefused) {
  const auto error = [](const std::string& text) {
    return RenderError(ViewFromCanonicalText(text).status());
  };
  const std::string kStart = "the stored definition of a feature view is broken: ";
  const std::string kEnd = "\n  hint: apply the view again from the repo that defines it";
  EXPECT_EQ(error(""), kStart + "it is no JSON object" + kEnd);
  EXPECT_EQ(error("[1]"), kStart + "it is no JSON object" + kEnd);
  EXPECT_EQ(error("{}"), kStart + "a name is missing" + kEnd);
  EXPECT_EQ(error(R"({"name":"v"})"), kStart + "no source" + kEnd);
  EXPECT_EQ(error(R"({"name":"v","source":"s"})"), kStart + "no list of entities" + kEnd);
  EXPECT_EQ(error(R"({"name":"v","source":"s","entities":[1]})"),
            kStart + "an entity is no text" + kEnd);
  EXPECT_EQ(error(R"({"name":"v","source":"s","entities":["a"],"features":[]})"),
            kStart + "no features" + kEnd);
  EXPECT_EQ(error(R"({"name":"v","source":["s"]})"), kStart + "\"source\" is no text" + kEnd);
}

TEST(SqlNormalForm, SpellsWordsAlikeAndColumnsAsTheyAre) {
  const std::pair<const char*, const char*> kCases[] = {
      {"SUM( a )", "sum(a)"},
      {"sum(\"a\")", "sum(a)"},
      {"sum(\"A b\")", "sum(\"A b\")"},
      {"Sum(Date)", "sum(\"Date\")"},
      {"max(\"date\")", "max(\"date\")"},
      {"a != 1 AND b == 2", "a <> 1 and b = 2"},
      {"x :: BIGINT + 1", "x::bigint + 1"},
      {"CAST(x AS Double Precision)", "cast(x as double precision)"},
      {"a>INTERVAL 90 Days", "a > interval 90 days"},
      {"DATE '2011-01-01' <= d", "date '2011-01-01' <= d"},
      {"avg(Sum(x) PER K1,K2 WHERE Not C)", "avg(sum(x) per K1, K2 where not C)"},
      {"first(x ORDER BY Y Desc)", "first(x order by Y desc)"},
      {"CASE WHEN A THEN B ELSE C END", "case when A then B else C end"},
      {"x Is Not Distinct From Y", "x is not distinct from Y"},
      {"count(*)  -- all", "count(*)"},
      {"as_of-max(t)", "as_of - max(t)"},
      {"x IN (1,2) and not(Y)", "x in (1, 2) and not (Y)"},
      {"1_000", "1000"},
      {"'it''s'", "'it''s'"},
      {"a - -1", "a - - 1"},
      {"no sql '", "no sql '"},
  };
  for (const auto& [text, normal] : kCases) {
    EXPECT_EQ(SqlNormalForm(text), normal);
    EXPECT_EQ(SqlNormalForm(SqlNormalForm(text)), normal) << "normal forms are their own";
  }
}

}  // namespace
}  // namespace viand::definition
