#include "src/distributed/spill_file.h"

#include <arrow/buffer.h>
#include <arrow/io/buffered.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/table.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "src/common/block_pool.h"
#include "src/common/failpoint.h"

namespace viand::distributed {
namespace {

constexpr int64_t kBufferBytes = 256 * 1024;
/// Of pieces in the file, so that the buffers of what is read lie as Arrow wants them.
constexpr int64_t kAlignment = 64;

/// Appends at an offset of a file.
class PieceStream final : public arrow::io::OutputStream {
 public:
  PieceStream(int descriptor, int64_t offset) : descriptor_(descriptor), offset_(offset) {}

  arrow::Status Write(const void* data, int64_t bytes) override {
    const auto* next = static_cast<const char*>(data);
    while (bytes > 0) {
      const ssize_t written = ::pwrite(descriptor_, next, bytes, offset_ + written_);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return arrow::Status::IOError(std::strerror(errno));
      next += written;
      bytes -= written;
      written_ += written;
    }
    return arrow::Status::OK();
  }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return written_; }

 private:
  const int descriptor_;
  const int64_t offset_;
  int64_t written_ = 0;
  bool closed_ = false;
};

arrow::ipc::IpcWriteOptions WriteOptions() {
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  options.memory_pool = ProcessPool();
  options.alignment = 64;  // what is read stays in place
  options.use_threads = false;
  return options;
}

// The stream format: that of files has one dictionary a column, and coded columns one a batch.
arrow::Result<int64_t> WriteStream(const arrow::Table& table,
                                   const std::shared_ptr<PieceStream>& file) {
  VIAND_RETURN_NOT_OK(Failpoint("spill.write"));
  VIAND_ASSIGN_OR_RETURN(
      auto buffered, arrow::io::BufferedOutputStream::Create(kBufferBytes, ProcessPool(), file));
  const auto write = [&]() -> arrow::Status {
    VIAND_ASSIGN_OR_RETURN(auto writer,
                           arrow::ipc::MakeStreamWriter(buffered, table.schema(), WriteOptions()));
    VIAND_RETURN_NOT_OK(writer->WriteTable(table));
    VIAND_RETURN_NOT_OK(writer->Close());
    return buffered->Flush();
  };
  const arrow::Status status = write();
  // Else its destructor would write again, and print that it cannot.
  if (!status.ok()) static_cast<void>(buffered->Abort());
  VIAND_RETURN_NOT_OK(status);
  return file->Tell();
}

/// A piece as it lies in the file, for as long as any table has a part of it.
class MappedPiece final : public arrow::Buffer {
 public:
  MappedPiece(void* mapping, int64_t mapped_bytes, int64_t skipped, int64_t bytes,
              std::shared_ptr<const SpillFile::Piece> piece)
      : arrow::Buffer(static_cast<const uint8_t*>(mapping) + skipped, bytes),
        mapping_(mapping),
        mapped_bytes_(mapped_bytes),
        piece_(std::move(piece)) {}
  ~MappedPiece() override { ::munmap(mapping_, mapped_bytes_); }

 private:
  void* const mapping_;
  const int64_t mapped_bytes_;
  const std::shared_ptr<const SpillFile::Piece> piece_;
};

int OpenUnnamed(const std::string& folder) {
  const int descriptor = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
    return descriptor;
  // A file system that has no files without names.
  std::string path = folder + "/.viand-spill.XXXXXX";
  const int named = ::mkostemp(path.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(path.c_str());
  return named;
}

}  // namespace

arrow::Result<std::shared_ptr<SpillFile>> SpillFile::Open(const std::string& folder) {
  const int descriptor = OpenUnnamed(folder);
  if (descriptor < 0) {
    return MakeError(
        ErrorKind::kEnvironment,
        fmt::format("cannot make a temporary file in {}: {}", folder, std::strerror(errno)),
        "name a folder that can be written with --temp-dir");
  }
  return std::shared_ptr<SpillFile>(new SpillFile(descriptor, folder));
}

SpillFile::~SpillFile() { ::close(descriptor_); }

arrow::Result<std::shared_ptr<const SpillFile::Piece>> SpillFile::Write(const arrow::Table& table) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto file = std::make_shared<PieceStream>(descriptor_, end_);
  const auto bytes = WriteStream(table, file);
  if (!bytes.ok()) {
    const int64_t written = end_ + file->Tell().ValueOrDie();
    return MakeError(ErrorKind::kEnvironment,
                     fmt::format("memory is short, and after {} bytes of temporary data in {} no "
                                 "more could be written: {}",
                                 written, folder_, bytes.status().message()),
                     "free disk space there, name another folder with --temp-dir, or allow more "
                     "memory with --memory");
  }
  auto piece = std::make_shared<const Piece>(shared_from_this(), end_, *bytes);
  end_ += (*bytes + kAlignment - 1) / kAlignment * kAlignment;
  return piece;
}

arrow::Result<std::shared_ptr<arrow::Table>> SpillFile::Read(std::shared_ptr<const Piece> piece) {
  static const int64_t page_bytes = ::sysconf(_SC_PAGESIZE);
  const SpillFile& file = *piece->file_;
  const int64_t skipped = piece->offset_ % page_bytes;
  const int64_t bytes = piece->bytes_;
  // All pages at once: one by one each would be a fault.
  void* mapping = ::mmap(nullptr, skipped + bytes, PROT_READ, MAP_SHARED | MAP_POPULATE,
                         file.descriptor_, piece->offset_ - skipped);
  if (mapping == MAP_FAILED) {
    return MakeError(ErrorKind::kEnvironment,
                     fmt::format("cannot read back {} bytes of temporary data in {}: {}", bytes,
                                 file.folder_, std::strerror(errno)),
                     "is the disk in order? name another folder with --temp-dir");
  }
  auto buffer =
      std::make_shared<MappedPiece>(mapping, skipped + bytes, skipped, bytes, std::move(piece));
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.memory_pool = ProcessPool();
  options.use_threads = false;
  VIAND_ASSIGN_OR_RETURN(
      auto reader, arrow::ipc::RecordBatchStreamReader::Open(
                       std::make_shared<arrow::io::BufferReader>(std::move(buffer)), options));
  return reader->ToTable();
}

SpillFile::Piece::~Piece() {
  // Where the file system cannot, the room comes back with the file.
  ::fallocate(file_->descriptor_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset_, bytes_);
}

}  // namespace viand::distributed
