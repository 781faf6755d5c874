#include "src/engine/execute_as_of.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include <algorithm>
#include <limits>

#include "src/engine/as_of_fold.h"
#include "src/engine/as_of_merge.h"
#include "src/engine/gather_table.h"
#include "src/engine/partition_inputs.h"

namespace viand::engine {
namespace {

/// One table (row number, position) a part of the features: the rows that were found in it, in the
/// order of the spine's. All are slices of the same two columns.
arrow::Result<Tables> DealOutFound(const arrow::Array& spine_rows, const PoolVector<int64_t>& found,
                                   int parts, arrow::MemoryPool* pool) {
  std::vector<int64_t> ends(parts + 1, 0);  // of part p at p + 1; at p while rows are dealt out
  for (const int64_t place : found) {
    if (place >= 0) ++ends[PartOf(place) + 1];
  }
  for (int part = 0; part < parts; ++part) ends[part + 1] += ends[part];
  const int64_t count = ends.back();
  VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> rows,
                         arrow::AllocateBuffer(count * sizeof(int64_t), pool));
  VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> positions,
                         arrow::AllocateBuffer(count * sizeof(int32_t), pool));
  auto* to_row = reinterpret_cast<int64_t*>(rows->mutable_data());
  auto* to_position = reinterpret_cast<int32_t*>(positions->mutable_data());
  const auto* row_numbers = spine_rows.data()->GetValues<int64_t>(1);
  for (size_t i = 0; i < found.size(); ++i) {
    if (found[i] < 0) continue;
    const int64_t at = ends[PartOf(found[i])]++;
    to_row[at] = row_numbers[i];
    to_position[at] = PositionOf(found[i]);
  }
  const arrow::Int64Array all_rows(count, rows);
  const arrow::Int32Array all_positions(count, positions);
  Tables tables;
  for (int part = 0; part < parts; ++part) {
    const int64_t first = part == 0 ? 0 : ends[part - 1];
    const int64_t length = ends[part] - first;
    tables.push_back(arrow::Table::Make(
        FoundSchema(),
        arrow::ArrayVector{all_rows.Slice(first, length), all_positions.Slice(first, length)}));
  }
  return tables;
}

/// One table (row number, row of the table) a chunk of the spine.
arrow::Result<Tables> DealOutFoundInTable(const arrow::Array& spine_rows,
                                          const PoolVector<int64_t>& found,
                                          const AsOfFragment& join, arrow::MemoryPool* pool) {
  VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> rows,
                         arrow::AllocateBuffer(found.size() * sizeof(int64_t), pool));
  VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> table_rows,
                         arrow::AllocateBuffer(found.size() * sizeof(int64_t), pool));
  auto* to_row = reinterpret_cast<int64_t*>(rows->mutable_data());
  auto* to_table_row = reinterpret_cast<int64_t*>(table_rows->mutable_data());
  const auto* row_numbers = spine_rows.data()->GetValues<int64_t>(1);
  int64_t count = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    if (found[i] < 0) continue;
    to_row[count] = row_numbers[i];
    to_table_row[count++] = join.first_rows[PartOf(found[i])] + PositionOf(found[i]);
  }
  return DealByRow(
      arrow::Table::Make(
          FoundInTableSchema(),
          arrow::ArrayVector{std::make_shared<arrow::Int64Array>(count, std::move(rows)),
                             std::make_shared<arrow::Int64Array>(count, std::move(table_rows))}),
      join.chunks);
}

/// Parts of the features, [first, last), that are joined at a time.
struct Batch {
  int first = 0;
  int last = 0;
  int64_t latest_us = std::numeric_limits<int64_t>::min();
};

class AsOfRun {
 public:
  AsOfRun(const AsOfFragment& join, const Tables& inputs, const FragmentContext& context)
      : join_(join), inputs_(inputs), pool_(context.pool) {}

  arrow::Result<Tables> Run() {
    VIAND_RETURN_NOT_OK(CheckInputs(inputs_, join_.spine_parts, *join_.features));
    if (inputs_.size() != static_cast<size_t>(join_.spine_parts) + join_.feature_parts)
      return InputsDoNotFit();
    VIAND_ASSIGN_OR_RETURN(const SpinePart part,
                           ReadSpine(inputs_, join_.spine_parts, join_.key_count, pool_));
    const AsOfSide spine{.keys = part.keys, .time = part.time, .created = nullptr};
    const AsOfOptions options{.ttl_us = join_.ttl_us,
                              .created_not_after = join_.created_not_after,
                              .grid_us = join_.grid_us};
    VIAND_ASSIGN_OR_RETURN(const auto pieces, Pieces());
    if (!pieces.empty()) VIAND_RETURN_NOT_OK(CheckAsOfTimes(spine, pieces.front().rows));
    if (CanMerge(spine, pieces, options)) {
      PoolVector<int64_t> found(part.rows->length());
      VIAND_RETURN_NOT_OK(MergeAsOf(spine, pieces, options, found.data()));
      return DealOut(*part.rows, found);
    }
    std::vector<Batch> batches = Batches();
    AsOfFold fold(spine, options, batches.size() == 1, pool_);
    if (batches.size() > 1) LatestFirst(&batches);
    for (const Batch& batch : batches) VIAND_RETURN_NOT_OK(Add(batch, &fold));
    return DealOut(*part.rows, fold.found());
  }

 private:
  arrow::Result<Tables> DealOut(const arrow::Array& spine_rows,
                                const PoolVector<int64_t>& found) const {
    return join_.first_rows.empty() ? DealOutFound(spine_rows, found, join_.feature_parts, pool_)
                                    : DealOutFoundInTable(spine_rows, found, join_, pool_);
  }

  const arrow::Table& Part(int part) const { return *inputs_[join_.spine_parts + part]; }

  AsOfSide SideOf(const arrow::RecordBatch& features) const {
    AsOfSide side;
    int next = 0;
    while (next < join_.key_count) side.keys.push_back(features.column(next++));
    side.time = features.column(next++);
    if (join_.has_created) side.created = features.column(next);
    return side;
  }

  const arrow::Array& PositionsOf(const arrow::RecordBatch& features) const {
    return *features.column(features.num_columns() - 1);
  }

  /// All features as they lie in the inputs.
  arrow::Result<std::vector<AsOfPiece>> Pieces() const {
    std::vector<AsOfPiece> pieces;
    for (int part = 0; part < join_.feature_parts; ++part) {
      arrow::TableBatchReader reader(Part(part));
      std::shared_ptr<arrow::RecordBatch> batch;
      while (true) {
        VIAND_RETURN_NOT_OK(reader.ReadNext(&batch));
        if (batch == nullptr) break;
        pieces.push_back({.rows = SideOf(*batch),
                          .first_place = PlaceOf(part, 0),
                          .offsets = PositionsOf(*batch).data()->GetValues<int32_t>(1)});
      }
    }
    return pieces;
  }

  /// At least one.
  std::vector<Batch> Batches() const {
    std::vector<Batch> batches(1);
    int64_t rows = 0;
    for (int part = 0; part < join_.feature_parts; ++part) {
      rows += Part(part).num_rows();
      if (join_.batch_rows > 0 && rows > join_.batch_rows && part > batches.back().first) {
        batches.push_back({part, part});
        rows = Part(part).num_rows();
      }
      batches.back().last = part + 1;
    }
    return batches;
  }

  void LatestFirst(std::vector<Batch>* batches) const {
    for (Batch& batch : *batches) {
      for (int part = batch.first; part < batch.last; ++part) {
        const TimeRange times = RangeOf(*Part(part).column(join_.key_count));
        if (!times.IsEmpty() && times.max_us)
          batch.latest_us = std::max(batch.latest_us, *times.max_us);
      }
    }
    std::stable_sort(batches->begin(), batches->end(),
                     [](const Batch& a, const Batch& b) { return a.latest_us > b.latest_us; });
  }

  arrow::Status Add(const Batch& batch, AsOfFold* fold) const {
    const size_t first = join_.spine_parts + batch.first;
    VIAND_ASSIGN_OR_RETURN(
        const auto features,
        JoinParts(inputs_, first, join_.spine_parts + batch.last, join_.features, pool_));
    std::vector<int64_t> part_ends;
    for (int part = batch.first; part < batch.last; ++part)
      part_ends.push_back((part_ends.empty() ? 0 : part_ends.back()) + Part(part).num_rows());
    return fold->Add(SideOf(*features), PositionsOf(*features), batch.first, part_ends);
  }

  const AsOfFragment& join_;
  const Tables& inputs_;
  arrow::MemoryPool* const pool_;
};

}  // namespace

std::shared_ptr<arrow::Schema> FoundSchema() {
  return arrow::schema({arrow::field("row", arrow::int64(), false),
                        arrow::field("position", arrow::int32(), false)});
}

arrow::Result<Tables> ExecuteAsOf(const AsOfFragment& join, const Tables& inputs,
                                  const FragmentContext& context) {
  return AsOfRun(join, inputs, context).Run();
}

}  // namespace viand::engine
