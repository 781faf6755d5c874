// Single fields out of a serialized message whose type viand does not have.
//
//   const auto spec = FindField(bytes, 1);
//   const auto name = FindField(spec->bytes, 1);
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace viand::registry {

struct WireField {
  std::string_view bytes;  ///< of a text, bytes or message; inside the text that was searched
  uint64_t number = 0;     ///< of a varint
};

/// Whether the bytes are fields from the first to the last, none of them cut short.
bool IsMessage(std::string_view message);

/// The last field of a number that is a varint, text, bytes or message; nothing where there is
/// none, or the bytes are no message.
std::optional<WireField> FindField(std::string_view message, int field);

}  // namespace viand::registry
