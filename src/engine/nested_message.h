// Fragments within the message of another one.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include "src/engine/fragment.h"
#include "src/engine/schema_message.h"

namespace viand::engine {

arrow::Result<flatbuffers::Offset<Bytes>> WriteNested(flatbuffers::FlatBufferBuilder* builder,
                                                      const Fragment& fragment);

/// DamagedFragment where there are no bytes, and where the fragment has others within.
arrow::Result<Fragment> ReadNested(const Bytes* bytes);

}  // namespace viand::engine
