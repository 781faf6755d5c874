// Arrange fragments within messages (fragment_message.h).
#pragma once

#include "plan_generated.h"
#include "src/engine/fragment.h"

namespace viand::engine {

arrow::Result<flatbuffers::Offset<void>> Write(flatbuffers::FlatBufferBuilder* builder,
                                               const ArrangeFragment& arrange);

/// kInput where its numbers cannot be.
arrow::Result<Fragment> Read(const message::ArrangeFragment& arrange);

}  // namespace viand::engine
