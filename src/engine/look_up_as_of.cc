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
    VIAND_ASSIGN_OR_RETURN(Results gathered, Gather(mapped.slices, std::move(found)));
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
    std::vector<FragmentCall> calls;
    for (size_t p = 0; p < spine_.partitions.size(); ++p) {
      AddCalls(fragment, spine_.partitions[p], mapped->partitions[p], &calls);
      mapped->partitions[p].clear();
    }
    return RunStage("look up ", OperatorKind::kAsOfJoin, std::move(calls));
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
         fits ? std::vector<PartitionInputs>{spine} : Grouped(spine, most / 2)) {
      fragment.spine_parts = static_cast<int>(some.size());
      some.insert(some.end(), features.begin(), features.end());
      calls->push_back({fragment, std::move(some)});
    }
  }

  /// One fragment for what a map fragment read: what all partitions found in it. Several where that
  /// is too much for one, none where it is nothing.
  arrow::Result<Results> Gather(const std::vector<ScanSlice>& slices, Results found) const {
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
    const int64_t most =
        RowsPerFragmentInMemory(RowBytes(*prototype.columns) + kGatherBytes, options_);
    std::vector<FragmentCall> calls;
    for (size_t slice = 0; slice < slices.size(); ++slice) {
      PartitionInputs of_slice;
      for (auto& of_call : found) {
        if (of_call[slice]->rows() > 0) of_slice.push_back(std::move(of_call[slice]));
      }
      for (PartitionInputs& some : Grouped(of_slice, most)) {
        FragmentCall call{prototype, {}};
        std::get<GatherFragment>(call.fragment).parts = slices[slice].parts;
        if (source_->table != nullptr) {
          VIAND_ASSIGN_OR_RETURN(auto table, PutSlice(slices[slice], prototype.file_columns));
          call.inputs.push_back(std::move(table));
        }
        call.inputs.insert(call.inputs.end(), std::make_move_iterator(some.begin()),
                           std::make_move_iterator(some.end()));
        calls.push_back(std::move(call));
      }
    }
    return RunStage("gather ", OperatorKind::kGather, std::move(calls));
  }

  arrow::Result<TableReference> PutSlice(const ScanSlice& slice,
                                         const std::vector<std::string>& names) const {
    std::vector<int> positions;
    for (const std::string& name : names)
      positions.push_back(source_->table->schema()->GetFieldIndex(name));
    VIAND_ASSIGN_OR_RETURN(const auto selected, source_->table->SelectColumns(positions));
    return options_.executor->Put(selected->Slice(slice.first_row, slice.rows));
  }

  arrow::Result<Results> RunStage(const std::string& does, OperatorKind kind,
                                  std::vector<FragmentCall> calls) const {
    return options_.executor->RunStage(does + source_->described_as, std::move(calls),
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
