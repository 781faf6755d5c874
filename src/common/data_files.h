// The data files that a path stands for: itself, those of a folder, those that fit a pattern; on
// this machine or in a store (data_location.h). Thread-safe.
//
//   VIAND_ASSIGN_OR_RETURN(auto files, ListDataFiles("s3://sales/2011/*.parquet"));
//   for (const ListedFile& file : files) Read(file.path);   // "s3://sales/2011/a.parquet", ...
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/common/error.h"

namespace viand {

/// A file as its store lists it.
struct ListedFile {
  std::string path;  ///< absolute, or an address with the options of the one that was listed
  int64_t size_bytes = 0;
  int64_t modified_ns = 0;  ///< since 1970; 0: not known
};

/// Returns the files in the order of their names, compared byte by byte as a whole. `path` is
/// absolute or an address:
/// - a file: itself, whatever its name;
/// - a folder: every file below it named *.parquet, *.parq or *.pq;
/// - a pattern (path_pattern.h): the files that fit, and those of folders that fit; each of the
///   texts in braces must have some, where one has.
/// Names that start with a dot or an underscore are left out of folders and patterns. Nothing there
/// is no error: the list is empty. A bucket that is missing, refused or unreachable is
/// kEnvironment.
arrow::Result<std::vector<ListedFile>> ListDataFiles(const std::string& path);

/// The paths of these files.
std::vector<std::string> PathsOf(const std::vector<ListedFile>& files);

/// Fails where the bucket of an address is missing, refused or unreachable (kEnvironment); any
/// local path passes. `doing` reads "cannot read" or "cannot write".
arrow::Status CheckBucket(const std::string& path, std::string_view doing);

/// Looks one file up; kInput where there is none, kEnvironment where its store cannot be asked.
/// `prefix` (as `source "x"`; may be empty) stands in front of the message.
arrow::Result<ListedFile> FindDataFile(const std::string& path, const std::string& prefix);

/// The same of a file that a plan has found already: a store is not asked again, and what it said
/// last is returned.
arrow::Result<ListedFile> KnownDataFile(const std::string& path, const std::string& prefix);

}  // namespace viand
