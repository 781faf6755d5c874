#include "src/definition/error_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace viand::definition {
namespace {

SourceLocation PlaceOf(const arrow::Status& status) {
  const ErrorDetail* detail = DetailOf(status);
  return detail == nullptr ? SourceLocation() : detail->where;
}

bool IsEarlier(const arrow::Status& a, const arrow::Status& b) {
  const SourceLocation x = PlaceOf(a);
  const SourceLocation y = PlaceOf(b);
  return std::tie(x.file, x.line, x.column) < std::tie(y.file, y.line, y.column);
}

}  // namespace

void ErrorList::Add(const arrow::Status& status) {
  if (status.ok()) return;
  // Labels share the entities of their population, so one fault can be found twice.
  const bool known = std::any_of(errors_.begin(), errors_.end(), [&](const arrow::Status& error) {
    return RenderError(error) == RenderError(status);
  });
  if (!known) errors_.push_back(status);
}

arrow::Status ErrorList::Finish() const {
  if (errors_.empty()) return arrow::Status::OK();
  if (errors_.size() == 1) return errors_.front();
  std::vector<arrow::Status> sorted = errors_;
  std::stable_sort(sorted.begin(), sorted.end(), IsEarlier);
  std::string message = sorted.front().message();
  const ErrorDetail* first = DetailOf(sorted.front());
  // The hint of the first error belongs under its own line, not under the last one.
  if (first != nullptr && !first->hint.empty()) message += "\n  hint: " + first->hint;
  for (size_t i = 1; i < std::min(sorted.size(), kMaxShown); ++i) {
    message += "\n" + RenderError(sorted[i]);
  }
  if (sorted.size() > kMaxShown) {
    message += fmt::format("\n... and {} more errors", sorted.size() - kMaxShown);
  }
  return ErrorAt(PlaceOf(sorted.front()), KindOf(sorted.front()), std::move(message));
}

arrow::Status Placed(const arrow::Status& status, const SourceLocation& where) {
  const ErrorDetail* detail = DetailOf(status);
  if (status.ok() || (detail != nullptr && detail->where.line > 0)) return status;
  return ErrorAt(where, ErrorKind::kDefinition, status.message(),
                 detail == nullptr ? "" : detail->hint);
}

}  // namespace viand::definition
