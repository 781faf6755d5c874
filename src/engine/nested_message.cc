#include "src/engine/nested_message.h"

#include <string>
#include <string_view>

#include "src/engine/fragment_message.h"

namespace viand::engine {

arrow::Result<flatbuffers::Offset<Bytes>> WriteNested(flatbuffers::FlatBufferBuilder* builder,
                                                      const Fragment& fragment) {
  VIAND_ASSIGN_OR_RETURN(const std::string bytes, SerializeFragment(fragment));
  return builder->CreateVector(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

arrow::Result<Fragment> ReadNested(const Bytes* bytes) {
  if (bytes == nullptr) return DamagedFragment("a part of it is missing");
  return ParseFragment({reinterpret_cast<const char*>(bytes->data()), bytes->size()},
                       /*nested=*/true);
}

}  // namespace viand::engine
