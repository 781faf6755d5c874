#include "src/engine/look_up_as_of.h"

#include <arrow/table.h>
#include <arrow/type.h>

#include <algorithm>

#include "src/engine/view_columns.h"

namespace viand::engine {
namespace {

using Results = std::vector<std::vector<TableReference>>;

/// What a join holds of a row besides its columns: groups, order, what was found.
constexpr int64_t kJoinBytes = 64;
/// The same of a gather fragment: the row's number and place, in both orders.
constexpr int64_t kGatherBytes = 48;

/// Rows of the spine that are worth a fragment that joins.
constexpr int64_t kLeastJoinedRows = 256 * 1024;

/// Rows of the spine that are worth a fragment that gathers.
constexpr int64_t kLeastGatheredRows = 16 * 1024;

/// Tables that follow one another, together of at most so many rows where one has not more alone.
std::vector<PartitionInputs> Grouped(const PartitionInputs& tables, int64_t most_rows) {
  std::vector<PartitionInputs> groups;
  int64_t rows = 0;
  for (const TableReference& table : tables) {
    if (groups.empty() || rows + table->rows() > most_rows) {
      groups.emplace_back();
      rows = 0;
    }
    groups.back().push_back(table);
    rows += table->rows();
  }
  return groups;
}

class AsOfLookup {
 public:
  AsOfLookup(const AsOfView& view, const std::vector<std::string>& keys,
             const PartitionedSpine& spine, OpenedScan* source, const ExecuteOptions& options)
      : view_(view), keys_(keys), spine_(spine), source_(source), options_(options) {}

  arrow::Result<AsOfPieces> Run() {
    AsOfPieces result;
    VIAND_ASSIGN_OR_RETURN(result.columns, SelectColumns(*source_, view_.columns));
    result.chunks.resize(spine_.chunks.count);
    VIAND_ASSIGN_OR_RETURN(MapOutputs mapped, DealOut());
    if (mapped.slices.empty()) return result;
    VIAND_ASSIGN_OR_RETURN(Results found, Join(&mapped));
    VIAND_ASSIGN_OR_RETURN(Results gathered, source_->table == nullptr
                                                 ? GatherFiles(mapped.slices, std::move(found))
                                                 : GatherTable(std::move(found)));
    for (auto& outputs : gathered) {
      for (size_t chunk = 0; chunk < outputs.size(); ++chunk) {
        if (outputs[chunk]->rows() > 0) result.chunks[chunk].push_back(std::move(outputs[chunk]));
      }
    }
    return result;
  }

 private:
  arrow::Result<MapOutputs> DealOut() {
    MapRequest request;
    request.columns = keys_;
    request.columns.push_back(view_.timestamp_column);
    if (!view_.created_column.empty()) {
      VIAND_RETURN_NOT_OK(CheckTimeColumn(*source_, view_.created_column));
      request.columns.push_back(view_.created_column);
    }
    request.keys = keys_;
    request.drop_null_keys = true;
    request.filter = view_.source.filter;
    request.time_column = view_.timestamp_column;
    request.operation = {OperatorKind::kScan, spine_.lookup};
    request.range = ReachOf(view_, spine_.range);
    request.key_bounds = spine_.key_bounds;
    request.wanted_keys = spine_.wanted_keys;
    request.positions = true;
    request.partitions = static_cast<int>(spine_.partitions.size());
    return RunMapStage(source_, request, options_);
  }

  /// One fragment a partition: the spine's part, then the features'.
  arrow::Result<Results> Join(MapOutputs* mapped) const {
    AsOfFragment fragment;
    fragment.spine_parts = static_cast<int>(spine_.partitions[0].size());
    fragment.feature_parts = static_cast<int>(mapped->slices.size());
    fragment.key_count = static_cast<int>(keys_.size());
    fragment.features = mapped->schema;
    fragment.has_created = !view_.created_column.empty();
    fragment.created_not_after = view_.created_not_after;
    fragment.ttl_us = view_.ttl_us;
    fragment.grid_us = view_.grid_us;
    if (source_->table != nullptr) {
      for (const ScanSlice& slice : mapped->slices) fragment.first_rows.push_back(slice.first_row);
      fragment.chunks = GatheredChunks();
    }
    std::vector<FragmentCall> calls;
    for (size_t p = 0; p < spine_.partitions.size(); ++p) {
      AddCalls(fragment, spine_.partitions[p], mapped->partitions[p], &calls);
      mapped->partitions[p].clear();
    }
    return RunStage("look up ", OperatorKind::kAsOfJoin, std::move(calls));
  }

  /// A heavy key makes a partition of more of the spine than a core's share of all: it is cut, so
  /// that one fragment is not the whole job. Each takes all of the partition's features, so a cut
  /// has as many rows of the spine as these are.
  int64_t RowsWorthACall(int64_t feature_rows) const {
    const int64_t share = spine_.rows / std::max(1, options_.executor->Parallelism());
    return std::max({2 * share, feature_rows, kLeastJoinedRows});
  }

  /// One call where the partition fits; else several, each with some of the spine's rows, that take
  /// the features a few at a time: no key has too many rows.
  void AddCalls(AsOfFragment fragment, const PartitionInputs& spine,
                const PartitionInputs& features, std::vector<FragmentCall>* calls) const {
    const int64_t most =
        RowsPerFragmentInMemory(RowBytes(*fragment.features) + kJoinBytes, options_);
    const bool fits = RowsOf(spine) <= most - std::min(most, RowsOf(features));
    if (!fits) fragment.batch_rows = std::max<int64_t>(most / 2, 1);
    for (PartitionInputs& some :
         Grouped(spine, fits ? RowsWorthACall(RowsOf(features)) : most / 2)) {
      fragment.spine_parts = static_cast<int>(some.size());
      some.insert(some.end(), features.begin(), features.end());
      calls->push_back({fragment, std::move(some)});
    }
  }

  /// Rows of the spine that are gathered from a table at a time: as many as are put together, or
  /// fewer where cores would have nothing to do.
  RowChunks GatheredChunks() const {
    const int64_t pieces = 2 * std::max(1, options_.executor->Parallelism());
    const int64_t even = std::max(spine_.rows / pieces + 1, kLeastGatheredRows);
    const int64_t at_a_time = std::min(spine_.rows_at_a_time, even);
    // What is put together is then a whole piece, or a part of one.
    const int64_t times = spine_.rows / at_a_time / kMaxRowChunks + 1;
    const int64_t rows = std::max<int64_t>(spine_.rows, 1);
    return {.rows_each = at_a_time * times,
            .count = static_cast<int>((rows - 1) / (at_a_time * times) + 1)};
  }

  arrow::Result<GatherFragment> GatherPrototype() const {
    GatherFragment prototype;
    std::vector<std::string> names;
    for (const std::string& name : view_.columns) {
      const auto known = std::find(names.begin(), names.end(), name);
      prototype.outputs.push_back(static_cast<int>(known - names.begin()));
      if (known == names.end()) names.push_back(name);
    }
    VIAND_ASSIGN_OR_RETURN(prototype.columns, SelectColumns(*source_, names));
    for (const std::string& name : names)
      prototype.file_columns.push_back(source_->NameInFile(name));
    prototype.described_as = source_->described_as;
    prototype.batch_rows = options_.batch_rows;
    prototype.chunks = spine_.chunks;
    return prototype;
  }

  /// One fragment for what a map fragment read: what all partitions found in it. Several where that
  /// is too much for one, none where it is nothing. Each reads all of it again, so where an
  /// executor can put on disk what memory does not hold, there are no more than cores.
  arrow::Result<Results> GatherFiles(const std::vector<ScanSlice>& slices, Results found) const {
    VIAND_ASSIGN_OR_RETURN(const GatherFragment prototype, GatherPrototype());
    const int64_t fit =
        RowsPerFragmentInMemory(RowBytesIn(*source_, *prototype.columns) + kGatherBytes, options_);
    const auto cores = static_cast<int64_t>(std::max(1, options_.executor->Parallelism()));
    const bool here = options_.executor->StoragePath().empty();
    std::vector<FragmentCall> calls;
    for (size_t slice = 0; slice < slices.size(); ++slice) {
      PartitionInputs in_slice = FoundIn(slice, &found);
      const int64_t even =
          RowsOf(in_slice) / std::max<int64_t>(1, cores / static_cast<int64_t>(slices.size())) + 1;
      for (PartitionInputs& some : Grouped(in_slice, here ? std::max(fit, even) : fit)) {
        FragmentCall call{prototype, std::move(some)};
        std::get<GatherFragment>(call.fragment).parts = slices[slice].parts;
        calls.push_back(std::move(call));
      }
    }
    return RunStage("gather ", OperatorKind::kGather, std::move(calls));
  }

  /// One fragment a chunk of the spine, none where nothing was found for it.
  arrow::Result<Results> GatherTable(Results found) const {
    VIAND_ASSIGN_OR_RETURN(GatherFragment fragment, GatherPrototype());
    std::vector<int> positions;
    for (const std::string& name : fragment.file_columns)
      positions.push_back(source_->table->schema()->GetFieldIndex(name));
    VIAND_ASSIGN_OR_RETURN(const auto selected, source_->table->SelectColumns(positions));
    VIAND_ASSIGN_OR_RETURN(const auto table, options_.executor->Put(selected));
    const RowChunks chunks = GatheredChunks();
    std::vector<FragmentCall> calls;
    for (int chunk = 0; chunk < chunks.count; ++chunk) {
      PartitionInputs of_chunk = FoundIn(chunk, &found);
      if (of_chunk.empty()) continue;
      fragment.first_row = chunk * chunks.rows_each;
      fragment.rows = std::min(chunks.rows_each, spine_.rows - fragment.first_row);
      of_chunk.insert(of_chunk.begin(), table);
      calls.push_back({fragment, std::move(of_chunk)});
    }
    return RunStage("gather ", OperatorKind::kGather, std::move(calls));
  }

  /// What all calls of the join have in one of their outputs.
  static PartitionInputs FoundIn(size_t output, Results* found) {
    PartitionInputs tables;
    for (auto& of_call : *found) {
      if (of_call[output]->rows() > 0) tables.push_back(std::move(of_call[output]));
    }
    return tables;
  }

  arrow::Result<Results> RunStage(const std::string& does, OperatorKind kind,
                                  std::vector<FragmentCall> calls) const {
    return options_.executor->RunStage(does + view_.described_as, std::move(calls),
                                       options_.progress,
                                       NewStage(options_.counters, {kind, spine_.lookup}));
  }

  const AsOfView& view_;
  const std::vector<std::string>& keys_;
  const PartitionedSpine& spine_;
  OpenedScan* const source_;
  const ExecuteOptions& options_;
};

}  // namespace

arrow::Result<AsOfPieces> LookUpAsOf(const AsOfView& view, const std::vector<std::string>& keys,
                                     const PartitionedSpine& spine, OpenedScan* source,
                                     const ExecuteOptions& options) {
  return AsOfLookup(view, keys, spine, source, options).Run();
}

}  // namespace viand::engine
