// Bytes in order, from memory or out of a decompressor. Used by one thread at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "src/common/error.h"

namespace viand::ingest {

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  /// Fills `out` with up to `size` bytes and returns their number, less than `size` only at the
  /// end.
  virtual arrow::Result<int64_t> Read(char* out, int64_t size) = 0;
  /// Returns how many bytes of the file were used so far.
  virtual int64_t consumed_bytes() const = 0;
};

/// Bytes that are in memory already; `owner` keeps them there.
class MemoryStream : public ByteStream {
 public:
  MemoryStream(std::string_view bytes, std::shared_ptr<const void> owner)
      : bytes_(bytes), owner_(std::move(owner)) {}
  arrow::Result<int64_t> Read(char* out, int64_t size) override {
    const auto count = std::min<int64_t>(size, bytes_.size() - position_);
    if (count > 0) std::memcpy(out, bytes_.data() + position_, count);
    position_ += count;
    return count;
  }
  int64_t consumed_bytes() const override { return position_; }

 private:
  const std::string_view bytes_;
  const std::shared_ptr<const void> owner_;
  int64_t position_ = 0;
};

}  // namespace viand::ingest
