#include "src/engine/window_aggregate.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/builder.h>
#include <arrow/compute/api_scalar.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/exec.h>
#include <arrow/compute/initialize.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_generate.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "src/engine/aggregate_call.h"
#include "src/engine/exact_words.h"
#include "src/engine/function_calls.h"
#include "src/engine/key_runs.h"
#include "src/engine/window_spans.h"
#include "src/expression/batch_evaluator.h"

namespace viand::engine {
namespace {

using Column = std::shared_ptr<arrow::Array>;
using ArrayResult = arrow::Result<Column>;

// Features come in pieces of at most so many rows, so that they lie in blocks where events were
// (partition_blocks.h): a map fragment of 1 Mi rows deals a little more than that to each of 77
// partitions.
constexpr int64_t kMostPieceRows = 13 * 1024;

// The sets of rows asked for: t of each, ascending within a key; a last segment, of no key, for
// rows that match none.
struct Times {
  Sets sets;
  PoolVector<int64_t> time;        // 0 where null
  int64_t unit_ns = 1000;          // of `time`
  std::vector<bool> is_null = {};  // in the last segment only; empty: none is

  void EndSegment() {
    sets.key.push_back(static_cast<int32_t>(sets.segments()));
    sets.begin.push_back(static_cast<int64_t>(time.size()));
  }
};

// The microsecond that a time is in.
__int128 MicrosecondOf(int64_t time, int64_t unit_ns) {
  if (unit_ns >= 1000) return __int128{time} * (unit_ns / 1000);
  const int64_t units = 1000 / unit_ns;
  return time / units - (time % units < 0 ? 1 : 0);
}

class WindowAggregator {
 public:
  WindowAggregator(SortedEvents* events, const WindowSpec& spec) : events_(*events), spec_(spec) {}

  // Takes the view's rows of the events.
  arrow::Status Select() {
    if (!spec_.filter) return arrow::Status::OK();
    VIAND_ASSIGN_OR_RETURN(own_runs_, events_.Passing(*spec_.filter));
    runs_ = &own_runs_;
    return arrow::Status::OK();
  }

  // Which sets are rows: those with an event in the view's window, for which `having` holds. From
  // then on Features is asked of these sets alone.
  arrow::Result<std::vector<bool>> Exist(const Times& times) {
    const Spans spans = SpansIn(times, spec_.existence, nullptr);
    std::vector<bool> exist(times.sets.size());
    for (size_t set = 0; set < exist.size(); ++set) exist[set] = spans.size(set) > 0;
    existing_ = KeepSets(spans, exist);
    if (!spec_.having) return exist;
    // `having` is asked only of sets that have events.
    const Times some = Keep(times, exist);
    CallEvaluator calls = Calls(some);
    Announce(*spec_.having, spec_.existence, &calls);
    VIAND_ASSIGN_OR_RETURN(const Column column,
                           Result(*spec_.having, spec_.existence, some, &calls));
    const auto& holds = static_cast<const arrow::BooleanArray&>(*column);
    std::vector<bool> kept(holds.length());
    int64_t next = 0;
    for (size_t set = 0; set < exist.size(); ++set) {
      if (!exist[set]) continue;
      exist[set] = kept[next] = holds.IsValid(next) && holds.Value(next);
      ++next;
    }
    existing_ = KeepSets(*existing_, kept);
    return exist;
  }

  // The sets for which keep holds.
  static Times Keep(const Times& times, const std::vector<bool>& keep) {
    Times out{.unit_ns = times.unit_ns};
    out.time.reserve(times.time.size());
    out.sets.begin.reserve(times.sets.begin.size());
    out.sets.key.reserve(times.sets.key.size());
    for (int64_t segment = 0; segment < times.sets.segments(); ++segment) {
      for (int64_t set = times.sets.begin[segment]; set < times.sets.begin[segment + 1]; ++set) {
        if (!keep[set]) continue;
        out.time.push_back(times.time[set]);
        if (!times.is_null.empty()) out.is_null.push_back(times.is_null[set]);
      }
      out.EndSegment();
    }
    return out;
  }

  // One column a feature, one row a set.
  arrow::Result<std::vector<Column>> Features(const Times& times) {
    CallEvaluator calls = Calls(times);
    for (const WindowFeature& feature : spec_.features)
      Announce(feature.aggregation, feature.window, &calls);
    std::optional<FunctionCalls> functions;
    std::vector<Column> columns;
    for (const WindowFeature& feature : spec_.features) {
      if (feature.function != nullptr) {
        if (!functions) {
          VIAND_ASSIGN_OR_RETURN(Column as_of, AsOf(times));
          functions.emplace(&events_, spec_, times.sets, std::move(as_of));
        }
        VIAND_ASSIGN_OR_RETURN(const Column values,
                               functions->Evaluate(feature, [&](const TimeWindow& window) {
                                 return SpansIn(times, window, nullptr);
                               }));
        VIAND_ASSIGN_OR_RETURN(columns.emplace_back(), WithDefault(values, feature));
        continue;
      }
      arrow::Result<Column> column = Result(feature.aggregation, feature.window, times, &calls);
      if (!column.ok()) return WithContext(column.status(), "feature " + feature.name + ": ");
      VIAND_ASSIGN_OR_RETURN(columns.emplace_back(), WithDefault(*column, feature));
    }
    return columns;
  }

 private:
  Spans SpansIn(const Times& times, const TimeWindow& window, const Spans* like) const {
    if (existing_ && window == spec_.existence) return *existing_;
    if (existing_ && like == nullptr && !spec_.existence.following) like = &*existing_;
    return SpansOf(*runs_, times.sets, times.time, window,
                   {.set_ns = times.unit_ns, .event_ns = events_.unit_ns()}, like);
  }

  CallEvaluator Calls(const Times& times) {
    AggregateContext context{
        .pool = pool_,
        .name_key = [this](int32_t key) { return events_.NameKey(key); },
        .tallies_of =
            [this](const expression::AggregateCall& call) {
              return events_.TalliesOf(
                  {.filter = spec_.filter, .where = call.where, .argument = call.argument});
            }};
    return CallEvaluator(events_.values(), times.sets, std::move(context),
                         [this, &times](const TimeWindow& window, const Spans* like) {
                           return SpansIn(times, window, like);
                         });
  }

  static void Announce(const expression::Aggregation& aggregation, const TimeWindow& window,
                       CallEvaluator* calls) {
    for (const auto& call : aggregation.calls) calls->Announce(*call, window);
  }

  ArrayResult Result(const expression::Aggregation& aggregation, const TimeWindow& window,
                     const Times& times, CallEvaluator* calls) {
    std::vector<Column> columns;
    for (const auto& call : aggregation.calls) {
      VIAND_ASSIGN_OR_RETURN(columns.emplace_back(), calls->Evaluate(*call, window));
    }
    const expression::Expression& result = *aggregation.result;
    if (result.kind == expression::ExpressionKind::kColumn) return columns[result.column_index];
    const auto batch =
        arrow::RecordBatch::Make(aggregation.call_schema, times.sets.size(), std::move(columns));
    VIAND_ASSIGN_OR_RETURN(const Column as_of, AsOf(times));
    return expression::EvaluateBatch(*aggregation.result, *batch, as_of, pool_);
  }

  // as_of is the microsecond that t is in.
  ArrayResult AsOf(const Times& times) const {
    arrow::TimestampBuilder out(arrow::timestamp(arrow::TimeUnit::MICRO), pool_);
    VIAND_RETURN_NOT_OK(out.Reserve(times.sets.size()));
    for (size_t set = 0; set < times.time.size(); ++set) {
      if (!times.is_null.empty() && times.is_null[set])
        out.UnsafeAppendNull();
      else
        out.UnsafeAppend(static_cast<int64_t>(MicrosecondOf(times.time[set], times.unit_ns)));
    }
    return out.Finish();
  }

  ArrayResult WithDefault(const Column& column, const WindowFeature& feature) const {
    if (!feature.default_value || column->null_count() == 0) return column;
    std::shared_ptr<arrow::Scalar> value = feature.default_value;
    if (!value->type->Equals(*column->type())) {
      VIAND_ASSIGN_OR_RETURN(const arrow::Datum cast, arrow::compute::Cast(value, column->type()));
      value = cast.scalar();
    }
    arrow::compute::ExecContext exec(pool_);
    VIAND_ASSIGN_OR_RETURN(const arrow::Datum filled,
                           arrow::compute::CallFunction("coalesce", {column, value}, &exec));
    return filled.make_array();
  }

  SortedEvents& events_;
  const WindowSpec& spec_;
  arrow::MemoryPool* const pool_ = events_.pool();
  EventRuns own_runs_;  // where the spec has a filter
  const EventRuns* runs_ = &events_.all();
  std::optional<Spans> existing_;  // of the view's window, in the sets that Exist left
};

// Puts columns of 8 bytes a value into another order. Columns that share the bits of their validity
// do so again.
class Gather {
 public:
  Gather(const arrow::Array& order, arrow::MemoryPool* pool)
      : rows_(order.data()->GetValues<int32_t>(1)), length_(order.length()), pool_(pool) {}

  static bool Takes(const arrow::Array& column, const arrow::Array& order) {
    return order.type_id() == arrow::Type::INT32 && column.offset() == 0 &&
           arrow::is_primitive(column.type_id()) && column.type()->bit_width() == 64;
  }

  ArrayResult Take(const arrow::Array& column) {
    VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> buffer,
                           arrow::AllocateBuffer(length_ * sizeof(int64_t), pool_));
    auto* out = reinterpret_cast<int64_t*>(buffer->mutable_data());
    const auto* values = column.data()->GetValues<int64_t>(1);
    for (int64_t i = 0; i < length_; ++i) out[i] = values[rows_[i]];
    Validity validity;
    if (column.null_count() > 0) {
      VIAND_ASSIGN_OR_RETURN(validity, ValidityOf(*column.null_bitmap()));
    }
    return arrow::MakeArray(
        arrow::ArrayData::Make(column.type(), length_, {validity.bits, buffer}, validity.nulls));
  }

 private:
  struct Validity {
    std::shared_ptr<arrow::Buffer> bits;
    int64_t nulls = 0;
  };

  arrow::Result<Validity> ValidityOf(const arrow::Buffer& bits) {
    const auto known = validity_.find(bits.data());
    if (known != validity_.end()) return known->second;
    Validity out;
    VIAND_ASSIGN_OR_RETURN(out.bits, arrow::AllocateEmptyBitmap(length_, pool_));
    int64_t i = 0;
    arrow::internal::GenerateBitsUnrolled(out.bits->mutable_data(), 0, length_, [&] {
      const bool valid = arrow::bit_util::GetBit(bits.data(), rows_[i++]);
      out.nulls += valid ? 0 : 1;
      return valid;
    });
    if (out.nulls == 0) out.bits = nullptr;
    return validity_.emplace(bits.data(), std::move(out)).first->second;
  }

  const int32_t* const rows_;
  const int64_t length_;
  arrow::MemoryPool* const pool_;
  std::map<const uint8_t*, Validity> validity_;  // by the bits that it was made of
};

ArrayResult TakeFrom(const Column& column, const Column& rows, arrow::MemoryPool* pool) {
  arrow::compute::ExecContext exec(pool);
  VIAND_ASSIGN_OR_RETURN(
      const arrow::Datum taken,
      arrow::compute::Take(column, rows, arrow::compute::TakeOptions::NoBoundsCheck(), &exec));
  return taken.make_array();
}

// Every cutoff for every key.
Times GridTimes(int64_t keys, const std::vector<int64_t>& cutoffs_us) {
  Times times;
  times.time.reserve(keys * cutoffs_us.size());
  for (int64_t key = 0; key < keys; ++key) {
    times.time.insert(times.time.end(), cutoffs_us.begin(), cutoffs_us.end());
    times.EndSegment();
  }
  return times;
}

struct GridOrder {
  Column sets;  // rows of the result -> sets
  Column keys;  // rows of the result -> event rows that show the key
  Column timestamp;
};

arrow::Result<GridOrder> OrderGrid(const Times& times, const KeyIndex& index,
                                   const std::vector<int64_t>& cutoffs_us,
                                   arrow::MemoryPool* pool) {
  arrow::Int64Builder sets(pool), keys(pool);
  arrow::TimestampBuilder stamps(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), pool);
  PoolVector<int64_t> next(times.sets.begin.begin(), times.sets.begin.end() - 1);
  for (const int64_t cutoff : cutoffs_us) {
    for (int64_t key = 0; key < index.size(); ++key) {
      int64_t& set = next[key];
      if (set == times.sets.begin[key + 1] || times.time[set] != cutoff) continue;
      VIAND_RETURN_NOT_OK(sets.Append(set));
      VIAND_RETURN_NOT_OK(keys.Append(index.first_rows()[key]));
      VIAND_RETURN_NOT_OK(stamps.Append(cutoff));
      ++set;
    }
  }
  GridOrder order;
  VIAND_ASSIGN_OR_RETURN(order.sets, sets.Finish());
  VIAND_ASSIGN_OR_RETURN(order.keys, keys.Finish());
  VIAND_ASSIGN_OR_RETURN(order.timestamp, stamps.Finish());
  return order;
}

// A spine's rows as sets, one each.
struct SpineTimes {
  Times times;
  PoolVector<int32_t> rows;  // of each set
};

// Where a time is not a whole number of microseconds away, as_of is: it must be one.
arrow::Status CheckMicroseconds(const Words& time, int64_t rows, int64_t unit_ns) {
  if (unit_ns <= 1000) return arrow::Status::OK();
  for (int64_t row = 0; row < rows; ++row) {
    const __int128 us = MicrosecondOf(time[row], unit_ns);
    if (us == static_cast<int64_t>(us) || time.IsNull(row)) continue;
    return MakeError(ErrorKind::kInput, "the spine's timestamp in row " + std::to_string(row) +
                                            " does not fit timestamp[us]");
  }
  return arrow::Status::OK();
}

arrow::Result<SpineTimes> MakeSpineTimes(const KeyIndex& index, const std::vector<Column>& keys,
                                         const Column& time) {
  const int64_t rows = time->length();
  VIAND_ASSIGN_OR_RETURN(PoolVector<int32_t> group, index.Find(keys, rows));
  SpineTimes out;
  out.times.unit_ns = NanosecondsPerUnit(*time->type());
  const Words words = Words::Of(time);
  VIAND_RETURN_NOT_OK(CheckMicroseconds(words, rows, out.times.unit_ns));
  // Rows that can match nothing (an unknown or null key, a null time) form a segment of their own
  // behind the keys.
  const auto none = static_cast<int32_t>(index.size());
  const bool nulls = time->null_count() > 0;
  for (int64_t row = 0; row < rows; ++row) {
    if (group[row] < 0 || (nulls && time->IsNull(row))) group[row] = none;
  }
  KeyRuns runs = KeyRuns::Make(group, index.size() + 1, words.data(), [](int64_t) { return true; });
  out.times.sets.begin.assign(runs.begin.begin(), runs.begin.end());
  out.times.sets.key.resize(index.size() + 1);
  std::iota(out.times.sets.key.begin(), out.times.sets.key.end(), 0);
  out.times.time = std::move(runs.time);
  out.rows = std::move(runs.rows);
  if (nulls) {
    out.times.is_null.resize(rows);
    for (int64_t set = 0; set < rows; ++set) out.times.is_null[set] = time->IsNull(out.rows[set]);
  }
  return out;
}

// The rows that are kept, ascending, and where each is among the sets that are.
struct SpineOrder {
  Column rows;
  Column sets;
};

arrow::Result<SpineOrder> OrderSpine(const SpineTimes& spine, const std::vector<bool>* keep,
                                     arrow::MemoryPool* pool) {
  const auto size = static_cast<int64_t>(spine.rows.size());
  PoolVector<int32_t> set_of_row(size, -1);
  int32_t kept = 0;
  for (int64_t set = 0; set < size; ++set) {
    if (keep == nullptr || (*keep)[set]) set_of_row[spine.rows[set]] = kept++;
  }
  VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> rows,
                         arrow::AllocateBuffer(kept * sizeof(int64_t), pool));
  VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> sets,
                         arrow::AllocateBuffer(kept * sizeof(int32_t), pool));
  auto* row_at = reinterpret_cast<int64_t*>(rows->mutable_data());
  auto* set_at = reinterpret_cast<int32_t*>(sets->mutable_data());
  for (int64_t row = 0; row < size; ++row) {
    if (set_of_row[row] < 0) continue;
    *row_at++ = row;
    *set_at++ = set_of_row[row];
  }
  return SpineOrder{std::make_shared<arrow::Int64Array>(kept, rows),
                    std::make_shared<arrow::Int32Array>(kept, sets)};
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> FeatureBatch(
    const WindowSpec& spec, const std::vector<Column>& columns, const Column& order,
    arrow::FieldVector fields, std::vector<Column> leading, arrow::MemoryPool* pool) {
  Gather gather(*order, pool);
  for (size_t i = 0; i < columns.size(); ++i) {
    fields.push_back(arrow::field(spec.features[i].name, columns[i]->type()));
    VIAND_ASSIGN_OR_RETURN(leading.emplace_back(), Gather::Takes(*columns[i], *order)
                                                       ? gather.Take(*columns[i])
                                                       : TakeFrom(columns[i], order, pool));
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), order->length(),
                                  std::move(leading));
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::RecordBatch>> AggregateAtGrid(
    SortedEvents* events, const std::vector<std::string>& key_names,
    const std::vector<int64_t>& cutoffs_us, const WindowSpec& spec) {
  const std::vector<Column>& keys = events->events().keys;
  if (key_names.size() != keys.size()) {
    return arrow::Status::Invalid(key_names.size(), " names for ", keys.size(), " keys");
  }
  if (!std::is_sorted(cutoffs_us.begin(), cutoffs_us.end())) {
    return arrow::Status::Invalid("cutoffs are not ascending");
  }
  if (spec.absent != AbsentRows::kLeaveOut) {
    return arrow::Status::Invalid("a grid has only rows that exist: absent rows are kLeaveOut");
  }
  const auto cutoffs = static_cast<int64_t>(cutoffs_us.size());
  if (cutoffs > 0 && events->keys().size() > kMostSets / cutoffs) {
    return TooLargePartition(
        std::to_string(events->keys().size()) + " keys at " + std::to_string(cutoffs) + " times",
        kMostSets);
  }
  WindowAggregator aggregator(events, spec);
  VIAND_RETURN_NOT_OK(aggregator.Select());
  Times times = GridTimes(events->keys().size(), cutoffs_us);
  VIAND_ASSIGN_OR_RETURN(const std::vector<bool> exist, aggregator.Exist(times));
  times = WindowAggregator::Keep(times, exist);
  VIAND_ASSIGN_OR_RETURN(const std::vector<Column> columns, aggregator.Features(times));
  arrow::MemoryPool* pool = events->pool();
  VIAND_ASSIGN_OR_RETURN(const GridOrder order, OrderGrid(times, events->keys(), cutoffs_us, pool));
  arrow::FieldVector fields;
  std::vector<Column> leading;
  for (size_t i = 0; i < key_names.size(); ++i) {
    fields.push_back(arrow::field(key_names[i], keys[i]->type()));
    VIAND_ASSIGN_OR_RETURN(leading.emplace_back(), TakeFrom(keys[i], order.keys, pool));
  }
  fields.push_back(arrow::field("event_timestamp", order.timestamp->type()));
  leading.push_back(order.timestamp);
  return FeatureBatch(spec, columns, order.sets, std::move(fields), std::move(leading), pool);
}

arrow::Result<std::vector<SpineFeatures>> AggregateAtSpine(SortedEvents* events,
                                                           const std::vector<Column>& spine_keys,
                                                           const Column& spine_time,
                                                           const WindowSpec& spec) {
  VIAND_RETURN_NOT_OK(CheckTime(*spine_time, "the spine's timestamp"));
  if (spec.absent == AbsentRows::kLeaveOut) {
    return arrow::Status::Invalid("at a spine every row stays: absent rows are kNull or kCompute");
  }
  if (spine_time->length() > kMostSets) {
    return TooLargePartition(std::to_string(spine_time->length()) + " spine rows", kMostSets);
  }
  WindowAggregator aggregator(events, spec);
  VIAND_RETURN_NOT_OK(aggregator.Select());
  VIAND_ASSIGN_OR_RETURN(SpineTimes spine, MakeSpineTimes(events->keys(), spine_keys, spine_time));
  std::optional<std::vector<bool>> exist;
  if (spec.absent == AbsentRows::kNull) {
    VIAND_ASSIGN_OR_RETURN(exist, aggregator.Exist(spine.times));
    spine.times = WindowAggregator::Keep(spine.times, *exist);
  }
  VIAND_ASSIGN_OR_RETURN(const SpineOrder order,
                         OrderSpine(spine, exist ? &*exist : nullptr, events->pool()));
  VIAND_ASSIGN_OR_RETURN(const std::vector<Column> columns, aggregator.Features(spine.times));
  std::vector<SpineFeatures> pieces;
  const int64_t rows = order.rows->length();
  const int64_t count = std::max<int64_t>((rows + kMostPieceRows - 1) / kMostPieceRows, 1);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t first = rows * i / count, length = rows * (i + 1) / count - first;
    SpineFeatures& piece = pieces.emplace_back();
    piece.rows = order.rows->Slice(first, length);
    const Column sets = order.sets->Slice(first, length);
    VIAND_ASSIGN_OR_RETURN(piece.features,
                           FeatureBatch(spec, columns, sets, {}, {}, events->pool()));
  }
  return pieces;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> AggregateAtGrid(
    const EventRows& events, const std::vector<std::string>& key_names,
    const std::vector<int64_t>& cutoffs_us, const WindowSpec& spec, arrow::MemoryPool* pool) {
  VIAND_RETURN_NOT_OK(arrow::compute::Initialize());
  VIAND_ASSIGN_OR_RETURN(const auto sorted, SortedEvents::Make(events, pool));
  return AggregateAtGrid(sorted.get(), key_names, cutoffs_us, spec);
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> AggregateAtSpine(
    const EventRows& events, const std::vector<Column>& spine_keys, const Column& spine_time,
    const WindowSpec& spec, arrow::MemoryPool* pool) {
  VIAND_RETURN_NOT_OK(arrow::compute::Initialize());
  VIAND_RETURN_NOT_OK(CheckTime(*spine_time, "the spine's timestamp"));
  VIAND_ASSIGN_OR_RETURN(const auto sorted, SortedEvents::Make(events, pool));
  VIAND_ASSIGN_OR_RETURN(const auto pieces,
                         AggregateAtSpine(sorted.get(), spine_keys, spine_time, spec));
  PoolVector<int64_t> place(spine_time->length(), -1);
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  int64_t next = 0;
  for (const SpineFeatures& piece : pieces) {
    const auto& rows = static_cast<const arrow::Int64Array&>(*piece.rows);
    for (int64_t i = 0; i < rows.length(); ++i) place[rows.Value(i)] = next++;
    batches.push_back(piece.features);
  }
  VIAND_ASSIGN_OR_RETURN(const auto table, arrow::Table::FromRecordBatches(batches));
  VIAND_ASSIGN_OR_RETURN(const auto some, table->CombineChunksToBatch(sorted->pool()));
  if (next == spine_time->length()) return some;
  arrow::Int64Builder places(sorted->pool());
  for (const int64_t i : place) {
    VIAND_RETURN_NOT_OK(i < 0 ? places.AppendNull() : places.Append(i));
  }
  VIAND_ASSIGN_OR_RETURN(const Column order, places.Finish());
  return FeatureBatch(spec, some->columns(), order, {}, {}, sorted->pool());
}

}  // namespace viand::engine
