// Schemas within messages of fragments, and the error of a message that is damaged.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <memory>
#include <string_view>

#include "src/common/error.h"

namespace arrow {
class Schema;
}

namespace viand::engine {

using Bytes = flatbuffers::Vector<uint8_t>;

/// kInput: "damaged fragment message: WHAT".
arrow::Status DamagedFragment(std::string_view what);

arrow::Result<flatbuffers::Offset<Bytes>> WriteSchema(flatbuffers::FlatBufferBuilder* builder,
                                                      const arrow::Schema& schema);

/// Of columns of any types.
arrow::Result<std::shared_ptr<arrow::Schema>> ReadAnySchema(const Bytes* bytes);

/// Of columns as they are inside of fragments: plain or coded.
arrow::Result<std::shared_ptr<arrow::Schema>> ReadSchema(const Bytes* bytes);

}  // namespace viand::engine
