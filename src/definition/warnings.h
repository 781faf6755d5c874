// What is allowed and probably not meant.
#pragma once

#include <string>
#include <vector>

#include "src/definition/model_checks.h"

namespace viand::definition {

/// Returns one text a finding, each with its place: a ttl that Feast's duckdb store cannot read, a
/// ttl of 0 with snapshots, features that nobody uses, a label that is also a column of a feature's
/// source, two features of a service with one name.
std::vector<std::string> FindWarnings(const BoundDefinitions& bound,
                                      const ServiceColumns& services);

}  // namespace viand::definition
