#include "python/extension/call.h"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <thread>
#include <tuple>

namespace viand::python {
namespace {

constexpr auto kLook = std::chrono::milliseconds(50);

/// Work on a thread of its own.
class Worker {
 public:
  explicit Worker(const std::function<void()>& work) : thread_([this, &work] { Run(work); }) {}
  ~Worker() { thread_.join(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Waits for the end of the work, not longer than one look.
  bool Wait() {
    std::unique_lock lock(mutex_);
    return ended_.wait_for(lock, kLook, [this] { return done_; });
  }

  /// Throws what the work threw.
  void Rethrow() const {
    if (thrown_) std::rethrow_exception(thrown_);
  }

 private:
  void Run(const std::function<void()>& work) {
    try {
      work();
    } catch (...) {
      thrown_ = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    done_ = true;
    ended_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable ended_;
  bool done_ = false;
  std::exception_ptr thrown_;
  std::thread thread_;
};

/// What Python has to say meanwhile: an error of a signal handler, or of whoever shows progress.
std::unique_ptr<nb::python_error> Look(const CallOptions& options) {
  try {
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
    if (options.progress != nullptr && !options.show.is_none())
      options.progress->Show(options.show);
  } catch (nb::python_error& error) {
    return std::make_unique<nb::python_error>(std::move(error));
  }
  return nullptr;
}

}  // namespace

void ProgressState::Set(const std::string& stage, int64_t done, int64_t total,
                        const std::string& unit) {
  const std::lock_guard lock(mutex_);
  stage_ = stage, done_ = done, total_ = total, unit_ = unit;
}

void ProgressState::Show(const nb::object& show) {
  std::unique_lock lock(mutex_);
  if (total_ < 0) {
    lock.unlock();
    show(nb::none());
    return;
  }
  const auto [stage, done, total, unit] = std::tuple(stage_, done_, total_, unit_);
  lock.unlock();
  show(nb::str(stage.c_str(), stage.size()), done, total, nb::str(unit.c_str(), unit.size()));
}

void RunReleased(const CallOptions& options, const std::function<void()>& work) {
  std::unique_ptr<nb::python_error> raised;
  {
    const nb::gil_scoped_release released;
    Worker worker(work);
    while (!worker.Wait()) {
      if (raised) continue;
      const nb::gil_scoped_acquire acquired;
      raised = Look(options);
      if (raised) options.cancel();
    }
    if (!raised) worker.Rethrow();
  }
  if (raised && options.resume) options.resume();
  if (!options.show.is_none()) {
    try {
      options.show(nb::none());
    } catch (nb::python_error& error) {
      if (!raised) raised = std::make_unique<nb::python_error>(std::move(error));
    }
  }
  if (raised) throw nb::python_error(std::move(*raised));
}

}  // namespace viand::python
