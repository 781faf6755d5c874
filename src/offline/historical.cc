#include "src/offline/historical.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "src/definition/service_columns.h"

namespace viand::offline {
namespace {

arrow::Result<const definition::BoundView*> ViewForFeatures(const RepoContext& context,
                                                            const std::string& name) {
  if (context.bound->FindLabels(name) != nullptr && context.bound->FindView(name) == nullptr) {
    return MakeError(ErrorKind::kUsage,
                     fmt::format("\"{}\" are labels; a label is never a feature", name),
                     fmt::format("use it as the spine: --spine labels:{}", name));
  }
  return RequireView(context, name);
}

/// "view:feature" or "view"; references to one view in a row are gathered into one lookup.
arrow::Status AddReference(const RepoContext& context, const std::string& reference,
                           std::vector<LookupRequest>* requests) {
  const size_t colon = reference.find(':');
  ARROW_ASSIGN_OR_RAISE(const auto* view, ViewForFeatures(context, reference.substr(0, colon)));
  std::vector<std::string> features;
  if (colon != std::string::npos) {
    features.push_back(reference.substr(colon + 1));
  } else {
    for (const auto& feature : view->features) features.push_back(feature.feature->name);
  }
  if (requests->empty() || requests->back().view != view) requests->push_back({.view = view});
  auto& wanted = requests->back().features;
  wanted.insert(wanted.end(), features.begin(), features.end());
  return arrow::Status::OK();
}

/// No two columns of the result may share a name.
arrow::Status CheckResultNames(const std::vector<LookupRequest>& requests) {
  std::map<std::string, std::string> view_of_column;
  for (const LookupRequest& request : requests) {
    const std::string& view = request.view->view->name;
    for (const std::string& column : FeatureColumns({request})) {
      const auto [first, fresh] = view_of_column.emplace(column, view);
      if (fresh) continue;
      const bool same_view = first->second == view;
      return MakeError(
          ErrorKind::kUsage,
          same_view ? fmt::format("the feature \"{}\" of feature view \"{}\" is asked for twice",
                                  column, view)
                    : fmt::format("feature views \"{}\" and \"{}\" both have a feature \"{}\": two "
                                  "columns of the result would have one name",
                                  first->second, view, column),
          same_view ? "ask for it once, or give one of its references in the service an alias"
                    : "--full-feature-names names the columns view__feature");
    }
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<std::vector<LookupRequest>> RequestsOfService(const RepoContext& context,
                                                            const std::string& service) {
  const auto& services = context.bound->definitions->feature_services;
  const definition::FeatureService* found = FindObject(services, service);
  if (found == nullptr) {
    return MakeError(ErrorKind::kNotFound, fmt::format("unknown feature service \"{}\"", service),
                     NearestOrAll(service, NamesOf(services), "there is: "));
  }
  std::vector<LookupRequest> requests;
  const auto prefixes = definition::ColumnPrefixes(*found, *context.bound);
  for (size_t i = 0; i < found->features.size(); ++i) {
    const definition::FeatureReference& reference = found->features[i];
    LookupRequest request;
    ARROW_ASSIGN_OR_RAISE(request.view, ViewForFeatures(context, reference.view.name));
    request.features = reference.features;
    request.join_key_map = reference.join_key_map;
    request.alias = reference.alias;
    request.prefix = prefixes[i];
    requests.push_back(std::move(request));
  }
  return requests;
}

std::vector<std::string> FeatureColumns(const std::vector<LookupRequest>& requests) {
  std::vector<std::string> columns;
  for (const LookupRequest& request : requests) {
    if (!request.features.empty()) {
      for (const std::string& feature : request.features)
        columns.push_back(request.prefix + feature);
      continue;
    }
    for (const auto& feature : request.view->features)
      columns.push_back(request.prefix + feature.feature->name);
  }
  return columns;
}

arrow::Result<engine::RetrievalPlan> PlanHistorical(const RepoContext& context,
                                                    const HistoricalRequest& request) {
  std::vector<LookupRequest> requests;
  if (!request.service.empty()) {
    ARROW_ASSIGN_OR_RAISE(requests, RequestsOfService(context, request.service));
  }
  for (const std::string& reference : request.features) {
    ARROW_RETURN_NOT_OK(AddReference(context, reference, &requests));
  }
  if (requests.empty()) {
    return MakeError(ErrorKind::kUsage, "no features were asked for",
                     "give --features view:feature,... or --service NAME");
  }
  engine::RetrievalPlan plan;
  plan.spine = request.spine;
  plan.spine_timestamp = request.timestamp_column;
  for (LookupRequest& lookup_request : requests) {
    // Feast's full names: the alias of a service stands for the view.
    if (request.full_feature_names) {
      const std::string& alias = lookup_request.alias;
      lookup_request.prefix = (alias.empty() ? lookup_request.view->view->name : alias) + "__";
    }
    lookup_request.created_not_after = request.created_not_after;
  }
  ARROW_RETURN_NOT_OK(CheckResultNames(requests));
  for (const LookupRequest& lookup_request : requests) {
    ARROW_ASSIGN_OR_RAISE(engine::Lookup lookup, PlanLookup(context, lookup_request));
    plan.lookups.push_back(std::move(lookup));
  }
  if (request.range) {
    ARROW_ASSIGN_OR_RAISE(
        plan.spine, SpineOfRange(context, plan.lookups, *request.range, request.timestamp_column));
  }
  return plan;
}

}  // namespace viand::offline
