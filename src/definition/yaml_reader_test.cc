#include "src/definition/yaml_reader.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "src/common/time.h"
#include "src/definition/definition_test_repos.h"
#include "src/definition/environment_variables.h"
#include "src/definition/window_text.h"

namespace viand::definition {
namespace {

namespace fs = std::filesystem;

Definitions Read(const std::string& text) {
  Definitions definitions;
  const auto status = ReadDefinitionText(text, "r.yaml", &definitions);
  EXPECT_TRUE(status.ok()) << RenderError(status);
  return definitions;
}

/// A folder of its own, removed at the end.
class YamlFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "viand_definition_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = fs::canonical(name);
  }
  void TearDown() override { fs::remove_all(root_); }
  void Write(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  std::string ConfigError(const std::string& text) {
    Write("feature_store.yaml", text);
    return RenderError(ReadRepoConfig(root_.string()).status());
  }
  fs::path root_;
};

TEST(YamlReader, TakesEmptyFilesAndLists) {
  EXPECT_TRUE(Read("").entities.empty());
  EXPECT_TRUE(Read("# nothing\n").entities.empty());
  EXPECT_TRUE(Read("entities:\nsources: []\n").entities.empty());
  EXPECT_EQ(Read("\xEF\xBB\xBF"
                 "entities: [a]\r\n")
                .entities[0]
                .name,
            "a");
}

TEST(YamlReader, TakesNamesThatLookLikeBooleans) {
  const Definitions read = Read("entities: [yes, off, {name: true, join_keys: no}]\n");
  EXPECT_EQ(read.entities[0].name, "yes");
  EXPECT_EQ(read.entities[2].name, "true");
  EXPECT_EQ(read.entities[2].join_keys, std::vector<std::string>{"no"});
}

TEST(YamlReader, FollowsAliasesAndMergeKeys) {
  const Definitions read = Read(R"(
sources:
  - &base {name: a, path: p, timestamp_field: t, owner: me}
  - {<<: *base, name: b}
entities:
  - {name: e, join_keys: &keys [x, y]}
  - {name: f, join_keys: *keys}
)");
  EXPECT_EQ(read.sources[1].name, "b");
  EXPECT_EQ(read.sources[1].owner, "me");
  EXPECT_EQ(read.entities[1].join_keys, (std::vector<std::string>{"x", "y"}));
  // In quotes it is a name like any other.
  EXPECT_EQ(Read(R"(entities: [{name: e, tags: {"<<": x}}])").entities[0].tags.at("<<"), "x");
}

TEST(YamlReader, ReadsTheFormsOfADataset) {
  const Definitions read = Read(R"(
datasets:
  - {name: a, from: [x.csv, y.csv], to: o}
  - {name: b, from: {path: "d/*.xlsx", sheet: 2, on_error: skip}, to: o}
  - {name: c, from: {path: [p, q], sheet: "2", delimiter: tab, format: csv}, on_error: "null", to: o}
)");
  EXPECT_EQ(read.datasets[0].from.paths[1].name, "y.csv");
  EXPECT_EQ(read.datasets[1].from.sheet_index, 2);
  EXPECT_EQ(read.datasets[1].on_error, OnError::kSkip);
  EXPECT_EQ(read.datasets[2].from.sheet_name, "2");
  EXPECT_EQ(read.datasets[2].from.delimiter, "\t");
  EXPECT_EQ(read.datasets[2].on_error, OnError::kNull);
}

TEST(YamlReader, ReadsTheFormsOfAModel) {
  const Definitions read = Read(R"(
models:
  - name: m
    features: f
    spine: s.csv
    timestamp_column: at
    target: y
    split: {test: {after: 2020-01-01}}
    params: {eval_metric: [auc, logloss], eta: 1e-1, nthread: 2}
)");
  const Model& model = read.models[0];
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"eval_metric", "auc"}, {"eval_metric", "logloss"}, {"eta", "1e-1"}, {"nthread", "2"}};
  EXPECT_EQ(model.params, expected);
  EXPECT_EQ(model.split.kind, Split::Kind::kAfter);
  EXPECT_EQ(model.spine_timestamp_column, "at");
  EXPECT_FALSE(model.fill_null.has_value());
}

TEST(YamlReader, PlacesExpressions) {
  const Definitions read = Read(R"yaml(feature_views:
  - name: v
    entities: [e]
    source: s
    window: 1d
    features:
      plain: count(*)
      quoted: "count(*)"
      tagged: !x  count(*)
      block: |

        sum(a)
          + 1
      folded: >-
        sum(a)
        + 1
      umlaut: {description: "äöü", expr: sum(ü)}
      split over lines: sum(a)
        + 1
      comment: >
        sum(a) -- not
        + 1
)yaml");
  const auto& features = read.feature_views[0].features;
  const auto place = [&](size_t i) { return features[i].expr.where.ToString(); };
  EXPECT_EQ(place(0), "r.yaml:7:14");
  EXPECT_EQ(place(1), "r.yaml:8:16");
  EXPECT_EQ(place(2), "r.yaml:9:19");
  EXPECT_EQ(place(3), "r.yaml:12:9");
  EXPECT_EQ(features[3].expr.text, "sum(a)\n          + 1");
  EXPECT_EQ(place(4), "r.yaml:15:9");
  EXPECT_EQ(features[4].expr.text, "sum(a)\n        + 1");
  EXPECT_EQ(place(5), "r.yaml:17:42");
  EXPECT_EQ(features[6].expr.text, "sum(a)\n        + 1");
  EXPECT_EQ(features[7].expr.text, "sum(a) -- not + 1\n")
      << "what YAML folds into a comment is one";
}

TEST(WindowText, RoundTrips) {
  for (const char* text : {"90d", "1d12h", "unbounded", "30d following", "250ms"}) {
    const auto window = ParseWindow(text, {});
    ASSERT_TRUE(window.ok()) << text;
    EXPECT_EQ(FormatWindow(*window), text);
  }
  EXPECT_EQ(ParseWindow(" 2w ", {})->length_us, 14 * kMicrosPerDay);
  for (const char* text :
       {"", "following", "unbounded following", "90", "d", "90 d ago", "0d following"}) {
    EXPECT_FALSE(ParseWindow(text, {}).ok()) << text;
  }
}

TEST(GridBounds, RoundTrip) {
  for (const char* text : {"start", "end", "start + 90d", "end - 30d", "2011-03-01 08:26:00"}) {
    const auto bound = ParseGridBound(text, {});
    ASSERT_TRUE(bound.ok()) << text;
    EXPECT_EQ(FormatGridBound(*bound), text);
  }
  EXPECT_EQ(ParseGridBound("end-1d", {})->offset_us, -kMicrosPerDay);
  EXPECT_EQ(ParseGridBound("2011-03-01T09:26+01:00", {})->offset_us,
            ParseGridBound("2011-03-01 08:26", {})->offset_us);
  for (const char* text :
       {"", "start 90d", "start + ", "ending", "end + -3d", "2011-13-01", "90d"}) {
    EXPECT_FALSE(ParseGridBound(text, {}).ok()) << text;
  }
}

TEST(EnvironmentVariables, AreThoseOfPython) {
  setenv("VIAND_TEST_NAME", "x y", 1);
  unsetenv("VIAND_TEST_UNSET");
  EXPECT_EQ(ExpandEnvironmentVariables("a/$VIAND_TEST_NAME/b"), "a/x y/b");
  EXPECT_EQ(ExpandEnvironmentVariables("${VIAND_TEST_NAME}z"), "x yz");
  EXPECT_EQ(ExpandEnvironmentVariables("$VIAND_TEST_UNSET ${VIAND_TEST_UNSET} $ $$ ${ ${}"),
            "$VIAND_TEST_UNSET ${VIAND_TEST_UNSET} $ $$ ${ ${}");
}

TEST_F(YamlFiles, AreReadInOrderOfPath) {
  Write("feature_store.yaml", "project: p\nregistry: r\n");
  Write("b.yml", "entities: [b]\n");
  Write("a/z.yaml", "entities: [z]\n");
  Write("c.yaml", "entities: [c]\n");
  Write(".hidden/x.yaml", "no: such\n");
  Write(".x.yaml", "no: such\n");
  Write("data/x.yaml", "no: such\n");
  Write("notes.txt", "no: such\n");
  const auto read = ReadDefinitions(root_.string() + "/");
  ASSERT_TRUE(read.ok()) << RenderError(read.status());
  ASSERT_EQ(read->entities.size(), 3);
  EXPECT_EQ(read->entities[0].name, "z");
  EXPECT_EQ(read->entities[2].where.ToString(), "c.yaml:1:12");
  Write("d.yaml", "entities: [{nme: d}]\n");
  Write("e.yaml", "a: b: c\n");
  EXPECT_EQ(RenderError(ReadDefinitions(root_.string()).status()),
            "d.yaml:1:13: unknown key \"nme\" of an entity\n  hint: did you mean \"name\"?\n"
            "e.yaml:1:5: YAML: illegal map value\n"
            "  hint: a text that holds \": \" must stand in quotes; check the indentation too");
}

TEST_F(YamlFiles, FindTheirRepo) {
  Write("feature_store.yaml", "");
  fs::create_directories(root_ / "a" / "b");
  EXPECT_EQ(FindRepoRoot((root_ / "a" / "b").string()).ValueOr(""), root_.string());
  fs::remove(root_ / "feature_store.yaml");
  const auto missing = FindRepoRoot(root_.string());
  EXPECT_EQ(missing.status().message(),
            "no feature_store.yaml in " + root_.string() + " or a folder above it");
  EXPECT_EQ(ExitCodeOf(missing.status()), 2);
}

TEST_F(YamlFiles, ConfigureTheRepo) {
  setenv("VIAND_TEST_PROJECT", "shop", 1);
  Write(
      "feature_store.yaml",
      "project: ${VIAND_TEST_PROJECT}\nproject_description: a shop\nprovider: local\n"
      "registry: {registry_type: sql, path: 'sqlite:///data/registry.db', cache_ttl_seconds: 60}\n"
      "offline_store: {type: duckdb}\nentity_key_serialization_version: 3\n");
  auto config = ReadRepoConfig(root_.string());
  ASSERT_TRUE(config.ok()) << RenderError(config.status());
  EXPECT_EQ(config->project, "shop");
  EXPECT_EQ(config->description, "a shop");
  EXPECT_EQ(config->registry_type, "sql");
  EXPECT_EQ(config->registry_path, "sqlite:///data/registry.db");
  EXPECT_EQ(config->registry_cache_ttl_seconds, 60);
  EXPECT_EQ(config->offline_store_type, "duckdb");
  EXPECT_EQ(config->root, root_.string());
  EXPECT_EQ(config->content_hash.size(), 64);
  Write("feature_store.yaml", "project: a-b\nregistry: data/registry.db\nonline_store: null\n");
  config = ReadRepoConfig(root_.string());
  ASSERT_TRUE(config.ok()) << RenderError(config.status());
  EXPECT_EQ(config->registry_type, "file");
  EXPECT_EQ(config->offline_store_type, "viand");
  Write("feature_store.yaml",
        "project: a\nregistry: r\noffline_store: {type: ray, ray_address: 'head:6379', "
        "storage_path: 's3://bucket/x', target_partition_size_mb: 64}\n");
  config = ReadRepoConfig(root_.string());
  ASSERT_TRUE(config.ok()) << RenderError(config.status());
  EXPECT_EQ(config->ray_address, "head:6379");
  EXPECT_EQ(config->storage_path, "s3://bucket/x");
  Write("feature_store.yaml",
        "project: a\nregistry: r\noffline_store: {type: ray, ray_address: null}\n");
  EXPECT_EQ(ReadRepoConfig(root_.string())->ray_address, "");
}

TEST_F(YamlFiles, RefuseABrokenConfig) {
  EXPECT_EQ(ConfigError("project: _a\nregistry: r\n"),
            "feature_store.yaml:1:10: \"_a\" is not a name of a project\n"
            "  hint: write letters, digits, \"_\" and \"-\", starting with a letter or a digit, as "
            "Feast asks");
  EXPECT_EQ(ConfigError("project: a-b\nregistry: r\n"),
            "feature_store.yaml:1:10: the project \"a-b\" holds a \"-\", which Feast refuses with "
            "its sqlite "
            "online store (the default)\n  hint: write \"_\", or name another online_store (null "
            "for none)");
  EXPECT_EQ(ConfigError("project: a\nregistry: r\noffline_store: {type: ray, ray_adress: auto}\n"),
            "feature_store.yaml:3:28: unknown key \"ray_adress\" of an offline store of type ray\n"
            "  hint: did you mean \"ray_address\"?");
  EXPECT_EQ(ConfigError("projct: a\nregistry: r\n"),
            "feature_store.yaml:1:1: feature_store.yaml lacks the key \"project\"\n"
            "  hint: there is \"projct\"");
  EXPECT_EQ(ConfigError("project: a\nregistry: {registry_type: sql}\n"),
            "feature_store.yaml:2:11: the registry lacks the key \"path\"");
  EXPECT_EQ(ConfigError("project: a\nregistry: [r]\n"),
            "feature_store.yaml:2:11: expected a path or a mapping as \"registry\", got a list");
  EXPECT_EQ(ConfigError("project: a\nregistry: r\noffline_store: {type: bigquery}\n"),
            "feature_store.yaml:3:16: the offline store type \"bigquery\" is not supported, "
            "expected one of "
            "viand, file, dask, duckdb, ray");
  EXPECT_EQ(
      ConfigError(""),
      "feature_store.yaml:1:1: expected a mapping with the keys project and registry, got nothing");
}

}  // namespace
}  // namespace viand::definition
