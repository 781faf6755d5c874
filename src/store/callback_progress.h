// Progress of the rooms -> the callback of the public API.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>

#include "src/common/progress.h"

namespace viand::store {

/// Counts and forwards; thread-safe.
class CallbackProgress : public Progress {
 public:
  using Callback = std::function<void(const std::string&, int64_t, int64_t, const std::string&)>;
  explicit CallbackProgress(Callback callback) : callback_(std::move(callback)) {}

  void Begin(std::string_view stage, int64_t total, std::string_view unit) override {
    const std::lock_guard lock(mutex_);
    stage_ = stage, unit_ = unit, total_ = total, done_ = 0;
    Report(total_);
  }
  void Advance(int64_t count) override {
    const std::lock_guard lock(mutex_);
    done_ += count;
    Report(total_);
  }
  void End() override {
    const std::lock_guard lock(mutex_);
    Report(-1);
  }

 private:
  void Report(int64_t total) {
    if (callback_) callback_(stage_, done_, total, unit_);
  }

  const Callback callback_;
  std::mutex mutex_;
  std::string stage_, unit_;  // guarded by mutex_
  int64_t total_ = 0, done_ = 0;
};

}  // namespace viand::store
