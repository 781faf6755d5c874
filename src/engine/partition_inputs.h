// What a reduce fragment takes in: the tables of one partition, put together.
#pragma once

#include <memory>

#include "src/engine/execute_fragment.h"

namespace viand::engine {

/// Appends the parts [first, last) column by column, each column in one piece. No part: no row of
/// `schema`.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> JoinParts(const Tables& parts, size_t first,
                                                             size_t last,
                                                             std::shared_ptr<arrow::Schema> schema,
                                                             arrow::MemoryPool* pool);

/// Fails unless there are the spine's parts, alike, and the others are of `schema`.
arrow::Status CheckInputs(const Tables& inputs, size_t spine_parts, const arrow::Schema& schema);

/// The error of inputs that are not the fragment's.
arrow::Status InputsDoNotFit();

/// The spine's rows of one partition: keys..., time, row number.
struct SpinePart {
  arrow::ArrayVector keys;
  std::shared_ptr<arrow::Array> time;
  std::shared_ptr<arrow::Array> rows;
};

arrow::Result<SpinePart> ReadSpine(const Tables& inputs, int parts, size_t key_count,
                                   arrow::MemoryPool* pool);

}  // namespace viand::engine
