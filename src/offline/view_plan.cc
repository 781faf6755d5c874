#include "src/offline/view_plan.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "src/common/sha256.h"
#include "src/definition/function_code.h"
#include "src/offline/part_store.h"
#include "src/offline/repo_layout.h"
#include "src/offline/view_source.h"

namespace viand::offline {
namespace {

// Part of every fingerprint: raise it when the engine starts to compute another value for the same
// definition.
constexpr std::string_view kComputationVersion = "1";

engine::TimeWindow ToEngine(const definition::Window& window) {
  return {window.unbounded, window.following, window.length_us};
}

std::string SqlOf(const definition::ExpressionPtr& expression) {
  return expression == nullptr ? std::string() : expression::ToSql(*expression);
}

std::string Describe(const definition::BoundView& view) {
  return view.labels != nullptr ? fmt::format("labels \"{}\"", view.labels->name)
                                : fmt::format("feature view \"{}\"", view.view->name);
}

const definition::Window& ExistenceWindow(const definition::BoundView& view) {
  return view.labels != nullptr ? view.labels->window : *view.view->window;
}

/// The default of the feature's own type; the definition's text may be plain YAML.
std::string DefaultSql(const definition::BoundFeature& feature) {
  if (feature.default_value == nullptr) return "";
  // The engine casts to the feature's type; an integer of any width reads best without one.
  if (arrow::is_integer(feature.default_value->type->id()))
    return feature.default_value->ToString();
  expression::Expression literal;
  literal.kind = expression::ExpressionKind::kLiteral;
  literal.type = feature.default_value->type;
  literal.literal = feature.default_value;
  return expression::ToSql(literal);
}

std::shared_ptr<const engine::PlannedFunction> PlanFunction(
    const definition::BoundFeature& feature) {
  if (!feature.feature->function) return nullptr;
  const definition::PythonFunction& function = *feature.feature->function;
  auto plan = std::make_shared<engine::PlannedFunction>();
  plan->name = function.name.name;
  plan->code = definition::FunctionCode(function);
  plan->columns = feature.function_columns;
  plan->output = function.output;
  plan->type = feature.type;
  return plan;
}

/// Of a function: all of it that can decide a value.
void AddFunction(const definition::BoundFeature& feature, Sha256* hash) {
  definition::PythonFunction function = *feature.feature->function;
  function.places.clear();
  hash->UpdateField("function " + definition::FunctionCode(function));
  hash->UpdateField(function.output);
  for (const std::string& column : feature.function_columns) hash->UpdateField(column);
}

std::vector<engine::PlannedFeature> PlanFeatures(const definition::BoundView& view) {
  std::vector<engine::PlannedFeature> features;
  for (const definition::BoundFeature& feature : view.features) {
    features.push_back({feature.feature->name, SqlOf(feature.expression), ToEngine(feature.window),
                        DefaultSql(feature),
                        feature.feature->function ? feature.feature->function->name.where
                                                  : feature.feature->expr.where,
                        PlanFunction(feature)});
  }
  return features;
}

/// What of a view is read when it is looked up: stored rows of the current generation.
arrow::Result<engine::AsOfView> PlanStoredRows(const RepoContext& context,
                                               const definition::BoundView& view) {
  const std::string& name = view.view->name;
  ARROW_ASSIGN_OR_RAISE(const Generation generation,
                        ReadCurrentGeneration(RowsFolder(context.root(), *view.view)));
  const std::string hint = fmt::format("run `viand backfill {}` (or `viand run`)", name);
  if (generation.number == 0) {
    return MakeError(ErrorKind::kInput,
                     fmt::format("feature view \"{}\" has no stored rows yet", name), hint);
  }
  if (generation.definition_hash != ComputationHash(context, view)) {
    return MakeError(
        ErrorKind::kInput,
        fmt::format("the stored rows of feature view \"{}\" are of another definition", name),
        hint);
  }
  engine::AsOfView lookup;
  lookup.source.files = generation.Files();
  lookup.source.described_as = fmt::format("the stored rows of feature view \"{}\"", name);
  lookup.timestamp_column = "event_timestamp";
  lookup.ttl_us = view.ttl_us;
  if (!view.view->ttl_us.has_value()) {
    for (const Part& part : generation.parts) lookup.grid_us.push_back(part.cutoff_us);
  }
  return lookup;
}

arrow::Result<engine::AsOfView> PlanReadyRows(const RepoContext& context,
                                              const definition::BoundView& view) {
  engine::AsOfView lookup;
  ARROW_ASSIGN_OR_RAISE(lookup.source, ScanOfSource(context, view));
  lookup.timestamp_column = view.timestamp_field;
  lookup.created_column = view.created_column;
  lookup.ttl_us = view.ttl_us;
  return lookup;
}

arrow::Status UnknownFeature(const definition::BoundView& view, const std::string& feature) {
  std::vector<std::string> names;
  for (const auto& candidate : view.features) names.push_back(candidate.feature->name);
  return MakeError(
      ErrorKind::kNotFound,
      fmt::format("feature view \"{}\" has no feature \"{}\"", view.view->name, feature),
      NearestOrAll(feature, names, "it has "));
}

arrow::Result<std::vector<std::string>> SelectedFeatures(const LookupRequest& request) {
  std::vector<std::string> all;
  for (const auto& feature : request.view->features) all.push_back(feature.feature->name);
  if (request.features.empty()) return all;
  for (const std::string& name : request.features) {
    if (std::find(all.begin(), all.end(), name) == all.end())
      return UnknownFeature(*request.view, name);
  }
  return request.features;
}

}  // namespace

arrow::Result<engine::WindowView> PlanComputation(const RepoContext& context,
                                                  const definition::BoundView& view) {
  engine::WindowView plan;
  ARROW_ASSIGN_OR_RAISE(plan.source, ScanOfSource(context, view));
  plan.source.filter = SqlOf(view.filter);
  plan.keys = view.join_keys;
  plan.timestamp_column = view.timestamp_field;
  plan.existence = ToEngine(ExistenceWindow(view));
  plan.having = SqlOf(view.having);
  plan.features = PlanFeatures(view);
  plan.described_as = Describe(view);
  plan.where = view.labels != nullptr ? view.labels->where : view.view->where;
  return plan;
}

std::string ComputationHash(const RepoContext& context, const definition::BoundView& view) {
  Sha256 hash;
  hash.UpdateField(kComputationVersion);
  const std::string& source_name =
      view.view != nullptr ? view.view->source.name : view.labels->source.name;
  hash.UpdateField(source_name);
  if (const auto* source = FindObject(context.bound->definitions->sources, source_name)) {
    hash.UpdateField(source->path);
    if (source->fill_missing_columns) hash.UpdateField("missing_columns: fill_null");
    for (const auto& [from, to] : source->field_mapping) {
      hash.UpdateField(from);
      hash.UpdateField(to);
    }
  } else if (const auto* upstream = context.bound->FindView(source_name)) {
    hash.UpdateField(ComputationHash(context, *upstream));
  }
  for (const std::string& key : view.join_keys) hash.UpdateField(key);
  hash.UpdateField(view.timestamp_field);
  hash.UpdateField(SqlOf(view.filter));
  hash.UpdateField(SqlOf(view.having));
  const auto add_window = [&hash](const definition::Window& window) {
    hash.UpdateField(fmt::format("{} {} {}", window.unbounded, window.following, window.length_us));
  };
  add_window(ExistenceWindow(view));
  for (const definition::BoundFeature& feature : view.features) {
    hash.UpdateField(feature.feature->name);
    hash.UpdateField(SqlOf(feature.expression));
    add_window(feature.window);
    if (feature.feature->function) AddFunction(feature, &hash);
    // The empty text is a default too.
    hash.UpdateField(feature.default_value ? "default " + feature.default_value->ToString() : "");
    hash.UpdateField(feature.type->ToString());
  }
  return hash.HexDigest();
}

Reach ReachOf(const definition::BoundView& view) {
  Reach reach;
  const auto widen = [&reach](const definition::Window& window) {
    const int64_t length =
        window.unbounded ? std::numeric_limits<int64_t>::max() : window.length_us;
    int64_t* side = window.following ? &reach.after_us : &reach.before_us;
    *side = std::max(*side, length);
  };
  widen(ExistenceWindow(view));
  for (const definition::BoundFeature& feature : view.features) widen(feature.window);
  return reach;
}

arrow::Result<engine::Lookup> PlanLookup(const RepoContext& context, const LookupRequest& request) {
  const definition::BoundView& view = *request.view;
  ARROW_ASSIGN_OR_RAISE(const std::vector<std::string> selected, SelectedFeatures(request));
  engine::Lookup lookup;
  for (const std::string& key : view.join_keys) {
    const auto mapped = request.join_key_map.find(key);
    lookup.spine_keys.push_back(mapped == request.join_key_map.end() ? key : mapped->second);
  }
  for (const std::string& feature : selected)
    lookup.output_names.push_back(request.prefix + feature);
  if (view.view->computed && !view.view->snapshots) {
    ARROW_ASSIGN_OR_RAISE(engine::WindowView window, PlanComputation(context, view));
    std::vector<engine::PlannedFeature> wanted;
    for (const std::string& name : selected) {
      wanted.push_back(
          *std::find_if(window.features.begin(), window.features.end(),
                        [&name](const auto& feature) { return feature.name == name; }));
    }
    window.features = std::move(wanted);
    lookup.view = std::move(window);
    return lookup;
  }
  ARROW_ASSIGN_OR_RAISE(engine::AsOfView rows, view.view->computed ? PlanStoredRows(context, view)
                                                                   : PlanReadyRows(context, view));
  rows.keys = view.join_keys;
  rows.described_as = Describe(view);
  rows.created_not_after = request.created_not_after;
  rows.columns = selected;
  lookup.view = std::move(rows);
  return lookup;
}

arrow::Result<engine::Lookup> PlanLabelLookup(const RepoContext& context,
                                              const definition::BoundView& labels) {
  engine::Lookup lookup;
  ARROW_ASSIGN_OR_RAISE(engine::WindowView window, PlanComputation(context, labels));
  for (const auto& feature : window.features) lookup.output_names.push_back(feature.name);
  lookup.view = std::move(window);
  lookup.spine_keys = labels.join_keys;
  lookup.compute_absent = true;
  return lookup;
}

}  // namespace viand::offline
