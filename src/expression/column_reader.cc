#include "src/expression/column_reader.h"

#include <arrow/array.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/exec.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include "src/expression/value.h"

namespace viand::expression {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

bool IsMicros(const arrow::DataType& type) {
  return type.id() == arrow::Type::TIMESTAMP &&
         static_cast<const arrow::TimestampType&>(type).unit() == arrow::TimeUnit::MICRO;
}

/// The same values under a type of the same layout.
ArrayPtr Rename(const arrow::Array& column, const TypePtr& type) {
  std::shared_ptr<arrow::ArrayData> data = column.data()->Copy();
  data->type = type;
  return arrow::MakeArray(data);
}

arrow::Result<ArrayPtr> Convert(const ArrayPtr& column, const TypePtr& type,
                                arrow::MemoryPool* pool) {
  arrow::compute::ExecContext context(pool);
  if (column->type_id() == arrow::Type::DICTIONARY) {
    const auto& encoded = static_cast<const arrow::DictionaryType&>(*column->type());
    VIAND_ASSIGN_OR_RETURN(ArrayPtr decoded,
                           arrow::compute::Cast(*column, encoded.value_type(),
                                                arrow::compute::CastOptions::Safe(), &context));
    if (decoded->type()->Equals(*type)) return decoded;
    return Convert(decoded, type, pool);
  }
  arrow::compute::CastOptions options = arrow::compute::CastOptions::Safe();
  options.allow_decimal_truncate = true;  // a decimal is read as the nearest double
  return arrow::compute::Cast(*column, type, options, &context);
}

}  // namespace

arrow::Result<ArrayPtr> ReadColumn(const ArrayPtr& column, const TypePtr& type,
                                   const std::string& name, arrow::MemoryPool* pool) {
  const arrow::DataType& stored = *column->type();
  if (stored.Equals(*type)) return column;
  if (!ReadType(column->type())->Equals(*type)) {
    return MakeError(ErrorKind::kInput, fmt::format("column \"{}\" is {}, expected {}", name,
                                                    stored.ToString(), type->ToString()));
  }
  if (IsMicros(stored)) return Rename(*column, type);
  auto converted = Convert(column, type, pool);
  if (converted.ok()) return converted;
  for (int64_t row = 0; row < column->length(); ++row) {
    const auto value = ValueAt(*column, row);
    if (!value.ok()) return WithContext(value.status(), fmt::format("column \"{}\", ", name));
  }
  return MakeError(ErrorKind::kInput,
                   fmt::format("column \"{}\": {}", name, converted.status().message()));
}

}  // namespace viand::expression
