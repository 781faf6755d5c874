// Runs work of the library off Python's back: the GIL is released, ctrl-C is heard, progress is
// shown.
//
// The work runs on a thread of its own. The calling thread wakes every now and then, takes the GIL
// for a moment, asks Python whether a signal has come, and tells `progress` where the work is;
// nothing that works ever takes the GIL.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

namespace viand::python {

namespace nb = nanobind;

/// Where the work is. Thread-safe.
class ProgressState {
 public:
  /// As OpenOptions::on_progress has it.
  void Set(const std::string& stage, int64_t done, int64_t total, const std::string& unit);

  /// Calls `show` with (stage, done, total, unit), or None where no stage is going on. Needs the
  /// GIL.
  void Show(const nb::object& show);

 private:
  std::mutex mutex_;
  std::string stage_, unit_;
  int64_t done_ = 0, total_ = -1;
};

struct CallOptions {
  std::function<void()> cancel;  ///< asks the work to stop; from any thread
  std::function<void()> resume;  ///< takes that back once the work has ended; empty: it does itself
  ProgressState* progress = nullptr;
  nb::object show;  ///< Python's progress; None: nobody looks
};

/// Runs `work` to its end. Where a signal handler or `show` raises, asks the work to stop, waits
/// for its end, and throws that error. Needs the GIL, and has it again at the end.
void RunReleased(const CallOptions& options, const std::function<void()>& work);

}  // namespace viand::python
