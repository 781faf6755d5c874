#include "src/expression/cast.h"

#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/exec.h>
#include <arrow/scalar.h>
#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "src/common/time.h"
#include "src/expression/calendar.h"
#include "src/expression/interval.h"
#include "src/expression/lexer.h"
#include "src/expression/row_map.h"

namespace viand::expression {
namespace {

arrow::Status DoesNotFit() { return arrow::Status::Invalid("the value does not fit"); }

std::string_view TrimAscii(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\n\v\f\r");
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\n\v\f\r") - begin + 1);
}

bool BooleanOfInteger(int64_t a) { return a != 0; }
bool BooleanOfDouble(double a) { return a != 0; }
int64_t IntegerOfBoolean(bool a) { return a ? 1 : 0; }
double DoubleOfBoolean(bool a) { return a ? 1 : 0; }
int64_t IntegerOfInteger(int64_t a) { return a; }
double DoubleOfInteger(int64_t a) { return static_cast<double>(a); }
double DoubleOfFloat(double a) { return a; }

arrow::Result<double> FloatOfDouble(double a) {
  if (std::isfinite(a) && !std::isfinite(static_cast<float>(a))) return DoesNotFit();
  return a;
}

arrow::Result<int64_t> IntegerOfDouble(double a) {
  const double rounded = std::nearbyint(a);  // half to even
  if (!(rounded >= -0x1p63 && rounded < 0x1p63)) return DoesNotFit();
  return static_cast<int64_t>(rounded);
}

std::string TextOfBoolean(bool a) { return a ? "true" : "false"; }
std::string TextOfInteger(int64_t a) { return fmt::format("{}", a); }

std::string WithPoint(const std::string& text) {
  const bool whole = text.find_first_not_of("-0123456789") == std::string::npos;
  return whole ? text + ".0" : text;
}
std::string NotANumber(double a) { return std::isnan(a) ? "nan" : (a < 0 ? "-inf" : "inf"); }
std::string TextOfDouble(double a) {
  return std::isfinite(a) ? WithPoint(fmt::format("{}", a)) : NotANumber(a);
}
std::string TextOfFloat(double a) {
  return std::isfinite(a) ? WithPoint(fmt::format("{}", static_cast<float>(a))) : NotANumber(a);
}
std::string TextOfDate(int64_t a) { return FormatDate(a); }
std::string TextOfTime(int64_t a) { return FormatTime(a); }
std::string TextOfZonedTime(int64_t a) { return FormatTime(a) + "+00"; }
std::string TextOfInterval(int64_t a) { return FormatInterval(a); }

arrow::Result<bool> BooleanOfText(std::string_view text) {
  const std::string lower = LowerAscii(TrimAscii(text));
  for (std::string_view word : {"true", "t", "yes", "y", "1"}) {
    if (lower == word) return true;
  }
  for (std::string_view word : {"false", "f", "no", "n", "0"}) {
    if (lower == word) return false;
  }
  return arrow::Status::Invalid("it is no boolean");
}

arrow::Result<double> DoubleOfText(std::string_view text) {
  std::string_view number = TrimAscii(text);
  if (number.starts_with('+') && !number.starts_with("+-")) number.remove_prefix(1);
  const std::string lower = LowerAscii(number);
  if (lower == "nan" || lower == "-nan") return std::nan("");
  if (lower == "inf" || lower == "infinity") return HUGE_VAL;
  if (lower == "-inf" || lower == "-infinity") return -HUGE_VAL;
  const bool plain = number.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
  double value = 0;
  const char* end = number.data() + number.size();
  const auto [stop, error] = std::from_chars(number.data(), end, value);
  if (!plain || number.empty() || stop != end || error == std::errc::invalid_argument) {
    return arrow::Status::Invalid("it is no number");
  }
  if (error == std::errc::result_out_of_range) {
    // Too small becomes zero; too large does not fit.
    const std::string copy(number);
    value = std::strtod(copy.c_str(), nullptr);
    if (std::isinf(value)) return DoesNotFit();
  }
  return value;
}

arrow::Result<double> FloatOfText(std::string_view text) {
  VIAND_ASSIGN_OR_RETURN(const double value, DoubleOfText(text));
  return FloatOfDouble(value);
}

arrow::Result<int64_t> IntegerOfText(std::string_view text) {
  std::string_view number = TrimAscii(text);
  if (number.starts_with('+') && !number.starts_with("+-")) number.remove_prefix(1);
  int64_t value = 0;
  const char* end = number.data() + number.size();
  const auto [stop, error] = std::from_chars(number.data(), end, value);
  if (error == std::errc() && stop == end) return value;
  if (error == std::errc::result_out_of_range && stop == end) return DoesNotFit();
  // '12.7' and '1e3' are rounded as numbers.
  VIAND_ASSIGN_OR_RETURN(const double decimal, DoubleOfText(text));
  const double rounded = std::round(decimal);
  if (!(rounded >= -0x1p63 && rounded < 0x1p63)) return DoesNotFit();
  return static_cast<int64_t>(rounded);
}

arrow::Result<int64_t> TimeOfText(std::string_view text) {
  auto us = ParseTimestampUs(TrimAscii(text));
  if (!us.ok()) return arrow::Status::Invalid("it is no time such as 2011-03-01 08:26:00");
  return us;
}

arrow::Result<int64_t> DateOfText(std::string_view text) {
  auto us = ParseTimestampUs(TrimAscii(text));
  if (!us.ok()) return arrow::Status::Invalid("it is no date such as 2011-03-01");
  return DaysOfUs(*us);
}

arrow::Result<int64_t> IntervalOfText(std::string_view text) {
  VIAND_ASSIGN_OR_RETURN(const Interval interval, ParseInterval(text));
  if (interval.months != 0) {
    return arrow::Status::Invalid("months and years have no fixed length");
  }
  return interval.us;
}

int64_t DateOfTime(int64_t us) { return DaysOfUs(us); }

arrow::Result<int64_t> TimeOfDate(int64_t days) {
  int64_t us = 0;
  if (__builtin_mul_overflow(days, kMicrosPerDay, &us)) return DoesNotFit();
  return us;
}

/// The same bits under another type.
arrow::Result<arrow::Datum> RenameBatch(const BatchCall& call) {
  std::shared_ptr<arrow::ArrayData> data = call.args[0].array()->Copy();
  data->type = call.expression.type;
  return arrow::Datum(std::move(data));
}
arrow::Result<Value> RenameRow(const Expression&, std::span<const Value> args) { return args[0]; }

/// Widening, which Arrow's kernel does fast and exactly (an integer beyond 2^53 rounds to the
/// nearest double).
arrow::Result<arrow::Datum> WidenBatch(const BatchCall& call) {
  arrow::compute::ExecContext context(call.pool);
  return arrow::compute::Cast(call.args[0],
                              arrow::compute::CastOptions::Unsafe(call.expression.type), &context);
}

/// A column of nulls stays one.
arrow::Result<arrow::Datum> NullsBatch(const BatchCall& call) {
  VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> nulls,
                         arrow::MakeArrayOfNull(call.expression.type, call.rows, call.pool));
  return arrow::Datum(nulls);
}

template <auto F>
constexpr Cast Make() {
  return {MapBatch<F>, MapRow<F>,
          FunctionTraits<decltype(F)>::kFails ? Failure::kPossible : Failure::kNever};
}

constexpr Cast kOfNull{NullsBatch, RenameRow, Failure::kNever};
constexpr Cast kRename{RenameBatch, RenameRow, Failure::kNever};
constexpr Cast kWidenInteger{WidenBatch, MapRow<&IntegerOfInteger>, Failure::kNever};
constexpr Cast kNarrowInteger{MapBatch<&IntegerOfInteger>, MapRow<&IntegerOfInteger>,
                              Failure::kPossible};
constexpr Cast kDoubleOfInteger{WidenBatch, MapRow<&DoubleOfInteger>, Failure::kNever};
constexpr Cast kDoubleOfFloat{WidenBatch, MapRow<&DoubleOfFloat>, Failure::kNever};
constexpr Cast kFloatOfDouble = Make<&FloatOfDouble>();
constexpr Cast kIntegerOfDouble = Make<&IntegerOfDouble>();
constexpr Cast kBooleanOfInteger = Make<&BooleanOfInteger>();
constexpr Cast kBooleanOfDouble = Make<&BooleanOfDouble>();
constexpr Cast kIntegerOfBoolean = Make<&IntegerOfBoolean>();
constexpr Cast kDoubleOfBoolean = Make<&DoubleOfBoolean>();
constexpr Cast kTextOfBoolean = Make<&TextOfBoolean>();
constexpr Cast kTextOfInteger = Make<&TextOfInteger>();
constexpr Cast kTextOfDouble = Make<&TextOfDouble>();
constexpr Cast kTextOfFloat = Make<&TextOfFloat>();
constexpr Cast kTextOfDate = Make<&TextOfDate>();
constexpr Cast kTextOfTime = Make<&TextOfTime>();
constexpr Cast kTextOfZonedTime = Make<&TextOfZonedTime>();
constexpr Cast kTextOfInterval = Make<&TextOfInterval>();
constexpr Cast kBooleanOfText = Make<&BooleanOfText>();
constexpr Cast kIntegerOfText = Make<&IntegerOfText>();
constexpr Cast kDoubleOfText = Make<&DoubleOfText>();
constexpr Cast kFloatOfText = Make<&FloatOfText>();
constexpr Cast kDateOfText = Make<&DateOfText>();
constexpr Cast kTimeOfText = Make<&TimeOfText>();
constexpr Cast kIntervalOfText = Make<&IntervalOfText>();
constexpr Cast kDateOfTime = Make<&DateOfTime>();
constexpr Cast kTimeOfDate = Make<&TimeOfDate>();

const Cast* FromBoolean(TypeClass to) {
  switch (to) {
    case TypeClass::kInteger:
      return &kIntegerOfBoolean;
    case TypeClass::kFloat:
      return &kDoubleOfBoolean;
    case TypeClass::kVarchar:
      return &kTextOfBoolean;
    default:
      return nullptr;
  }
}

const Cast* FromInteger(const arrow::DataType& from, const arrow::DataType& to) {
  switch (ClassOf(to)) {
    case TypeClass::kBoolean:
      return &kBooleanOfInteger;
    case TypeClass::kInteger: {
      const IntegerRange inner = RangeOf(from);
      const IntegerRange outer = RangeOf(to);
      const bool holds = outer.least <= inner.least && inner.greatest <= outer.greatest;
      return holds ? &kWidenInteger : &kNarrowInteger;
    }
    case TypeClass::kFloat:
      return &kDoubleOfInteger;
    case TypeClass::kVarchar:
      return &kTextOfInteger;
    default:
      return nullptr;
  }
}

const Cast* FromFloat(const arrow::DataType& from, const arrow::DataType& to) {
  switch (ClassOf(to)) {
    case TypeClass::kBoolean:
      return &kBooleanOfDouble;
    case TypeClass::kInteger:
      return &kIntegerOfDouble;
    case TypeClass::kFloat:
      return to.id() == arrow::Type::DOUBLE ? &kDoubleOfFloat : &kFloatOfDouble;
    case TypeClass::kVarchar:
      return from.id() == arrow::Type::DOUBLE ? &kTextOfDouble : &kTextOfFloat;
    default:
      return nullptr;
  }
}

const Cast* FromText(const arrow::DataType& to) {
  switch (ClassOf(to)) {
    case TypeClass::kBoolean:
      return &kBooleanOfText;
    case TypeClass::kInteger:
      return &kIntegerOfText;
    case TypeClass::kFloat:
      return to.id() == arrow::Type::DOUBLE ? &kDoubleOfText : &kFloatOfText;
    case TypeClass::kDate:
      return &kDateOfText;
    case TypeClass::kTimestamp:
      return &kTimeOfText;
    case TypeClass::kInterval:
      return &kIntervalOfText;
    default:
      return nullptr;
  }
}

const Cast* FromTime(const arrow::DataType& from, TypeClass to) {
  switch (to) {
    case TypeClass::kDate:
      return &kDateOfTime;
    case TypeClass::kTimestamp:
      return &kRename;
    case TypeClass::kVarchar:
      return from.Equals(*TimestampTzType()) ? &kTextOfZonedTime : &kTextOfTime;
    default:
      return nullptr;
  }
}

}  // namespace

const Cast* FindCast(const arrow::DataType& from, const arrow::DataType& to) {
  if (from.Equals(to)) return &kRename;
  switch (ClassOf(from)) {
    case TypeClass::kNull:
      return ClassOf(to) == TypeClass::kOther ? nullptr : &kOfNull;
    case TypeClass::kBoolean:
      return FromBoolean(ClassOf(to));
    case TypeClass::kInteger:
      return FromInteger(from, to);
    case TypeClass::kFloat:
      return FromFloat(from, to);
    case TypeClass::kVarchar:
      return FromText(to);
    case TypeClass::kDate:
      if (ClassOf(to) == TypeClass::kTimestamp) return &kTimeOfDate;
      return ClassOf(to) == TypeClass::kVarchar ? &kTextOfDate : nullptr;
    case TypeClass::kTimestamp:
      return FromTime(from, ClassOf(to));
    case TypeClass::kInterval:
      return ClassOf(to) == TypeClass::kVarchar ? &kTextOfInterval : nullptr;
    default:
      return nullptr;
  }
}

}  // namespace viand::expression
