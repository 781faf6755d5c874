// Broadcast fragments within messages (fragment_message.h): each of their parts is a message
// itself.
#pragma once

#include "plan_generated.h"
#include "src/engine/fragment.h"

namespace viand::engine {

arrow::Result<flatbuffers::Offset<void>> Write(flatbuffers::FlatBufferBuilder* builder,
                                               const BroadcastFragment& broadcast);

/// kInput where the parts do not fit each other.
arrow::Result<Fragment> Read(const message::BroadcastFragment& broadcast);

}  // namespace viand::engine
