// Integers and times in as few bits as they need, for the disk: less their least, or, where that is
// narrower, each less the one before (times that ascend, positions, row numbers). Pure functions.
//
//   PackedNumbers packed = PackNumbers(*table->column(0));
//   VIAND_ASSIGN_OR_RETURN(auto array, UnpackNumbers(packed.layout, bytes, type, pool));
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "src/common/error.h"

namespace arrow {
class Array;
class ChunkedArray;
class DataType;
class MemoryPool;
}  // namespace arrow

namespace viand::distributed {

/// How numbers lie in their bytes.
struct PackedLayout {
  int64_t count = 0;
  bool differences = false;  ///< each less the one before, the first less 0
  uint64_t first = 0;        ///< with differences: the first number
  uint64_t least = 0;        ///< what is less each
  int bits = 0;              ///< of each, one after another, the lowest first
};

struct PackedNumbers {
  PackedLayout layout;
  std::string bytes;
};

/// Tells whether a column can be packed: integers and times of 4 or 8 bytes without a null.
bool CanPack(const arrow::ChunkedArray& column);

/// For a column that CanPack.
PackedNumbers PackNumbers(const arrow::ChunkedArray& column);

/// The column in one piece; `bytes` are those of PackedNumbers.
arrow::Result<std::shared_ptr<arrow::Array>> UnpackNumbers(
    const PackedLayout& layout, const uint8_t* bytes, const std::shared_ptr<arrow::DataType>& type,
    arrow::MemoryPool* pool);

}  // namespace viand::distributed
