#include "src/engine/plan_counters.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "src/engine/key_index.h"

namespace viand::engine {
namespace {

using Tables = std::vector<std::shared_ptr<arrow::Table>>;

/// The keys of a reduce fragment: their places in the tables of its features or events, and how
/// many tables of the spine come before these.
struct ReduceKeys {
  std::vector<int> columns;
  size_t spine_parts = 0;
};

ReduceKeys KeysOf(const AsOfFragment& join) {
  std::vector<int> columns(join.key_count);
  std::iota(columns.begin(), columns.end(), 0);
  return {std::move(columns), static_cast<size_t>(join.spine_parts)};
}

ReduceKeys KeysOf(const WindowFragment& window) {
  return {window.keys, static_cast<size_t>(window.spine_parts)};
}

ReduceKeys KeysOf(const MapFragment& /*map*/) { return {}; }

ReduceKeys KeysOf(const GatherFragment& /*gather*/) { return {}; }

ReduceKeys KeysOf(const WriteFragment& /*write*/) { return {}; }

ReduceKeys KeysOf(const SnapshotFragment& /*snapshot*/) { return {}; }

ReduceKeys KeysOf(const BroadcastFragment& /*broadcast*/) { return {}; }

ReduceKeys KeysOf(const ChainFragment& /*chain*/) { return {}; }
ReduceKeys KeysOf(const ArrangeFragment& /*arrange*/) { return {}; }

/// One column of the tables from `first` on, in one piece; null where these have no rows.
arrow::Result<std::shared_ptr<arrow::Array>> ColumnOf(const Tables& tables, size_t first,
                                                      int column) {
  arrow::ArrayVector chunks;
  for (size_t i = first; i < tables.size(); ++i) {
    for (const auto& chunk : tables[i]->column(column)->chunks()) {
      if (chunk->length() > 0) chunks.push_back(chunk);
    }
  }
  if (chunks.empty()) return nullptr;
  return chunks.size() == 1 ? chunks[0] : arrow::Concatenate(chunks);
}

arrow::Result<std::string> TextOf(const arrow::ArrayVector& keys, const arrow::Schema& schema,
                                  const std::vector<int>& columns, int64_t row) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < keys.size(); ++i) {
    VIAND_ASSIGN_OR_RETURN(const auto value, keys[i]->GetScalar(row));
    texts.push_back(fmt::format("{} {}", schema.field(columns[i])->name(), value->ToString()));
  }
  return Printable(fmt::format("{}", fmt::join(texts, ", ")));
}

arrow::Result<std::vector<HeavyKey>> HeaviestOf(const ReduceKeys& keys, const Tables& inputs) {
  if (keys.columns.empty() || inputs.size() <= keys.spine_parts) return std::vector<HeavyKey>{};
  arrow::ArrayVector arrays;
  for (int column : keys.columns) {
    VIAND_ASSIGN_OR_RETURN(auto array, ColumnOf(inputs, keys.spine_parts, column));
    if (array == nullptr) return std::vector<HeavyKey>{};
    arrays.push_back(std::move(array));
  }
  VIAND_ASSIGN_OR_RETURN(const KeyIndex index, KeyIndex::Make(arrays, arrays[0]->length(), {}));
  std::vector<int64_t> rows(index.size(), 0);
  for (int32_t group : index.groups()) {
    if (group != KeyIndex::kNoGroup) ++rows[group];
  }
  // Texts are made of a few keys only; equal counts are told apart by them, so all of the last
  // count that is in stay.
  std::vector<int64_t> counts = rows;
  const size_t kept = std::min(kHeaviestKeys, counts.size());
  if (kept == 0) return std::vector<HeavyKey>{};
  std::nth_element(counts.begin(), counts.begin() + (kept - 1), counts.end(), std::greater<>());
  std::vector<HeavyKey> result;
  for (size_t group = 0; group < rows.size(); ++group) {
    if (rows[group] < counts[kept - 1] || result.size() >= 64) continue;
    VIAND_ASSIGN_OR_RETURN(auto text, TextOf(arrays, *inputs[keys.spine_parts]->schema(),
                                             keys.columns, index.first_rows()[group]));
    result.push_back({std::move(text), rows[group]});
  }
  return Heaviest(std::move(result));
}

}  // namespace

arrow::Result<std::vector<HeavyKey>> HeaviestKeys(const std::vector<int>& columns,
                                                  const Tables& tables) {
  return HeaviestOf({.columns = columns}, tables);
}

StageCounters* PlanCounters::NewStage(OperatorId operation) {
  const std::lock_guard lock(mutex_);
  return &stages_.emplace_back(operation, StageCounters{}).second;
}

std::map<OperatorId, StageCounters> PlanCounters::Total() const {
  const std::lock_guard lock(mutex_);
  std::map<OperatorId, StageCounters> total;
  for (const auto& [operation, stage] : stages_) {
    StageCounters& sum = total[operation];
    sum.run_us += stage.run_us;
    sum.fragments.insert(sum.fragments.end(), stage.fragments.begin(), stage.fragments.end());
  }
  return total;
}

StageCounters* NewStage(PlanCounters* counters, OperatorId operation) {
  return counters == nullptr ? nullptr : counters->NewStage(operation);
}

StageTimer::StageTimer(StageCounters* stage)
    : stage_(stage), start_us_(stage == nullptr ? 0 : SteadyNowUs()) {}

StageTimer::~StageTimer() {
  if (stage_ != nullptr) stage_->run_us += SteadyNowUs() - start_us_;
}

void StageTimer::Count(int64_t rows_in, int64_t rows_out, int64_t bytes_out) {
  if (stage_ == nullptr) return;
  FragmentCounters& counters = stage_->fragments.emplace_back();
  counters.rows_in = rows_in;
  counters.rows_out = rows_out;
  counters.bytes_out = bytes_out;
}

arrow::Status StageTimer::Count(int64_t rows_in, const arrow::Table& result) {
  if (stage_ == nullptr) return arrow::Status::OK();
  FragmentCounters& counters = stage_->fragments.emplace_back();
  counters.rows_in = rows_in;
  counters.rows_out = result.num_rows();
  return arrow::util::ReferencedBufferSize(result).Value(&counters.bytes_out);
}

arrow::Status StageTimer::Count(const Tables& parts, int64_t rows) {
  if (stage_ == nullptr) return arrow::Status::OK();
  FragmentCounters& counters = stage_->fragments.emplace_back();
  counters.rows_out = rows;
  for (const auto& part : parts) {
    counters.rows_in += part->num_rows();
    VIAND_ASSIGN_OR_RETURN(const int64_t bytes, arrow::util::ReferencedBufferSize(*part));
    counters.bytes_out += bytes;
  }
  return arrow::Status::OK();
}

int64_t SteadyNowUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

arrow::Status CountTables(const Fragment& fragment, const Tables& inputs, const Tables& outputs,
                          FragmentCounters* counters) {
  for (const auto& table : inputs) counters->rows_in += table->num_rows();
  // Of a table in memory it reads the rows that were found alone.
  const auto* gather = std::get_if<GatherFragment>(&fragment);
  if (gather != nullptr && gather->parts.empty()) counters->rows_in -= inputs[0]->num_rows();
  for (const auto& table : outputs) {
    counters->rows_out += table->num_rows();
    VIAND_ASSIGN_OR_RETURN(const int64_t bytes, arrow::util::ReferencedBufferSize(*table));
    counters->bytes_out += bytes;
  }
  const ReduceKeys keys = std::visit([](const auto& each) { return KeysOf(each); }, fragment);
  VIAND_ASSIGN_OR_RETURN(counters->heaviest, HeaviestOf(keys, inputs));
  return arrow::Status::OK();
}

std::vector<HeavyKey> Heaviest(std::vector<HeavyKey> keys) {
  std::sort(keys.begin(), keys.end(), [](const HeavyKey& a, const HeavyKey& b) {
    return a.rows != b.rows ? a.rows > b.rows : a.key < b.key;
  });
  if (keys.size() > kHeaviestKeys) keys.resize(kHeaviestKeys);
  return keys;
}

}  // namespace viand::engine
