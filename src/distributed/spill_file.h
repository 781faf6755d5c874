// Tables on disk for as long as memory is short, in one file without a name: however the process
// ends, nothing is left of it.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "src/common/error.h"

namespace arrow {
class Table;
}

namespace viand::distributed {

class SpillFile : public std::enable_shared_from_this<SpillFile> {
 public:
  /// One table on disk; its room is given back with the last who holds it.
  class Piece {
   public:
    Piece(std::shared_ptr<const SpillFile> file, int64_t offset, int64_t bytes)
        : file_(std::move(file)), offset_(offset), bytes_(bytes) {}
    ~Piece();
    Piece(const Piece&) = delete;
    int64_t bytes() const { return bytes_; }

   private:
    friend class SpillFile;
    const std::shared_ptr<const SpillFile> file_;
    const int64_t offset_;
    const int64_t bytes_;
  };

  /// kEnvironment where the folder cannot be written.
  static arrow::Result<std::shared_ptr<SpillFile>> Open(const std::string& folder);
  ~SpillFile();
  SpillFile(const SpillFile&) = delete;

  /// kEnvironment, naming the folder and the bytes, where the disk is full.
  arrow::Result<std::shared_ptr<const Piece>> Write(const arrow::Table& table);
  /// The table as it lies in the file: pages of it that the system may drop and read again, no
  /// memory of ours. It keeps the piece.
  static arrow::Result<std::shared_ptr<arrow::Table>> Read(std::shared_ptr<const Piece> piece);

 private:
  SpillFile(int descriptor, std::string folder)
      : descriptor_(descriptor), folder_(std::move(folder)) {}

  const int descriptor_;
  const std::string folder_;
  std::mutex mutex_;
  int64_t end_ = 0;  // guarded by mutex_
};

}  // namespace viand::distributed
