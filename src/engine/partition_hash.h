// Which partition a row belongs to: a hash of its key values, equal for values that compare equal
// whatever their types.
//
// Integers hash by value across widths, strings by their bytes across layouts, times by their
// instant across units. A hash never decides equality: the kernels compare keys exactly, so that a
// type unknown here may hash to a constant and only costs balance.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace arrow {
class Array;
}

namespace viand::engine {

/// Mixes the values of one key column (plain type) into one hash a row; start from zeros. Null
/// hashes as itself.
void MixKeyHash(const arrow::Array& key, std::vector<uint64_t>* hashes);

/// Maps a hash to 0 ... partitions - 1.
inline int PartitionOf(uint64_t hash, int partitions) {
  return static_cast<int>(((hash >> 32) * static_cast<uint64_t>(partitions)) >> 32);
}

}  // namespace viand::engine
