// The last stage of a retrieval whose rows do not pass through the driver: each fragment puts a
// chunk of the spine together with what was found for it, and writes it to a file, or lets the
// executor hold it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "src/engine/execute.h"
#include "src/engine/held_rows.h"
#include "src/engine/retrieved_rows.h"
#include "src/engine/spine.h"
#include "src/engine/storage_folder.h"

namespace viand::engine {

/// How rows become parts.
struct PartLayout {
  std::string folder;  ///< absolute, or an address
  PartFormat format = PartFormat::kParquet;
  RowChunks chunks;            ///< a part each, as the pieces of `found` are dealt out
  int64_t rows_at_a_time = 1;  ///< that are put together
};

/// The chunks that parts of a result are, by its rows and their bytes alone; of at most so many
/// bytes where there are not too many.
RowChunks PartChunks(int64_t rows, int64_t row_bytes, int64_t most_bytes);

/// Fails (kInput) if the spine was written anew in the meantime.
arrow::Result<PartFiles> RunWriteStage(const Spine& spine, std::vector<FoundFeatures> found,
                                       const PartLayout& layout, const ExecuteOptions& options);
/// The same without files.
arrow::Result<HeldRows> RunHoldStage(const Spine& spine, std::vector<FoundFeatures> found,
                                     const RetrievedChunks& chunks, const ExecuteOptions& options);

/// The rows of parts that were written as Arrow IPC streams, file by file; keeps their folder.
class StoredRows final : public arrow::RecordBatchReader {
 public:
  StoredRows(PartFiles parts, std::unique_ptr<StorageFolder> folder)
      : parts_(std::move(parts)), folder_(std::move(folder)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return parts_.schema; }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override;

 private:
  const PartFiles parts_;
  const std::unique_ptr<StorageFolder> folder_;
  size_t next_ = 0;
  std::shared_ptr<arrow::RecordBatchReader> reader_;  // of the part before next_
};

}  // namespace viand::engine
