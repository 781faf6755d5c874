// What the YAML reader refuses, with the exact text that a user reads.
#include <gtest/gtest.h>

#include "src/definition/definition_test_repos.h"

namespace viand::definition {
namespace {

struct Case {
  const char* name;
  const char* text;
  const char* error;
};

std::string ErrorOf(const std::string& text) {
  Definitions definitions;
  return RenderError(ReadDefinitionText(text, "r.yaml", &definitions));
}

class BrokenYaml : public testing::TestWithParam<Case> {};

TEST_P(BrokenYaml, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(ErrorOf(GetParam().text), GetParam().error);
}

constexpr Case kSyntax[] = {
    {"Colon", "entities: a: b\n",
     "r.yaml:1:12: YAML: illegal map value\n"
     "  hint: a text that holds \": \" must stand in quotes; check the indentation too"},
    {"Tab", "entities:\n\t- a\n",
     "r.yaml:2:1: YAML: a tab indents this line\n  hint: indent with spaces"},
    {"FlowList", "entities: [a, b\nsources: [c]\n",
     "r.yaml:2:8: YAML: end of sequence flow not found\n"
     "  hint: a list in [ ] lacks a comma or its ]"},
    {"OpenQuote", "entities:\n  - \"a\nsources:\n",
     "r.yaml:2:5: the quoted text that starts here lacks its closing \""},
    {"OpenSingleQuote", "entities: ['it''s]\n",
     "r.yaml:1:12: the quoted text that starts here lacks its closing '"},
    {"SecondDocument", "entities: [a]\n---\nsources: []\n",
     "r.yaml:2:1: a second document starts here, expected one document a file\n"
     "  hint: write the objects into the lists above, or into a file of their own"},
    {"Dedent", "- a\nsources: b\n",
     "r.yaml:2:1: this line does not continue what stands above it\n  hint: check its indentation"},
    {"DuplicateKey", "entities:\n  - {name: a, name: b}\n",
     "r.yaml:2:15: the key \"name\" stands twice in one mapping, first on line 2"},
    {"DuplicateList", "entities: [a]\nentities: [b]\n",
     "r.yaml:2:1: the key \"entities\" stands twice in one mapping, first on line 1"},
    {"UnknownAlias", "entities: [*a]\n",
     "r.yaml:1:12: YAML: the referenced anchor is not defined\n"
     "  hint: name it with &name before its first *name"},
    {"AliasInItself", "entities: &a [*a]\n", "r.yaml:1:15: an alias stands inside what it names"},
    {"KeyIsAList", "? [a]\n: b\n",
     "r.yaml:1:3: expected a text as a key, got a list\n"
     "  hint: a name such as null or ~ must stand in quotes"},
    {"BadUtf8", "entities: [caf\xE9]\n",
     "r.yaml:1:15: the byte 0xE9 belongs in no text, expected UTF-8\n  hint: save the file as "
     "UTF-8"},
    {"ControlByte", "entities: [a\x01]\n",
     "r.yaml:1:13: the byte 0x01 belongs in no text, expected UTF-8\n  hint: save the file as "
     "UTF-8"},
    {"NotAMapping", "- a\n",
     "r.yaml:1:1: expected a mapping of the lists entities, datasets, sources, snapshots, "
     "feature_views, labels, feature_services, models, got a list"},
    {"UnknownList", "entity: [a]\nfeature_view: []\n",
     "r.yaml:1:1: unknown list \"entity\"\n  hint: did you mean \"entities\"?\n"
     "r.yaml:2:1: unknown list \"feature_view\"\n  hint: did you mean \"feature_views\"?"},
    {"ListOfNoKnownKind", "things: []\n",
     "r.yaml:1:1: unknown list \"things\"\n"
     "  hint: a file of definitions holds: entities, datasets, sources, snapshots, feature_views, "
     "labels, feature_services, models"},
    {"ListIsText", "entities: a\n", "r.yaml:1:11: expected a list of entities, got a text"},
};
INSTANTIATE_TEST_SUITE_P(Syntax, BrokenYaml, testing::ValuesIn(kSyntax),
                         [](const auto& info) { return info.param.name; });

constexpr Case kObjects[] = {
    {"UnknownKey", "entities:\n  - {name: a, join_kyes: [b]}\n",
     "r.yaml:2:15: unknown key \"join_kyes\" of an entity\n  hint: did you mean \"join_keys\"?"},
    {"UnknownKeyFar", "sources:\n  - {name: a, wibble: b}\n",
     "r.yaml:2:15: unknown key \"wibble\" of a source\n"
     "  hint: its keys are: name, type, path, s3_endpoint_override, file_format, "
     "missing_columns, timestamp_field, created_timestamp_column, "
     "field_mapping, description, owner, tags"},
    {"MissingKey", "sources:\n  - {name: a, path: b}\n",
     "r.yaml:2:5: a source (\"a\") lacks the key \"timestamp_field\""},
    {"NullName", "entities: [{name: null}]\n", "r.yaml:1:12: an entity lacks the key \"name\""},
    {"BadName", "entities: [{name: \"a:b\"}]\n",
     "r.yaml:1:19: \"a:b\" is not a name\n"
     "  hint: write letters, digits, \"_\", \"-\" and \".\", starting with none of the last two"},
    {"TwoSpellings", "entities: [{name: a, join_key: b, join_keys: [c]}]\n",
     "r.yaml:1:32: an entity has \"join_key\" or \"join_keys\", not both"},
    {"TypesOfKeys", "entities: [{name: a, join_keys: [b, c, d], value_types: [INT64, STRING]}]\n",
     "r.yaml:1:19: the entity \"a\" has 3 join keys and 2 value types, expected one a key"},
    {"KeyTwice", "entities: [{name: a, join_keys: [b, b]}]\n",
     "r.yaml:1:19: the entity \"a\" has the join key \"b\" twice"},
    {"TagsAreAList", "entities: [{name: a, tags: [b]}]\n",
     "r.yaml:1:28: expected a mapping of texts as \"tags\" of an entity, got a list"},
    {"SourceType", "sources: [{name: a, type: bigquery, path: p, timestamp_field: t}]\n",
     "r.yaml:1:27: unknown source type \"bigquery\", expected file\n"
     "  hint: viand reads Parquet files; a dataset makes them from other formats"},
    {"Format", "datasets: [{name: a, from: {path: p, format: cvs}, to: o}]\n",
     "r.yaml:1:46: unknown format \"cvs\", expected xlsx, csv, json or parquet\n"
     "  hint: did you mean \"csv\"?"},
    {"OnError", "datasets: [{name: a, from: p, on_error: ignore, to: o}]\n",
     "r.yaml:1:41: expected fail, skip or null as \"on_error\", got \"ignore\""},
    {"Delimiter", "datasets: [{name: a, from: {path: p, delimiter: \";;\"}, to: o}]\n",
     "r.yaml:1:49: expected a delimiter of one character, got \";;\"\n"
     "  hint: write \",\", \";\", \"|\" or tab"},
    {"EveryZero", "snapshots: [{name: a, source: s, first: start, last: end, every: 0d}]\n",
     "r.yaml:1:66: the step \"every\" of snapshots is zero, expected a duration above it"},
    {"Bound", "snapshots: [{name: a, source: s, first: begin + 90d, last: end, every: 1d}]\n",
     "r.yaml:1:41: \"begin + 90d\" is not a bound of a grid\n"
     "  hint: write start + 90d, end - 30d, start, end, or a time such as 2011-03-01 08:26"},
    {"EmptyGrid",
     "snapshots: [{name: a, source: s, first: 2020-02-01, last: 2020-01-01, every: 1d}]\n",
     "r.yaml:1:59: the grid is empty: its last cutoff \"2020-01-01\" is before its first "
     "\"2020-02-01\""},
    {"ServiceForm", "feature_services: [{name: a, features: [\"v:\"]}]\n",
     "r.yaml:1:41: expected \"view\" or \"view:feature\", got \"v:\""},
    {"ServiceEmpty", "feature_services: [{name: a, features: []}]\n",
     "r.yaml:1:40: the feature service \"a\" has no features"},
};
INSTANTIATE_TEST_SUITE_P(Objects, BrokenYaml, testing::ValuesIn(kObjects),
                         [](const auto& info) { return info.param.name; });

constexpr Case kViews[] = {
    {"FeaturesAreText", "feature_views:\n  - {name: v, entities: [a], source: s, features: all}\n",
     "r.yaml:2:51: expected a list of features, got a text"},
    {"FeaturesAndSchema",
     "feature_views:\n  - {name: v, entities: [a], source: s, features: [x], schema: [y]}\n",
     "r.yaml:2:64: a feature view has \"features\" or \"schema\", not both\n  hint: \"features\" "
     "are computed here, \"schema\" names ready columns of the source"},
    {"NoEntities", "feature_views:\n  - {name: v, source: s, features: [x]}\n",
     "r.yaml:2:5: a feature view (\"v\") lacks the key \"entities\"\n"
     "  hint: write entities: [] where one row at a time is for all"},
    {"WindowWithoutComputation",
     "feature_views:\n  - {name: v, entities: [a], source: s, window: 1d, features: [x]}\n",
     "r.yaml:2:49: \"window\" needs computed features, and those of the feature view \"v\" are "
     "ready "
     "columns"},
    {"EmptyWindow",
     "feature_views:\n  - {name: v, entities: [a], source: s, window: 0d, features: {x: "
     "count(*)}}\n",
     "r.yaml:2:49: the window \"0d\" is empty: no row can be in it\n"
     "  hint: write a duration above zero, such as 90d, or \"unbounded\""},
    {"NegativeWindow",
     "feature_views:\n  - {name: v, entities: [a], source: s, window: -5d, features: {x: "
     "count(*)}}\n",
     "r.yaml:2:49: the window \"-5d\" is empty: no row can be in it\n"
     "  hint: write a duration above zero, such as 90d, or \"unbounded\""},
    {"WindowWithoutUnit",
     "feature_views:\n  - {name: v, entities: [a], source: s, window: 90, features: {x: "
     "count(*)}}\n",
     "r.yaml:2:49: \"90\" is not a window\n"
     "  hint: write a duration such as 90d or 36h, \"unbounded\", or in labels \"30d following\""},
    {"Ttl",
     "feature_views:\n  - {name: v, entities: [a], source: s, ttl: forever, features: [x]}\n",
     "r.yaml:2:46: \"forever\" is not a duration\n"
     "  hint: write a number and a unit, such as 90d, 36h, 1d12h, 15m, 30s, 250ms, 2w"},
    {"Online",
     "feature_views:\n  - {name: v, entities: [a], source: s, online: yes, features: [x]}\n",
     "r.yaml:2:49: expected \"online\" of a feature view, true or false, got \"yes\""},
    {"FeatureTwice", "feature_views:\n  - {name: v, entities: [a], source: s, schema: [x, x]}\n",
     "r.yaml:2:53: the feature \"x\" stands twice in one view"},
    {"FeatureKey",
     "feature_views:\n  - {name: v, entities: [a], source: s, features: {x: {exp: count(*)}}}\n",
     "r.yaml:2:56: unknown key \"exp\" of the feature \"x\"\n  hint: did you mean \"expr\"?"},
    {"DefaultIsNull",
     "feature_views:\n  - {name: v, entities: [a], source: s, features: {x: [count(*)]}}\n",
     "r.yaml:2:55: expected an expression as \"x\", got a list"},
    {"LabelsWithoutWindow",
     "labels:\n  - {name: l, population: v, source: s, columns: {x: count(*)}}\n",
     "r.yaml:2:5: labels (\"l\") lacks the key \"window\""},
    {"ModelWithBoth", "models:\n  - {name: m, features: f, labels: l, spine: p, target: t}\n",
     "r.yaml:2:12: the model \"m\" has both \"labels\" and \"spine\", expected one of them"},
    {"ModelWithNeither", "models:\n  - {name: m, features: f, target: t}\n",
     "r.yaml:2:12: the model \"m\" has neither \"labels\" nor \"spine\", expected one of them"},
    {"Split", "models:\n  - {name: m, features: f, labels: l, target: t, split: {test: random}}\n",
     "r.yaml:2:64: expected last_snapshot, {after: TIME} or {fraction: 0.2, by: time} as \"test\" "
     "of a split, got \"random\""},
    {"Fraction",
     "models:\n  - {name: m, features: f, labels: l, target: t, split: {test: {fraction: 2}}}\n",
     "r.yaml:2:75: the test fraction 2 is out of range, expected above 0 and below 1"},
    {"Rounds", "models:\n  - {name: m, features: f, labels: l, target: t, num_boost_round: 1.5}\n",
     "r.yaml:2:67: expected \"num_boost_round\", a whole number, got \"1.5\""},
};
INSTANTIATE_TEST_SUITE_P(Views, BrokenYaml, testing::ValuesIn(kViews),
                         [](const auto& info) { return info.param.name; });

TEST(YamlReader, RefusesAnAliasBomb) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) text += (k > 0 ? ", *a" : "*a") + std::to_string(i - 1);
    text += "]\n";
  }
  EXPECT_TRUE(ErrorOf(text).ends_with("more than 5000000 values, those behind aliases counted"));
}

TEST(YamlReader, RefusesDeepNesting) {
  EXPECT_NE(ErrorOf("entities: " + std::string(100'000, '[')), "");
}

TEST(YamlReader, LimitsTheSizeOfAFile) {
  EXPECT_EQ(ErrorOf(std::string((16 << 20) + 1, ' ')),
            "r.yaml: the file has 16777217 bytes, expected at most 16777216");
}

TEST(YamlReader, ShowsManyErrorsInOrderAndNotAll) {
  std::string text = "entities:\n";
  for (int i = 0; i < 30; ++i) text += "  - {nam: a}\n";
  const std::string error = ErrorOf(text);
  EXPECT_TRUE(
      error.starts_with("r.yaml:2:6: unknown key \"nam\" of an entity\n  hint: did you mean "
                        "\"name\"?\nr.yaml:3:6: "))
      << error;
  EXPECT_TRUE(error.ends_with("\n... and 10 more errors")) << error;
}

}  // namespace
}  // namespace viand::definition
