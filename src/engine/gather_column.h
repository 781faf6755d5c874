// One column of rows that are wanted in another order than the one in which they are read.
//
//   VIAND_ASSIGN_OR_RETURN(auto column, GatherColumn::Make(type, wanted.size(), pool));
//   // For each batch, with the wanted rows that it has:
//   VIAND_RETURN_NOT_OK(column->Add(*batch->column(i), wanted_of_batch, first_row_of_batch));
//   VIAND_ASSIGN_OR_RETURN(auto values, column->Finish());   // values[i]: of the row of rank i
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "src/common/error.h"

namespace arrow {
class Array;
class ChunkedArray;
class DataType;
class MemoryPool;
}  // namespace arrow

namespace viand::engine {

/// A row where it is read, and its place in the result.
struct WantedRow {
  int32_t position;
  int32_t rank;
};

/// Not thread-safe. Each rank of 0 ... rows - 1 is added exactly once.
class GatherColumn {
 public:
  /// Of texts in a piece: some of the pieces may be in memory, and the others on disk.
  static constexpr int64_t kMostTextBytes = int64_t{32} << 20;

  /// A column of a plain type. Texts may be too long for one array, for many rows may want them:
  /// they come in pieces of at most `most_text_bytes`, or of one row.
  static arrow::Result<std::unique_ptr<GatherColumn>> Make(
      const std::shared_ptr<arrow::DataType>& type, int64_t rows, arrow::MemoryPool* pool,
      int64_t most_text_bytes = kMostTextBytes);
  virtual ~GatherColumn() = default;

  /// Takes the values of `wanted`, ascending by position, out of a batch whose first row is at
  /// position `first`.
  virtual arrow::Status Add(const std::shared_ptr<arrow::Array>& batch,
                            std::span<const WantedRow> wanted, int64_t first) = 0;
  virtual arrow::Result<std::shared_ptr<arrow::ChunkedArray>> Finish() = 0;
};

}  // namespace viand::engine
