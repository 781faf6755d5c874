#include "src/distributed/spill_file.h"

#include <arrow/buffer.h>
#include <arrow/io/buffered.h>
#include <arrow/ipc/writer.h>
#include <arrow/table.h>
#include <arrow/util/byte_size.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "src/common/block_pool.h"
#include "src/common/failpoint.h"
#include "src/common/unnamed_file.h"
#include "src/distributed/packed_numbers.h"
#include "src/distributed/table_stream.h"

namespace viand::distributed {
namespace {

constexpr int64_t kBufferBytes = 256 * 1024;
/// Of pieces in the file, so that the buffers of what is read lie as Arrow wants them.
constexpr int64_t kAlignment = 64;

/// Of columns beside packed ones, which are put together in memory; more is written as it lies.
constexpr int64_t kMostCopiedBytes = 16 << 20;

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
arrow::Status WriteStream(const arrow::Table& table, arrow::io::OutputStream* stream) {
  VIAND_ASSIGN_OR_RETURN(auto writer,
                         arrow::ipc::MakeStreamWriter(stream, table.schema(), WriteOptions()));
  VIAND_RETURN_NOT_OK(writer->WriteTable(table));
  return writer->Close();
}

// The bytes that were written.
arrow::Result<int64_t> WriteBuffered(const arrow::Table& table,
                                     const std::shared_ptr<PieceStream>& file) {
  VIAND_RETURN_NOT_OK(Failpoint("spill.write"));
  VIAND_ASSIGN_OR_RETURN(
      auto buffered, arrow::io::BufferedOutputStream::Create(kBufferBytes, ProcessPool(), file));
  arrow::Status status = WriteStream(table, buffered.get());
  if (status.ok()) status = buffered->Flush();
  // Else its destructor would write again, and print that it cannot.
  if (!status.ok()) static_cast<void>(buffered->Abort());
  VIAND_RETURN_NOT_OK(status);
  return file->Tell();
}

int64_t Aligned(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

arrow::Status CannotReadBack(int64_t bytes, const std::string& folder, const std::string& why) {
  return MakeError(
      ErrorKind::kEnvironment,
      fmt::format("cannot read back {} bytes of temporary data in {}: {}", bytes, folder, why),
      "is the disk in order? name another folder with --temp-dir");
}

/// What of a table cannot be packed.
int64_t CopiedBytes(const arrow::Table& table) {
  int64_t bytes = 0;
  for (const auto& column : table.columns()) {
    if (!CanPack(*column)) bytes += arrow::util::ReferencedBufferSize(*column).ValueOr(0);
  }
  return bytes;
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

}  // namespace

arrow::Result<std::shared_ptr<SpillFile>> SpillFile::Open(const std::string& folder) {
  VIAND_ASSIGN_OR_RETURN(const int descriptor, OpenUnnamedFile(folder));
  return std::shared_ptr<SpillFile>(new SpillFile(descriptor, folder));
}

SpillFile::~SpillFile() { ::close(descriptor_); }

arrow::Status SpillFile::Full(int64_t written, const arrow::Status& why) const {
  return MakeError(ErrorKind::kEnvironment,
                   fmt::format("memory is short, and after {} bytes of temporary data in {} no "
                               "more could be written: {}",
                               written, folder_, why.message()),
                   "free disk space there, name another folder with --temp-dir, or allow more "
                   "memory with --memory");
}

arrow::Result<std::shared_ptr<const SpillFile::Piece>> SpillFile::Write(
    const std::shared_ptr<arrow::Table>& table, Layout layout) {
  if (layout == Layout::kPacked && CopiedBytes(*table) <= kMostCopiedBytes)
    return WritePacked(table);
  return WriteMapped(*table);
}

arrow::Result<std::shared_ptr<SpillFile::Piece>> SpillFile::WriteMapped(const arrow::Table& table) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto file = std::make_shared<PieceStream>(descriptor_, end_);
  const auto bytes = WriteBuffered(table, file);
  if (!bytes.ok()) return Full(end_ + file->Tell().ValueOrDie(), bytes.status());
  std::shared_ptr<Piece> piece(new Piece(shared_from_this(), end_, *bytes));
  end_ += Aligned(*bytes);
  return piece;
}

arrow::Result<std::shared_ptr<SpillFile::Piece>> SpillFile::WritePacked(
    const std::shared_ptr<arrow::Table>& table) {
  VIAND_ASSIGN_OR_RETURN(const auto bytes, SerializeTable(table));
  int64_t offset;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    offset = end_;
    end_ += Aligned(bytes->size());
  }
  // Others write beside it.
  PieceStream file(descriptor_, offset);
  arrow::Status status = Failpoint("spill.write");
  if (status.ok()) status = file.Write(bytes->data(), bytes->size());
  if (!status.ok()) return Full(offset + file.Tell().ValueOrDie(), status);
  return std::shared_ptr<Piece>(new Piece(shared_from_this(), offset, bytes->size()));
}

arrow::Result<std::shared_ptr<arrow::Table>> SpillFile::Read(std::shared_ptr<const Piece> piece) {
  static const int64_t page_bytes = ::sysconf(_SC_PAGESIZE);
  const SpillFile& file = *piece->file_;
  const int64_t bytes = piece->bytes_;
  const int64_t skipped = piece->offset_ % page_bytes;
  // All pages at once: one by one each would be a fault.
  void* mapping = ::mmap(nullptr, skipped + bytes, PROT_READ, MAP_SHARED | MAP_POPULATE,
                         file.descriptor_, piece->offset_ - skipped);
  if (mapping == MAP_FAILED) return CannotReadBack(bytes, file.folder_, std::strerror(errno));
  return ParseTable(
      std::make_shared<MappedPiece>(mapping, skipped + bytes, skipped, bytes, std::move(piece)));
}

SpillFile::Piece::~Piece() {
  // A forked child has the pieces of its parent, who still reads them.
  if (file_->owner_ != ::getpid()) return;
  // Where the file system cannot, the room comes back with the file.
  ::fallocate(file_->descriptor_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset_, bytes_);
}

}  // namespace viand::distributed
