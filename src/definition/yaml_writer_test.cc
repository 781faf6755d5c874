#include "src/definition/yaml_writer.h"

#include <gtest/gtest.h>

#include "src/definition/definition_test_repos.h"
#include "src/definition/validation.h"
#include "src/definition/yaml_reader.h"

namespace viand::definition {
namespace {

constexpr auto kAll = CanonicalScope::kWithDocumentation;

template <class Objects>
void ExpectEqual(const Objects& left, const Objects& right) {
  ASSERT_EQ(left.size(), right.size());
  for (size_t i = 0; i < left.size(); ++i)
    EXPECT_EQ(CanonicalText(left[i], kAll), CanonicalText(right[i], kAll));
}

/// What is written reads back as the same definitions.
void ExpectRoundTrip(const std::string& yaml) {
  Definitions before, after;
  const auto read = ReadDefinitionText(yaml, "repo.yaml", &before);
  ASSERT_TRUE(read.ok()) << RenderError(read);
  const auto text = WriteYaml(before);
  ASSERT_TRUE(text.ok()) << RenderError(text.status());
  const auto again = ReadDefinitionText(*text, "written.yaml", &after);
  ASSERT_TRUE(again.ok()) << RenderError(again) << "\n" << *text;
  ExpectEqual(before.entities, after.entities);
  ExpectEqual(before.datasets, after.datasets);
  ExpectEqual(before.sources, after.sources);
  ExpectEqual(before.snapshots, after.snapshots);
  ExpectEqual(before.feature_views, after.feature_views);
  ExpectEqual(before.labels, after.labels);
  ExpectEqual(before.feature_services, after.feature_services);
  ExpectEqual(before.models, after.models);
}

TEST(YamlWriter, TheExampleReadsBack) { ExpectRoundTrip(kRetail); }

TEST(YamlWriter, EveryKeyReadsBack) {
  ExpectRoundTrip(R"yaml(
entities:
  - {name: user, join_keys: [user_id, country], value_types: [INT64, STRING], description: "who: a #1 user", owner: a@b.c, tags: {team: x, "on": "yes"}}
  - item
datasets:
  - {name: raw, from: {path: [b.csv, "a b/*.csv"], format: csv, delimiter: tab, types: {a: bigint, "b c": varchar}, on_error: skip}, where: "a > 0 and b <> 'x, y'", to: data/raw.parquet, sort_by: at, columns: {a: a, at: "strptime(\"b c\", '%Y: %m')"}}
  - {name: book, from: {path: x.xlsx, sheet: "0"}, to: data/book.parquet}
sources:
  - {name: s, path: "s3://bucket/x", s3_endpoint_override: "http://h:9", missing_columns: fill_null, timestamp_field: at, created_timestamp_column: made, field_mapping: {a: b}}
snapshots: [{name: g, source: s, first: start + 1d, last: "2026-01-01 00:30:00", every: 36h}]
feature_views:
  - {name: v, entities: [user, item], source: s, snapshots: g, window: 7d, where: "a in ('x', '#y', 'z: w')", having: count(*) > 1, features: {n: {expr: count(*), description: How many, tags: {pii: "no"}}, m: {expr: max(a), window: unbounded, default: "-1"}, e: {expr: max(b), default: ""}}, ttl: 0d, online: true}
  - {name: w, entities: [user], source: s, schema: [{name: a, dtype: Int64, description: A}, b], ttl: 90m}
  - {name: x, entities: [user], source: s, schema: [a], online: false}
labels:
  - {name: l, population: v, source: s, window: 1d following, columns: {y: count(*)}}
  - {name: k, population: {spine: keys.csv, timestamp_column: t, entities: [user]}, source: s, window: 1d following, where: a > 1, columns: {y: {expr: max(a), default: 0}}}
feature_services:
  - {name: f, features: [v, "w:a", {view: w, features: [b], alias: other, join_key_map: {user_id: u}}, "v@v1"]}
models:
  - {name: m, features: f, labels: l, target: y, split: {test: {after: 2026-01-01}}, params: {eval_metric: [auc, logloss], eta: 0.1}}
  - {name: o, features: f, spine: rows.csv, timestamp_column: t, target: y, fill_null: 0.5, split: {test: {fraction: 0.25, by: time}}, num_boost_round: 7}
)yaml");
}

TEST(YamlWriter, ReadyColumnsAreOnlineUnlessTheySayOtherwise) {
  Definitions definitions;
  ASSERT_TRUE(ReadDefinitionText(
                  "feature_views:\n"
                  "  - {name: a, entities: [u], source: s, schema: [x]}\n"
                  "  - {name: b, entities: [u], source: s, schema: [x], online: false}\n"
                  "  - {name: c, entities: [u], source: s, window: 1d, features: {n: count(*)}}\n",
                  "x.yaml", &definitions)
                  .ok());
  std::string online;
  for (const FeatureView& view : definitions.feature_views) online += view.online ? "1" : "0";
  EXPECT_EQ(online, "100");
  const std::string canonical = CanonicalText(definitions.feature_views[0]);
  EXPECT_EQ(JsonItem("feature_views", canonical).ValueOr(""),
            R"({"name":"a","entities":["u"],"source":"s","schema":[{"name":"x"}]})");
}

TEST(YamlWriter, ReadsAsPeopleWriteIt) {
  Definitions definitions;
  ASSERT_TRUE(
      ReadDefinitionText("feature_views:\n  - {name: v, entities: [u], source: s, window: 1d, "
                         "features: {n: count(*), m: {expr: max(a), default: 0}}}\n",
                         "x.yaml", &definitions)
          .ok());
  EXPECT_EQ(WriteYaml(definitions).ValueOr(""),
            "feature_views:\n"
            "  - name: v\n"
            "    entities: [u]\n"
            "    source: s\n"
            "    window: 1d\n"
            "    features:\n"
            "      n: count(*)\n"
            "      m: {expr: max(a), default: 0}\n");
}

}  // namespace
}  // namespace viand::definition
