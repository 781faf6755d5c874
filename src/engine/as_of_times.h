// Times of an as-of join as ticks of one unit, and what follows from them: how feature rows of one
// key are ordered, and which are too old. Inside of as_of_join.cc. Thread-safe once made.
#pragma once

#include <arrow/array.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <vector>

#include "src/engine/as_of_join.h"
#include "src/engine/exact_words.h"

namespace viand::engine {

/// One column of times; `Tick` is int64_t where they fit, else __int128. A null has any time. The
/// array's own words serve where they are ticks already.
template <typename Tick>
class Times {
 public:
  Times() = default;
  Times(const std::shared_ptr<arrow::Array>& array, int64_t tick_ns)
      : words_(Words::Of(array)), size_(array->length()) {
    if constexpr (std::is_same_v<Tick, int64_t>) {
      if (NanosecondsPerUnit(*array->type()) == tick_ns) data_ = words_->data();
    }
    if (data_ != nullptr) return;
    copy_ = ReadTicks<Tick>(*words_, *array->type(), array->length(), tick_ns);
    data_ = copy_.data();
  }
  Times(Times&&) noexcept = default;
  Times& operator=(Times&&) noexcept = default;

  Tick operator[](int64_t row) const { return data_[row]; }
  const Tick* begin() const { return data_; }
  const Tick* end() const { return data_ + size_; }
  int64_t size() const { return size_; }

 private:
  std::optional<Words> words_;
  std::vector<Tick> copy_;
  const Tick* data_ = nullptr;
  int64_t size_ = 0;
};

/// Times of the features, and how rows of one key are ordered.
template <typename Tick>
struct FeatureTimes {
  Times<Tick> time;
  Times<Tick> created;
  const arrow::Array* created_array = nullptr;  ///< null: none

  bool HasCreated(int64_t row) const { return created_array->IsValid(row); }

  /// Order by (ts, created, row), a null created first.
  bool Less(int64_t a, int64_t b) const {
    if (time[a] != time[b]) return time[a] < time[b];
    if (created_array != nullptr) {
      if (HasCreated(a) != HasCreated(b)) return HasCreated(b);
      if (HasCreated(a) && created[a] != created[b]) return created[a] < created[b];
    }
    return a < b;
  }
};

/// The oldest feature time that counts at t.
template <typename Tick>
class LowerBound {
 public:
  LowerBound(const AsOfOptions& options, int64_t tick_ns) : ttl_us_(options.ttl_us) {
    binds_ = options.ttl_us != 0 || !options.grid_us.empty();
    ticks_a_us_ = 1000 / tick_ns;
    for (const int64_t grid : options.grid_us) grid_.push_back(__int128{grid} * ticks_a_us_);
  }
  bool Binds() const { return binds_; }
  bool Admits(Tick time, Tick t) const {
    if (!binds_) return true;
    if (ttl_us_ != 0 && __int128{t} - time > __int128{ttl_us_} * ticks_a_us_) return false;
    if (grid_.empty()) return true;
    const auto after = std::upper_bound(grid_.begin(), grid_.end(), __int128{t});
    return after == grid_.begin() || __int128{time} >= *(after - 1);
  }

 private:
  bool binds_;
  int64_t ttl_us_;
  int64_t ticks_a_us_;
  std::vector<__int128> grid_;
};

}  // namespace viand::engine
