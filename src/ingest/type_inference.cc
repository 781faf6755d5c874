#include "src/ingest/type_inference.h"

#include <arrow/type.h>

#include "src/ingest/cell_value.h"

namespace viand::ingest {
namespace {

enum Seen : uint32_t { kInteger = 1, kReal = 2, kBool = 4, kTime = 8, kOther = 16 };

bool HasLeadingZero(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  return text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

/// An integer of more than 64 bits is none that a double could be trusted with: it may be a key.
uint32_t OfNumber(const RawCell& cell) {
  if (CellToInteger(cell)) return kInteger;
  if (IsPlainInteger(Trimmed(cell.text()))) return kOther;
  return CellToDouble(cell) ? kReal : kOther;
}

uint32_t OfUntyped(const RawCell& cell) {
  const std::string_view text = Trimmed(cell.text());
  const char first = text.empty() ? '\0' : text[0];
  const bool number_like =
      (first >= '0' && first <= '9') || first == '-' || first == '+' || first == '.';
  if (number_like && !HasLeadingZero(text)) {
    const uint32_t number = OfNumber(cell);
    if (number == kInteger && text.find_first_of(".eE") != std::string_view::npos) return kReal;
    if (number != kOther) return number;
  }
  if (CellToTimestampUs(cell)) return kTime;
  if (text.size() >= 4 && CellToBoolean(cell)) return kBool;
  return kOther;
}

}  // namespace

void TypeSummary::Add(const RawCell& cell, bool text_may_be_time) {
  if ((seen_ & kOther) || cell.kind == CellKind::kNull) return;
  switch (cell.kind) {
    case CellKind::kNumber:
      seen_ |= OfNumber(cell);
      break;
    case CellKind::kDateSerial:
    case CellKind::kDateSerial1904:
    case CellKind::kIsoTime:
      seen_ |= CellToTimestampUs(cell) ? kTime : kOther;
      break;
    case CellKind::kBoolean:
      seen_ |= kBool;
      break;
    case CellKind::kUntyped:
      seen_ |= OfUntyped(cell);
      break;
    case CellKind::kText:
      if (cell.size > 0) seen_ |= text_may_be_time && CellToTimestampUs(cell) ? kTime : kOther;
      break;
    default:
      break;  // errors fit no type: reading the column tells of them
  }
}

std::shared_ptr<arrow::DataType> TypeSummary::Type() const {
  switch (seen_) {
    case kInteger:
      return arrow::int64();
    case kReal:
    case kReal | kInteger:
      return arrow::float64();
    case kBool:
      return arrow::boolean();
    case kTime:
      return arrow::timestamp(arrow::TimeUnit::MICRO);
    default:
      return arrow::utf8();
  }
}

}  // namespace viand::ingest
