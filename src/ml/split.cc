#include "src/ml/split.h"

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "src/common/time.h"

namespace viand::ml {
namespace {

using arrow::internal::checked_cast;
using definition::Split;

// Wide enough for any int64 time in nanoseconds, so that comparing across units cannot overflow.
__extension__ using WideTime = __int128;

constexpr int64_t kNanosPerMicro = 1'000;
constexpr int64_t kNanosPerDay = kMicrosPerDay * kNanosPerMicro;

/// Returns nanoseconds a unit of the column's raw values.
arrow::Result<int64_t> UnitNs(const arrow::DataType& type, const std::string& column) {
  switch (type.id()) {
    case arrow::Type::TIMESTAMP:
      switch (checked_cast<const arrow::TimestampType&>(type).unit()) {
        case arrow::TimeUnit::SECOND:
          return 1'000'000'000;
        case arrow::TimeUnit::MILLI:
          return 1'000'000;
        case arrow::TimeUnit::MICRO:
          return kNanosPerMicro;
        case arrow::TimeUnit::NANO:
          return 1;
      }
      break;
    case arrow::Type::DATE32:
      return kNanosPerDay;
    case arrow::Type::DATE64:
      return 1'000'000;
    default:
      break;
  }
  return MakeError(
      ErrorKind::kInput,
      fmt::format("column \"{}\" has the type {}: expected a timestamp", column, type.ToString()));
}

template <typename ArrayType>
arrow::Status AppendRaw(const arrow::Array& chunk, const std::string& column,
                        std::vector<int64_t>* values) {
  const auto& array = checked_cast<const ArrayType&>(chunk);
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i)) {
      return MakeError(ErrorKind::kInput,
                       fmt::format("column \"{}\" is null in row {}: expected a time", column,
                                   values->size() + 1));
    }
    values->push_back(array.Value(i));
  }
  return arrow::Status::OK();
}

arrow::Result<std::vector<int64_t>> RawTimes(const arrow::ChunkedArray& times,
                                             const std::string& column) {
  std::vector<int64_t> values;
  values.reserve(times.length());
  for (const auto& chunk : times.chunks()) {
    switch (times.type()->id()) {
      case arrow::Type::DATE32:
        VIAND_RETURN_NOT_OK(AppendRaw<arrow::Date32Array>(*chunk, column, &values));
        break;
      case arrow::Type::DATE64:
        VIAND_RETURN_NOT_OK(AppendRaw<arrow::Date64Array>(*chunk, column, &values));
        break;
      default:
        VIAND_RETURN_NOT_OK(AppendRaw<arrow::TimestampArray>(*chunk, column, &values));
    }
  }
  return values;
}

/// Returns the earliest raw time of the latest `fraction` of the rows (at least one row).
int64_t FractionBoundary(std::vector<int64_t> values, double fraction) {
  const auto rows = static_cast<int64_t>(values.size());
  const int64_t wanted = std::clamp<int64_t>(std::llround(fraction * rows), 1, rows);
  std::nth_element(values.begin(), values.begin() + (wanted - 1), values.end(),
                   std::greater<int64_t>());
  return values[wanted - 1];
}

arrow::Result<std::function<bool(int64_t)>> TestRule(const std::vector<int64_t>& values,
                                                     const Split& split, int64_t unit_ns) {
  switch (split.kind) {
    case Split::Kind::kAfter: {
      const WideTime after_ns = static_cast<WideTime>(split.after_us) * kNanosPerMicro;
      return [=](int64_t raw) { return static_cast<WideTime>(raw) * unit_ns > after_ns; };
    }
    case Split::Kind::kFraction: {
      if (!(split.fraction > 0 && split.fraction < 1)) {
        return MakeError(
            ErrorKind::kDefinition,
            fmt::format("the split's fraction is {}: expected a number between 0 and 1",
                        split.fraction));
      }
      const int64_t boundary = FractionBoundary(values, split.fraction);
      return [=](int64_t raw) { return raw >= boundary; };
    }
    case Split::Kind::kLastSnapshot:
      break;
  }
  const int64_t last = *std::max_element(values.begin(), values.end());
  return [=](int64_t raw) { return raw == last; };
}

std::string TimeText(int64_t raw, int64_t unit_ns) {
  const WideTime micros = static_cast<WideTime>(raw) * unit_ns / kNanosPerMicro;
  return FormatTimestamp(static_cast<int64_t>(micros));
}

arrow::Status CheckSides(const RowSplit& rows, const std::vector<int64_t>& values,
                         const Split& split, const std::string& column, int64_t unit_ns) {
  if (!rows.train.empty() && !rows.test.empty()) return arrow::Status::OK();
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  return MakeError(
      ErrorKind::kInput,
      fmt::format(
          "the split (test: {}) leaves no row to {} on: the {} rows have \"{}\" from {} to {}",
          SplitText(split), rows.train.empty() ? "train" : "test", values.size(), column,
          TimeText(*least, unit_ns), TimeText(*greatest, unit_ns)),
      "choose another split, or take in more data");
}

}  // namespace

std::string SplitText(const Split& split) {
  switch (split.kind) {
    case Split::Kind::kAfter:
      return "after " + FormatTimestamp(split.after_us);
    case Split::Kind::kFraction:
      return fmt::format("the latest {} by time", split.fraction);
    case Split::Kind::kLastSnapshot:
      break;
  }
  return "last_snapshot";
}

arrow::Result<RowSplit> SplitRows(const arrow::ChunkedArray& times, const Split& split,
                                  const std::string& column) {
  VIAND_ASSIGN_OR_RETURN(const int64_t unit_ns, UnitNs(*times.type(), column));
  VIAND_ASSIGN_OR_RETURN(const std::vector<int64_t> values, RawTimes(times, column));
  if (values.empty()) return MakeError(ErrorKind::kInput, "the training set has no rows");
  VIAND_ASSIGN_OR_RETURN(const auto in_test, TestRule(values, split, unit_ns));
  RowSplit rows;
  for (size_t i = 0; i < values.size(); ++i) {
    (in_test(values[i]) ? rows.test : rows.train).push_back(static_cast<int64_t>(i));
  }
  VIAND_RETURN_NOT_OK(CheckSides(rows, values, split, column, unit_ns));
  return rows;
}

}  // namespace viand::ml
