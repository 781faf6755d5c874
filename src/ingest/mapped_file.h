// A file as memory: read-only, shared with the page cache. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "src/common/error.h"

namespace viand::ingest {

class MappedFile {
 public:
  /// Maps a whole file; a missing one, a folder or an unreadable one is an error that names it.
  static arrow::Result<std::shared_ptr<MappedFile>> Open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view bytes() const { return bytes_; }
  const std::string& path() const { return path_; }

 private:
  MappedFile(std::string path, std::string_view bytes) : path_(std::move(path)), bytes_(bytes) {}
  const std::string path_;
  const std::string_view bytes_;
};

}  // namespace viand::ingest
