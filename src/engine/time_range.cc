#include "src/engine/time_range.h"

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <arrow/compute/expression.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <algorithm>
#include <limits>

#include "src/common/time.h"

namespace viand::engine {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

/// How the raw values of a time type become microseconds: times `multiplier`, or divided by
/// `divisor`.
struct TimeScale {
  int64_t multiplier = 1;
  int64_t divisor = 1;

  int64_t FloorToMicros(int64_t raw) const {
    if (divisor > 1) return raw / divisor - (raw % divisor < 0 ? 1 : 0);
    int64_t result;
    if (__builtin_mul_overflow(raw, multiplier, &result)) return raw < 0 ? kMin : kMax;
    return result;
  }
  int64_t CeilToMicros(int64_t raw) const {
    const int64_t floor = FloorToMicros(raw);
    return divisor > 1 && raw % divisor != 0 ? floor + 1 : floor;
  }
  /// The raw value at or before a time; the ends of int64 where the unit cannot hold it.
  int64_t FloorFromMicros(int64_t time_us) const {
    if (multiplier > 1) return time_us / multiplier - (time_us % multiplier < 0 ? 1 : 0);
    int64_t result;
    if (__builtin_mul_overflow(time_us, divisor, &result)) return time_us < 0 ? kMin : kMax;
    return result;
  }
};

TimeScale ScaleOf(const arrow::DataType& type) {
  if (type.id() == arrow::Type::DATE32) return {.multiplier = kMicrosPerDay};
  if (type.id() == arrow::Type::DATE64) return {.multiplier = 1000};
  switch (static_cast<const arrow::TimestampType&>(type).unit()) {
    case arrow::TimeUnit::SECOND:
      return {.multiplier = kMicrosPerSecond};
    case arrow::TimeUnit::MILLI:
      return {.multiplier = 1000};
    case arrow::TimeUnit::NANO:
      return {.divisor = 1000};
    default:
      return {};
  }
}

/// Calls visit(row, raw value) for every time that is not null.
template <typename Visit>
void VisitTimes(const arrow::Array& times, Visit&& visit) {
  const bool days = times.type_id() == arrow::Type::DATE32;
  const auto* narrow = days ? times.data()->GetValues<int32_t>(1) : nullptr;
  const auto* wide = days ? nullptr : times.data()->GetValues<int64_t>(1);
  const bool nulls = times.null_count() > 0;
  for (int64_t i = 0; i < times.length(); ++i) {
    if (nulls && times.IsNull(i)) continue;
    visit(i, days ? static_cast<int64_t>(narrow[i]) : wide[i]);
  }
}

arrow::compute::Expression TimeLiteral(int64_t raw, const std::shared_ptr<arrow::DataType>& type) {
  if (type->id() == arrow::Type::DATE32) {
    const int64_t days = std::clamp<int64_t>(raw, std::numeric_limits<int32_t>::min(),
                                             std::numeric_limits<int32_t>::max());
    return arrow::compute::literal(
        std::make_shared<arrow::Date32Scalar>(static_cast<int32_t>(days)));
  }
  if (type->id() == arrow::Type::DATE64) {
    return arrow::compute::literal(std::make_shared<arrow::Date64Scalar>(raw));
  }
  return arrow::compute::literal(std::make_shared<arrow::TimestampScalar>(raw, type));
}

}  // namespace

TimeRange Hull(const TimeRange& a, const TimeRange& b) {
  if (a.IsEmpty()) return b;
  if (b.IsEmpty()) return a;
  TimeRange hull;
  if (a.min_us && b.min_us) hull.min_us = std::min(*a.min_us, *b.min_us);
  if (a.max_us && b.max_us) hull.max_us = std::max(*a.max_us, *b.max_us);
  return hull;
}

bool IsTimeType(const arrow::DataType& type) {
  return type.id() == arrow::Type::TIMESTAMP || type.id() == arrow::Type::DATE32 ||
         type.id() == arrow::Type::DATE64;
}

TimeRange RangeOf(const arrow::ChunkedArray& times) {
  const TimeScale scale = ScaleOf(*times.type());
  int64_t least = kMax;
  int64_t greatest = kMin;
  bool any = false;
  for (const auto& chunk : times.chunks()) {
    VisitTimes(*chunk, [&](int64_t, int64_t raw) {
      least = std::min(least, raw);
      greatest = std::max(greatest, raw);
      any = true;
    });
  }
  if (!any) return NoTimes();
  return {.min_us = scale.FloorToMicros(least), .max_us = scale.CeilToMicros(greatest)};
}

int64_t Shifted(int64_t time_us, int64_t by_us) {
  int64_t result;
  if (__builtin_add_overflow(time_us, by_us, &result)) return by_us < 0 ? kMin : kMax;
  return result;
}

void ClearOutside(const arrow::Array& times, const TimeRange& range, std::vector<uint8_t>* keep) {
  const TimeScale scale = ScaleOf(*times.type());
  const int64_t min_us = range.min_us.value_or(kMin);
  const int64_t max_us = range.max_us.value_or(kMax);
  if (times.type_id() == arrow::Type::TIMESTAMP && times.null_count() == 0 && scale.divisor == 1 &&
      scale.multiplier == 1) {
    const int64_t* values = times.data()->GetValues<int64_t>(1);
    for (int64_t i = 0; i < times.length(); ++i)
      (*keep)[i] &= static_cast<uint8_t>(values[i] >= min_us && values[i] <= max_us);
    return;
  }
  std::vector<uint8_t> inside(times.length(), 0);
  VisitTimes(times, [&](int64_t row, int64_t raw) {
    const int64_t time_us = scale.FloorToMicros(raw);
    inside[row] = time_us >= min_us && time_us <= max_us;
  });
  for (int64_t i = 0; i < times.length(); ++i) (*keep)[i] &= inside[i];
}

std::pair<int64_t, int64_t> RawRange(const arrow::DataType& type, const TimeRange& range) {
  const TimeScale scale = ScaleOf(type);
  int64_t min = kMin;
  int64_t max = kMax;
  // The ends of int64 stand for all times beyond them, too: coarser units have such.
  if (range.min_us && range.min_us > kMin) min = scale.FloorFromMicros(*range.min_us);
  // A unit finer than microseconds may have times between the end and the next microsecond.
  if (range.max_us && range.max_us < kMax)
    max = scale.FloorFromMicros(scale.divisor > 1 ? Shifted(*range.max_us, 1) : *range.max_us);
  return {min, max};
}

arrow::compute::Expression RangeFilter(const std::string& column,
                                       const std::shared_ptr<arrow::DataType>& type,
                                       const TimeRange& range) {
  namespace cp = arrow::compute;
  const auto [min, max] = RawRange(*type, range);
  std::vector<cp::Expression> bounds;
  if (range.min_us)
    bounds.push_back(cp::greater_equal(cp::field_ref(column), TimeLiteral(min, type)));
  if (range.max_us) bounds.push_back(cp::less_equal(cp::field_ref(column), TimeLiteral(max, type)));
  return bounds.empty() ? cp::literal(true) : cp::and_(bounds);
}

}  // namespace viand::engine
