// One stage of progress, ended however the work ends.
#pragma once

#include <string_view>

#include "src/common/progress.h"

namespace viand::ml {

class ProgressStage {
 public:
  ProgressStage(Progress* progress, std::string_view name, int64_t total, std::string_view unit)
      : progress_(progress) {
    progress_->Begin(name, total, unit);
  }
  ~ProgressStage() { progress_->End(); }
  ProgressStage(const ProgressStage&) = delete;
  ProgressStage& operator=(const ProgressStage&) = delete;
  void Advance(int64_t count) { progress_->Advance(count); }

 private:
  Progress* const progress_;
};

}  // namespace viand::ml
