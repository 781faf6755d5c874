#include "src/registry/wire_field.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

namespace viand::registry {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// Goes over all fields; false where the bytes end inside of one. `visit` gets number and value.
template <class Visit>
bool EachField(std::string_view message, const Visit& visit) {
  CodedInputStream input(reinterpret_cast<const uint8_t*>(message.data()),
                         static_cast<int>(message.size()));
  while (static_cast<size_t>(input.CurrentPosition()) < message.size()) {
    const uint32_t tag = input.ReadTag();
    const int number = WireFormatLite::GetTagFieldNumber(tag);
    if (tag == 0 || number == 0) return false;
    WireField field;
    switch (WireFormatLite::GetTagWireType(tag)) {
      case WireFormatLite::WIRETYPE_VARINT:
        if (!input.ReadVarint64(&field.number)) return false;
        visit(number, field);
        break;
      case WireFormatLite::WIRETYPE_LENGTH_DELIMITED: {
        uint32_t size = 0;
        if (!input.ReadVarint32(&size)) return false;
        const size_t start = input.CurrentPosition();
        if (size > message.size() - start || !input.Skip(static_cast<int>(size))) return false;
        field.bytes = message.substr(start, size);
        visit(number, field);
        break;
      }
      default:
        if (!WireFormatLite::SkipField(&input, tag)) return false;
    }
  }
  return true;
}

}  // namespace

bool IsMessage(std::string_view message) {
  return EachField(message, [](int, const WireField&) {});
}

std::optional<WireField> FindField(std::string_view message, int field) {
  std::optional<WireField> found;
  const bool whole = EachField(message, [&](int number, const WireField& value) {
    if (number == field) found = value;
  });
  return whole ? found : std::nullopt;
}

}  // namespace viand::registry
