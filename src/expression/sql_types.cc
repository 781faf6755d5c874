#include "src/expression/sql_types.h"

#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <vector>

#include "src/expression/binder.h"
#include "src/expression/lexer.h"

namespace viand::expression {
namespace {

using TypeFactory = const TypePtr& (*)();

struct TypeName {
  std::string_view name;
  TypeFactory type;
};

// The first name of a type is the one printed.
constexpr std::array<TypeName, 35> kTypeNames = {{
    {"boolean", arrow::boolean},
    {"bool", arrow::boolean},
    {"tinyint", arrow::int8},
    {"int1", arrow::int8},
    {"smallint", arrow::int16},
    {"int2", arrow::int16},
    {"short", arrow::int16},
    {"integer", arrow::int32},
    {"int", arrow::int32},
    {"int4", arrow::int32},
    {"bigint", arrow::int64},
    {"int8", arrow::int64},
    {"long", arrow::int64},
    {"utinyint", arrow::uint8},
    {"usmallint", arrow::uint16},
    {"uinteger", arrow::uint32},
    {"ubigint", arrow::uint64},
    {"real", arrow::float32},
    {"float", arrow::float32},
    {"float4", arrow::float32},
    {"double", arrow::float64},
    {"float8", arrow::float64},
    {"varchar", arrow::utf8},
    {"text", arrow::utf8},
    {"string", arrow::utf8},
    {"char", arrow::utf8},
    {"timestamp", TimestampType},
    {"datetime", TimestampType},
    {"timestamptz", TimestampTzType},
    {"date", arrow::date32},
    {"interval", IntervalType},
    {"blob", arrow::binary},
    {"bytea", arrow::binary},
    {"binary", arrow::binary},
    {"null", arrow::null},
}};

/// Returns the signed type of at least `bits`.
TypePtr SignedOf(int bits) {
  if (bits <= 8) return arrow::int8();
  if (bits <= 16) return arrow::int16();
  return bits <= 32 ? arrow::int32() : arrow::int64();
}

TypePtr WidenIntegers(const TypePtr& a, const TypePtr& b) {
  const bool a_signed = arrow::is_signed_integer(a->id());
  const bool b_signed = arrow::is_signed_integer(b->id());
  if (a_signed == b_signed) return a->bit_width() >= b->bit_width() ? a : b;
  const TypePtr& plain = a_signed ? a : b;
  const TypePtr& natural = a_signed ? b : a;
  return SignedOf(std::max(plain->bit_width(), natural->bit_width() * 2));
}

bool IsTimed(TypeClass type) { return type == TypeClass::kDate || type == TypeClass::kTimestamp; }

}  // namespace

const TypePtr& TimestampType() {
  static const TypePtr type = arrow::timestamp(arrow::TimeUnit::MICRO);
  return type;
}
const TypePtr& TimestampTzType() {
  static const TypePtr type = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  return type;
}
const TypePtr& IntervalType() {
  static const TypePtr type = arrow::duration(arrow::TimeUnit::MICRO);
  return type;
}

const TypePtr& UnknownType() {
  // A union of nothing has no value, so no file holds one.
  static const TypePtr type = arrow::sparse_union(arrow::FieldVector{});
  return type;
}

bool IsUnknown(const arrow::DataType& type) { return ClassOf(type) == TypeClass::kUnknown; }

TypeClass ClassOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::SPARSE_UNION:
      return type.num_fields() == 0 ? TypeClass::kUnknown : TypeClass::kOther;
    case arrow::Type::NA:
      return TypeClass::kNull;
    case arrow::Type::BOOL:
      return TypeClass::kBoolean;
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::UINT8:
    case arrow::Type::UINT16:
    case arrow::Type::UINT32:
      return TypeClass::kInteger;
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
      return TypeClass::kFloat;
    case arrow::Type::STRING:
      return TypeClass::kVarchar;
    case arrow::Type::BINARY:
      return TypeClass::kBlob;
    case arrow::Type::DATE32:
      return TypeClass::kDate;
    case arrow::Type::TIMESTAMP:
      return TypeClass::kTimestamp;
    case arrow::Type::DURATION:
      return TypeClass::kInterval;
    case arrow::Type::INTERVAL_MONTHS:
      return TypeClass::kMonths;
    default:
      return TypeClass::kOther;
  }
}

bool IsNumber(const arrow::DataType& type) {
  return ClassOf(type) == TypeClass::kInteger || ClassOf(type) == TypeClass::kFloat;
}

IntegerRange RangeOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::INT8:
      return {INT8_MIN, INT8_MAX};
    case arrow::Type::INT16:
      return {INT16_MIN, INT16_MAX};
    case arrow::Type::UINT8:
      return {0, UINT8_MAX};
    case arrow::Type::UINT16:
      return {0, UINT16_MAX};
    case arrow::Type::UINT32:
      return {0, UINT32_MAX};
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
      return {INT32_MIN, INT32_MAX};
    default:
      return {INT64_MIN, INT64_MAX};
  }
}

TypePtr ReadType(const TypePtr& type) {
  switch (type->id()) {
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW:
      return arrow::utf8();
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::BINARY_VIEW:
    case arrow::Type::FIXED_SIZE_BINARY:
      return arrow::binary();
    case arrow::Type::DICTIONARY:
      return ReadType(static_cast<const arrow::DictionaryType&>(*type).value_type());
    case arrow::Type::TIMESTAMP:
      return static_cast<const arrow::TimestampType&>(*type).timezone().empty() ? TimestampType()
                                                                                : TimestampTzType();
    case arrow::Type::DURATION:
      return IntervalType();
    case arrow::Type::DATE64:
      return arrow::date32();
    case arrow::Type::HALF_FLOAT:
      return arrow::float32();
    case arrow::Type::UINT64:
      return arrow::int64();
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256:
      return arrow::float64();
    default:
      return type;
  }
}

std::optional<TypePtr> Widen(const TypePtr& a, const TypePtr& b) {
  if (a->Equals(*b)) return a;
  const TypeClass first = ClassOf(*a);
  const TypeClass second = ClassOf(*b);
  if (first == TypeClass::kNull) return b;
  if (second == TypeClass::kNull) return a;
  if (first == TypeClass::kInteger && second == TypeClass::kInteger) return WidenIntegers(a, b);
  if (first == TypeClass::kFloat && second == TypeClass::kFloat) return arrow::float64();
  if (first == TypeClass::kFloat &&
      (second == TypeClass::kInteger || second == TypeClass::kBoolean))
    return a;
  if (second == TypeClass::kFloat && (first == TypeClass::kInteger || first == TypeClass::kBoolean))
    return b;
  if (first == TypeClass::kBoolean && second == TypeClass::kInteger) return b;
  if (second == TypeClass::kBoolean && first == TypeClass::kInteger) return a;
  if (IsTimed(first) && IsTimed(second)) {
    const bool zoned = a->Equals(*TimestampTzType()) || b->Equals(*TimestampTzType());
    return zoned ? TimestampTzType() : TimestampType();
  }
  return std::nullopt;
}

arrow::Result<TypePtr> TypeFromSql(std::string_view name, const SourceLocation& where) {
  const std::string lower = LowerAscii(name);
  for (const TypeName& entry : kTypeNames) {
    if (lower == entry.name) return entry.type();
  }
  std::vector<std::string> names;
  for (const TypeName& entry : kTypeNames) names.emplace_back(entry.name);
  std::string hint = DidYouMean(lower, names);
  if (lower == "decimal" || lower == "numeric") hint = "use double";
  if (hint.empty())
    hint = "types are boolean, integer, bigint, double, varchar, date, timestamp, timestamptz";
  return ErrorAt(where, ErrorKind::kDefinition, fmt::format("unknown type \"{}\"", name),
                 std::move(hint));
}

std::string TypeToSql(const arrow::DataType& type) {
  if (IsUnknown(type)) return "unknown";
  for (const TypeName& entry : kTypeNames) {
    if (entry.type()->Equals(type)) return std::string(entry.name);
  }
  return type.ToString();
}

}  // namespace viand::expression
