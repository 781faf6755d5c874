// Seconds since a step began, for its report.
#pragma once

#include <chrono>

namespace viand::store {

class StepClock {
 public:
  double Seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace viand::store
