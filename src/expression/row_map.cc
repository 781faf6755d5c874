#include "src/expression/row_map.h"

#include <arrow/memory_pool.h>
#include <fmt/format.h>

#include "src/expression/binder.h"

namespace viand::expression {
namespace {

/// The integer type by whose layout a type is stored.
arrow::Type::type StorageOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::UINT8:
    case arrow::Type::UINT16:
    case arrow::Type::UINT32:
      return type.id();
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
    case arrow::Type::INTERVAL_MONTHS:
      return arrow::Type::INT32;
    default:
      return arrow::Type::INT64;
  }
}

/// Reads a non-null scalar; a null one is never looked at.
Value ConstantOf(const arrow::Datum& datum) {
  auto value = FromScalar(*datum.scalar());
  return value.ok() ? *std::move(value) : Value();
}

const uint8_t* ValuesOf(const arrow::ArrayData& data) {
  return data.buffers[1] == nullptr ? nullptr : data.buffers[1]->data();
}

arrow::Status NotInRange(const arrow::DataType& type) {
  return arrow::Status::Invalid(fmt::format("the result does not fit {}", TypeToSql(type)));
}

std::shared_ptr<arrow::ArrayData> Assemble(const TypePtr& type, int64_t rows,
                                           std::shared_ptr<arrow::Buffer> validity,
                                           std::shared_ptr<arrow::Buffer> values) {
  const int64_t nulls = validity == nullptr ? 0 : arrow::kUnknownNullCount;
  return arrow::ArrayData::Make(type, rows, {std::move(validity), std::move(values)}, nulls);
}

}  // namespace

ArgReader<int64_t>::ArgReader(const arrow::Datum& datum) {
  if (datum.is_scalar()) {
    const Value value = ConstantOf(datum);
    if (const int64_t* number = std::get_if<int64_t>(&value)) constant_ = *number;
    return;
  }
  const arrow::ArrayData& data = *datum.array();
  form_ = StorageOf(*data.type);
  values_ = ValuesOf(data) + data.offset * (data.type->bit_width() / 8);
}

ArgReader<double>::ArgReader(const arrow::Datum& datum) {
  if (datum.is_scalar()) {
    const Value value = ConstantOf(datum);
    if (const double* number = std::get_if<double>(&value)) constant_ = *number;
    return;
  }
  const arrow::ArrayData& data = *datum.array();
  if (data.type->id() == arrow::Type::DOUBLE) {
    doubles_ = reinterpret_cast<const double*>(ValuesOf(data)) + data.offset;
  } else {
    floats_ = reinterpret_cast<const float*>(ValuesOf(data)) + data.offset;
  }
}

ArgReader<bool>::ArgReader(const arrow::Datum& datum) {
  if (datum.is_scalar()) {
    const Value value = ConstantOf(datum);
    if (const bool* flag = std::get_if<bool>(&value)) constant_ = *flag;
    return;
  }
  const arrow::ArrayData& data = *datum.array();
  bits_ = ValuesOf(data);
  offset_ = data.offset;
}

ArgReader<std::string_view>::ArgReader(const arrow::Datum& datum) {
  if (datum.is_scalar()) {
    const auto& scalar = static_cast<const arrow::BaseBinaryScalar&>(*datum.scalar());
    if (scalar.is_valid) constant_ = scalar.view();
    return;
  }
  const arrow::ArrayData& data = *datum.array();
  offsets_ = reinterpret_cast<const int32_t*>(ValuesOf(data)) + data.offset;
  bytes_ = data.buffers[2] == nullptr ? "" : reinterpret_cast<const char*>(data.buffers[2]->data());
}

arrow::Status ResultWriter<int64_t>::Start(const TypePtr& type, int64_t rows,
                                           arrow::MemoryPool* pool) {
  type_ = type;
  rows_ = rows;
  range_ = RangeOf(*type);
  width_ = type->bit_width() / 8;
  VIAND_ASSIGN_OR_RETURN(buffer_, arrow::AllocateBuffer(rows * width_, pool));
  bytes_ = buffer_->mutable_data();
  return arrow::Status::OK();
}

arrow::Status ResultWriter<int64_t>::OutOfRange() const { return NotInRange(*type_); }

arrow::Result<std::shared_ptr<arrow::ArrayData>> ResultWriter<int64_t>::Finish(
    std::shared_ptr<arrow::Buffer> validity) {
  return Assemble(type_, rows_, std::move(validity), std::move(buffer_));
}

arrow::Status ResultWriter<double>::Start(const TypePtr& type, int64_t rows,
                                          arrow::MemoryPool* pool) {
  type_ = type;
  rows_ = rows;
  single_ = type->id() == arrow::Type::FLOAT;
  VIAND_ASSIGN_OR_RETURN(buffer_, arrow::AllocateBuffer(rows * (single_ ? 4 : 8), pool));
  bytes_ = buffer_->mutable_data();
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::ArrayData>> ResultWriter<double>::Finish(
    std::shared_ptr<arrow::Buffer> validity) {
  return Assemble(type_, rows_, std::move(validity), std::move(buffer_));
}

arrow::Status ResultWriter<bool>::Start(const TypePtr& type, int64_t rows,
                                        arrow::MemoryPool* pool) {
  rows_ = rows;
  VIAND_ASSIGN_OR_RETURN(buffer_, arrow::AllocateEmptyBitmap(rows, pool));
  bits_ = buffer_->mutable_data();
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::ArrayData>> ResultWriter<bool>::Finish(
    std::shared_ptr<arrow::Buffer> validity) {
  return Assemble(arrow::boolean(), rows_, std::move(validity), std::move(buffer_));
}

arrow::Status ResultWriter<std::string>::Start(const TypePtr& type, int64_t rows,
                                               arrow::MemoryPool* pool) {
  builder_ = std::make_unique<arrow::StringBuilder>(pool);
  return builder_->Reserve(rows);
}

arrow::Result<std::shared_ptr<arrow::ArrayData>> ResultWriter<std::string>::Finish(
    const std::shared_ptr<arrow::Buffer>& validity) {
  std::shared_ptr<arrow::ArrayData> data;
  VIAND_RETURN_NOT_OK(builder_->FinishInternal(&data));
  return data;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> CommonValidity(const BatchCall& call) {
  std::shared_ptr<arrow::Buffer> common;
  for (const arrow::Datum& arg : call.args) {
    if (!arg.is_array()) continue;
    const arrow::ArrayData& data = *arg.array();
    if (data.GetNullCount() == 0 || data.buffers[0] == nullptr) continue;
    const uint8_t* bits = data.buffers[0]->data();
    if (common == nullptr) {
      VIAND_ASSIGN_OR_RETURN(common,
                             arrow::internal::CopyBitmap(call.pool, bits, data.offset, call.rows));
    } else {
      arrow::internal::BitmapAnd(common->data(), 0, bits, data.offset, call.rows, 0,
                                 common->mutable_data());
    }
  }
  return common;
}

arrow::Result<Value> CheckedValue(int64_t result, const arrow::DataType& type) {
  const IntegerRange range = RangeOf(type);
  if (result < range.least || result > range.greatest) return NotInRange(type);
  return Value(result);
}

arrow::Result<Value> CheckedValue(double result, const arrow::DataType& type) {
  if (type.id() == arrow::Type::FLOAT)
    return Value(static_cast<double>(static_cast<float>(result)));
  return Value(result);
}

}  // namespace viand::expression
