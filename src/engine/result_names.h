// Two columns of a result may not have one name.
#pragma once

#include <map>
#include <string>

#include "src/common/error.h"

namespace viand::engine {

/// Names of a result's columns with where they come from. Not thread-safe.
class ResultNames {
 public:
  /// Adds a name; the second of two is kDefinition, naming both origins.
  arrow::Status Add(const std::string& name, const std::string& origin);

 private:
  std::map<std::string, std::string> origins_;
};

}  // namespace viand::engine
