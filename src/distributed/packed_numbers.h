// Integers and times in as few bits as they need, for a disk or a network: less their least, or,
// where that is narrower, each less the one before (times that ascend, positions, row numbers).
// Pure functions.
//
//   PackedLayout layout = ChooseLayout(*table->column(0));
//   std::string bytes = PackNumbers(*table->column(0), layout);
//   VIAND_ASSIGN_OR_RETURN(auto array, UnpackNumbers(layout, bytes.data(), type, pool));
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

/// Tells whether numbers of a type can be packed: integers and times of 4 or 8 bytes.
bool IsPackable(const arrow::DataType& type);

/// Tells whether a column can be packed: such numbers without a null.
bool CanPack(const arrow::ChunkedArray& column);

/// The narrowest, for a column that CanPack.
PackedLayout ChooseLayout(const arrow::ChunkedArray& column);

/// What numbers of a layout take. `count` is at most kMostPackedNumbers.
int64_t PackedBytes(const PackedLayout& layout);
inline constexpr int64_t kMostPackedNumbers = int64_t{1} << 40;

/// The numbers in PackedBytes(layout); `layout` is the one that was chosen for them.
std::string PackNumbers(const arrow::ChunkedArray& column, const PackedLayout& layout);

/// The column in one piece; `bytes` are those of PackNumbers.
arrow::Result<std::shared_ptr<arrow::Array>> UnpackNumbers(
    const PackedLayout& layout, const uint8_t* bytes, const std::shared_ptr<arrow::DataType>& type,
    arrow::MemoryPool* pool);

}  // namespace viand::distributed
