// A table that crosses viand's border: a stream of record batches by the Arrow C stream interface,
// the stable ABI that every Arrow library (C++ of any version, Rust, Go, pyarrow, polars, DuckDB,
// ...) reads and writes.
//
//   viand::Table features = *std::move(result);
//   ArrowArrayStream stream;
//   features.Release(&stream);                              // the caller's now
//   auto reader = arrow::ImportRecordBatchReader(&stream);  // with your own Arrow
//
// The structures below are those of the Arrow specification (The Arrow C data interface, The Arrow
// C stream interface), under the guards that it prescribes, so that this header and another
// definition of them can meet.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "viand/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};

#endif  // ARROW_C_DATA_INTERFACE

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream*, struct ArrowSchema* out);
  int (*get_next)(struct ArrowArrayStream*, struct ArrowArray* out);
  const char* (*get_last_error)(struct ArrowArrayStream*);
  void (*release)(struct ArrowArrayStream*);
  void* private_data;
};

#endif  // ARROW_C_STREAM_INTERFACE

#ifdef __cplusplus
}
#endif

namespace viand {

/// Owns a stream of record batches and releases it at the end. Move-only. Not thread-safe: one call
/// at a time. A stream is read once; who wants its rows twice keeps them.
class Table {
 public:
  /// Makes one without a stream.
  Table() = default;

  /// Takes the stream over, by the specification's move: `*stream` is marked released.
  explicit Table(ArrowArrayStream* stream) : stream_(*stream) { stream->release = nullptr; }

  Table(Table&& other) noexcept : stream_(std::exchange(other.stream_, ArrowArrayStream{})) {}
  Table& operator=(Table&& other) noexcept {
    if (this != &other) {
      Reset();
      stream_ = std::exchange(other.stream_, ArrowArrayStream{});
    }
    return *this;
  }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  ~Table() { Reset(); }

  /// Tells whether there is a stream: false by default, after a move and after Release.
  bool has_stream() const { return stream_.release != nullptr; }

  /// Moves the stream out to `*out`, whose owner must release it; leaves this without one. Without
  /// a stream `*out` is marked released.
  void Release(ArrowArrayStream* out) { *out = std::exchange(stream_, ArrowArrayStream{}); }

  /// Gives the columns, as a schema of the format "+s" that the caller must release. May be called
  /// again.
  Status GetSchema(ArrowSchema* out) {
    if (!has_stream()) return NoStream();
    return Check(stream_.get_schema(&stream_, out));
  }

  /// Gives the next record batch, which the caller must release; at the end one whose `release` is
  /// null.
  Status Next(ArrowArray* out) {
    if (!has_stream()) return NoStream();
    return Check(stream_.get_next(&stream_, out));
  }

 private:
  static Status NoStream() {
    return Status(StatusCode::kUsage, "the table has no stream: it was moved or released");
  }

  Status Check(int code) {
    if (code == 0) return Status();
    const char* reason = stream_.get_last_error(&stream_);
    return Status(StatusCode::kInput, reason != nullptr ? reason : std::strerror(code));
  }

  void Reset() {
    if (has_stream()) stream_.release(&stream_);
    stream_ = ArrowArrayStream{};
  }

  ArrowArrayStream stream_ = {};
};

}  // namespace viand
