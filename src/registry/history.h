// What was applied over time: every content of an object, and the versions of a view as Feast
// counts them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/registry/sql_connection.h"

namespace viand::registry {

/// One content of an object that viand applied.
struct Revision {
  int64_t number = 0;                  ///< from 0
  std::optional<std::string> content;  ///< nothing: it was removed
  int64_t applied_us = 0;
};

/// One row of Feast's version history, whoever wrote it.
struct ViewVersion {
  int64_t number = 0;
  std::string content;
  int64_t created_us = 0;
};

/// In order of number; none where nothing was applied. `kind` is an ObjectKind.
arrow::Result<std::vector<Revision>> ReadRevisions(SqlConnection* connection,
                                                   const std::string& project, int kind,
                                                   const std::string& name);
arrow::Result<std::vector<ViewVersion>> ReadViewVersions(SqlConnection* connection,
                                                         const std::string& project,
                                                         const std::string& name);

}  // namespace viand::registry
