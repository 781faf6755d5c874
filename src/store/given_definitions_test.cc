// Definitions that a caller hands over: read beside the files, removing nothing.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "viand/feature_store.h"

namespace viand {
namespace {

namespace fs = std::filesystem;

/// What Python says of one entity and one source.
std::string Said(const std::string& entity, const std::string& description) {
  const std::string at = R"("file": 0, "at": [3, 1, -1])";
  const auto text = [&](const std::string& value) {
    return R"({"text": ")" + value + "\", " + at + "}";
  };
  return R"({"format": "viand.definitions/1", "files": ["cell"], "projects": [], "objects": [)"
         R"({"list": "entities", "file": 0, "node": {"map": [["name", )" +
         text(entity) + R"(], ["description", )" + text(description) + "]], " + at + "}}]}";
}

class GivenDefinitions : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("viand_given_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
    std::ofstream(folder_ / "feature_store.yaml")
        << "project: p\nprovider: local\nregistry: {registry_type: sql, path: "
           "\"sqlite:///registry.db\"}\noffline_store: {type: viand}\n";
    std::ofstream(folder_ / "definitions.yaml") << "entities:\n  - {name: filed}\n";
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::unique_ptr<FeatureStore> Open(const std::string& definitions = "") {
    OpenOptions options;
    options.definitions = definitions;
    auto store = FeatureStore::Open(folder_.string(), options);
    EXPECT_TRUE(store.ok()) << store.status().ToString();
    return store.ok() ? *std::move(store) : nullptr;
  }

  /// "add filed, remove given": what a plan of the files would do.
  std::string PlanOfFiles() {
    std::string text;
    const auto plan = Open()->Plan();
    EXPECT_TRUE(plan.ok());
    for (const PlannedChange& change : plan->changes)
      if (change.kind == "entity" && change.action != "unchanged")
        text += (text.empty() ? "" : ", ") + change.action + " " + change.name;
    return text;
  }

  fs::path folder_;
};

TEST_F(GivenDefinitions, AreAppliedAndNothingIsRemoved) {
  const auto first = Open(Said("given", ""))->Apply({});
  ASSERT_TRUE(first.ok()) << first.status().ToString();
  EXPECT_EQ(PlanOfFiles(), "remove given");
  // Another one: what the first call applied stays.
  ASSERT_TRUE(Open(Said("second", ""))->Apply({}).ok());
  EXPECT_EQ(PlanOfFiles(), "remove given, remove second");
}

TEST_F(GivenDefinitions, AreAppliedWithoutTheFilesWhereTheyAreNamed) {
  const auto applied = Open(Said("given", ""))->Apply({.objects = {"entity given"}});
  ASSERT_TRUE(applied.ok()) << applied.status().ToString();
  EXPECT_EQ(PlanOfFiles(), "add filed, remove given");
}

TEST_F(GivenDefinitions, StandInPlaceOfTheFilesOnes) {
  auto store = Open(Said("filed", "given"));
  const auto all = store->Export("yaml");
  ASSERT_TRUE(all.ok()) << all.status().ToString();
  EXPECT_NE(all->find("description: given"), std::string::npos) << *all;
  EXPECT_EQ(all->find("name: filed"), all->rfind("name: filed")) << *all;
}

TEST_F(GivenDefinitions, ErrorsHaveTheCallersPlaces) {
  OpenOptions options;
  options.definitions = Said("not a name", "");
  const auto store = FeatureStore::Open(folder_.string(), options);
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.status().file(), "cell");
  EXPECT_EQ(store.status().line(), 3);
}

}  // namespace
}  // namespace viand
