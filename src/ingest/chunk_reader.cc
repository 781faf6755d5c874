#include "src/ingest/chunk_reader.h"

#include <fmt/format.h>

#include <cstring>

#include "src/ingest/limits.h"

namespace viand::ingest {

PaddedBytes::PaddedBytes(int64_t capacity) { Reserve(capacity); }

void PaddedBytes::Reserve(int64_t capacity) {
  if (capacity <= capacity_ && data_ != nullptr) return;
  std::unique_ptr<char[]> wider(new char[capacity + kChunkPadding]);
  if (size_ > 0) std::memcpy(wider.get(), data_.get(), size_);
  data_ = std::move(wider);
  capacity_ = capacity;
  Resize(size_);
}

void PaddedBytes::Resize(int64_t size) {
  size_ = size;
  std::memset(data_.get() + size, 0, kChunkPadding);
}

void PaddedBytes::Append(std::string_view bytes) {
  const int64_t size = size_ + static_cast<int64_t>(bytes.size());
  Reserve(std::max(size, capacity_));
  if (!bytes.empty()) std::memcpy(data_.get() + size_, bytes.data(), bytes.size());
  Resize(size);
}

ChunkReader::ChunkReader(std::string name, std::unique_ptr<ByteStream> stream, int64_t chunk_bytes)
    : name_(std::move(name)), stream_(std::move(stream)), chunk_bytes_(chunk_bytes) {}

void ChunkReader::PushBack(std::string_view bytes) { carry_.insert(0, bytes); }

arrow::Result<std::unique_ptr<Chunk>> ChunkReader::Next() {
  auto chunk = std::make_unique<Chunk>();
  chunk->bytes.Reserve(chunk_bytes_ + static_cast<int64_t>(carry_.size()));
  chunk->bytes.Append(carry_);
  carry_.clear();
  while (true) {
    const int64_t room = chunk->bytes.capacity() - chunk->bytes.size();
    if (!at_end_) {
      VIAND_ASSIGN_OR_RETURN(const int64_t count,
                             stream_->Read(chunk->bytes.data() + chunk->bytes.size(), room));
      chunk->bytes.Resize(chunk->bytes.size() + count);
      at_end_ = count < room;
    }
    chunk->consumed_bytes = stream_->consumed_bytes();
    if (at_end_) break;
    const std::string_view bytes = chunk->bytes.view();
    const int64_t cut = cut_ ? cut_(bytes) : chunk->bytes.size();
    if (cut > 0) {
      carry_ = bytes.substr(cut);
      chunk->bytes.Resize(cut);
      return chunk;
    }
    if (chunk->bytes.size() > kMaxRowBytes) {
      return MakeError(ErrorKind::kInput,
                       fmt::format("{} has a row of more than {} bytes", name_, kMaxRowBytes),
                       "is the format right, are quotes closed?");
    }
    // Not further than the limit: what is beyond it at the file's end is an error too.
    chunk->bytes.Reserve(std::min(chunk->bytes.capacity() * 2, kMaxRowBytes + 1));
  }
  if (chunk->bytes.size() == 0) return std::unique_ptr<Chunk>();
  chunk->last = true;
  return chunk;
}

}  // namespace viand::ingest
