#include "viand/fragment_task.h"

#include <arrow/buffer.h>
#include <fmt/format.h>

#include "src/common/cancellation.h"
#include "src/distributed/fragment_task.h"
#include "src/store/arrow_border.h"

namespace viand {
namespace store {
namespace {

/// Bytes of somebody else as Arrow sees them.
class BorrowedBuffer : public arrow::Buffer {
 public:
  explicit BorrowedBuffer(const SharedBytes& bytes)
      : Buffer(bytes.data, bytes.size), owner_(bytes.owner) {}

 private:
  const std::shared_ptr<const void> owner_;
};

class Outcome : public FragmentResult {
 public:
  explicit Outcome(distributed::FragmentOutcome outcome) : outcome_(std::move(outcome)) {}

  std::string message() const override { return outcome_.Result(); }
  int table_count() const override { return outcome_.table_count(); }

  Result<SharedBytes> TakeTable(int index) override {
    if (!outcome_.has(index))
      return Status(StatusCode::kUsage, fmt::format("the fragment has no table {}", index));
    const auto bytes = outcome_.Take(index);
    if (!bytes.ok()) return ToPublic(bytes.status());
    return SharedBytes{*bytes, (*bytes)->data(), (*bytes)->size()};
  }

 private:
  distributed::FragmentOutcome outcome_;
};

}  // namespace
}  // namespace store

Result<std::unique_ptr<FragmentResult>> RunFragment(const std::string& task,
                                                    const std::vector<SharedBytes>& inputs) {
  std::vector<std::shared_ptr<arrow::Buffer>> buffers;
  for (const SharedBytes& input : inputs)
    buffers.push_back(std::make_shared<store::BorrowedBuffer>(input));
  return std::unique_ptr<FragmentResult>(
      std::make_unique<store::Outcome>(distributed::RunFragmentTask(task, buffers)));
}

void CancelFragments() { RequestCancellation(); }

void ResumeFragments() { ResetCancellation(); }

}  // namespace viand
