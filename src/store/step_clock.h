// How steps report: seconds since a step began, counts with thousands separated.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace viand::store {

class StepClock {
 public:
  double Seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Prints 1234567 as "1,234,567".
inline std::string Grouped(int64_t count) {
  std::string digits = std::to_string(count);
  const int first = digits.front() == '-' ? 1 : 0;
  for (int at = static_cast<int>(digits.size()) - 3; at > first; at -= 3) digits.insert(at, ",");
  return digits;
}

}  // namespace viand::store
