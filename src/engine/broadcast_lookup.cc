#include "src/engine/broadcast_lookup.h"

#include <arrow/table.h>
#include <arrow/type.h>

#include <algorithm>
#include <utility>

#include "src/engine/fragment_message.h"
#include "src/engine/held_rows.h"
#include "src/engine/memory_shares.h"
#include "src/engine/plain_array.h"
#include "src/engine/prune_groups.h"
#include "src/engine/shared_pass.h"
#include "src/engine/view_columns.h"
#include "src/engine/window_lookup.h"
#include "src/expression/binder.h"

namespace viand::engine {
namespace {

using Names = std::vector<std::string>;

/// Less is sent sooner than dealt out, whatever the other side has.
constexpr int64_t kAlwaysSentBytes = 1 << 20;
/// Keys pay where the source has so many times the rows of the spine.
constexpr int64_t kRowsWorthKeys = 4;
/// What a row of the spine takes in a fragment besides its key and its features: time, row number,
/// group, order, what was found.
constexpr int64_t kSpineRowBytes = 128;
constexpr int64_t kFeatureBytes = 24;
constexpr int64_t kTimeAndRowBytes = 16;

int64_t MemoryOfTask(const ExecuteOptions& options) {
  return options.executor->MemoryBytes() / std::max(1, options.executor->Parallelism());
}

/// Bytes of a side that is small; less than 0: none is.
int64_t MostBytes(const ExecuteOptions& options) {
  if (options.broadcast_bytes != 0) return options.broadcast_bytes;
  if (!RunsElsewhere(options) || options.partitions > 0) return -1;
  return SmallBytes(MemoryOfTask(options));
}

void AddMissing(const Names& names, Names* list) {
  for (const std::string& name : names) {
    if (std::find(list->begin(), list->end(), name) == list->end()) list->push_back(name);
  }
}

/// The source as the pass would read it.
arrow::Result<OpenedScan> Pruned(const OpenedScan& source, const MapRequest& request) {
  OpenedScan scan = source;
  ScanBounds bounds{.filter = nullptr,
                    .time_column = request.time_column,
                    .range = request.range,
                    .keys = request.key_bounds};
  if (!request.filter.empty()) {
    VIAND_ASSIGN_OR_RETURN(bounds.filter, expression::ParseAndBind(
                                              request.filter, {.columns = PlainSchema(*scan.schema),
                                                               .described_as = scan.described_as}));
  }
  PruneGroups(bounds, &scan);
  return scan;
}

class Choice {
 public:
  Choice(const LookupPass& pass, const Spine& spine, const RowChunks& chunks,
         const ExecuteOptions& options)
      : pass_(pass), spine_(spine), chunks_(chunks), options_(options) {}

  arrow::Status Make(int64_t most_bytes) {
    VIAND_ASSIGN_OR_RETURN(const MapRequest request, RequestOfAll(pass_, spine_));
    VIAND_ASSIGN_OR_RETURN(const OpenedScan scan, Pruned(pass_[0]->source, request));
    VIAND_ASSIGN_OR_RETURN(const auto columns, SelectColumns(scan, request.columns));
    VIAND_ASSIGN_OR_RETURN(const auto keys, SelectColumns(scan, pass_[0]->view_keys));
    const int64_t key_bytes = RowBytes(*keys);
    const int64_t bytes = scan.RowCount() * RowBytesIn(scan, *columns);
    const bool forced = options_.broadcast_bytes > 0;
    const bool few_keys = spine_.rows * key_bytes <= most_bytes && !pass_[0]->view_keys.empty() &&
                          (forced || spine_.rows * kRowsWorthKeys <= scan.RowCount());
    const bool pays = bytes <= kAlwaysSentBytes ||
                      (!few_keys && BytesSent(bytes) <= BytesDealt(bytes, key_bytes));
    const bool broadcast = bytes <= most_bytes && RowsOfChunk() <= kMaxGatheredRows &&
                           (forced || (ChunkFits(key_bytes) && pays));
    for (OpenedLookup* opened : pass_) {
      opened->broadcast = broadcast;
      opened->wants_keys = !broadcast && few_keys;
    }
    return arrow::Status::OK();
  }

 private:
  int64_t RowsOfChunk() const { return chunks_.count == 1 ? spine_.rows : chunks_.rows_each; }

  bool ChunkFits(int64_t key_bytes) const {
    const int64_t memory = MemoryOfTask(options_);
    int64_t row_bytes = kSpineRowBytes + 2 * key_bytes;
    for (const OpenedLookup* opened : pass_)
      row_bytes += kFeatureBytes * static_cast<int64_t>(opened->lookup->output_names.size());
    return memory == 0 || RowsOfChunk() * row_bytes <= memory / kReduceShare;
  }

  /// At most to each of the tasks that run beside each other; those of a node share it.
  int64_t BytesSent(int64_t bytes) const {
    return bytes * std::min(options_.executor->Parallelism(), chunks_.count);
  }
  int64_t BytesDealt(int64_t bytes, int64_t key_bytes) const {
    return spine_.rows * (key_bytes + kTimeAndRowBytes) + bytes;
  }

  const LookupPass& pass_;
  const Spine& spine_;
  const RowChunks& chunks_;
  const ExecuteOptions& options_;
};

class BroadcastRun {
 public:
  BroadcastRun(const LookupPass& pass, const Spine& spine, const RowChunks& chunks,
               const ExecuteOptions& options)
      : pass_(pass), first_(*pass[0]), spine_(spine), chunks_(chunks), options_(options) {}

  arrow::Result<std::vector<std::vector<TableReference>>> Run() {
    VIAND_ASSIGN_OR_RETURN(const MapRequest request, RequestOfAll(pass_, spine_));
    VIAND_ASSIGN_OR_RETURN(const MapOutputs mapped,
                           RunMapStage(&pass_[0]->source, request, options_));
    const auto* as_of = std::get_if<AsOfView>(&first_.lookup->view);
    if (as_of != nullptr && mapped.partitions[0].empty())
      return std::vector<std::vector<TableReference>>{};
    BroadcastFragment prototype;
    VIAND_RETURN_NOT_OK(ScanSpine(&prototype.spine));
    if (as_of != nullptr) {
      VIAND_ASSIGN_OR_RETURN(prototype.lookup, JoinOf(*as_of, *mapped.schema));
    } else {
      prototype.lookup = WindowsOf(pass_, ViewsOf(pass_, spine_.range), mapped.schema);
    }
    std::vector<FragmentCall> calls;
    for (int chunk = 0; chunk < chunks_.count; ++chunk) {
      VIAND_ASSIGN_OR_RETURN(calls.emplace_back(), CallOf(chunk, prototype));
      std::vector<TableReference>& inputs = calls.back().inputs;
      inputs.insert(inputs.end(), mapped.partitions[0].begin(), mapped.partitions[0].end());
    }
    const OperatorKind kind = as_of != nullptr ? OperatorKind::kAsOfJoin : OperatorKind::kAggregate;
    return options_.executor->RunStage("look up " + Description(), std::move(calls),
                                       options_.progress,
                                       NewStage(options_.counters, {kind, first_.index}));
  }

 private:
  std::string Description() const {
    if (std::holds_alternative<AsOfView>(first_.lookup->view)) return DescriptionOf(*first_.lookup);
    return DescriptionOf(ViewsOf(pass_, spine_.range));
  }

  arrow::Status ScanSpine(MapFragment* scan) {
    VIAND_ASSIGN_OR_RETURN(const auto keys, SelectColumns(first_.source, first_.view_keys));
    std::vector<std::shared_ptr<arrow::DataType>> types;
    for (const auto& field : keys->fields()) types.push_back(field->type());
    VIAND_ASSIGN_OR_RETURN(const SpineKeys of_spine, KeysOf(spine_, first_.spine_keys, types));
    Names wanted = of_spine.keys;
    wanted.push_back(of_spine.time);
    Names names;
    AddMissing(wanted, &names);
    VIAND_ASSIGN_OR_RETURN(scan->columns, SelectColumns(of_spine.scan, names));
    for (const std::string& name : names)
      scan->file_columns.push_back(of_spine.scan.NameInFile(name));
    for (const std::string& name : wanted)
      scan->outputs.push_back(scan->columns->GetFieldIndex(name));
    scan->described_as = of_spine.scan.described_as;
    scan->batch_rows = options_.batch_rows;
    if (of_spine.scan.table == nullptr) return arrow::Status::OK();
    std::vector<int> positions;
    for (const std::string& name : scan->file_columns)
      positions.push_back(of_spine.scan.table->schema()->GetFieldIndex(name));
    return of_spine.scan.table->SelectColumns(positions).Value(&spine_table_);
  }

  arrow::Result<FragmentCall> CallOf(int chunk, BroadcastFragment fragment) const {
    fragment.first_row = chunk * chunks_.rows_each;
    const bool last = chunk + 1 == chunks_.count;
    fragment.rows = last ? spine_.rows - fragment.first_row : chunks_.rows_each;
    fragment.spine.first_row = fragment.first_row;
    if (auto* join = std::get_if<BroadcastJoin>(&fragment.lookup)) {
      join->gather.first_row = fragment.first_row;
      join->gather.rows = fragment.rows;
    }
    FragmentCall call;
    if (spine_table_ != nullptr) {
      VIAND_ASSIGN_OR_RETURN(auto rows, options_.executor->Put(spine_table_->Slice(
                                            fragment.first_row, fragment.rows)));
      call.inputs.push_back(std::move(rows));
    } else if (spine_.scan.held != nullptr) {
      TablesOfRows found = TablesWith(*spine_.scan.held, fragment.first_row, fragment.rows);
      fragment.spine_tables = static_cast<int>(found.tables.size());
      fragment.spine.first_row = fragment.first_row - found.skipped_rows;
      call.inputs = std::move(found.tables);
    } else {
      PartsOfRows found = PartsWith(spine_, fragment.first_row, fragment.rows);
      fragment.spine.parts = std::move(found.parts);
      fragment.spine.first_row = fragment.first_row - found.skipped_rows;
    }
    call.fragment = std::move(fragment);
    return call;
  }

  /// `features`: of the tables, whose columns are those of RequestOfAll.
  arrow::Result<BroadcastJoin> JoinOf(const AsOfView& view, const arrow::Schema& features) const {
    BroadcastJoin lookup;
    Names wanted = first_.view_keys;
    wanted.push_back(view.timestamp_column);
    if (!view.created_column.empty()) wanted.push_back(view.created_column);
    MapFragment& keys = lookup.features;
    AddMissing(wanted, &keys.file_columns);
    arrow::FieldVector fields, joined;
    for (const std::string& name : keys.file_columns)
      fields.push_back(features.GetFieldByName(name));
    keys.columns = arrow::schema(fields);
    for (const std::string& name : wanted) {
      keys.outputs.push_back(keys.columns->GetFieldIndex(name));
      joined.push_back(features.GetFieldByName(name));
    }
    keys.described_as = first_.source.described_as;
    keys.positions = true;
    joined.push_back(arrow::field("position", arrow::int32(), false));
    lookup.join = {.spine_parts = 1,
                   .feature_parts = 1,
                   .key_count = static_cast<int>(first_.view_keys.size()),
                   .features = arrow::schema(joined),
                   .has_created = !view.created_column.empty(),
                   .created_not_after = view.created_not_after,
                   .ttl_us = view.ttl_us,
                   .grid_us = view.grid_us,
                   .first_rows = {0},
                   .chunks = {}};
    GatherFragment& gather = lookup.gather;
    AddMissing(view.columns, &gather.file_columns);
    VIAND_ASSIGN_OR_RETURN(gather.columns, SelectColumns(first_.source, gather.file_columns));
    for (const std::string& name : view.columns)
      gather.outputs.push_back(gather.columns->GetFieldIndex(name));
    gather.described_as = first_.source.described_as;
    return lookup;
  }

  const LookupPass& pass_;
  const OpenedLookup& first_;
  const Spine& spine_;
  const RowChunks& chunks_;
  const ExecuteOptions& options_;
  std::shared_ptr<arrow::Table> spine_table_;  // keys and time; null: in files
};

}  // namespace

arrow::Result<MapRequest> RequestOfAll(const LookupPass& pass, const Spine& spine) {
  const OpenedLookup& first = *pass[0];
  MapRequest request;
  if (const auto* view = std::get_if<AsOfView>(&first.lookup->view)) {
    AddMissing(first.view_keys, &request.columns);
    AddMissing({view->timestamp_column}, &request.columns);
    if (!view->created_column.empty()) {
      VIAND_RETURN_NOT_OK(CheckTimeColumn(first.source, view->created_column));
      AddMissing({view->created_column}, &request.columns);
    }
    AddMissing(view->columns, &request.columns);
    request.drop_null_keys = true;
    request.filter = view->source.filter;
    request.time_column = view->timestamp_column;
    request.range = ReachOf(*view, spine.range);
  } else {
    VIAND_ASSIGN_OR_RETURN(request, SharedRequest(first.source, ViewsOf(pass, spine.range)));
  }
  request.keys = first.view_keys;  // in the order of the spine's
  request.operation = {OperatorKind::kScan, first.index};
  request.key_bounds = KeyBoundsOf(first, spine);
  return request;
}

arrow::Status ChooseBroadcasts(const std::vector<LookupPass>& passes, const Spine& spine,
                               const RowChunks& chunks, const ExecuteOptions& options) {
  const int64_t most_bytes = MostBytes(options);
  if (most_bytes < 0) return arrow::Status::OK();
  for (const LookupPass& pass : passes)
    VIAND_RETURN_NOT_OK(Choice(pass, spine, chunks, options).Make(most_bytes));
  return arrow::Status::OK();
}

arrow::Result<std::vector<std::vector<TableReference>>> RunBroadcast(
    const LookupPass& pass, const Spine& spine, const RowChunks& chunks,
    const ExecuteOptions& options) {
  return BroadcastRun(pass, spine, chunks, options).Run();
}

}  // namespace viand::engine
