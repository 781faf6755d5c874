#include "src/engine/sliding_aggregates.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_generate.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "src/engine/exact_integer.h"
#include "src/engine/exact_sum.h"
#include "src/engine/window_extremes.h"

namespace viand::engine {
namespace {

using expression::AggregateFunction;
using ArrayResult = arrow::Result<std::shared_ptr<arrow::Array>>;
using unsigned_wide = unsigned __int128;

/// The calls over one window: spans that several functions share.
struct Window {
  const Spans* spans;
  std::shared_ptr<arrow::Buffer> validity;  // bits: sets with rows; null: all have
  int64_t empty = 0;                        // sets without rows
};

/// Values of fixed width, one a set.
template <typename T>
struct Output {
  std::shared_ptr<arrow::Buffer> buffer;
  T* data = nullptr;

  static arrow::Result<Output> Make(int64_t sets, arrow::MemoryPool* pool) {
    Output out;
    VIAND_ASSIGN_OR_RETURN(out.buffer, arrow::AllocateBuffer(sets * sizeof(T), pool));
    out.data = reinterpret_cast<T*>(out.buffer->mutable_data());
    return out;
  }
};

/// Values by position, where windows look for them again and again: neighbours in time are
/// neighbours in memory.
template <typename T>
class ByPosition {
 public:
  explicit ByPosition(PoolVector<T> values) : own_(std::move(values)), values_(own_.data()) {}
  ByPosition(const T* by_row, const Spans& spans) : values_(by_row) {
    if (spans.rows == nullptr) return;
    own_.resize(spans.positions);
    for (int64_t position = 0; position < spans.positions; ++position)
      own_[position] = by_row[(*spans.rows)[position]];
    values_ = own_.data();
  }

  ByPosition(const ByPosition&) = delete;
  ByPosition& operator=(const ByPosition&) = delete;

  T operator[](int64_t position) const { return values_[position]; }

 private:
  PoolVector<T> own_;
  const T* values_ = nullptr;
};

/// emit(window, set, sum of value_at(position)) for every set; `Unsigned` has room for each sum,
/// and may wrap between.
template <typename Unsigned, typename ValueAt, typename Emit>
void EmitSums(const std::vector<const Spans*>& windows, const Sets& sets, ValueAt&& value_at,
              Emit&& emit) {
  PoolVector<Unsigned> before;  // sums of the segment's rows before each
  for (int64_t segment = 0; segment < sets.segments(); ++segment) {
    const int64_t first_set = sets.begin[segment], end_set = sets.begin[segment + 1];
    if (first_set == end_set) continue;
    const auto [first, last] = ReachOf(windows, first_set, end_set);
    const auto rows = static_cast<size_t>(last - first);
    if (before.size() <= rows) before.resize(rows + rows / 2 + 64);
    Unsigned sum = 0;
    before[0] = 0;
    for (int32_t position = first; position < last; ++position) {
      sum += static_cast<Unsigned>(value_at(position));
      before[position - first + 1] = sum;
    }
    for (size_t window = 0; window < windows.size(); ++window) {
      const int32_t* begins = windows[window]->begin.data();
      const int32_t* ends = windows[window]->end->data();
      for (int64_t set = first_set; set < end_set; ++set)
        emit(window, set, before[ends[set] - first] - before[begins[set] - first]);
    }
  }
}

/// Calls over the same values, each result made when its function's turn comes.
class Slider {
 public:
  Slider(const std::vector<SlidingCall>& calls, AggregateValues* values, const Sets& sets,
         const AggregateContext& context)
      : calls_(calls), values_(values), sets_(sets), context_(context), results_(calls.size()) {}

  std::vector<ArrayResult> Run() {
    const arrow::Status status = RunAll();
    std::vector<ArrayResult> out;
    for (auto& result : results_) {
      if (result)
        out.push_back(std::move(*result));
      else
        out.emplace_back(status.ok() ? arrow::Status::Invalid("a call was not computed") : status);
    }
    return out;
  }

 private:
  arrow::Status RunAll() {
    for (const SlidingCall& call : calls_) VIAND_RETURN_NOT_OK(AddWindow(*call.spans));
    for (size_t call = 0; call < calls_.size(); ++call) {
      const AggregateFunction function = calls_[call].call->function;
      if (function == AggregateFunction::kCount) results_[call] = Count(*calls_[call].spans);
      if (function == AggregateFunction::kFirst || function == AggregateFunction::kLast)
        results_[call] = End(*calls_[call].spans, function == AggregateFunction::kFirst);
    }
    VIAND_RETURN_NOT_OK(Sums());
    return FindExtremes();
  }

  arrow::Status AddWindow(const Spans& spans) {
    if (windows_.contains(&spans)) return arrow::Status::OK();
    Window window{.spans = &spans};
    for (int64_t set = 0; set < sets_.size(); ++set) window.empty += spans.size(set) == 0 ? 1 : 0;
    if (window.empty > 0) {
      VIAND_ASSIGN_OR_RETURN(window.validity,
                             arrow::AllocateEmptyBitmap(sets_.size(), context_.pool));
      int64_t set = 0;
      arrow::internal::GenerateBitsUnrolled(window.validity->mutable_data(), 0, sets_.size(),
                                            [&] { return spans.size(set++) > 0; });
    }
    windows_.emplace(&spans, std::move(window));
    return arrow::Status::OK();
  }

  /// The calls of some functions by their spans, in the order of the calls.
  struct PerSpans {
    const Spans* spans;
    std::vector<size_t> calls;
  };
  template <typename Wanted>
  std::vector<PerSpans> CallsOf(Wanted&& wanted) const {
    std::vector<PerSpans> out;
    for (size_t call = 0; call < calls_.size(); ++call) {
      if (!wanted(calls_[call].call->function)) continue;
      const auto known = std::find_if(out.begin(), out.end(), [&](const PerSpans& some) {
        return some.spans == calls_[call].spans;
      });
      if (known != out.end())
        known->calls.push_back(call);
      else
        out.push_back({calls_[call].spans, {call}});
    }
    return out;
  }

  template <typename T>
  std::shared_ptr<arrow::Array> Finished(const std::shared_ptr<arrow::DataType>& type,
                                         const Output<T>& output, const Spans& spans) const {
    const Window& window = windows_.at(&spans);
    return arrow::MakeArray(
        arrow::ArrayData::Make(type, sets_.size(), {window.validity, output.buffer}, window.empty));
  }

  ArrayResult Count(const Spans& spans) const {
    VIAND_ASSIGN_OR_RETURN(const auto out, Output<int64_t>::Make(sets_.size(), context_.pool));
    if (context_.tallies == nullptr)
      for (int64_t set = 0; set < sets_.size(); ++set) out.data[set] = spans.size(set);
    else
      CountTallied(spans, out.data);
    return std::make_shared<arrow::Int64Array>(sets_.size(), out.buffer);
  }

  /// How many rows those of every set stand for.
  void CountTallied(const Spans& spans, int64_t* counts) const {
    PoolVector<int64_t> before(spans.positions + 1);
    before[0] = 0;
    for (int64_t position = 0; position < spans.positions; ++position)
      before[position + 1] = before[position] + context_.tallies->CountAt(spans.RowAt(position));
    for (int64_t set = 0; set < sets_.size(); ++set)
      counts[set] = before[(*spans.end)[set]] - before[spans.begin[set]];
  }

  /// The first or the last value of every set.
  ArrayResult End(const Spans& spans, bool first) {
    VIAND_ASSIGN_OR_RETURN(const auto positions,
                           Output<int32_t>::Make(sets_.size(), context_.pool));
    for (int64_t set = 0; set < sets_.size(); ++set)
      positions.data[set] = first ? spans.begin[set] : (*spans.end)[set] - 1;
    return ValuesAt(positions, spans);
  }

  /// The value at the position of every set that has rows; what others have does not matter.
  ArrayResult ValuesAt(const Output<int32_t>& positions, const Spans& spans) {
    const auto& array = values_->array();
    const int64_t sets = sets_.size();
    if (windows_.at(&spans).empty == sets)
      return arrow::MakeArrayOfNull(array->type(), sets, context_.pool);
    if (HasWordsOf64Bits()) {
      VIAND_ASSIGN_OR_RETURN(const auto out, Output<int64_t>::Make(sets, context_.pool));
      const ByPosition<int64_t>& values = WordsByPosition(spans);
      for (int64_t set = 0; set < sets; ++set)
        out.data[set] = spans.size(set) == 0 ? 0 : values[positions.data[set]];
      return Finished(array->type(), out, spans);
    }
    VIAND_ASSIGN_OR_RETURN(const auto rows, Output<int32_t>::Make(sets, context_.pool));
    for (int64_t set = 0; set < sets; ++set) {
      const bool none = spans.size(set) == 0;
      rows.data[set] = none ? 0 : static_cast<int32_t>(spans.RowAt(positions.data[set]));
    }
    arrow::compute::ExecContext exec(context_.pool);
    VIAND_ASSIGN_OR_RETURN(
        const arrow::Datum taken,
        arrow::compute::Take(array, Finished(arrow::int32(), rows, spans),
                             arrow::compute::TakeOptions::NoBoundsCheck(), &exec));
    return taken.make_array();
  }

  bool HasWordsOf64Bits() const {
    const auto& type = *values_->array()->type();
    return arrow::is_primitive(type.id()) && type.byte_width() == 8;
  }

  /// The bits of values of 64 bits; all spans of one slider are over the same rows.
  const ByPosition<int64_t>& WordsByPosition(const Spans& spans) {
    if (!words_) words_.emplace(values_->array()->data()->GetValues<int64_t>(1), spans);
    return *words_;
  }

  /// What orders the values, made once for the least and the greatest; `words` of types other than
  /// double.
  const ByPosition<int64_t>& KeysByPosition(const int64_t* words, const Spans& spans) {
    if (keys_) return *keys_;
    if (!values_->IsDouble()) return keys_.emplace(words, spans);
    const ByPosition<int64_t>& bits = WordsByPosition(spans);
    PoolVector<int64_t> keys(spans.positions);
    for (int64_t position = 0; position < spans.positions; ++position)
      keys[position] = OrderKey(std::bit_cast<double>(bits[position]));
    return keys_.emplace(std::move(keys));
  }

  /// Windows that end alike are looked through together, for their least and greatest values.
  arrow::Status FindExtremes() {
    std::vector<PerSpans> left = CallsOf([](AggregateFunction each) {
      return each == AggregateFunction::kMin || each == AggregateFunction::kMax;
    });
    if (left.empty()) return arrow::Status::OK();
    const int64_t* words = nullptr;
    if (!values_->IsDouble()) {
      VIAND_ASSIGN_OR_RETURN(words, values_->OrderKeys());
    }
    while (!left.empty()) {
      const auto* ends = left[0].spans->end.get();
      const auto alike = std::stable_partition(left.begin(), left.end(), [&](const PerSpans& some) {
        return some.spans->end.get() != ends;
      });
      const std::vector<PerSpans> together(alike, left.end());
      left.erase(alike, left.end());
      VIAND_RETURN_NOT_OK(ExtremesOf(together, words));
    }
    return arrow::Status::OK();
  }

  arrow::Status ExtremesOf(const std::vector<PerSpans>& together, const int64_t* words) {
    std::vector<const Spans*> windows;
    std::map<std::pair<size_t, AggregateFunction>, Output<int32_t>> positions;
    ExtremePositions found;
    bool least = false, greatest = false;
    for (size_t i = 0; i < together.size(); ++i) {
      windows.push_back(together[i].spans);
      for (const size_t call : together[i].calls) {
        Output<int32_t>& out = positions[{i, calls_[call].call->function}];
        if (out.data != nullptr) continue;
        VIAND_ASSIGN_OR_RETURN(out, Output<int32_t>::Make(sets_.size(), context_.pool));
      }
      const auto of = [&](AggregateFunction function) {
        const auto known = positions.find({i, function});
        return known == positions.end() ? nullptr : known->second.data;
      };
      found.least.push_back(of(AggregateFunction::kMin));
      found.greatest.push_back(of(AggregateFunction::kMax));
      least |= found.least.back() != nullptr;
      greatest |= found.greatest.back() != nullptr;
    }
    const ByPosition<int64_t>& keys = KeysByPosition(words, *windows[0]);
    const auto key_at = [&](int64_t position) { return keys[position]; };
    if (least && greatest)
      engine::FindExtremes<true, true>(windows, sets_, key_at, found);
    else if (least)
      engine::FindExtremes<true, false>(windows, sets_, key_at, found);
    else
      engine::FindExtremes<false, true>(windows, sets_, key_at, found);
    for (size_t i = 0; i < together.size(); ++i) {
      std::map<AggregateFunction, ArrayResult> results;
      for (const size_t call : together[i].calls) {
        const AggregateFunction function = calls_[call].call->function;
        if (!results.contains(function)) {
          results.emplace(function, ValuesAt(positions.at({i, function}), *together[i].spans));
        }
        results_[call] = results.at(function);
      }
    }
    return arrow::Status::OK();
  }

  /// Sums and means of the same spans are those of one sum.
  struct SumOutputs {
    std::optional<Output<double>> sum, mean;  // of doubles; mean also of integers
    std::optional<Output<int64_t>> integer;
    std::optional<int64_t> overflow;  // the first set whose sum exceeds bigint
  };

  arrow::Status Sums() {
    const std::vector<PerSpans> groups = CallsOf([](AggregateFunction function) {
      return function == AggregateFunction::kSum || function == AggregateFunction::kAvg;
    });
    if (groups.empty()) return arrow::Status::OK();
    std::vector<const Spans*> windows;
    std::vector<SumOutputs> outputs;
    for (const PerSpans& group : groups) {
      windows.push_back(group.spans);
      SumOutputs& made = outputs.emplace_back();
      for (const size_t call : group.calls) {
        const bool mean = calls_[call].call->function == AggregateFunction::kAvg;
        if (!mean && !values_->IsDouble()) {
          VIAND_ASSIGN_OR_RETURN(made.integer, Output<int64_t>::Make(sets_.size(), context_.pool));
        } else {
          std::optional<Output<double>>& out = mean ? made.mean : made.sum;
          VIAND_ASSIGN_OR_RETURN(out, Output<double>::Make(sets_.size(), context_.pool));
        }
      }
    }
    if (context_.tallies != nullptr)
      SumTallied(windows, &outputs);
    else if (values_->IsDouble())
      SumDoubles(windows, &outputs);
    else
      SumIntegers(windows, &outputs);
    for (size_t i = 0; i < groups.size(); ++i) {
      for (const size_t call : groups[i].calls)
        results_[call] = SumResult(calls_[call], outputs[i]);
    }
    return arrow::Status::OK();
  }

  ArrayResult SumResult(const SlidingCall& call, const SumOutputs& outputs) const {
    if (call.call->function == AggregateFunction::kAvg)
      return Finished(arrow::float64(), *outputs.mean, *call.spans);
    if (outputs.sum) return Finished(arrow::float64(), *outputs.sum, *call.spans);
    if (outputs.overflow) return SumOverflow(*call.call, *outputs.overflow, sets_, context_);
    return Finished(arrow::int64(), *outputs.integer, *call.spans);
  }

  void SumIntegers(const std::vector<const Spans*>& windows, std::vector<SumOutputs>* outputs) {
    const ByPosition<int64_t> integers(values_->Integers(), *windows[0]);
    EmitSums<unsigned_wide>(
        windows, sets_, [&](int64_t position) { return __int128{integers[position]}; },
        [&](size_t window, int64_t set, unsigned_wide sum) {
          EmitInteger(static_cast<__int128>(sum), windows[window]->size(set), set,
                      &(*outputs)[window]);
        });
  }

  /// The sums of rows that stand for others, too.
  void SumTallied(const std::vector<const Spans*>& windows, std::vector<SumOutputs>* outputs) {
    const RowTallies& tallies = *context_.tallies;
    PoolVector<int64_t> counts(sets_.size());
    for (size_t window = 0; window < windows.size(); ++window) {
      const Spans& spans = *windows[window];
      SumOutputs& out = (*outputs)[window];
      CountTallied(spans, counts.data());
      if (values_->IsDouble()) {
        SlideExactly(spans, &tallies, counts.data(), out);
        continue;
      }
      const int64_t* integers = values_->Integers();
      EmitSums<unsigned_wide>(
          {&spans}, sets_,
          [&](int64_t position) {
            const int64_t row = spans.RowAt(position);
            const Tally* tally = tallies.At(row);
            return integers[row] + (tally == nullptr ? __int128{0} : tally->integers);
          },
          [&](size_t, int64_t set, unsigned_wide sum) {
            EmitInteger(static_cast<__int128>(sum), counts[set], set, &out);
          });
    }
  }

  static void EmitInteger(__int128 sum, int64_t count, int64_t set, SumOutputs* out) {
    if (out->integer) {
      out->integer->data[set] = static_cast<int64_t>(sum);
      if (sum != static_cast<int64_t>(sum) && !out->overflow) out->overflow = set;
    }
    if (out->mean) out->mean->data[set] = MeanOf(sum, count, 0);
  }

  static double MeanOf(__int128 sum, int64_t count, int unit) {
    return count == 0 ? 0.0 : RoundRatio(sum, count, unit);
  }

  // Doubles are summed as integers in units of the lowest bit that any of them has, where their
  // range allows it (it does for usual data); else by ExactSum. All are exact, so the choice does
  // not show.
  void SumDoubles(const std::vector<const Spans*>& windows, std::vector<SumOutputs>* outputs) {
    int64_t longest = 0;
    for (const Spans* spans : windows) {
      for (int64_t set = 0; set < sets_.size(); ++set)
        longest = std::max(longest, spans->size(set));
    }
    const auto& fixed = values_->Fixed();
    const int bits =
        fixed ? fixed->bits + static_cast<int>(std::bit_width(static_cast<uint64_t>(longest))) : 0;
    if (!fixed || bits > 126)
      SumExactly(windows, outputs);
    else if (bits <= 63)
      SumFixed<int64_t, uint64_t>(windows, fixed->unit, outputs);
    else
      SumFixed<__int128, unsigned_wide>(windows, fixed->unit, outputs);
  }

  template <typename Integer, typename Unsigned>
  void SumFixed(const std::vector<const Spans*>& windows, int unit,
                std::vector<SumOutputs>* outputs) {
    const ByPosition<int64_t>& bits = WordsByPosition(*windows[0]);
    // Far from the ends of the range a power of two scales exactly.
    const bool scales = sizeof(Integer) == sizeof(int64_t) && unit > -900 && unit < 800;
    const double scale = scales ? std::ldexp(1.0, unit) : 0;
    EmitSums<Unsigned>(
        windows, sets_,
        [&](int64_t position) {
          return ToFixed<Integer>(std::bit_cast<double>(bits[position]), unit);
        },
        [&](size_t window, int64_t set, Unsigned unsigned_sum) {
          SumOutputs& out = (*outputs)[window];
          const auto sum = static_cast<Integer>(unsigned_sum);
          if (out.sum) {
            out.sum->data[set] =
                scales ? static_cast<double>(sum) * scale : RoundRatio(sum, 1, unit);
          }
          if (out.mean) out.mean->data[set] = MeanOf(sum, windows[window]->size(set), unit);
        });
  }

  void SumExactly(const std::vector<const Spans*>& windows, std::vector<SumOutputs>* outputs) {
    PoolVector<int64_t> counts(sets_.size());
    for (size_t window = 0; window < windows.size(); ++window) {
      for (int64_t set = 0; set < sets_.size(); ++set) counts[set] = windows[window]->size(set);
      SlideExactly(*windows[window], nullptr, counts.data(), (*outputs)[window]);
    }
  }

  void SlideExactly(const Spans& spans, const RowTallies* tallies, const int64_t* counts,
                    const SumOutputs& out) {
    const double* doubles = values_->Doubles();
    const auto tally_of = [&](int64_t row) { return tallies ? tallies->At(row) : nullptr; };
    ExactSum sum;
    for (int64_t segment = 0; segment < sets_.segments(); ++segment) {
      sum.Clear();
      Slide(
          spans, sets_, segment,
          [&](int64_t row) {
            sum.Add(doubles[row]);
            if (const Tally* tally = tally_of(row)) sum.Merge(tally->sum);
          },
          [&](int64_t row) {
            sum.Subtract(doubles[row]);
            if (const Tally* tally = tally_of(row)) sum.Unmerge(tally->sum);
          },
          [&](int64_t set) {
            const int64_t count = counts[set];
            if (out.sum) out.sum->data[set] = count == 0 ? 0.0 : sum.Round();
            if (out.mean) out.mean->data[set] = count == 0 ? 0.0 : sum.RoundMean(count);
          });
    }
  }

  const std::vector<SlidingCall>& calls_;
  AggregateValues* const values_;
  const Sets& sets_;
  const AggregateContext& context_;
  std::map<const Spans*, Window> windows_;
  std::optional<ByPosition<int64_t>> words_;
  std::optional<ByPosition<int64_t>> keys_;
  std::vector<std::optional<ArrayResult>> results_;
};

}  // namespace

bool SlidesOverSpans(AggregateFunction function) {
  switch (function) {
    case AggregateFunction::kCount:
    case AggregateFunction::kSum:
    case AggregateFunction::kAvg:
    case AggregateFunction::kMin:
    case AggregateFunction::kMax:
    case AggregateFunction::kFirst:
    case AggregateFunction::kLast:
      return true;
    default:
      return false;
  }
}

std::vector<ArrayResult> AggregateSpans(const std::vector<SlidingCall>& calls,
                                        AggregateValues* values, const Sets& sets,
                                        const AggregateContext& context) {
  return Slider(calls, values, sets, context).Run();
}

}  // namespace viand::engine
