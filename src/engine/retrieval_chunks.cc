#include "src/engine/retrieval_chunks.h"

#include <arrow/type.h>

#include <algorithm>
#include <limits>

#include "src/engine/executor.h"
#include "src/engine/write_stage.h"

namespace viand::engine {
namespace {

/// Of a computed feature, of which the type is not known before.
constexpr int64_t kFeatureBytes = 9;
/// Of the memory budget: what is found for the rows that are put together next, and what of these
/// is put together at a time.
constexpr int64_t kFetchedShare = 8;
constexpr int64_t kAssembledShare = 32;
/// Every piece of a lookup is cut into so many: more would cost more than they hold.
constexpr int64_t kWantedChunks = 64;
constexpr int64_t kAssembledBytes = 32 << 20;
/// Fewer only where they are long.
constexpr int64_t kLeastAssembledRows = 4 * 1024;
constexpr int64_t kLeastAssembledBytes = 8 << 20;
constexpr int64_t kMostAssembledRows = 256 * 1024;

/// Of the memory of those that run at a time: what a fragment puts out whole.
constexpr int64_t kHeldShare = 8;

/// Rows that a write fragment puts together at a time: a row group.
constexpr int64_t kWrittenRows = 64 * 1024;

/// An estimate of what a row of the result takes in memory.
arrow::Result<int64_t> ResultRowBytes(const Spine& spine,
                                      const std::vector<OpenedLookup>& lookups) {
  VIAND_ASSIGN_OR_RETURN(const auto own, SelectColumns(spine.scan, spine.schema().field_names()));
  int64_t bytes = RowBytesIn(spine.scan, *own);
  for (const OpenedLookup& opened : lookups) {
    if (const auto* view = std::get_if<AsOfView>(&opened.lookup->view)) {
      VIAND_ASSIGN_OR_RETURN(const auto columns, SelectColumns(opened.source, view->columns));
      bytes += RowBytesIn(opened.source, *columns);
    } else {
      bytes += kFeatureBytes * static_cast<int64_t>(opened.lookup->output_names.size());
    }
  }
  return bytes;
}

}  // namespace

arrow::Result<RetrievedChunks> ChooseChunks(const Spine& spine,
                                            const std::vector<OpenedLookup>& lookups,
                                            const ExecuteOptions& options) {
  VIAND_ASSIGN_OR_RETURN(const int64_t row_bytes, ResultRowBytes(spine, lookups));
  const int64_t rows = std::max<int64_t>(spine.rows, 1);
  const int64_t memory = options.executor->DriverMemoryBytes();
  int64_t dealt = rows;
  int64_t at_a_time = kAssembledBytes / row_bytes;
  if (memory > 0) {
    dealt = std::max(memory / kFetchedShare / row_bytes, rows / kWantedChunks + 1);
    at_a_time = std::min(at_a_time, memory / kAssembledShare / row_bytes);
  }
  if (options.chunk_rows > 0) {
    dealt = std::max(options.chunk_rows, rows / kMaxRowChunks + 1);
    at_a_time = (options.chunk_rows + 1) / 2;
  }
  RetrievedChunks chunks;
  const int64_t least =
      options.chunk_rows > 0
          ? 1
          : std::clamp<int64_t>(kLeastAssembledBytes / row_bytes, 1, kLeastAssembledRows);
  chunks.rows_at_a_time = std::clamp(at_a_time, least, kMostAssembledRows);
  chunks.dealt = {.rows_each = dealt, .count = static_cast<int>((rows + dealt - 1) / dealt)};
  return chunks;
}

namespace {

arrow::Result<RetrievedChunks> ChoosePartsOf(int64_t most_bytes, const Spine& spine,
                                             const std::vector<OpenedLookup>& lookups,
                                             const ExecuteOptions& options) {
  VIAND_ASSIGN_OR_RETURN(const int64_t row_bytes, ResultRowBytes(spine, lookups));
  if (options.chunk_rows > 0) return ChooseChunks(spine, lookups, options);
  return RetrievedChunks{
      .dealt = PartChunks(spine.rows, row_bytes, most_bytes),
      .rows_at_a_time = std::clamp<int64_t>(kAssembledBytes / row_bytes, 1, kWrittenRows)};
}

}  // namespace

arrow::Result<RetrievedChunks> ChooseParts(const Spine& spine,
                                           const std::vector<OpenedLookup>& lookups,
                                           const ExecuteOptions& options) {
  return ChoosePartsOf(std::numeric_limits<int64_t>::max(), spine, lookups, options);
}

arrow::Result<RetrievedChunks> ChooseHeld(const Spine& spine,
                                          const std::vector<OpenedLookup>& lookups,
                                          const ExecuteOptions& options) {
  const int64_t memory = options.executor->MemoryBytes();
  const int64_t cores = std::max(1, options.executor->Parallelism());
  const int64_t most =
      memory > 0 ? memory / kHeldShare / cores : std::numeric_limits<int64_t>::max();
  return ChoosePartsOf(most, spine, lookups, options);
}

}  // namespace viand::engine
