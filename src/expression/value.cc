#include "src/expression/value.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/scalar.h>
#include <fmt/format.h>

#include "src/common/block_pool.h"
#include "src/common/time.h"
#include "src/expression/binder.h"
#include "src/expression/sql_types.h"

namespace viand::expression {
namespace {

arrow::Status NoValue(const arrow::DataType& type) {
  return MakeError(
      ErrorKind::kDefinition,
      fmt::format("a value of type {} cannot be used in an expression", type.ToString()));
}

arrow::Status Inexact(const arrow::Array& array, int64_t row) {
  auto scalar = array.GetScalar(row);
  return MakeError(ErrorKind::kInput, fmt::format("row {}: {} has no exact {}", row,
                                                  scalar.ok() ? (*scalar)->ToString() : "the value",
                                                  TypeToSql(*ReadType(array.type()))));
}

/// Converts a time or a span in `unit` to microseconds; false where it has no exact one.
bool ToMicros(int64_t value, arrow::TimeUnit::type unit, int64_t* us) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return !__builtin_mul_overflow(value, kMicrosPerSecond, us);
    case arrow::TimeUnit::MILLI:
      return !__builtin_mul_overflow(value, int64_t{1000}, us);
    case arrow::TimeUnit::MICRO:
      *us = value;
      return true;
    default:
      *us = value / 1000;
      return value % 1000 == 0;
  }
}

template <class ArrayType>
Value Integer(const arrow::Array& array, int64_t row) {
  return static_cast<int64_t>(static_cast<const ArrayType&>(array).Value(row));
}

template <class ArrayType>
Value Text(const arrow::Array& array, int64_t row) {
  return std::string(static_cast<const ArrayType&>(array).GetView(row));
}

template <class ArrayType>
arrow::Result<Value> Decimal(const arrow::Array& array, int64_t row) {
  const auto& typed = static_cast<const ArrayType&>(array);
  using Number = std::conditional_t<std::is_same_v<ArrayType, arrow::Decimal256Array>,
                                    arrow::Decimal256, arrow::Decimal128>;
  const auto& type = static_cast<const arrow::DecimalType&>(*array.type());
  return Value(Number(typed.GetValue(row)).ToDouble(type.scale()));
}

arrow::Result<Value> TimedValue(const arrow::Array& array, int64_t row, arrow::TimeUnit::type unit,
                                int64_t stored) {
  int64_t us = 0;
  if (!ToMicros(stored, unit, &us)) return Inexact(array, row);
  return Value(us);
}

arrow::Result<Value> TextValueAt(const arrow::Array& array, int64_t row) {
  switch (array.type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return Text<arrow::BinaryArray>(array, row);
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return Text<arrow::LargeBinaryArray>(array, row);
    case arrow::Type::STRING_VIEW:
    case arrow::Type::BINARY_VIEW:
      return Text<arrow::BinaryViewArray>(array, row);
    case arrow::Type::FIXED_SIZE_BINARY:
      return Text<arrow::FixedSizeBinaryArray>(array, row);
    case arrow::Type::DICTIONARY: {
      const auto& encoded = static_cast<const arrow::DictionaryArray&>(array);
      return ValueAt(*encoded.dictionary(), encoded.GetValueIndex(row));
    }
    default:
      return NoValue(*array.type());
  }
}

arrow::Result<Value> TimeValueAt(const arrow::Array& array, int64_t row) {
  switch (array.type_id()) {
    case arrow::Type::DATE32:
      return Integer<arrow::Date32Array>(array, row);
    case arrow::Type::DATE64: {
      const int64_t ms = static_cast<const arrow::Date64Array&>(array).Value(row);
      if (ms % 86'400'000 != 0) return Inexact(array, row);
      return Value(ms / 86'400'000);
    }
    case arrow::Type::TIMESTAMP:
      return TimedValue(array, row, static_cast<const arrow::TimestampType&>(*array.type()).unit(),
                        static_cast<const arrow::TimestampArray&>(array).Value(row));
    case arrow::Type::DURATION:
      return TimedValue(array, row, static_cast<const arrow::DurationType&>(*array.type()).unit(),
                        static_cast<const arrow::DurationArray&>(array).Value(row));
    case arrow::Type::DECIMAL128:
      return Decimal<arrow::Decimal128Array>(array, row);
    case arrow::Type::DECIMAL256:
      return Decimal<arrow::Decimal256Array>(array, row);
    default:
      return TextValueAt(array, row);
  }
}

template <class BuilderType, class Native>
arrow::Result<std::shared_ptr<arrow::Array>> BuildArray(std::span<const Value> values,
                                                        const TypePtr& type) {
  std::unique_ptr<arrow::ArrayBuilder> builder;
  VIAND_RETURN_NOT_OK(arrow::MakeBuilder(ProcessPool(), type, &builder));
  for (const Value& value : values) {
    if (IsNull(value)) {
      VIAND_RETURN_NOT_OK(builder->AppendNull());
      continue;
    }
    const Native* native = std::get_if<Native>(&value);
    if (native == nullptr) {
      return MakeError(ErrorKind::kInput, fmt::format("a value is no {}", TypeToSql(*type)));
    }
    VIAND_RETURN_NOT_OK(static_cast<BuilderType*>(builder.get())->Append(*native));
  }
  return builder->Finish();
}

/// Builds 64-bit integers, then views or narrows them: values were checked when they were made.
arrow::Result<std::shared_ptr<arrow::Array>> BuildIntegers(std::span<const Value> values,
                                                           const TypePtr& type) {
  switch (type->id()) {
    case arrow::Type::INT8:
      return BuildArray<arrow::Int8Builder, int64_t>(values, type);
    case arrow::Type::INT16:
      return BuildArray<arrow::Int16Builder, int64_t>(values, type);
    case arrow::Type::INT32:
      return BuildArray<arrow::Int32Builder, int64_t>(values, type);
    case arrow::Type::UINT8:
      return BuildArray<arrow::UInt8Builder, int64_t>(values, type);
    case arrow::Type::UINT16:
      return BuildArray<arrow::UInt16Builder, int64_t>(values, type);
    case arrow::Type::UINT32:
      return BuildArray<arrow::UInt32Builder, int64_t>(values, type);
    default:
      return BuildArray<arrow::Int64Builder, int64_t>(values, type);
  }
}

}  // namespace

arrow::Result<Value> ValueAt(const arrow::Array& array, int64_t row) {
  if (array.IsNull(row)) return Value();
  switch (array.type_id()) {
    case arrow::Type::NA:
      return Value();
    case arrow::Type::BOOL:
      return Value(static_cast<const arrow::BooleanArray&>(array).Value(row));
    case arrow::Type::INT8:
      return Integer<arrow::Int8Array>(array, row);
    case arrow::Type::INT16:
      return Integer<arrow::Int16Array>(array, row);
    case arrow::Type::INT32:
      return Integer<arrow::Int32Array>(array, row);
    case arrow::Type::INT64:
      return Integer<arrow::Int64Array>(array, row);
    case arrow::Type::UINT8:
      return Integer<arrow::UInt8Array>(array, row);
    case arrow::Type::UINT16:
      return Integer<arrow::UInt16Array>(array, row);
    case arrow::Type::UINT32:
      return Integer<arrow::UInt32Array>(array, row);
    case arrow::Type::UINT64: {
      const uint64_t value = static_cast<const arrow::UInt64Array&>(array).Value(row);
      if (value > static_cast<uint64_t>(INT64_MAX)) return Inexact(array, row);
      return Value(static_cast<int64_t>(value));
    }
    case arrow::Type::INTERVAL_MONTHS:
      return Integer<arrow::MonthIntervalArray>(array, row);
    case arrow::Type::FLOAT:
      return Value(static_cast<double>(static_cast<const arrow::FloatArray&>(array).Value(row)));
    case arrow::Type::DOUBLE:
      return Value(static_cast<const arrow::DoubleArray&>(array).Value(row));
    default:
      return TimeValueAt(array, row);
  }
}

arrow::Result<std::shared_ptr<arrow::Array>> ToArray(std::span<const Value> values,
                                                     const TypePtr& type) {
  switch (ClassOf(*type)) {
    case TypeClass::kNull:
      return std::make_shared<arrow::NullArray>(static_cast<int64_t>(values.size()));
    case TypeClass::kBoolean:
      return BuildArray<arrow::BooleanBuilder, bool>(values, type);
    case TypeClass::kInteger:
      return BuildIntegers(values, type);
    case TypeClass::kFloat:
      if (type->id() == arrow::Type::FLOAT)
        return BuildArray<arrow::FloatBuilder, double>(values, type);
      return BuildArray<arrow::DoubleBuilder, double>(values, type);
    case TypeClass::kVarchar:
      return BuildArray<arrow::StringBuilder, std::string>(values, type);
    case TypeClass::kBlob:
      return BuildArray<arrow::BinaryBuilder, std::string>(values, type);
    case TypeClass::kDate:
      return BuildArray<arrow::Date32Builder, int64_t>(values, type);
    case TypeClass::kTimestamp:
      return BuildArray<arrow::TimestampBuilder, int64_t>(values, type);
    case TypeClass::kInterval:
      return BuildArray<arrow::DurationBuilder, int64_t>(values, type);
    case TypeClass::kMonths:
      return BuildArray<arrow::MonthIntervalBuilder, int64_t>(values, type);
    default:
      return NoValue(*type);
  }
}

arrow::Result<std::shared_ptr<arrow::Scalar>> ToScalar(const Value& value, const TypePtr& type) {
  VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> array, ToArray({&value, 1}, type));
  return array->GetScalar(0);
}

arrow::Result<Value> FromScalar(const arrow::Scalar& scalar) {
  if (!scalar.is_valid) return Value();
  switch (scalar.type->id()) {
    case arrow::Type::BOOL:
      return Value(static_cast<const arrow::BooleanScalar&>(scalar).value);
    case arrow::Type::INT32:
      return Value(int64_t{static_cast<const arrow::Int32Scalar&>(scalar).value});
    case arrow::Type::INT64:
      return Value(static_cast<const arrow::Int64Scalar&>(scalar).value);
    case arrow::Type::DOUBLE:
      return Value(static_cast<const arrow::DoubleScalar&>(scalar).value);
    case arrow::Type::STRING:
      return Value(std::string(static_cast<const arrow::StringScalar&>(scalar).view()));
    case arrow::Type::TIMESTAMP:
      if (!scalar.type->Equals(*ReadType(scalar.type))) break;
      return Value(static_cast<const arrow::TimestampScalar&>(scalar).value);
    default:
      break;
  }
  VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> array,
                         arrow::MakeArrayFromScalar(scalar, 1));
  return ValueAt(*array, 0);
}

}  // namespace viand::expression
