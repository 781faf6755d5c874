#include "src/definition/warnings.h"

#include <arrow/type.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "src/common/time.h"
#include "src/definition/name_resolution.h"

namespace viand::definition {
namespace {

class Warnings {
 public:
  Warnings(const BoundDefinitions& bound, const ServiceColumns& services)
      : bound_(bound), definitions_(*bound.definitions), services_(services) {}

  std::vector<std::string> Find() {
    for (const BoundView& view : bound_.views) {
      if (!view.view->stored_only) CheckTtl(view);
    }
    CheckUnused();
    for (const Model& model : definitions_.models) CheckLabelColumns(model);
    for (const Labels& labels : definitions_.labels) CheckLabelColumns(labels);
    for (const auto& [service, columns] : services_) CheckOneName(service, columns);
    return std::move(warnings_);
  }

 private:
  void Warn(const SourceLocation& where, const std::string& text) {
    const std::string place = where.ToString();
    warnings_.push_back(place.empty() ? text : place + ": " + text);
  }

  /// Python keeps a duration as days and the rest, and Feast's duckdb store takes one of the two
  /// only.
  void CheckTtl(const BoundView& bound) {
    const FeatureView& view = *bound.view;
    const int64_t ttl_us = bound.ttl_us;
    if (ttl_us > kMicrosPerDay && ttl_us % kMicrosPerDay != 0) {
      Warn(view.where,
           fmt::format("feature view \"{}\": Feast's duckdb store cannot read the ttl {}; "
                       "whole days, or less than one day, work",
                       view.name, FormatDuration(ttl_us)));
    }
    if (view.snapshots && view.ttl_us == 0) {
      Warn(view.where,
           fmt::format("feature view \"{}\": with ttl 0d a key that has lapsed keeps its last "
                       "values for ever; without a ttl they last one step of the grid",
                       view.name));
    }
  }

  /// Columns of views that other views read, by view.
  std::map<std::string, std::set<std::string>> ColumnsReadByViews() const {
    std::set<std::string> sources;
    for (const Source& source : definitions_.sources) sources.insert(source.name);
    std::map<std::string, std::set<std::string>> columns;
    for (const BoundView& reader : bound_.views) {
      const std::string& source = reader.view->source.name;
      if (sources.contains(source)) continue;
      std::vector<ExpressionPtr> expressions = {reader.filter, reader.having};
      for (const BoundFeature& feature : reader.features) {
        expressions.push_back(feature.expression);
        columns[source].insert(feature.function_columns.begin(), feature.function_columns.end());
      }
      for (const ExpressionPtr& expression : expressions) {
        if (expression == nullptr) continue;
        for (std::string& column : expression::ColumnsOf(*expression))
          columns[source].insert(std::move(column));
      }
    }
    return columns;
  }

  void CheckUnused() {
    // A repo without services is used through the views themselves.
    if (definitions_.feature_services.empty()) return;
    std::map<std::string, std::set<std::string>> used = ColumnsReadByViews();
    std::map<std::string, const FeatureView*> views;
    for (const FeatureView& view : definitions_.feature_views) views[view.name] = &view;
    for (const FeatureService& service : definitions_.feature_services) {
      for (const FeatureReference& reference : service.features) {
        auto& names = used[reference.view.name];
        names.insert(reference.features.begin(), reference.features.end());
        if (!reference.features.empty()) continue;
        for (const Feature& feature : views.at(reference.view.name)->features)
          names.insert(feature.name);
      }
    }
    for (const BoundView& bound : bound_.views) {
      if (!bound.view->stored_only) WarnUnused(bound, used[bound.view->name]);
    }
  }

  void WarnUnused(const BoundView& bound, const std::set<std::string>& used) {
    std::vector<std::string> unused;
    for (const BoundFeature& feature : bound.features) {
      if (!used.contains(feature.feature->name)) unused.push_back(feature.feature->name);
    }
    if (unused.empty()) return;
    const bool all = unused.size() == bound.features.size();
    Warn(bound.view->where,
         all ? fmt::format("feature view \"{}\": no feature service uses it", bound.view->name)
             : fmt::format("feature view \"{}\": no feature service uses {}", bound.view->name,
                           fmt::join(unused, ", ")));
  }

  /// A label that also stands in a feature's source is one careless feature away from leaking.
  void CheckLabelColumns(const Model& model) {
    const auto columns = services_.find(model.features.name);
    if (columns == services_.end()) return;
    std::set<std::string> seen;
    for (const ServiceColumn& column : columns->second) {
      const BoundView& view = *column.view;
      if (!seen.insert(view.view->source.name).second || view.source == nullptr) continue;
      if (view.source->GetFieldIndex(model.target) < 0) continue;
      Warn(model.where,
           fmt::format("model \"{}\": its target \"{}\" is also a column of the source \"{}\" "
                       "of its features",
                       model.name, model.target, view.view->source.name));
    }
  }

  /// The same of labels: any view, whether a model reads it with them or not.
  void CheckLabelColumns(const Labels& labels) {
    std::set<std::string> seen;
    for (const BoundView& view : bound_.views) {
      const std::string& source = view.view->source.name;
      if (view.view->stored_only || view.source == nullptr || !seen.insert(source).second) continue;
      for (const Feature& column : labels.columns) {
        if (IsTarget(labels.name, column.name)) continue;  // said of the model
        if (view.source->GetFieldIndex(column.name) < 0) continue;
        Warn(labels.where,
             fmt::format("labels \"{}\": \"{}\" is also a column of the source \"{}\" of feature "
                         "view \"{}\"",
                         labels.name, column.name, source, view.view->name));
      }
    }
  }

  bool IsTarget(const std::string& labels, const std::string& column) const {
    return std::any_of(
        definitions_.models.begin(), definitions_.models.end(),
        [&](const Model& model) { return model.labels.name == labels && model.target == column; });
  }

  void CheckOneName(const std::string& service, const std::vector<ServiceColumn>& columns) {
    std::map<std::string, const ServiceColumn*> seen;
    for (const ServiceColumn& column : columns) {
      const auto [first, fresh] = seen.emplace(column.name, &column);
      if (fresh) continue;
      Warn(
          column.reference->view.where,
          fmt::format(
              "feature service \"{}\": \"{}\" comes from \"{}\" and from \"{}\"; only full feature "
              "names or an alias tell them apart",
              service, column.name, first->second->view->view->name, column.view->view->name));
    }
  }

  const BoundDefinitions& bound_;
  const Definitions& definitions_;
  const ServiceColumns& services_;
  std::vector<std::string> warnings_;
};

}  // namespace

std::vector<std::string> FindWarnings(const BoundDefinitions& bound,
                                      const ServiceColumns& services) {
  return Warnings(bound, services).Find();
}

}  // namespace viand::definition
