// Fragments as bytes (plan.fbs, docs/formats/plan.md): how they travel to other processes and
// machines.
#pragma once

#include <string>
#include <string_view>

#include "src/engine/fragment.h"

namespace viand::engine {

/// Most partitions, inputs and columns that a message may ask for: beyond any plan that the engine
/// makes.
inline constexpr int kMaxPartitions = 1 << 16;
inline constexpr int kMaxFeatureParts = 1 << 20;
inline constexpr int64_t kMaxGatheredRows = int64_t{1} << 31;

/// Prints a fragment as a message; equal fragments give equal bytes.
arrow::Result<std::string> SerializeFragment(const Fragment& fragment);

/// Reads a message from anywhere. Damaged or foreign bytes, numbers that this version does not
/// know, and indices out of range are kInput. `nested`: a part of another fragment, which has none
/// itself.
arrow::Result<Fragment> ParseFragment(std::string_view bytes, bool nested = false);

}  // namespace viand::engine
