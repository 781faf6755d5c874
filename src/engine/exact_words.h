// Arrow columns of fixed width (integers, booleans, dates, timestamps, durations) as 64-bit words,
// without a copy where they have 64 bits already; and times of any unit as ticks of one unit, so
// that they compare without loss.
#pragma once

#include <arrow/array.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "src/common/error.h"
#include "src/common/pool_vector.h"

namespace viand::engine {

/// The words of an array, which it keeps alive. Nulls have arbitrary words. uint64 keeps its bits.
class Words {
 public:
  Words(Words&&) = default;
  Words& operator=(Words&&) = default;
  /// `array` must be of a type that HasWords accepts.
  static Words Of(std::shared_ptr<arrow::Array> array);
  int64_t operator[](int64_t row) const { return data_[row]; }
  bool IsNull(int64_t row) const { return array_->IsNull(row); }
  bool HasNulls() const { return array_->null_count() > 0; }
  const int64_t* data() const { return data_; }

 private:
  Words() = default;

  std::shared_ptr<arrow::Array> array_;
  PoolVector<int64_t> copy_;
  const int64_t* data_ = nullptr;
};

bool HasWords(const arrow::DataType& type);

/// Returns the array with dictionaries decoded; any other array as it is.
arrow::Result<std::shared_ptr<arrow::Array>> DecodeDictionary(
    const std::shared_ptr<arrow::Array>& array, arrow::MemoryPool* pool);

/// Checks that `array` is a timestamp or a date; `what` names it in the error (kInput).
arrow::Status CheckTime(const arrow::Array& array, std::string_view what);

/// Nanoseconds in a unit of a timestamp, date, duration or time-of-day type; 0 for other types.
int64_t NanosecondsPerUnit(const arrow::DataType& type);

/// The tick, in nanoseconds, in which the times of all arrays are whole numbers: 1000, or 1 where
/// one has nanoseconds.
int64_t CommonTick(const std::vector<const arrow::Array*>& arrays);

/// Tells whether all times of the array, as ticks, fit 64 bits.
bool TicksFit(const Words& words, const arrow::DataType& type, int64_t length, int64_t tick_ns);

/// Times as ticks; `Tick` is int64_t where TicksFit, else __int128. A null time is 0.
template <typename Tick>
std::vector<Tick> ReadTicks(const Words& words, const arrow::DataType& type, int64_t length,
                            int64_t tick_ns) {
  const Tick scale = NanosecondsPerUnit(type) / tick_ns;
  std::vector<Tick> ticks(length);
  const bool nulls = words.HasNulls();
  for (int64_t i = 0; i < length; ++i) {
    if (!nulls || !words.IsNull(i)) ticks[i] = Tick{words[i]} * scale;
  }
  return ticks;
}

}  // namespace viand::engine
