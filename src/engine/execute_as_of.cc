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
#include "src/engine/partition_inputs.h"

namespace viand::engine {
namespace {

/// One table (row number, position) a part of the features: the rows that were found in it, in the
/// order of the spine's.
arrow::Result<Tables> DealOutFound(const arrow::Array& spine_rows, const FoundPlaces& found,
                                   int parts, arrow::MemoryPool* pool) {
  std::vector<int64_t> counts(parts, 0);
  for (const int32_t part : found.part) {
    if (part >= 0) ++counts[part];
  }
  std::vector<std::shared_ptr<arrow::Buffer>> row_buffers, position_buffers;
  std::vector<int64_t*> next_row;
  std::vector<int32_t*> next_position;
  for (const int64_t count : counts) {
    VIAND_ASSIGN_OR_RETURN(auto rows, arrow::AllocateBuffer(count * sizeof(int64_t), pool));
    VIAND_ASSIGN_OR_RETURN(auto places, arrow::AllocateBuffer(count * sizeof(int32_t), pool));
    next_row.push_back(reinterpret_cast<int64_t*>(rows->mutable_data()));
    next_position.push_back(reinterpret_cast<int32_t*>(places->mutable_data()));
    row_buffers.push_back(std::move(rows));
    position_buffers.push_back(std::move(places));
  }
  const auto* row_numbers = spine_rows.data()->GetValues<int64_t>(1);
  for (size_t i = 0; i < found.part.size(); ++i) {
    const int32_t part = found.part[i];
    if (part < 0) continue;
    *next_row[part]++ = row_numbers[i];
    *next_position[part]++ = found.position[i];
  }
  Tables tables;
  for (int part = 0; part < parts; ++part) {
    tables.push_back(arrow::Table::Make(
        FoundSchema(),
        arrow::ArrayVector{
            std::make_shared<arrow::Int64Array>(counts[part], row_buffers[part]),
            std::make_shared<arrow::Int32Array>(counts[part], position_buffers[part])}));
  }
  return tables;
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
    std::vector<Batch> batches = Batches();
    AsOfFold fold(spine, options, batches.size() == 1, pool_);
    if (batches.size() > 1) LatestFirst(&batches);
    for (const Batch& batch : batches) VIAND_RETURN_NOT_OK(Add(batch, &fold));
    return DealOutFound(*part.rows, fold.found(), join_.feature_parts, pool_);
  }

 private:
  const arrow::Table& Part(int part) const { return *inputs_[join_.spine_parts + part]; }

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
    AsOfSide side;
    int next = 0;
    while (next < join_.key_count) side.keys.push_back(features->column(next++));
    side.time = features->column(next++);
    if (join_.has_created) side.created = features->column(next++);
    std::vector<int64_t> part_ends;
    for (int part = batch.first; part < batch.last; ++part)
      part_ends.push_back((part_ends.empty() ? 0 : part_ends.back()) + Part(part).num_rows());
    return fold->Add(side, *features->column(next), batch.first, part_ends);
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
