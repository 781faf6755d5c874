#include "src/store/written_file.h"

#include <arrow/buffer.h>
#include <arrow/filesystem/filesystem.h>
#include <arrow/io/interfaces.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "src/common/data_files.h"
#include "src/common/data_location.h"
#include "src/common/sha256.h"

namespace viand::store {
namespace {

constexpr int64_t kReadBytes = int64_t{8} << 20;
constexpr int64_t kMostTextBytes = int64_t{64} << 20;
/// The length of a Parquet file's footer, and PAR1.
constexpr int64_t kParquetTailBytes = 8;
/// Of a file that is no Parquet.
constexpr int64_t kEndBytes = int64_t{1} << 16;

}  // namespace

arrow::Result<WrittenFile> WrittenFile::Open(const std::string& path) {
  VIAND_ASSIGN_OR_RETURN(const ListedFile listed, FindDataFile(path, ""));
  VIAND_ASSIGN_OR_RETURN(const DataLocation location, LocateData(path));
  auto file = location.filesystem->OpenInputFile(location.path);
  if (!file.ok()) return StorageError(file.status(), path, "");
  return WrittenFile(path, *std::move(file), listed.size_bytes);
}

arrow::Result<std::string> WrittenFile::Read(int64_t from, int64_t count) const {
  const auto read = file_->ReadAt(from, count);
  if (!read.ok()) return StorageError(read.status(), path_, "");
  if ((*read)->size() == count) return (*read)->ToString();
  return MakeError(ErrorKind::kEnvironment,
                   fmt::format("cannot read {}: it became shorter meanwhile", DisplayPath(path_)));
}

arrow::Result<std::string> WrittenFile::Sha256() const {
  viand::Sha256 hash;
  for (int64_t from = 0; from < bytes_; from += kReadBytes) {
    VIAND_ASSIGN_OR_RETURN(const std::string block,
                           Read(from, std::min(kReadBytes, bytes_ - from)));
    hash.Update(block);
  }
  return hash.HexDigest();
}

arrow::Result<std::string> WrittenFile::HashOfFooter() const {
  const int64_t tail_bytes = std::min(kParquetTailBytes, bytes_);
  VIAND_ASSIGN_OR_RETURN(const std::string tail, Read(bytes_ - tail_bytes, tail_bytes));
  int64_t length = kEndBytes;
  if (tail.ends_with("PAR1")) {
    const auto* digits = reinterpret_cast<const unsigned char*>(tail.data());
    length = digits[0] | digits[1] << 8 | digits[2] << 16 | int64_t{digits[3]} << 24;
  }
  length = std::min(bytes_, length + kParquetTailBytes);
  VIAND_ASSIGN_OR_RETURN(const std::string footer, Read(bytes_ - length, length));
  return Sha256Hex(footer);
}

arrow::Result<std::string> WrittenFile::Text() const {
  if (bytes_ <= kMostTextBytes) return Read(0, bytes_);
  return MakeError(ErrorKind::kInput, fmt::format("{} has {} bytes, the limit is {}",
                                                  DisplayPath(path_), bytes_, kMostTextBytes));
}

std::string FileNameOf(const std::string& path) {
  return std::filesystem::path(ParseAddress(path).path).filename().string();
}

}  // namespace viand::store
