// References to one version of an object: "driver_stats@v2", also "@2"; "@latest" is no version.
//
//   VIAND_ASSIGN_OR_RETURN(const VersionedName name, ParseVersionedName("driver_stats@v2"));
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "src/common/error.h"

namespace viand::definition {

struct VersionedName {
  std::string name;
  std::optional<int64_t> version;  ///< nothing: as it is now

  /// "driver_stats@v2": the one spelling that other rooms know.
  std::string Text() const;
};

/// Reads a reference as Feast spells them; kUsage for an @ that no version follows.
arrow::Result<VersionedName> ParseVersionedName(const std::string& text);

}  // namespace viand::definition
