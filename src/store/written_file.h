// A file that lies there whole, on this machine or in a store: what it is known by in a manifest.
//
//   VIAND_ASSIGN_OR_RETURN(const WrittenFile file, WrittenFile::Open("s3://sales/x.parquet"));
//   VIAND_ASSIGN_OR_RETURN(const std::string sha256, file.Sha256());
#pragma once

#include <arrow/io/type_fwd.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>

#include "src/common/error.h"

namespace viand::store {

class WrittenFile {
 public:
  /// `path` is absolute, of the current folder, or an address (data_location.h). kInput or
  /// kEnvironment where it cannot be read.
  static arrow::Result<WrittenFile> Open(const std::string& path);

  int64_t bytes() const { return bytes_; }

  /// 64 hex digits of all its bytes.
  arrow::Result<std::string> Sha256() const;

  /// What a file that is too large to hash is known by: the hash of its footer, which has the sizes
  /// and statistics of everything in it; of what is no Parquet the hash of its end.
  arrow::Result<std::string> HashOfFooter() const;

  /// All of it; kInput where it is larger than a manifest can be.
  arrow::Result<std::string> Text() const;

 private:
  WrittenFile(std::string path, std::shared_ptr<arrow::io::RandomAccessFile> file, int64_t bytes)
      : path_(std::move(path)), file_(std::move(file)), bytes_(bytes) {}

  arrow::Result<std::string> Read(int64_t from, int64_t count) const;

  std::string path_;
  std::shared_ptr<arrow::io::RandomAccessFile> file_;
  int64_t bytes_ = 0;
};

/// The name of the file of a path or an address.
std::string FileNameOf(const std::string& path);

}  // namespace viand::store
