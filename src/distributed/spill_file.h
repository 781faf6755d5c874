// Tables on disk for as long as memory is short, in one file without a name: however the process
// ends, nothing is left of it.
//
// Thread-safe.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "src/common/error.h"

namespace arrow {
class Table;
}  // namespace arrow

namespace viand::distributed {

class SpillFile : public std::enable_shared_from_this<SpillFile> {
 public:
  /// One table on disk; its room is given back with the last who holds it.
  class Piece {
   public:
    ~Piece();
    Piece(const Piece&) = delete;
    int64_t bytes() const { return bytes_; }

   private:
    friend class SpillFile;
    Piece(std::shared_ptr<const SpillFile> file, int64_t offset, int64_t bytes)
        : file_(std::move(file)), offset_(offset), bytes_(bytes) {}

    const std::shared_ptr<const SpillFile> file_;
    const int64_t offset_;
    const int64_t bytes_;
  };

  /// kEnvironment where the folder cannot be written.
  static arrow::Result<std::shared_ptr<SpillFile>> Open(const std::string& folder);
  ~SpillFile();
  SpillFile(const SpillFile&) = delete;

  /// How a table is written, and what reading it takes.
  enum class Layout {
    kMapped,  ///< it is read as it lies in the file, and takes no memory of ours
    kPacked,  ///< as a message (table_stream.h): its numbers take half of the room or less, and
              ///< memory where they are read
  };

  /// kEnvironment, naming the folder and the bytes, where the disk is full.
  arrow::Result<std::shared_ptr<const Piece>> Write(const std::shared_ptr<arrow::Table>& table,
                                                    Layout layout);
  /// The table. What is read in place are pages that the system may drop and read again; it keeps
  /// the piece.
  static arrow::Result<std::shared_ptr<arrow::Table>> Read(std::shared_ptr<const Piece> piece);

 private:
  SpillFile(int descriptor, std::string folder)
      : descriptor_(descriptor), folder_(std::move(folder)) {}

  arrow::Result<std::shared_ptr<Piece>> WriteMapped(const arrow::Table& table);
  arrow::Result<std::shared_ptr<Piece>> WritePacked(const std::shared_ptr<arrow::Table>& table);
  arrow::Status Full(int64_t written, const arrow::Status& why) const;

  const int descriptor_;
  const std::string folder_;
  const pid_t owner_ = ::getpid();
  std::mutex mutex_;
  int64_t end_ = 0;  // guarded by mutex_
};

}  // namespace viand::distributed
