#include "src/ingest/inflate_stream.h"

#include <fmt/format.h>
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

#include <limits>

#include "src/ingest/limits.h"

namespace viand::ingest {
namespace {

arrow::Status Damaged(const std::string& name, std::string_view what) {
  return MakeError(ErrorKind::kInput, fmt::format("{} is damaged: {}", name, what),
                   "copy or download the file again");
}

/// Size and checksum of what has passed, against what a zip's directory promised.
class PartCheck {
 public:
  explicit PartCheck(DeflateExpectation expected) : expected_(std::move(expected)) {}

  arrow::Status Add(const char* bytes, int64_t count) {
    crc_ = crc32_gzip_refl(crc_, reinterpret_cast<const unsigned char*>(bytes), count);
    size_bytes_ += count;
    if (size_bytes_ <= expected_.size_bytes) return arrow::Status::OK();
    return Damaged(expected_.name,
                   fmt::format("more than the {} bytes that the zip's directory states",
                               expected_.size_bytes));
  }

  arrow::Status Finish() const {
    if (size_bytes_ != expected_.size_bytes) {
      return Damaged(expected_.name, fmt::format("{} bytes where the zip's directory states {}",
                                                 size_bytes_, expected_.size_bytes));
    }
    if (crc_ == expected_.crc) return arrow::Status::OK();
    return Damaged(expected_.name,
                   fmt::format("checksum {:08x} where the zip's directory states {:08x}", crc_,
                               expected_.crc));
  }

  const std::string& name() const { return expected_.name; }

 private:
  const DeflateExpectation expected_;
  int64_t size_bytes_ = 0;
  uint32_t crc_ = 0;
};

/// The compressed bytes and ISA-L's state, whose counters are of 32 bits: input goes in by slices.
class Inflater {
 public:
  Inflater(std::string_view compressed, uint32_t crc_flag) : rest_(compressed) {
    isal_inflate_init(&state_);
    state_.crc_flag = crc_flag;
  }

  /// Decompresses up to `size` bytes into `out`; an ISA-L error code is negative.
  int Run(char* out, int64_t size, int64_t* produced) {
    state_.next_out = reinterpret_cast<uint8_t*>(out);
    state_.avail_out = static_cast<uint32_t>(size);
    int code = ISAL_DECOMP_OK;
    while (state_.avail_out > 0 && !finished()) {
      if (state_.avail_in == 0) Feed();
      const bool starved = state_.avail_in == 0;
      const uint32_t before = state_.avail_out;
      code = isal_inflate(&state_);
      if (code < 0 || (starved && state_.avail_out == before)) break;
    }
    *produced = size - state_.avail_out;
    return code;
  }

  bool finished() const { return state_.block_state == ISAL_BLOCK_FINISH; }
  int64_t unread_bytes() const { return rest_.size() + state_.avail_in; }

  /// Starts the next gzip member; false where nothing but zero padding is left.
  bool NextMember() {
    while (unread_bytes() > 0) {
      if (state_.avail_in == 0) Feed();
      if (*state_.next_in != 0) break;
      ++state_.next_in;
      --state_.avail_in;
    }
    if (unread_bytes() == 0) return false;
    isal_inflate_reset(&state_);
    state_.crc_flag = ISAL_GZIP;
    return true;
  }

 private:
  void Feed() {
    const auto count = std::min<size_t>(rest_.size(), std::numeric_limits<int32_t>::max());
    state_.next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(rest_.data()));
    state_.avail_in = static_cast<uint32_t>(count);
    rest_.remove_prefix(count);
  }

  inflate_state state_;
  std::string_view rest_;
};

class DeflateStream : public ByteStream {
 public:
  DeflateStream(std::string_view compressed, std::shared_ptr<const void> owner,
                DeflateExpectation expectation)
      : size_(compressed.size()),
        owner_(std::move(owner)),
        check_(std::move(expectation)),
        inflater_(std::make_unique<Inflater>(compressed, ISAL_DEFLATE)) {}

  arrow::Result<int64_t> Read(char* out, int64_t size) override {
    int64_t count = 0;
    const int code = inflater_->Run(out, size, &count);
    if (code < 0) return Damaged(check_.name(), "its compressed bytes are not valid");
    VIAND_RETURN_NOT_OK(check_.Add(out, count));
    if (count == size) return count;
    if (!inflater_->finished()) return Damaged(check_.name(), "its compressed bytes end early");
    VIAND_RETURN_NOT_OK(check_.Finish());
    return count;
  }
  int64_t consumed_bytes() const override { return size_ - inflater_->unread_bytes(); }

 private:
  const int64_t size_;
  const std::shared_ptr<const void> owner_;
  PartCheck check_;
  std::unique_ptr<Inflater> inflater_;  // 90 KB
};

class StoredStream : public ByteStream {
 public:
  StoredStream(std::string_view bytes, std::shared_ptr<const void> owner,
               DeflateExpectation expectation)
      : stream_(bytes, std::move(owner)), check_(std::move(expectation)) {}

  arrow::Result<int64_t> Read(char* out, int64_t size) override {
    VIAND_ASSIGN_OR_RETURN(const int64_t count, stream_.Read(out, size));
    VIAND_RETURN_NOT_OK(check_.Add(out, count));
    if (count < size) VIAND_RETURN_NOT_OK(check_.Finish());
    return count;
  }
  int64_t consumed_bytes() const override { return stream_.consumed_bytes(); }

 private:
  MemoryStream stream_;
  PartCheck check_;
};

class GzipStream : public ByteStream {
 public:
  GzipStream(std::string_view compressed, std::shared_ptr<const void> owner, std::string name)
      : size_(compressed.size()),
        owner_(std::move(owner)),
        name_(std::move(name)),
        inflater_(std::make_unique<Inflater>(compressed, ISAL_GZIP)) {}

  arrow::Result<int64_t> Read(char* out, int64_t size) override {
    int64_t total = 0;
    while (total < size) {
      int64_t count = 0;
      const int code = inflater_->Run(out + total, size - total, &count);
      if (code == ISAL_INCORRECT_CHECKSUM) return Damaged(name_, "its checksum differs");
      if (code < 0) return Damaged(name_, "its compressed bytes are not valid gzip");
      total += count;
      if (total == size) break;
      if (!inflater_->finished()) return Damaged(name_, "its compressed bytes end early");
      if (!inflater_->NextMember()) break;
    }
    produced_bytes_ += total;
    VIAND_RETURN_NOT_OK(CheckExpansion(name_, consumed_bytes(), produced_bytes_));
    return total;
  }
  int64_t consumed_bytes() const override { return size_ - inflater_->unread_bytes(); }

 private:
  const int64_t size_;
  const std::shared_ptr<const void> owner_;
  const std::string name_;
  std::unique_ptr<Inflater> inflater_;
  int64_t produced_bytes_ = 0;
};

}  // namespace

std::unique_ptr<ByteStream> MakeInflateStream(std::string_view compressed,
                                              std::shared_ptr<const void> owner,
                                              DeflateExpectation expectation) {
  return std::make_unique<DeflateStream>(compressed, std::move(owner), std::move(expectation));
}

std::unique_ptr<ByteStream> MakeStoredStream(std::string_view bytes,
                                             std::shared_ptr<const void> owner,
                                             DeflateExpectation expectation) {
  return std::make_unique<StoredStream>(bytes, std::move(owner), std::move(expectation));
}

std::unique_ptr<ByteStream> MakeGzipStream(std::string_view compressed,
                                           std::shared_ptr<const void> owner, std::string name) {
  return std::make_unique<GzipStream>(compressed, std::move(owner), std::move(name));
}

arrow::Status CheckExpansion(const std::string& name, int64_t compressed_bytes,
                             int64_t size_bytes) {
  if (size_bytes > kRatioFreeBytes &&
      size_bytes / kMaxCompressionRatio > std::max<int64_t>(compressed_bytes, 1)) {
    return MakeError(
        ErrorKind::kInput,
        fmt::format("{} looks like a zip bomb: {} bytes out of {}; the limit is {} to 1", name,
                    size_bytes, compressed_bytes, kMaxCompressionRatio));
  }
  return arrow::Status::OK();
}

}  // namespace viand::ingest
