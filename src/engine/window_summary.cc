#include "src/engine/window_summary.h"

#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "src/engine/aggregate_call.h"
#include "src/engine/aggregate_function.h"
#include "src/engine/hyperloglog.h"
#include "src/engine/row_order.h"

namespace viand::engine {
namespace {

using expression::AggregateCall;
using expression::AggregateFunction;
using Column = std::shared_ptr<arrow::Array>;

/// More rows of last_n would not make a summary.
constexpr int64_t kMostLastRows = 4096;
/// A key with fewer rows keeps all of them: what they add would take more.
constexpr int64_t kLeastSummarized = 8;

TalliedRows RowsOf(const WindowSpec& spec, const AggregateCall& call) {
  return {.filter = spec.filter, .where = call.where, .argument = call.argument};
}

template <typename Visit>
void ForEachCall(const WindowSpec& spec, Visit&& visit) {
  for (const WindowFeature& feature : spec.features) {
    for (const auto& call : feature.aggregation.calls) visit(*call);
  }
  if (!spec.having) return;
  for (const auto& call : spec.having->calls) visit(*call);
}

class Summarizer {
 public:
  Summarizer(SortedEvents* events, const std::vector<WindowSpec>& specs)
      : events_(*events),
        specs_(specs),
        tallied_(TalliedRowsOf(specs)),
        rows_(static_cast<int64_t>(events->all().time.size())),
        keep_(rows_, 0) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Run() {
    for (const WindowSpec& spec : specs_) {
      arrow::Status status;
      ForEachCall(spec, [&](const AggregateCall& call) {
        if (status.ok() && Merges(call)) status = Keep(RowsOf(spec, call), call);
      });
      VIAND_RETURN_NOT_OK(status);
    }
    for (const TalliedRows& rows : tallied_) VIAND_RETURN_NOT_OK(KeepOne(rows));
    KeepRowsOfSmallKeys();
    PoolVector<int32_t> kept;
    for (int64_t row = 0; row < rows_; ++row) {
      if (keep_[row] != 0) kept.push_back(static_cast<int32_t>(row));
    }
    VIAND_ASSIGN_OR_RETURN(const auto rows, events_.RowsAt(kept));
    arrow::ArrayVector columns = rows->columns();
    for (const TalliedRows& each : tallied_) {
      VIAND_ASSIGN_OR_RETURN(columns.emplace_back(), TallyColumn(each));
    }
    return arrow::RecordBatch::Make(SummarySchema(*rows->schema(), tallied_.size()),
                                    rows->num_rows(), std::move(columns));
  }

 private:
  struct Chosen {
    PoolVector<uint8_t> has;            // by row: it passes, and has a value
    AggregateValues* values = nullptr;  // of the argument; null: of count(*)
  };

  arrow::Status Narrow(const expression::ExpressionPtr& condition, PoolVector<uint8_t>* has) {
    if (condition == nullptr) return arrow::Status::OK();
    VIAND_ASSIGN_OR_RETURN(AggregateValues * holds, events_.values()->Of(*condition));
    const int64_t* words = holds->Integers();
    for (int64_t row = 0; row < rows_; ++row)
      (*has)[row] &= static_cast<uint8_t>(words[row] != 0 && !holds->IsNull(row));
    return arrow::Status::OK();
  }

  arrow::Result<const Chosen*> Choose(const TalliedRows& rows) {
    std::unique_ptr<Chosen>& chosen = chosen_[rows.Name()];
    if (chosen) return chosen.get();
    auto made = std::make_unique<Chosen>(Chosen{.has = PoolVector<uint8_t>(rows_, 1)});
    VIAND_RETURN_NOT_OK(Narrow(rows.filter, &made->has));
    VIAND_RETURN_NOT_OK(Narrow(rows.where, &made->has));
    if (rows.argument != nullptr) {
      VIAND_ASSIGN_OR_RETURN(made->values, events_.values()->Of(*rows.argument));
      for (int64_t row = 0; made->values->HasNulls() && row < rows_; ++row)
        made->has[row] &= static_cast<uint8_t>(!made->values->IsNull(row));
    }
    chosen = std::move(made);
    return chosen.get();
  }

  /// Visits the chosen rows of every key: start(), visit(row)..., end().
  template <typename Start, typename Visit, typename End>
  void ForEachKey(const Chosen& chosen, Start&& start, Visit&& visit, End&& end) {
    const EventRuns& all = events_.all();
    for (int64_t key = 0; key < all.keys(); ++key) {
      start();
      for (int32_t row = all.begin[key]; row < all.begin[key + 1]; ++row) {
        if (chosen.has[row] != 0) visit(row);
      }
      end();
    }
  }

  /// Keeps of every key the chosen row that none beats; better(a, b): a, which is later, beats b.
  template <typename Better>
  void KeepBest(const Chosen& chosen, Better&& better) {
    int32_t best = -1;
    ForEachKey(
        chosen, [&] { best = -1; },
        [&](int32_t row) { best = best < 0 || better(row, best) ? row : best; },
        [&] {
          if (best >= 0) keep_[best] = 1;
        });
  }

  arrow::Status Keep(const TalliedRows& rows, const AggregateCall& call) {
    VIAND_ASSIGN_OR_RETURN(const Chosen* chosen, Choose(rows));
    switch (call.function) {
      case AggregateFunction::kMin:
      case AggregateFunction::kMax: {
        VIAND_ASSIGN_OR_RETURN(const int64_t* keys, chosen->values->OrderKeys());
        const bool greatest = call.function == AggregateFunction::kMax;
        KeepBest(*chosen, [&](int32_t a, int32_t b) {
          return greatest ? keys[a] > keys[b] : keys[a] < keys[b];
        });
        return arrow::Status::OK();
      }
      case AggregateFunction::kFirst:
      case AggregateFunction::kLast:
      case AggregateFunction::kLastN:
        return KeepByOrder(*chosen, call);
      case AggregateFunction::kAny:
      case AggregateFunction::kAll: {
        // The first that decides, or else any.
        const int64_t decisive = call.function == AggregateFunction::kAny ? 1 : 0;
        const int64_t* words = chosen->values->Integers();
        const auto decides = [&](int32_t row) { return (words[row] != 0) == (decisive != 0); };
        KeepBest(*chosen, [&](int32_t a, int32_t b) { return decides(a) && !decides(b); });
        return arrow::Status::OK();
      }
      case AggregateFunction::kApproxCountDistinct:
        return KeepMarks(*chosen);
      default:
        return arrow::Status::OK();  // tallies do
    }
  }

  arrow::Status KeepByOrder(const Chosen& chosen, const AggregateCall& call) {
    const bool first = call.function == AggregateFunction::kFirst;
    if (call.function == AggregateFunction::kLastN) return KeepLast(chosen, call);
    if (call.order_by == nullptr) {
      KeepBest(chosen, [&](int32_t, int32_t) { return !first; });
      return arrow::Status::OK();
    }
    VIAND_ASSIGN_OR_RETURN(AggregateValues * by, events_.values()->Of(*call.order_by));
    VIAND_ASSIGN_OR_RETURN(const RowOrder order, RowOrder::Make(first, by));
    KeepBest(chosen, [&](int32_t a, int32_t b) {
      return first ? order(a) < order(b) : !(order(a) < order(b));
    });
    return arrow::Status::OK();
  }

  arrow::Status KeepLast(const Chosen& chosen, const AggregateCall& call) {
    std::optional<RowOrder> order;
    if (call.order_by != nullptr) {
      VIAND_ASSIGN_OR_RETURN(AggregateValues * by, events_.values()->Of(*call.order_by));
      VIAND_ASSIGN_OR_RETURN(order, RowOrder::Make(false, by));
    }
    const auto after = [&](int32_t a, int32_t b) {
      if (!order) return a > b;
      return std::pair((*order)(a), a) > std::pair((*order)(b), b);
    };
    PoolVector<int32_t> rows;
    ForEachKey(
        chosen, [&] { rows.clear(); }, [&](int32_t row) { rows.push_back(row); },
        [&] {
          const auto count = std::min(static_cast<size_t>(call.count), rows.size());
          const auto end = rows.begin() + static_cast<std::ptrdiff_t>(count);
          if (count < rows.size()) std::nth_element(rows.begin(), end, rows.end(), after);
          std::for_each(rows.begin(), end, [&](int32_t row) { keep_[row] = 1; });
        });
    return arrow::Status::OK();
  }

  /// Of each register of a sketch the first row that raises it most.
  arrow::Status KeepMarks(const Chosen& chosen) {
    VIAND_ASSIGN_OR_RETURN(const auto marks, HyperLogLogMarksOf(chosen.values));
    VIAND_ASSIGN_OR_RETURN(const PoolVector<int32_t>* codes, chosen.values->Codes());
    std::map<int32_t, std::pair<int32_t, int32_t>> best;  // by register: rank, row
    ForEachKey(
        chosen, [&] { best.clear(); },
        [&](int32_t row) {
          const HyperLogLogMark mark = marks[(*codes)[row]];
          auto& [rank, at] = best[mark.register_index];
          if (mark.rank > rank) std::tie(rank, at) = std::pair(mark.rank, row);
        },
        [&] {
          for (const auto& [register_index, rank_row] : best) keep_[rank_row.second] = 1;
        });
    return arrow::Status::OK();
  }

  /// What is tallied goes along with a row that is kept.
  arrow::Status KeepOne(const TalliedRows& rows) {
    VIAND_ASSIGN_OR_RETURN(const Chosen* chosen, Choose(rows));
    KeepBest(*chosen, [&](int32_t, int32_t b) { return keep_[b] == 0; });
    return arrow::Status::OK();
  }

  void KeepRowsOfSmallKeys() {
    const EventRuns& all = events_.all();
    for (int64_t key = 0; key < all.keys(); ++key) {
      const auto first = keep_.begin() + all.begin[key], last = keep_.begin() + all.begin[key + 1];
      const auto kept = std::count(first, last, uint8_t{1});
      if (last - first < kLeastSummarized || 2 * kept > last - first) std::fill(first, last, 1);
    }
  }

  arrow::Result<Column> TallyColumn(const TalliedRows& rows) {
    VIAND_ASSIGN_OR_RETURN(const Chosen* chosen, Choose(rows));
    const RowTallies* known = events_.TalliesOf(rows);
    arrow::BinaryBuilder out(events_.pool());
    const EventRuns& all = events_.all();
    for (int64_t key = 0; key < all.keys(); ++key) {
      int32_t carrier = -1;
      Tally left_out;
      for (int32_t row = all.begin[key]; row < all.begin[key + 1]; ++row) {
        if (chosen->has[row] == 0) continue;
        if (keep_[row] != 0) {
          carrier = row;
          continue;
        }
        left_out.AddRow(rows, chosen->values, row);
        if (const Tally* of_row = known ? known->At(row) : nullptr) left_out.Merge(*of_row);
      }
      for (int32_t row = all.begin[key]; row < all.begin[key + 1]; ++row) {
        if (keep_[row] == 0) continue;
        const Tally* of_row = known ? known->At(row) : nullptr;
        if (row == carrier && left_out.count > 0) {
          if (of_row != nullptr) left_out.Merge(*of_row);
          VIAND_RETURN_NOT_OK(out.Append(left_out.Serialize()));
        } else {
          VIAND_RETURN_NOT_OK(of_row ? out.Append(of_row->Serialize()) : out.AppendNull());
        }
      }
    }
    return out.Finish();
  }

  SortedEvents& events_;
  const std::vector<WindowSpec>& specs_;
  const std::vector<TalliedRows> tallied_;
  const int64_t rows_;
  PoolVector<uint8_t> keep_;  // by row, in the order of the events
  std::map<std::string, std::unique_ptr<Chosen>> chosen_;
};

}  // namespace

bool Merges(const AggregateCall& call) {
  if (!call.per_keys.empty() || HasGap(call)) return false;
  switch (call.function) {
    case AggregateFunction::kCountDistinct:
    case AggregateFunction::kQuantile:
    case AggregateFunction::kMode:
      return false;
    case AggregateFunction::kLastN:
      return call.count <= kMostLastRows;
    default:
      return true;
  }
}

std::vector<TalliedRows> TalliedRowsOf(const std::vector<WindowSpec>& specs) {
  std::vector<TalliedRows> all;
  const auto add = [&](TalliedRows rows) {
    const auto same = std::find_if(all.begin(), all.end(), [&](const TalliedRows& known) {
      return known.Name() == rows.Name();
    });
    if (same == all.end()) {
      all.push_back(std::move(rows));
    } else {
      same->sums |= rows.sums;
      same->squares |= rows.squares;
    }
  };
  for (const WindowSpec& spec : specs) {
    add({.filter = spec.filter});  // a window of the view has rows or none
    ForEachCall(spec, [&](const AggregateCall& call) {
      if (!Merges(call)) return;
      TalliedRows rows = RowsOf(spec, call);
      rows.squares =
          call.function == AggregateFunction::kVar || call.function == AggregateFunction::kStddev;
      rows.sums = rows.squares || call.function == AggregateFunction::kSum ||
                  call.function == AggregateFunction::kAvg;
      if (rows.sums || call.function == AggregateFunction::kCount) add(std::move(rows));
    });
  }
  return all;
}

std::shared_ptr<arrow::Schema> SummarySchema(const arrow::Schema& events, size_t tallied) {
  arrow::FieldVector fields = events.fields();
  for (size_t i = 0; i < tallied; ++i)
    fields.push_back(arrow::field("tally " + std::to_string(i), arrow::binary()));
  return arrow::schema(std::move(fields));
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> Summarize(SortedEvents* events,
                                                             const std::vector<WindowSpec>& specs) {
  return Summarizer(events, specs).Run();
}

}  // namespace viand::engine
