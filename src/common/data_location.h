// Where data lies: a path on this machine, or an address of a store such as s3://bucket/key. What
// reads or writes data takes such a text, and asks here for the file system behind it.
//
//   VIAND_ASSIGN_OR_RETURN(DataLocation found, LocateData("s3://sales/2011/part-0.parquet"));
//   auto file = found.filesystem->OpenInputFile(found.path);
//   if (!file.ok()) return StorageError(file.status(), text, "source \"sales\"");
//
// Credentials come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
// AWS_SESSION_TOKEN, AWS_PROFILE and the rest of the SDK's chain), never from the text. Options
// stand behind it as in Arrow's addresses: s3://bucket/key?endpoint_override=...&region=...;
// without them AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, and AWS_REGION or AWS_DEFAULT_REGION,
// count. A store is connected when it is first used, and kept. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "src/common/error.h"

namespace arrow::fs {
class FileSystem;
}

namespace viand {

/// An address in its parts; a local path has only `path`.
struct DataAddress {
  std::string scheme;   ///< "s3"; empty: local
  std::string path;     ///< local path; else bucket/key as written: nothing is decoded
  std::string options;  ///< "endpoint_override=...&region=..." as written; empty: none

  bool IsRemote() const { return !scheme.empty(); }
  /// The text again, for another path of the same store.
  std::string TextOf(std::string_view other_path) const;
};

/// Cuts a text into its parts. file:// is local.
DataAddress ParseAddress(std::string_view text);

inline bool IsRemotePath(std::string_view text) { return ParseAddress(text).IsRemote(); }

/// Returns the text as people should see it: without options.
std::string DisplayPath(const std::string& text);

/// Adds an endpoint to an s3:// address that names none; other texts stay as they are.
std::string WithEndpoint(const std::string& text, const std::string& endpoint);

/// Fails with kUsage on an address that no store can have: a scheme that is not known, no bucket,
/// credentials in it. Any local path passes.
arrow::Status CheckAddress(const std::string& text);

struct DataLocation {
  std::shared_ptr<arrow::fs::FileSystem> filesystem;
  std::string path;  ///< as the file system wants it
};

/// Finds the file system of a text and connects to it. Does not look whether anything is there. A
/// scheme that is not known, credentials in the address, or half of a pair of credentials in the
/// environment are kUsage or kEnvironment.
arrow::Result<DataLocation> LocateData(const std::string& text);

/// An error of a file system as the user's: `prefix` (as `source "x"`; may be empty), the path, the
/// reason, and for a store what to check. `doing` reads "cannot read" or "cannot write". An error
/// of viand stays as it is.
arrow::Status StorageError(const arrow::Status& status, const std::string& text,
                           const std::string& prefix, const std::string& hint = "",
                           std::string_view doing = "cannot read");

}  // namespace viand
