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
#include "src/common/pool_vector.h"
#include "src/common/unnamed_file.h"

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

arrow::Status ReadBytes(int descriptor, int64_t offset, int64_t bytes, uint8_t* out) {
  while (bytes > 0) {
    const ssize_t read = ::pread(descriptor, out, bytes, offset);
    if (read < 0 && errno == EINTR) continue;
    if (read <= 0)
      return arrow::Status::IOError(read < 0 ? std::strerror(errno) : "it ends too early");
    out += read;
    offset += read;
    bytes -= read;
  }
  return arrow::Status::OK();
}

arrow::Status CannotReadBack(int64_t bytes, const std::string& folder, const std::string& why) {
  return MakeError(
      ErrorKind::kEnvironment,
      fmt::format("cannot read back {} bytes of temporary data in {}: {}", bytes, folder, why),
      "is the disk in order? name another folder with --temp-dir");
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

arrow::Result<std::shared_ptr<const SpillFile::Piece>> SpillFile::Write(const arrow::Table& table,
                                                                        Layout layout) {
  bool packed = false;
  for (const auto& column : table.columns()) packed |= CanPack(*column);
  // Those of coded columns' chunks are not one.
  for (const auto& field : table.fields()) packed &= field->type()->id() != arrow::Type::DICTIONARY;
  if (packed && layout == Layout::kPacked) return WritePacked(table);
  return WriteMapped(table);
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

arrow::Result<std::shared_ptr<SpillFile::Piece>> SpillFile::WritePacked(const arrow::Table& table) {
  std::vector<Piece::PackedColumn> columns;
  std::vector<PackedNumbers> numbers;
  std::vector<int> others;
  for (int i = 0; i < table.num_columns(); ++i) {
    if (!CanPack(*table.column(i))) {
      others.push_back(i);
      continue;
    }
    numbers.push_back(PackNumbers(*table.column(i)));
    columns.push_back({.index = i, .start = 0, .layout = numbers.back().layout});
  }
  VIAND_ASSIGN_OR_RETURN(auto sink, arrow::io::BufferOutputStream::Create(0, ProcessPool()));
  if (!others.empty()) {
    VIAND_ASSIGN_OR_RETURN(const auto rest, table.SelectColumns(others));
    VIAND_ASSIGN_OR_RETURN(const auto whole, rest->CombineChunks(ProcessPool()));
    VIAND_RETURN_NOT_OK(WriteStream(*whole, sink.get()));
  }
  for (size_t i = 0; i < numbers.size(); ++i) {
    VIAND_ASSIGN_OR_RETURN(columns[i].start, sink->Tell());
    VIAND_RETURN_NOT_OK(sink->Write(numbers[i].bytes));
  }
  VIAND_ASSIGN_OR_RETURN(const auto bytes, sink->Finish());
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
  std::shared_ptr<Piece> piece(new Piece(shared_from_this(), offset, bytes->size()));
  piece->schema_ = table.schema();
  piece->packed_ = std::move(columns);
  return piece;
}

arrow::Result<std::shared_ptr<arrow::Table>> SpillFile::Read(std::shared_ptr<const Piece> piece) {
  if (piece->schema_ != nullptr) return ReadPacked(piece);
  const int64_t bytes = piece->bytes_;
  return ReadMapped(std::move(piece), bytes);
}

arrow::Result<std::shared_ptr<arrow::Table>> SpillFile::ReadPacked(
    const std::shared_ptr<const Piece>& piece) {
  const SpillFile& file = *piece->file_;
  const int64_t start = piece->packed_.front().start;
  const int64_t bytes = piece->bytes_ - start;
  PoolVector<uint8_t> packed(bytes);
  const arrow::Status read =
      ReadBytes(file.descriptor_, piece->offset_ + start, bytes, packed.data());
  if (!read.ok()) return CannotReadBack(bytes, file.folder_, read.message());
  std::vector<std::shared_ptr<arrow::ChunkedArray>> columns(piece->schema_->num_fields());
  int64_t rows = 0;
  for (const Piece::PackedColumn& column : piece->packed_) {
    VIAND_ASSIGN_OR_RETURN(
        auto array, UnpackNumbers(column.layout, packed.data() + column.start - start,
                                  piece->schema_->field(column.index)->type(), ProcessPool()));
    columns[column.index] = std::make_shared<arrow::ChunkedArray>(std::move(array));
    rows = column.layout.count;
  }
  if (piece->packed_.size() < columns.size()) {
    VIAND_ASSIGN_OR_RETURN(const auto rest, ReadMapped(piece, start));
    int next = 0;
    for (auto& column : columns) {
      if (column == nullptr) column = rest->column(next++);
    }
  }
  return arrow::Table::Make(piece->schema_, std::move(columns), rows);
}

arrow::Result<std::shared_ptr<arrow::Table>> SpillFile::ReadMapped(
    std::shared_ptr<const Piece> piece, int64_t bytes) {
  static const int64_t page_bytes = ::sysconf(_SC_PAGESIZE);
  const SpillFile& file = *piece->file_;
  const int64_t skipped = piece->offset_ % page_bytes;
  // All pages at once: one by one each would be a fault.
  void* mapping = ::mmap(nullptr, skipped + bytes, PROT_READ, MAP_SHARED | MAP_POPULATE,
                         file.descriptor_, piece->offset_ - skipped);
  if (mapping == MAP_FAILED) return CannotReadBack(bytes, file.folder_, std::strerror(errno));
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
  // A forked child has the pieces of its parent, who still reads them.
  if (file_->owner_ != ::getpid()) return;
  // Where the file system cannot, the room comes back with the file.
  ::fallocate(file_->descriptor_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset_, bytes_);
}

}  // namespace viand::distributed
