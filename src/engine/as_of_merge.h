// The as-of join where the features' times ascend, as they do in most logs: one pass over both
// sides in the order of time. The latest row of a key so far is what the key's spine rows find;
// nothing of the features is copied, grouped, sorted or searched, so they may come in many pieces.
#pragma once

#include <cstdint>
#include <vector>

#include "src/engine/as_of_join.h"

namespace viand::engine {

/// Feature rows, and the places by which who finds them names them, not negative: that of row i is
/// first_place + offsets[i], or first_place + i without offsets.
struct AsOfPiece {
  AsOfSide rows;
  int64_t first_place = 0;
  const int32_t* offsets = nullptr;
};

/// Tells whether MergeAsOf can join these pieces, which follow one another in row order: their
/// times ascend, without nulls, and are all that says from when on a row is known.
bool CanMerge(const AsOfSide& spine, const std::vector<AsOfPiece>& pieces,
              const AsOfOptions& options);

/// Writes to found[i] the place of the feature row of spine row i, -1 where nothing matches. For
/// arguments that CanMerge, and whose times CheckAsOfTimes. The same as AsOfJoin of all pieces.
arrow::Status MergeAsOf(const AsOfSide& spine, const std::vector<AsOfPiece>& pieces,
                        const AsOfOptions& options, int64_t* found);

}  // namespace viand::engine
