#include "src/store/nested_json.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/extension_type.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/string.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "src/common/time.h"

namespace viand::store {
namespace {

using nlohmann::json;

json ToJson(const arrow::Array& array, int64_t row);

bool HoldsBytes(const arrow::DataType& type) {
  const arrow::Type::type id = type.id();
  return arrow::is_binary(id) || id == arrow::Type::BINARY_VIEW ||
         id == arrow::Type::FIXED_SIZE_BINARY;
}

json ListToJson(const arrow::Array& values, int64_t begin, int64_t end) {
  json list = json::array();
  for (int64_t i = begin; i < end; ++i) list.push_back(ToJson(values, i));
  return list;
}

json StructToJson(const arrow::StructArray& array, int64_t row) {
  json object = json::object();
  for (int i = 0; i < array.num_fields(); ++i) {
    object[array.struct_type()->field(i)->name()] = ToJson(*array.field(i), row);
  }
  return object;
}

json NumberToJson(double value) {
  if (std::isfinite(value)) return value;
  if (std::isnan(value)) return "NaN";
  return value > 0 ? "Infinity" : "-Infinity";
}

/// A plain value; what JSON has no form for is a text, as Arrow prints it.
json PlainToJson(const arrow::Array& array, int64_t row) {
  const auto found = array.GetScalar(row);
  if (!found.ok()) return nullptr;
  const arrow::Scalar& scalar = **found;
  if (HoldsBytes(*scalar.type))
    return arrow::HexEncode(static_cast<const arrow::BaseBinaryScalar&>(scalar).view());
  const auto cast = [&](const std::shared_ptr<arrow::DataType>& type) {
    return scalar.CastTo(type).ValueOr(nullptr);
  };
  if (scalar.type->id() == arrow::Type::BOOL) {
    return static_cast<const arrow::BooleanScalar&>(scalar).value;
  }
  if (scalar.type->id() == arrow::Type::UINT64)
    return static_cast<const arrow::UInt64Scalar&>(scalar).value;
  if (arrow::is_integer(scalar.type->id())) {
    if (const auto value = cast(arrow::int64()))
      return static_cast<const arrow::Int64Scalar&>(*value).value;
  }
  if (arrow::is_floating(scalar.type->id())) {
    if (const auto value = cast(arrow::float64()))
      return NumberToJson(static_cast<const arrow::DoubleScalar&>(*value).value);
  }
  if (scalar.type->id() == arrow::Type::TIMESTAMP) {
    const auto& type = static_cast<const arrow::TimestampType&>(*scalar.type);
    if (const auto value = cast(arrow::timestamp(arrow::TimeUnit::MICRO, type.timezone())))
      return FormatTimestamp(static_cast<const arrow::TimestampScalar&>(*value).value);
  }
  return scalar.ToString();
}

json EncodedToJson(const arrow::Array& array, int64_t row);

json ToJson(const arrow::Array& array, int64_t row) {
  if (array.IsNull(row)) return nullptr;
  switch (array.type_id()) {
    case arrow::Type::LIST:
    case arrow::Type::MAP: {
      const auto& list = static_cast<const arrow::ListArray&>(array);
      return ListToJson(*list.values(), list.value_offset(row), list.value_offset(row + 1));
    }
    case arrow::Type::LARGE_LIST: {
      const auto& list = static_cast<const arrow::LargeListArray&>(array);
      return ListToJson(*list.values(), list.value_offset(row), list.value_offset(row + 1));
    }
    case arrow::Type::FIXED_SIZE_LIST: {
      const auto& list = static_cast<const arrow::FixedSizeListArray&>(array);
      return ListToJson(*list.values(), list.value_offset(row), list.value_offset(row + 1));
    }
    case arrow::Type::LIST_VIEW: {
      const auto& list = static_cast<const arrow::ListViewArray&>(array);
      const int64_t begin = list.value_offset(row);
      return ListToJson(*list.values(), begin, begin + list.value_length(row));
    }
    case arrow::Type::LARGE_LIST_VIEW: {
      const auto& list = static_cast<const arrow::LargeListViewArray&>(array);
      const int64_t begin = list.value_offset(row);
      return ListToJson(*list.values(), begin, begin + list.value_length(row));
    }
    case arrow::Type::STRUCT:
      return StructToJson(static_cast<const arrow::StructArray&>(array), row);
    default:
      return EncodedToJson(array, row);
  }
}

/// A value that another array has, or a plain one.
json EncodedToJson(const arrow::Array& array, int64_t row) {
  switch (array.type_id()) {
    case arrow::Type::EXTENSION:
      return ToJson(*static_cast<const arrow::ExtensionArray&>(array).storage(), row);
    case arrow::Type::DICTIONARY: {
      const auto& encoded = static_cast<const arrow::DictionaryArray&>(array);
      return ToJson(*encoded.dictionary(), encoded.GetValueIndex(row));
    }
    case arrow::Type::RUN_END_ENCODED: {
      const auto run = array.GetScalar(row);
      if (!run.ok()) return nullptr;
      const auto value = arrow::MakeArrayFromScalar(
          *static_cast<const arrow::RunEndEncodedScalar&>(**run).value, 1);
      return value.ok() ? ToJson(**value, 0) : nullptr;
    }
    case arrow::Type::SPARSE_UNION: {
      const auto& either = static_cast<const arrow::SparseUnionArray&>(array);
      return ToJson(*either.field(either.child_id(row)), row);
    }
    case arrow::Type::DENSE_UNION: {
      const auto& either = static_cast<const arrow::DenseUnionArray&>(array);
      return ToJson(*either.field(either.child_id(row)), either.value_offset(row));
    }
    default:
      return PlainToJson(array, row);
  }
}

arrow::Result<std::shared_ptr<arrow::ChunkedArray>> Texts(const arrow::ChunkedArray& column) {
  arrow::ArrayVector chunks;
  for (const auto& chunk : column.chunks()) {
    arrow::StringBuilder builder;
    for (int64_t row = 0; row < chunk->length(); ++row) {
      if (chunk->IsNull(row)) {
        ARROW_RETURN_NOT_OK(builder.AppendNull());
      } else {
        const json value = ToJson(*chunk, row);
        // A text is one as it is, without quotes: bytes, and texts that are encoded in some way.
        ARROW_RETURN_NOT_OK(
            value.is_null() ? builder.AppendNull()
            : value.is_string()
                ? builder.Append(value.get<std::string>())
                : builder.Append(value.dump(-1, ' ', false, json::error_handler_t::replace)));
      }
    }
    ARROW_ASSIGN_OR_RAISE(chunks.emplace_back(), builder.Finish());
  }
  return arrow::ChunkedArray::Make(std::move(chunks), arrow::utf8());
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::Table>> WithNestedAsJson(
    const std::shared_ptr<arrow::Table>& table) {
  std::shared_ptr<arrow::Table> result = table;
  for (int i = 0; i < table->num_columns(); ++i) {
    const arrow::DataType& type = *table->field(i)->type();
    const arrow::Type::type id = type.id();
    const bool plain = !arrow::is_nested(id) && !HoldsBytes(type) && id != arrow::Type::EXTENSION &&
                       id != arrow::Type::STRING_VIEW;
    if (plain) continue;
    ARROW_ASSIGN_OR_RAISE(auto texts, Texts(*table->column(i)));
    ARROW_ASSIGN_OR_RAISE(
        result, result->SetColumn(i, table->field(i)->WithType(arrow::utf8()), std::move(texts)));
  }
  return result;
}

}  // namespace viand::store
