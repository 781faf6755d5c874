#include "src/engine/time_slices.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <limits>

#include "src/common/pool_vector.h"
#include "src/engine/exact_words.h"

namespace viand::engine {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

arrow::Result<BatchPtr> RowsOf(const BatchPtr& batch, const PoolVector<int32_t>& rows,
                               arrow::MemoryPool* pool) {
  if (rows.empty()) return nullptr;
  if (static_cast<int64_t>(rows.size()) == batch->num_rows()) return batch;
  const arrow::Int32Array indices(static_cast<int64_t>(rows.size()),
                                  arrow::Buffer::Wrap(rows.data(), rows.size()));
  arrow::compute::ExecContext context(pool);
  context.set_use_threads(false);
  arrow::ArrayVector columns;
  for (const auto& column : batch->columns()) {
    VIAND_ASSIGN_OR_RETURN(
        columns.emplace_back(),
        arrow::compute::Take(*column, indices, arrow::compute::TakeOptions::NoBoundsCheck(),
                             &context));
  }
  return arrow::RecordBatch::Make(batch->schema(), indices.length(), std::move(columns));
}

}  // namespace

int64_t MicrosecondIn(int64_t time, int64_t unit_ns) {
  const __int128 ns = __int128{time} * unit_ns;
  const __int128 us = ns / 1000 - (ns % 1000 < 0 ? 1 : 0);
  return static_cast<int64_t>(std::clamp<__int128>(us, std::numeric_limits<int64_t>::min(),
                                                   std::numeric_limits<int64_t>::max()));
}

arrow::Result<std::vector<BatchPtr>> SliceRows(const BatchPtr& batch,
                                               const std::shared_ptr<arrow::Array>& time,
                                               const std::vector<uint8_t>& keep,
                                               const TimeSlices& slices, arrow::MemoryPool* pool) {
  const Words words = Words::Of(time);
  const int64_t unit_ns = NanosecondsPerUnit(*time->type());
  const auto& starts = slices.starts_us;
  const auto slice_of = [&](int64_t us) {
    return std::upper_bound(starts.begin(), starts.end(), us) - starts.begin();
  };
  std::vector<PoolVector<int32_t>> rows(slices.count());
  for (int64_t row = 0; row < batch->num_rows(); ++row) {
    if (keep[row] == 0) continue;
    if (words.IsNull(row)) {
      rows[0].push_back(static_cast<int32_t>(row));
      continue;
    }
    rows[slice_of(MicrosecondIn(words[row], unit_ns))].push_back(static_cast<int32_t>(row));
  }
  std::vector<BatchPtr> batches;
  for (const auto& of_slice : rows) {
    VIAND_ASSIGN_OR_RETURN(batches.emplace_back(), RowsOf(batch, of_slice, pool));
  }
  return batches;
}

}  // namespace viand::engine
