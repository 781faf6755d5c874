// A window of time around a row's t: [t - length, t), all before t, or [t, t + length).
#pragma once

#include <cstdint>

namespace viand::engine {

struct TimeWindow {
  bool unbounded = false;  ///< all before t
  bool following = false;  ///< [t, t + length): labels only
  int64_t length_us = 0;

  bool operator==(const TimeWindow&) const = default;
};

}  // namespace viand::engine
