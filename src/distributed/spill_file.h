// Tables on disk for as long as memory is short, in one file without a name: however the process
// ends, nothing is left of it.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "src/common/error.h"

namespace arrow {
class Table;
}

namespace viand::distributed {

class SpillFile {
 public:
  /// Where one table stands.
  struct Piece {
    int64_t offset = 0;
    int64_t bytes = 0;
  };

  /// kEnvironment where the folder cannot be written.
  static arrow::Result<std::shared_ptr<SpillFile>> Open(const std::string& folder);
  ~SpillFile();
  SpillFile(const SpillFile&) = delete;

  /// kEnvironment, naming the folder and the bytes, where the disk is full.
  arrow::Result<Piece> Write(const arrow::Table& table);
  arrow::Result<std::shared_ptr<arrow::Table>> Read(const Piece& piece) const;
  /// Gives the piece's room on disk back.
  void Forget(const Piece& piece);

 private:
  SpillFile(int descriptor, std::string folder)
      : descriptor_(descriptor), folder_(std::move(folder)) {}

  const int descriptor_;
  const std::string folder_;
  std::mutex mutex_;
  int64_t end_ = 0;  // guarded by mutex_
};

}  // namespace viand::distributed
