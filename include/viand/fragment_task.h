// One fragment of a plan, run here for somebody else: the body of a cluster's task
// (docs/formats/ray.md). viand's Python package calls it in the workers of Ray; a program that uses
// feature stores needs nothing of this.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "viand/status.h"

namespace viand {

/// Bytes, and who keeps them.
struct SharedBytes {
  std::shared_ptr<const void> owner;
  const uint8_t* data = nullptr;
  int64_t size = 0;
};

/// What came of a fragment. Not thread-safe.
class FragmentResult {
 public:
  virtual ~FragmentResult() = default;

  /// A TaskResult message (docs/formats/plan.md); its error, where it has one, is of the data. Its
  /// counters have the bytes of the tables that were taken.
  virtual std::string message() const = 0;

  /// Number of tables that were put out, 0 where it failed.
  virtual int table_count() const = 0;

  /// A table as a message; each is given once, and memory let go with it.
  virtual Result<SharedBytes> TakeTable(int index) = 0;
};

/// Runs a Task message on messages of tables. The inputs are used until the result
/// is gone. Fails only where the library cannot be loaded.
Result<std::unique_ptr<FragmentResult>> RunFragment(const std::string& task,
                                                    const std::vector<SharedBytes>& inputs);

/// Asks the fragments that run in this process to stop, and those that come; takes that back.
void CancelFragments();
void ResumeFragments();

}  // namespace viand
