#include "src/store/object_facts.h"

#include <arrow/type.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "src/common/grouped_number.h"
#include "src/common/time.h"
#include "src/expression/binder.h"
#include "src/ml/split.h"
#include "src/offline/dataset_manifest.h"
#include "src/offline/part_store.h"
#include "src/offline/repo_layout.h"
#include "src/store/model_manifest.h"

namespace viand::store {
namespace {

std::string WindowText(const definition::Window& window) {
  if (window.unbounded) return "unbounded";
  return FormatDuration(window.length_us) + (window.following ? " following" : "");
}

std::vector<std::string> NamesOfReferences(const std::vector<definition::Reference>& references) {
  std::vector<std::string> names;
  for (const auto& reference : references) names.push_back(reference.name);
  return names;
}

std::vector<std::string> PathsOf(const definition::Dataset& dataset) {
  return NamesOfReferences(dataset.from.paths);
}

ObjectFacts CommonFacts(const definition::Object& object) {
  ObjectFacts facts = {{"name", object.name}};
  if (!object.description.empty()) facts.emplace_back("description", object.description);
  if (!object.owner.empty()) facts.emplace_back("owner", object.owner);
  for (const auto& [key, value] : object.tags) facts.emplace_back("tag " + key, value);
  facts.emplace_back("defined at", object.where.ToString());
  return facts;
}

void AddFeatures(const definition::BoundView* bound, ObjectFacts* facts) {
  if (bound == nullptr) return;
  for (const auto& feature : bound->features) {
    std::string text = feature.type == nullptr ? "" : expression::TypeToSql(*feature.type);
    if (feature.feature->IsComputed()) text += " = " + feature.feature->Computation();
    if (feature.feature->window)
      text += fmt::format("  (window {})", WindowText(*feature.feature->window));
    if (feature.feature->default_value)
      text += fmt::format("  (default {})", feature.feature->default_value->text);
    facts->emplace_back("  " + feature.feature->name, text);
  }
}

std::string TtlText(const definition::FeatureView& view, const definition::BoundView* bound) {
  if (view.ttl_us)
    return *view.ttl_us == 0 ? "0d: the last values stay for ever" : FormatDuration(*view.ttl_us);
  if (bound == nullptr || bound->ttl_us == 0) return "none";
  return FormatDuration(bound->ttl_us) + ": one step of the grid";
}

void AddStoredRows(const RepoSession& session, const std::string& view, ObjectFacts* facts) {
  const auto generation = offline::ReadCurrentGeneration(offline::ViewFolder(session.root(), view));
  if (!generation.ok() || generation->number == 0) {
    facts->emplace_back("stored rows", fmt::format("none yet: run `viand backfill {}`", view));
    return;
  }
  int64_t rows = 0;
  for (const auto& part : generation->parts) rows += part.rows;
  facts->emplace_back("stored rows",
                      fmt::format("{} at {}, generation {}", Grouped(rows),
                                  Counted(generation->parts.size(), "cutoff"), generation->number));
}

}  // namespace

std::string Summarize(const definition::Entity& entity) {
  return fmt::format("{}", fmt::join(entity.join_keys, ", "));
}
std::string Summarize(const definition::Dataset& dataset) {
  return fmt::format("{} -> {}", fmt::join(PathsOf(dataset), ", "), dataset.to);
}
std::string Summarize(const definition::Source& source) {
  return fmt::format("{} by {}", source.path, source.timestamp_field);
}
std::string Summarize(const definition::Snapshots& snapshots) {
  return fmt::format("{} to {} every {}", snapshots.first.text, snapshots.last.text,
                     FormatDuration(snapshots.every_us));
}
std::string Summarize(const definition::FeatureView& view) {
  const std::string kind = !view.computed   ? "ready columns"
                           : view.snapshots ? "snapshots " + view.snapshots->name
                                            : "computed at each row";
  const std::string keys =
      view.entities.empty()
          ? "without keys"
          : fmt::format("of {}", fmt::join(NamesOfReferences(view.entities), ", "));
  return fmt::format("{} {}, {}", Counted(view.features.size(), "feature"), keys, kind);
}
std::string Summarize(const definition::Labels& labels) {
  return fmt::format("{} over {}", labels.columns.size() == 1 ? labels.columns[0].name : "labels",
                     WindowText(labels.window));
}
std::string Summarize(const definition::FeatureService& service) {
  std::vector<std::string> views;
  for (const auto& reference : service.features) views.push_back(reference.view.name);
  return fmt::format("{}", fmt::join(views, ", "));
}
std::string Summarize(const definition::Model& model) {
  return fmt::format("{} of {} for {}", model.type, model.features.name, model.target);
}

ObjectFacts FactsOf(const RepoSession&, const definition::Entity& entity) {
  ObjectFacts facts = CommonFacts(entity);
  facts.emplace_back("join keys", fmt::format("{}", fmt::join(entity.join_keys, ", ")));
  facts.emplace_back("value types", fmt::format("{}", fmt::join(entity.value_types, ", ")));
  return facts;
}

ObjectFacts FactsOf(const RepoSession& session, const definition::Dataset& dataset) {
  ObjectFacts facts = CommonFacts(dataset);
  facts.emplace_back("from", fmt::format("{}", fmt::join(PathsOf(dataset), ", ")));
  facts.emplace_back("to", dataset.to);
  if (dataset.filter) facts.emplace_back("where", dataset.filter->text);
  for (const auto& column : dataset.columns)
    facts.emplace_back("  " + column.name, column.sql.text);
  const auto manifest =
      offline::ReadDatasetManifest(offline::AbsolutePath(session.root(), dataset.to));
  if (manifest.ok() && *manifest) {
    facts.emplace_back("rows", fmt::format("{} of {} read", Grouped((*manifest)->content.rows),
                                           Grouped((*manifest)->rows_read)));
  } else {
    facts.emplace_back("rows", fmt::format("none yet: run `viand ingest {}`", dataset.name));
  }
  return facts;
}

ObjectFacts FactsOf(const RepoSession&, const definition::Source& source) {
  ObjectFacts facts = CommonFacts(source);
  facts.emplace_back("path", source.path);
  if (!source.s3_endpoint_override.empty())
    facts.emplace_back("s3 endpoint override", source.s3_endpoint_override);
  if (source.fill_missing_columns) facts.emplace_back("missing columns", "fill_null");
  facts.emplace_back("timestamp field", source.timestamp_field);
  if (!source.created_timestamp_column.empty()) {
    facts.emplace_back("created timestamp column", source.created_timestamp_column);
  }
  for (const auto& [from, to] : source.field_mapping) facts.emplace_back("  " + from, "-> " + to);
  return facts;
}

ObjectFacts FactsOf(const RepoSession& session, const definition::Snapshots& snapshots) {
  ObjectFacts facts = CommonFacts(snapshots);
  facts.emplace_back("source", snapshots.source.name);
  facts.emplace_back("grid", Summarize(snapshots));
  const auto& grids = session.context().grids;
  const auto grid = grids.find(snapshots.name);
  if (grid == grids.end()) {
    facts.emplace_back("cutoffs", "not recorded yet: run `viand apply`");
    return facts;
  }
  facts.emplace_back("data", fmt::format("{} to {}", FormatTimestamp(grid->second.start_us),
                                         FormatTimestamp(grid->second.end_us)));
  facts.emplace_back("cutoffs", fmt::format("{}: {} to {}", grid->second.cutoffs_us.size(),
                                            FormatTimestamp(grid->second.cutoffs_us.front()),
                                            FormatTimestamp(grid->second.cutoffs_us.back())));
  return facts;
}

ObjectFacts FactsOf(const RepoSession& session, const definition::FeatureView& view) {
  const definition::BoundView* bound = session.bound().FindView(view.name);
  ObjectFacts facts = CommonFacts(view);
  facts.emplace_back("entities",
                     fmt::format("{}", fmt::join(NamesOfReferences(view.entities), ", ")));
  facts.emplace_back("source", view.source.name);
  if (view.snapshots) facts.emplace_back("snapshots", view.snapshots->name);
  if (view.window) facts.emplace_back("window", WindowText(*view.window));
  if (view.filter) facts.emplace_back("where", view.filter->text);
  if (view.having) facts.emplace_back("having", view.having->text);
  if (!view.computed || view.snapshots) facts.emplace_back("ttl", TtlText(view, bound));
  if (view.computed && view.snapshots) AddStoredRows(session, view.name, &facts);
  facts.emplace_back("features", std::to_string(view.features.size()));
  AddFeatures(bound, &facts);
  return facts;
}

ObjectFacts FactsOf(const RepoSession& session, const definition::Labels& labels) {
  ObjectFacts facts = CommonFacts(labels);
  facts.emplace_back("population", labels.population.name.empty() ? "spine " + labels.spine_path
                                                                  : labels.population.name);
  facts.emplace_back("source", labels.source.name);
  facts.emplace_back("window", WindowText(labels.window));
  if (labels.filter) facts.emplace_back("where", labels.filter->text);
  AddFeatures(session.bound().FindLabels(labels.name), &facts);
  return facts;
}

ObjectFacts FactsOf(const RepoSession&, const definition::FeatureService& service) {
  ObjectFacts facts = CommonFacts(service);
  for (const auto& reference : service.features) {
    facts.emplace_back("  " + reference.view.name,
                       reference.features.empty()
                           ? "all features"
                           : fmt::format("{}", fmt::join(reference.features, ", ")));
  }
  return facts;
}

ObjectFacts FactsOf(const RepoSession& session, const definition::Model& model) {
  ObjectFacts facts = CommonFacts(model);
  facts.emplace_back("type", model.type);
  facts.emplace_back("features", model.features.name);
  facts.emplace_back("labels",
                     model.labels.name.empty() ? "spine " + model.spine_path : model.labels.name);
  facts.emplace_back("target", model.target);
  facts.emplace_back("test rows", ml::SplitText(model.split));
  for (const auto& [name, value] : model.params) facts.emplace_back("  " + name, value);
  facts.emplace_back("rounds", std::to_string(model.num_boost_round));
  const auto manifest = ReadModelManifest(session, model.name);
  if (!manifest.ok() || !*manifest) {
    facts.emplace_back("trained", fmt::format("not yet: run `viand train {}`", model.name));
    return facts;
  }
  facts.emplace_back(
      "trained", fmt::format("on {} rows, tested on {}", Grouped((*manifest)->report.train_rows),
                             Grouped((*manifest)->report.test_rows)));
  for (const auto& [name, value] : (*manifest)->report.metrics)
    facts.emplace_back("  " + name, fmt::format("{:.4f}", value));
  return facts;
}

}  // namespace viand::store
