#include "src/ingest/zip_archive.h"

#include <fmt/format.h>

#include <cstring>
#include <optional>
#include <vector>

#include "src/ingest/inflate_stream.h"
#include "src/ingest/limits.h"

namespace viand::ingest {
namespace {

// Signatures and sizes of PKWARE's APPNOTE 6.3: never change.
constexpr uint32_t kLocalSignature = 0x04034b50;
constexpr uint32_t kCentralSignature = 0x02014b50;
constexpr uint32_t kEndSignature = 0x06054b50;
constexpr uint32_t kEnd64Signature = 0x06064b50;
constexpr uint32_t kEnd64LocatorSignature = 0x07064b50;
constexpr size_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22, kEnd64Bytes = 56,
                 kLocatorBytes = 20;
constexpr size_t kMaxCommentBytes = 65535;
constexpr uint16_t kZip64Extra = 1;
constexpr uint16_t kEncryptedFlag = 1;
constexpr uint32_t kInZip64 = 0xffffffff;

template <typename T>
T Load(std::string_view bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

std::string Folded(std::string_view name) {
  std::string folded(name.substr(name.starts_with('/') ? 1 : 0));
  for (char& c : folded) {
    if (c == '\\') c = '/';
    if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
  }
  return folded;
}

arrow::Status CutOff(const std::string& path) {
  return MakeError(ErrorKind::kInput,
                   fmt::format("{} is cut off: its zip directory is missing or incomplete", path),
                   "copy or download the file again");
}

/// Where the directory lies.
struct Directory {
  uint64_t offset = 0;
  uint64_t count = 0;
};

std::optional<size_t> FindEnd(std::string_view bytes) {
  if (bytes.size() < kEndBytes) return std::nullopt;
  const size_t last = bytes.size() - kEndBytes;
  const size_t first = last > kMaxCommentBytes ? last - kMaxCommentBytes : 0;
  for (size_t offset = last + 1; offset-- > first;) {
    if (Load<uint32_t>(bytes, offset) == kEndSignature &&
        offset + kEndBytes + Load<uint16_t>(bytes, offset + 20) <= bytes.size()) {
      return offset;
    }
  }
  return std::nullopt;
}

std::optional<Directory> FindDirectory(std::string_view bytes) {
  const std::optional<size_t> end = FindEnd(bytes);
  if (!end) return std::nullopt;
  if (*end >= kLocatorBytes &&
      Load<uint32_t>(bytes, *end - kLocatorBytes) == kEnd64LocatorSignature) {
    const auto offset = Load<uint64_t>(bytes, *end - kLocatorBytes + 8);
    if (offset > bytes.size() || bytes.size() - offset < kEnd64Bytes ||
        Load<uint32_t>(bytes, offset) != kEnd64Signature) {
      return std::nullopt;
    }
    return Directory{Load<uint64_t>(bytes, offset + 48), Load<uint64_t>(bytes, offset + 32)};
  }
  return Directory{Load<uint32_t>(bytes, *end + 16), Load<uint16_t>(bytes, *end + 10)};
}

/// Replaces sizes and offset that do not fit 32 bits by those of the zip64 extra field; false where
/// they are missing.
bool ReadZip64(std::string_view extra, ZipArchive::Entry* entry) {
  std::vector<uint64_t*> wanted;
  for (uint64_t* field : {&entry->size_bytes, &entry->compressed_bytes, &entry->header_offset}) {
    if (*field == kInZip64) wanted.push_back(field);
  }
  if (wanted.empty()) return true;
  while (extra.size() >= 4) {
    const size_t size = Load<uint16_t>(extra, 2);
    if (extra.size() < 4 + size) return false;
    if (Load<uint16_t>(extra, 0) == kZip64Extra) {
      if (size < wanted.size() * 8) return false;
      for (size_t i = 0; i < wanted.size(); ++i) *wanted[i] = Load<uint64_t>(extra, 4 + i * 8);
      return true;
    }
    extra.remove_prefix(4 + size);
  }
  return false;
}

}  // namespace

arrow::Result<std::shared_ptr<ZipArchive>> ZipArchive::Open(std::shared_ptr<MappedFile> file) {
  std::shared_ptr<ZipArchive> archive(new ZipArchive(std::move(file)));
  VIAND_RETURN_NOT_OK(archive->ReadDirectory());
  return archive;
}

arrow::Status ZipArchive::ReadDirectory() {
  const std::string_view bytes = file_->bytes();
  const std::optional<Directory> directory = FindDirectory(bytes);
  if (!directory) return CutOff(path());
  uint64_t offset = directory->offset;
  for (uint64_t i = 0; i < directory->count; ++i) {
    if (offset > bytes.size() || bytes.size() - offset < kCentralBytes ||
        Load<uint32_t>(bytes, offset) != kCentralSignature) {
      return CutOff(path());
    }
    const size_t name_bytes = Load<uint16_t>(bytes, offset + 28);
    const size_t extra_bytes = Load<uint16_t>(bytes, offset + 30);
    const size_t comment_bytes = Load<uint16_t>(bytes, offset + 32);
    const size_t total = kCentralBytes + name_bytes + extra_bytes + comment_bytes;
    if (bytes.size() - offset < total) return CutOff(path());
    Entry entry;
    entry.name = std::string(bytes.substr(offset + kCentralBytes, name_bytes));
    entry.flags = Load<uint16_t>(bytes, offset + 8);
    entry.method = Load<uint16_t>(bytes, offset + 10);
    entry.crc = Load<uint32_t>(bytes, offset + 16);
    entry.compressed_bytes = Load<uint32_t>(bytes, offset + 20);
    entry.size_bytes = Load<uint32_t>(bytes, offset + 24);
    entry.header_offset = Load<uint32_t>(bytes, offset + 42);
    if (!ReadZip64(bytes.substr(offset + kCentralBytes + name_bytes, extra_bytes), &entry))
      return CutOff(path());
    offset += total;
    std::string folded = Folded(entry.name);
    entries_.insert_or_assign(std::move(folded), std::move(entry));
  }
  return arrow::Status::OK();
}

const ZipArchive::Entry* ZipArchive::Find(std::string_view name) const {
  const auto found = entries_.find(Folded(name));
  return found == entries_.end() ? nullptr : &found->second;
}

arrow::Result<std::unique_ptr<ByteStream>> ZipArchive::OpenStream(const Entry& entry) const {
  const std::string name = fmt::format("{}: {}", path(), entry.name);
  if (entry.flags & kEncryptedFlag) {
    return MakeError(ErrorKind::kInput, name + " is encrypted",
                     "save the workbook without a password");
  }
  if (entry.method != 0 && entry.method != 8) {
    return MakeError(
        ErrorKind::kInput,
        fmt::format("{} is compressed by zip method {}; expected stored (0) or deflate (8)", name,
                    entry.method));
  }
  if (entry.size_bytes > kMaxPartBytes) {
    return MakeError(ErrorKind::kInput,
                     fmt::format("{} is too large: {} bytes decompressed; the limit is {}", name,
                                 entry.size_bytes, kMaxPartBytes));
  }
  VIAND_RETURN_NOT_OK(CheckExpansion(name, entry.compressed_bytes, entry.size_bytes));
  const std::string_view bytes = file_->bytes();
  if (entry.header_offset > bytes.size() || bytes.size() - entry.header_offset < kLocalBytes ||
      Load<uint32_t>(bytes, entry.header_offset) != kLocalSignature) {
    return CutOff(path());
  }
  const size_t start = entry.header_offset + kLocalBytes +
                       Load<uint16_t>(bytes, entry.header_offset + 26) +
                       Load<uint16_t>(bytes, entry.header_offset + 28);
  if (start > bytes.size() || bytes.size() - start < entry.compressed_bytes) return CutOff(path());
  const std::string_view content = bytes.substr(start, entry.compressed_bytes);
  DeflateExpectation expected{name, static_cast<int64_t>(entry.size_bytes), entry.crc};
  if (entry.method == 0) return MakeStoredStream(content, file_, std::move(expected));
  return MakeInflateStream(content, file_, std::move(expected));
}

arrow::Result<std::string> ZipArchive::ReadPart(const Entry& entry, int64_t limit_bytes) const {
  if (entry.size_bytes > static_cast<uint64_t>(limit_bytes)) {
    return MakeError(ErrorKind::kInput,
                     fmt::format("{}: {} is too large: {} bytes; the limit is {}", path(),
                                 entry.name, entry.size_bytes, limit_bytes));
  }
  VIAND_ASSIGN_OR_RETURN(std::unique_ptr<ByteStream> stream, OpenStream(entry));
  // One byte more than stated, so that a part which goes on is noticed.
  std::string content(entry.size_bytes + 1, '\0');
  VIAND_ASSIGN_OR_RETURN(const int64_t count, stream->Read(content.data(), content.size()));
  content.resize(count);
  return content;
}

}  // namespace viand::ingest
