#include "src/engine/shared_pass.h"

#include <arrow/type.h>

#include <algorithm>
#include <set>

#include "src/engine/execute.h"
#include "src/engine/plain_array.h"
#include "src/engine/view_columns.h"
#include "src/expression/binder.h"
#include "src/expression/expression.h"

namespace viand::engine {
namespace {

/// Each that there is, once.
std::vector<std::string> DistinctFilters(const std::vector<PassView>& views) {
  std::vector<std::string> filters;
  for (const PassView& each : views) {
    const std::string& filter = each.view->source.filter;
    if (std::find(filters.begin(), filters.end(), filter) == filters.end())
      filters.push_back(filter);
  }
  return filters;
}

/// What every row that some view wants passes.
std::string CommonFilter(const std::vector<std::string>& filters) {
  std::string either;
  for (const std::string& filter : filters) {
    if (filter.empty()) return "";
    if (filters.size() == 1) return filter;
    either += (either.empty() ? "(" : " or (") + filter + ")";
  }
  return either;
}

void AddMissing(const std::vector<std::string>& names, std::vector<std::string>* list) {
  for (const std::string& name : names) {
    if (std::find(list->begin(), list->end(), name) == list->end()) list->push_back(name);
  }
}

class RequestOfViews {
 public:
  explicit RequestOfViews(const OpenedScan& source) : source_(source) {}

  arrow::Result<MapRequest> Make(const std::vector<PassView>& views) {
    const WindowView& any = *views[0].view;
    for (const PassView& each : views) VIAND_RETURN_NOT_OK(Add(each));
    const std::vector<std::string> filters = DistinctFilters(views);
    if (filters.size() > 1) {
      for (const std::string& filter : filters) VIAND_RETURN_NOT_OK(AddFilter(filter));
    }
    request_.filter = CommonFilter(filters);
    request_.keys = any.keys;
    for (const std::string& name : request_.columns) {
      if (!read_.contains(name)) request_.compared_only.push_back(name);
    }
    request_.drop_null_keys = true;
    request_.time_column = any.timestamp_column;
    request_.range = reach_;
    return std::move(request_);
  }

 private:
  arrow::Status Add(const PassView& each) {
    VIAND_ASSIGN_OR_RETURN(const auto columns, ColumnsOfView(*each.view, source_));
    VIAND_ASSIGN_OR_RETURN(const auto compared, ColumnsComparedOnly(*each.view, source_));
    AddMissing(columns, &request_.columns);
    for (const std::string& name : columns) {
      if (std::find(compared.begin(), compared.end(), name) == compared.end()) read_.insert(name);
    }
    reach_ = Hull(reach_, ReachOf(*each.view, each.times));
    return arrow::Status::OK();
  }

  /// The tasks evaluate it.
  arrow::Status AddFilter(const std::string& filter) {
    if (filter.empty()) return arrow::Status::OK();
    VIAND_ASSIGN_OR_RETURN(
        const auto bound, expression::ParseAndBind(filter, {.columns = PlainSchema(*source_.schema),
                                                            .described_as = source_.described_as}));
    const auto columns = expression::ColumnsOf(*bound);
    AddMissing(columns, &request_.columns);
    read_.insert(columns.begin(), columns.end());
    return arrow::Status::OK();
  }

  const OpenedScan& source_;
  MapRequest request_;
  std::set<std::string> read_;  ///< columns of which more than equality matters
  TimeRange reach_ = NoTimes();
};

}  // namespace

bool ShareAPass(const WindowView& a, const WindowView& b) {
  const Scan& x = a.source;
  const Scan& y = b.source;
  const bool same_schema = x.schema == nullptr ? y.schema == nullptr
                                               : y.schema != nullptr && x.schema->Equals(*y.schema);
  return x.files == y.files && x.format == y.format && x.table == y.table &&
         x.csv_text == y.csv_text && x.csv_types == y.csv_types && x.renames == y.renames &&
         x.hive_partitions == y.hive_partitions && x.fill_missing == y.fill_missing &&
         same_schema && a.keys == b.keys && a.timestamp_column == b.timestamp_column;
}

arrow::Result<MapRequest> SharedRequest(const OpenedScan& source,
                                        const std::vector<PassView>& views) {
  return RequestOfViews(source).Make(views);
}

std::vector<std::string> FiltersOfTasks(const std::vector<PassView>& views) {
  const bool filter_each = DistinctFilters(views).size() > 1;
  std::vector<std::string> filters;
  for (const PassView& each : views) filters.push_back(filter_each ? each.view->source.filter : "");
  return filters;
}

std::string DescriptionOf(const std::vector<PassView>& views) {
  std::string text;
  for (const PassView& each : views) text += (text.empty() ? "" : ", ") + each.view->described_as;
  return text;
}

}  // namespace viand::engine
