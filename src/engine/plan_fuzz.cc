// Feeds foreign bytes to the parser of fragment messages; what parses must print and parse again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "src/engine/fragment_message.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto fragment =
      viand::engine::ParseFragment(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!fragment.ok()) return 0;
  const auto printed = viand::engine::SerializeFragment(*fragment);
  if (!printed.ok() || !viand::engine::ParseFragment(*printed).ok()) std::abort();
  return 0;
}
