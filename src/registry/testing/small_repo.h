// A small repo in memory for the tests of this room: definitions as the YAML reader would make
// them, bound by hand.
#pragma once

#include <arrow/type.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "src/common/time.h"
#include "src/registry/plan.h"

namespace viand::registry {

/// A folder that is removed again.
class ScratchFolder {
 public:
  ScratchFolder() {
    static int count = 0;
    path_ = std::filesystem::temp_directory_path() /
            ("viand_registry_" + std::to_string(getpid()) + "_" + std::to_string(count++));
    std::filesystem::create_directories(path_);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all, ignored);
    std::filesystem::remove_all(path_, ignored);
  }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

/// sales of shops: dataset and source `sales`, grid `weekly`, view `shop_sales`, ready view
/// `shop_facts`, labels `closes`, service `for_closing`, model `closing`.
class SmallRepo {
 public:
  explicit SmallRepo(const std::string& root)
      : definitions(std::make_shared<definition::Definitions>()) {
    config.root = root;
    config.project = "shops";
    config.registry_type = "sql";
    config.registry_path = "sqlite:///data/registry.db";
    AddInputs();
    AddViews();
    AddReaders();
    grids["weekly"] = WeeklyGrid(9);
  }

  static ResolvedGrid WeeklyGrid(int count) {
    ResolvedGrid grid;
    grid.end_us = (count + 1) * 7 * kMicrosPerDay;
    for (int i = 1; i <= count; ++i) grid.cutoffs_us.push_back(i * 7 * kMicrosPerDay);
    return grid;
  }

  definition::FeatureView* view(const std::string& name) {
    for (auto& candidate : definitions->feature_views)
      if (candidate.name == name) return &candidate;
    return nullptr;
  }

  static definition::Feature Computed(const std::string& name, const std::string& expr) {
    definition::Feature feature;
    feature.name = name;
    feature.expr.text = expr;
    return feature;
  }

  /// Types: double, unless `types` says another of "feature" or "join_key"; null with
  /// `before_ingest`.
  arrow::Result<Plan> MakePlan(const RegistrySnapshot& snapshot) {
    bound = {};
    bound.definitions = definitions;
    bound.warnings = warnings;
    for (const auto& view : definitions->feature_views) bound.views.push_back(Bind(view));
    for (const auto& labels : definitions->labels) {
      definition::BoundView bound_labels;
      bound_labels.labels = &labels;
      for (const auto& column : labels.columns)
        bound_labels.features.push_back(BindFeature(column));
      bound.labels.push_back(bound_labels);
    }
    DesiredState desired{.config = &config, .definitions = &bound, .grids = grids};
    return registry::MakePlan(desired, snapshot);
  }

  definition::RepoConfig config;
  std::shared_ptr<definition::Definitions> definitions;
  definition::BoundDefinitions bound;
  std::map<std::string, ResolvedGrid> grids;
  std::map<std::string, std::shared_ptr<arrow::DataType>> types = {{"shop_id", arrow::int64()}};
  bool before_ingest = false;
  std::vector<std::string> warnings;

 private:
  static definition::Reference To(const std::string& name) { return {name, {}}; }

  void AddInputs() {
    definition::Entity shop;
    shop.name = "shop";
    shop.join_keys = {"shop_id"};
    shop.value_types = {"INT64"};
    definitions->entities = {shop};
    definition::Dataset dataset;
    dataset.name = "sales";
    dataset.from.paths = {To("data/sales.csv")};
    dataset.to = "data/sales.parquet";
    definitions->datasets = {dataset};
    definition::Source source;
    source.name = "sales";
    source.path = "data/sales.parquet";
    source.timestamp_field = "sold_at";
    definitions->sources = {source};
    definition::Snapshots weekly;
    weekly.name = "weekly";
    weekly.source = To("sales");
    weekly.every_us = 7 * kMicrosPerDay;
    definitions->snapshots = {weekly};
  }

  void AddViews() {
    definition::FeatureView sales;
    sales.name = "shop_sales";
    sales.entities = {To("shop")};
    sales.source = To("sales");
    sales.snapshots = To("weekly");
    sales.computed = true;
    sales.features = {Computed("total", "sum(price)"), Computed("items", "count(*)")};
    definition::FeatureView facts;
    facts.name = "shop_facts";
    facts.entities = {To("shop")};
    facts.source = To("sales");
    facts.features = {Computed("price", "")};
    facts.features[0].type = "DOUBLE";
    definitions->feature_views = {sales, facts};
  }

  void AddReaders() {
    definition::Labels closes;
    closes.name = "closes";
    closes.population = To("shop_sales");
    closes.source = To("sales");
    closes.window.following = true;
    closes.window.length_us = 7 * kMicrosPerDay;
    closes.columns = {Computed("closed", "count(*) = 0")};
    definitions->labels = {closes};
    definition::FeatureService service;
    service.name = "for_closing";
    service.features.resize(2);
    service.features[0].view = To("shop_sales");
    service.features[1].view = To("shop_facts");
    service.features[1].alias = "facts";
    service.features[1].join_key_map = {{"shop_id", "branch_id"}};
    definitions->feature_services = {service};
    definition::Model model;
    model.name = "closing";
    model.features = To("for_closing");
    model.labels = To("closes");
    model.target = "closed";
    definitions->models = {model};
  }

  std::shared_ptr<arrow::DataType> TypeOf(const std::string& name) {
    const auto found = types.find(name);
    return found == types.end() ? arrow::float64() : found->second;
  }

  definition::BoundFeature BindFeature(const definition::Feature& feature) {
    definition::BoundFeature result;
    result.feature = &feature;
    if (!before_ingest) result.type = TypeOf(feature.name);
    return result;
  }

  definition::BoundView Bind(const definition::FeatureView& view) {
    definition::BoundView result;
    result.view = &view;
    result.join_keys = {"shop_id"};
    result.ttl_us = view.ttl_us.value_or(view.snapshots ? 7 * kMicrosPerDay : 0);
    for (const auto& feature : view.features) result.features.push_back(BindFeature(feature));
    if (before_ingest) return result;
    arrow::FieldVector fields = {arrow::field("shop_id", TypeOf("shop_id"))};
    for (const auto& feature : view.features)
      fields.push_back(arrow::field(feature.name, TypeOf(feature.name)));
    result.output = arrow::schema(fields);
    return result;
  }
};

}  // namespace viand::registry
