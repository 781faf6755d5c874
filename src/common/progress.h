// How work reports on itself. The rooms call it; the CLI draws a bar, a test counts, a library user
// ignores it.
#pragma once

#include <cstdint>
#include <string_view>

namespace viand {

/// Receives progress of one stage at a time. Implementations are thread-safe: workers call Advance.
class Progress {
 public:
  virtual ~Progress() = default;
  /// Starts a stage of `total` units (0: unknown), replacing the one before.
  virtual void Begin(std::string_view stage, int64_t total, std::string_view unit) = 0;
  virtual void Advance(int64_t count) = 0;
  virtual void End() = 0;

  /// Returns one that does nothing.
  static Progress* Silent();
};

}  // namespace viand
