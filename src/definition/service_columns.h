// The columns that a feature service delivers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/definition/error_list.h"
#include "src/definition/validation.h"

namespace viand::definition {

struct ServiceColumn {
  std::string name;  ///< as without full feature names
  const FeatureReference* reference;
  const BoundView* view;
  std::shared_ptr<arrow::DataType> type;  ///< null: not known before ingest
};

/// What stands before the feature's name in the columns of each reference of a service, without
/// full feature names: nothing, as in Feast; "alias__" where two columns of the service would have
/// one name, which Feast refuses.
std::vector<std::string> ColumnPrefixes(const FeatureService& service,
                                        const BoundDefinitions& bound);

/// Checks every reference of a service and returns its columns in order; views with errors deliver
/// none.
std::vector<ServiceColumn> BindService(const FeatureService& service, const BoundDefinitions& bound,
                                       ErrorList* errors);

}  // namespace viand::definition
