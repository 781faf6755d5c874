// The columns that a feature service delivers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/definition/error_list.h"
#include "src/definition/validation.h"

namespace viand::definition {

struct ServiceColumn {
  std::string name;  ///< "alias__feature" with an alias, else the feature's name
  const FeatureReference* reference;
  const BoundView* view;
  std::shared_ptr<arrow::DataType> type;  ///< null: not known before ingest
};

/// Checks every reference of a service and returns its columns in order; views with errors deliver
/// none.
std::vector<ServiceColumn> BindService(const FeatureService& service, const BoundDefinitions& bound,
                                       ErrorList* errors);

}  // namespace viand::definition
