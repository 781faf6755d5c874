// The message of a chain, whose steps are messages of fragments.
#pragma once

#include "plan_generated.h"
#include "src/engine/fragment.h"

namespace viand::engine {

arrow::Result<flatbuffers::Offset<void>> Write(flatbuffers::FlatBufferBuilder* builder,
                                               const ChainFragment& chain);

arrow::Result<Fragment> Read(const message::ChainFragment& chain);

}  // namespace viand::engine
