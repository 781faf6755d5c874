// Errors found one after another, reported together: a user mends a repo faster who sees all of
// them. Not thread-safe.
#pragma once

#include <vector>

#include "src/common/error.h"

namespace viand::definition {

class ErrorList {
 public:
  /// Keeps a failed status; OK is ignored.
  void Add(const arrow::Status& status);

  bool empty() const { return errors_.empty(); }
  size_t size() const { return errors_.size(); }

  /// Returns OK without errors, else one status: the errors in order of file and line, each
  /// rendered on a line of its own, the place of the first one as the place of all. At most
  /// kMaxShown are shown.
  arrow::Status Finish() const;

  static constexpr size_t kMaxShown = 20;

 private:
  std::vector<arrow::Status> errors_;
};

/// Returns `status` with a place, where it has none yet; its kind becomes kDefinition.
arrow::Status Placed(const arrow::Status& status, const SourceLocation& where);

}  // namespace viand::definition
