// The directory of a zip file, zip64 included, and its parts as streams. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "src/common/error.h"
#include "src/ingest/byte_stream.h"
#include "src/ingest/mapped_file.h"

namespace viand::ingest {

class ZipArchive {
 public:
  struct Entry {
    std::string name;
    uint16_t flags = 0;
    uint16_t method = 0;
    uint32_t crc = 0;
    uint64_t compressed_bytes = 0;
    uint64_t size_bytes = 0;
    uint64_t header_offset = 0;
  };

  /// Reads the directory at the file's end. A file that is no zip, or cut off: kInput, naming the
  /// file.
  static arrow::Result<std::shared_ptr<ZipArchive>> Open(std::shared_ptr<MappedFile> file);

  /// Returns the part of a name, or null. Case does not matter (as in OPC), nor does the kind of
  /// slash.
  const Entry* Find(std::string_view name) const;

  /// Opens a part for reading: stored or deflated; an encrypted part, another method, a zip bomb:
  /// kInput.
  arrow::Result<std::unique_ptr<ByteStream>> OpenStream(const Entry& entry) const;

  /// Reads a part whole; one above `limit_bytes` is kInput.
  arrow::Result<std::string> ReadPart(const Entry& entry, int64_t limit_bytes) const;

  const std::string& path() const { return file_->path(); }

 private:
  explicit ZipArchive(std::shared_ptr<MappedFile> file) : file_(std::move(file)) {}
  arrow::Status ReadDirectory();

  const std::shared_ptr<MappedFile> file_;
  std::unordered_map<std::string, Entry> entries_;  // by folded name
};

}  // namespace viand::ingest
