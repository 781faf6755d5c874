// What viand keeps beside a registry file: `<path>.viand.<SHA-256 of the registry file>`.
//
// It is written and synced first; the rename of the registry file then makes both count at once.
// Docs: docs/formats/registry.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/common/error.h"
#include "src/registry/registry_file.h"

namespace viand::registry {

/// One side file: an SQLite image of viand's tables, and the stamp of the registry file that it was
/// written with.
struct SideFile {
  FileStamp stamp;
  std::string image;
};

std::string SidePath(const std::string& registry_path, const std::string& sha256);

/// All side files of a registry file, whatever hash they are for.
std::vector<std::string> SidePaths(const std::string& registry_path);

/// Writes it, synced, its folder's entry too.
arrow::Status WriteSideFile(const std::string& path, const SideFile& side);

/// kEnvironment: the file is damaged (it carries its own hash).
arrow::Result<SideFile> ReadSideFile(const std::string& path);

/// Whether a registry file with `stamp`, which no side file is for, was written by another client
/// after `last`. Every writer takes a new random version_id and the time of day, so that bytes that
/// flipped in a file of ours do not look so.
bool WrittenByAnother(const FileStamp& stamp, const FileStamp& last);

}  // namespace viand::registry
