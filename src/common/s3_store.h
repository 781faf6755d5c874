// The connection to S3 and what speaks like it (MinIO, Ceph, R2). Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "src/common/error.h"

namespace arrow::fs {
class FileSystem;
}

namespace viand {

/// What an address and the environment say of a store.
struct S3Settings {
  std::string endpoint;  ///< host, host:port, or with http:// or https://; empty: Amazon's own
  std::string region;    ///< empty: asked of the bucket, or what the SDK takes
  bool anonymous = false;

  auto operator<=>(const S3Settings&) const = default;
};

/// Reads "endpoint_override=...&region=...&scheme=...&anonymous=true" (values may be
/// percent-encoded), then the environment for what is not said. kUsage on another option.
arrow::Result<S3Settings> S3SettingsOf(const std::string& options);

/// Connects; starts the SDK on first use and ends it at the process's exit. `bucket` tells the
/// region where nothing else does.
arrow::Result<std::shared_ptr<arrow::fs::FileSystem>> ConnectS3(const S3Settings& settings,
                                                                const std::string& bucket);

/// Where the store is, for messages: the endpoint, or "Amazon S3".
std::string DescribeS3(const S3Settings& settings);

}  // namespace viand
