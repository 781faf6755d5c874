#include "src/registry/new_uuid.h"

#include <fmt/format.h>

#include <cstdint>
#include <random>

namespace viand::registry {

std::string NewUuid() {
  std::random_device random;
  const uint32_t a = random(), b = random(), c = random(), d = random();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:04x}{:08x}", a, b >> 16, b & 0xFFF,
                     0x8000 | (c & 0x3FFF), c >> 16, d);
}

}  // namespace viand::registry
