#include "src/engine/place_error.h"

namespace viand::engine {

arrow::Status PlacedInView(const arrow::Status& status, const WindowView& view) {
  const ErrorDetail* detail = DetailOf(status);
  if (status.ok() || detail == nullptr || view.described_as.empty()) return status;
  if (detail->kind != ErrorKind::kInput && detail->kind != ErrorKind::kDefinition) return status;
  return ErrorAt(detail->where.file.empty() ? view.where : detail->where, detail->kind,
                 view.described_as + ", " + status.message(), detail->hint);
}

}  // namespace viand::engine
