#include "src/engine/plain_array.h"

#include <arrow/array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/exec.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "src/common/block_pool.h"

namespace viand::engine {
namespace {

namespace cp = arrow::compute;
using arrow::Type;

bool IsStringLike(Type::type id) { return id == Type::STRING || id == Type::LARGE_STRING; }
bool IsBinaryLike(Type::type id) { return id == Type::BINARY || id == Type::LARGE_BINARY; }

bool IsWiderInteger(const arrow::DataType& from, const arrow::DataType& to) {
  if (!arrow::is_integer(from.id()) || !arrow::is_integer(to.id())) return false;
  const bool from_signed = arrow::is_signed_integer(from.id());
  const bool to_signed = arrow::is_signed_integer(to.id());
  if (from_signed == to_signed) return from.byte_width() <= to.byte_width();
  return to_signed && from.byte_width() < to.byte_width();
}

bool IsFinerTimestamp(const arrow::DataType& from, const arrow::DataType& to) {
  if (from.id() != Type::TIMESTAMP || to.id() != Type::TIMESTAMP) return false;
  const auto& a = static_cast<const arrow::TimestampType&>(from);
  const auto& b = static_cast<const arrow::TimestampType&>(to);
  // A zone is how a time is shown; the instant is the same. Naive means UTC.
  return a.unit() <= b.unit();
}

}  // namespace

std::shared_ptr<arrow::DataType> PlainType(const std::shared_ptr<arrow::DataType>& type) {
  switch (type->id()) {
    case Type::DICTIONARY:
      return PlainType(static_cast<const arrow::DictionaryType&>(*type).value_type());
    case Type::RUN_END_ENCODED:
      return PlainType(static_cast<const arrow::RunEndEncodedType&>(*type).value_type());
    case Type::STRING_VIEW:
      return arrow::utf8();
    case Type::BINARY_VIEW:
      return arrow::binary();
    default:
      return type;
  }
}

std::shared_ptr<arrow::Schema> PlainSchema(const arrow::Schema& schema) {
  arrow::FieldVector fields;
  for (const auto& field : schema.fields()) {
    fields.push_back(arrow::field(field->name(), PlainType(field->type())));
  }
  return arrow::schema(std::move(fields));
}

bool IsWidening(const arrow::DataType& from, const arrow::DataType& to) {
  if (from.Equals(to) || from.id() == Type::NA) return true;
  if (IsStringLike(from.id()) && IsStringLike(to.id())) return true;
  if (IsBinaryLike(from.id()) && IsBinaryLike(to.id())) return true;
  if (arrow::is_floating(from.id()) && arrow::is_floating(to.id())) {
    return from.byte_width() <= to.byte_width();
  }
  return IsWiderInteger(from, to) || IsFinerTimestamp(from, to);
}

arrow::Result<std::shared_ptr<arrow::Array>> ToPlain(const std::shared_ptr<arrow::Array>& array,
                                                     const std::shared_ptr<arrow::DataType>& to,
                                                     arrow::MemoryPool* pool) {
  if (array->type()->Equals(*to)) return array;
  cp::ExecContext context(pool != nullptr ? pool : ProcessPool());
  context.set_use_threads(false);
  if (array->type_id() == Type::DICTIONARY) {
    const auto& encoded = static_cast<const arrow::DictionaryArray&>(*array);
    VIAND_ASSIGN_OR_RETURN(auto values, cp::Take(*encoded.dictionary(), *encoded.indices(),
                                                 cp::TakeOptions::NoBoundsCheck(), &context));
    return ToPlain(values, to, pool);
  }
  if (array->type_id() == Type::RUN_END_ENCODED) {
    VIAND_ASSIGN_OR_RETURN(arrow::Datum values, cp::RunEndDecode(array, &context));
    return ToPlain(values.make_array(), to, pool);
  }
  return cp::Cast(*array, to, cp::CastOptions::Safe(), &context);
}

arrow::Result<std::shared_ptr<arrow::Array>> RestoreType(
    const std::shared_ptr<arrow::Array>& plain, const std::shared_ptr<arrow::DataType>& type,
    arrow::MemoryPool* pool) {
  if (plain->type()->Equals(*type)) return plain;
  cp::ExecContext context(pool != nullptr ? pool : ProcessPool());
  context.set_use_threads(false);
  if (type->id() == Type::RUN_END_ENCODED) {
    const auto& encoded = static_cast<const arrow::RunEndEncodedType&>(*type);
    VIAND_ASSIGN_OR_RETURN(auto values, RestoreType(plain, encoded.value_type(), pool));
    VIAND_ASSIGN_OR_RETURN(
        arrow::Datum result,
        cp::RunEndEncode(values, cp::RunEndEncodeOptions(encoded.run_end_type()), &context));
    return result.make_array();
  }
  if (type->id() != Type::DICTIONARY) {
    return cp::Cast(*plain, type, cp::CastOptions::Safe(), &context);
  }
  const auto& wanted = static_cast<const arrow::DictionaryType&>(*type);
  VIAND_ASSIGN_OR_RETURN(auto values, RestoreType(plain, wanted.value_type(), pool));
  VIAND_ASSIGN_OR_RETURN(
      arrow::Datum datum,
      cp::DictionaryEncode(values, cp::DictionaryEncodeOptions::Defaults(), &context));
  const auto encoded = std::static_pointer_cast<arrow::DictionaryArray>(datum.make_array());
  VIAND_ASSIGN_OR_RETURN(auto indices, cp::Cast(*encoded->indices(), wanted.index_type(),
                                                cp::CastOptions::Safe(), &context));
  return arrow::DictionaryArray::FromArrays(type, indices, encoded->dictionary());
}

}  // namespace viand::engine
