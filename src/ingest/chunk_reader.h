// Cuts a byte stream into chunks that end where a row ends, for workers to scan in parallel. The
// cut is a guess (a row's end may stand within quotes or a comment): a scanner that ends within a
// row says so, and the chunk is scanned again with the next one behind it. As each chunk is judged
// only after the one before was found whole, the result is that of one pass.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "src/common/error.h"
#include "src/ingest/byte_stream.h"

namespace arrow {
class RecordBatch;
}

namespace viand::ingest {

/// Bytes with kChunkPadding readable zero bytes behind them.
class PaddedBytes {
 public:
  PaddedBytes() = default;
  explicit PaddedBytes(int64_t capacity);
  /// Grows the room, keeping the bytes.
  void Reserve(int64_t capacity);
  /// Sets the number of bytes and zeroes the padding.
  void Resize(int64_t size);
  void Append(std::string_view bytes);

  char* data() { return data_.get(); }
  int64_t size() const { return size_; }
  int64_t capacity() const { return capacity_; }
  std::string_view view() const { return std::string_view(data_.get(), size_); }

 private:
  std::unique_ptr<char[]> data_;
  int64_t size_ = 0;
  int64_t capacity_ = 0;
};

/// A piece of a file: bytes, or (Parquet) a batch already decoded.
struct Chunk {
  PaddedBytes bytes;
  std::shared_ptr<arrow::RecordBatch> batch;
  int64_t consumed_bytes = 0;  ///< of the file, up to the chunk's end
  bool last = false;           ///< nothing of the file follows
};

/// Returns the length of the longest prefix of `bytes` that seems to end with a whole row; 0 where
/// there is none.
using FindCut = std::function<int64_t(std::string_view bytes)>;

class ChunkReader {
 public:
  /// `name` is for errors.
  ChunkReader(std::string name, std::unique_ptr<ByteStream> stream, int64_t chunk_bytes);

  void set_cut(FindCut cut) { cut_ = std::move(cut); }
  /// Puts bytes in front of what is still to come.
  void PushBack(std::string_view bytes);
  /// Returns the next chunk; null at the end. A row beyond kMaxRowBytes is kInput.
  arrow::Result<std::unique_ptr<Chunk>> Next();

 private:
  const std::string name_;
  const std::unique_ptr<ByteStream> stream_;
  const int64_t chunk_bytes_;
  FindCut cut_;
  std::string carry_;
  bool at_end_ = false;
};

}  // namespace viand::ingest
