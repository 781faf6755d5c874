#include "src/engine/coded_array.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/type.h>

#include "src/engine/key_table.h"
#include "src/engine/plain_array.h"

namespace viand::engine {

std::shared_ptr<arrow::DataType> CodedType(const std::shared_ptr<arrow::DataType>& type) {
  return arrow::dictionary(arrow::int32(), type);
}

arrow::Result<std::shared_ptr<arrow::Array>> ToPlainOrCoded(
    const std::shared_ptr<arrow::Array>& array, const std::shared_ptr<arrow::DataType>& to,
    arrow::MemoryPool* pool) {
  if (array->type()->Equals(*to)) return array;
  VIAND_ASSIGN_OR_RETURN(auto plain, ToPlain(array, PlainType(to), pool));
  if (to->id() != arrow::Type::DICTIONARY) return plain;
  arrow::compute::ExecContext context(pool);
  context.set_use_threads(false);
  VIAND_ASSIGN_OR_RETURN(
      const arrow::Datum encoded,
      arrow::compute::DictionaryEncode(
          plain, arrow::compute::DictionaryEncodeOptions::Defaults(), &context));
  return encoded.make_array();
}

arrow::Result<std::shared_ptr<arrow::Array>> JoinCoded(
    const std::vector<std::shared_ptr<arrow::Array>>& chunks, arrow::MemoryPool* pool) {
  int64_t length = 0;
  for (const auto& chunk : chunks) length += chunk->length();
  BytesTable table;
  arrow::StringBuilder values(pool);
  arrow::Int32Builder codes(pool);
  VIAND_RETURN_NOT_OK(codes.Reserve(length));
  constexpr int32_t kUnknown = -1;
  constexpr int32_t kNull = -2;
  for (const auto& chunk : chunks) {
    const auto& coded = static_cast<const arrow::DictionaryArray&>(*chunk);
    const auto& dictionary = static_cast<const arrow::StringArray&>(*coded.dictionary());
    const int32_t* indices = static_cast<const arrow::Int32Array&>(*coded.indices()).raw_values();
    const bool nulls = coded.null_count() > 0;
    std::vector<int32_t> code_of(dictionary.length(), kUnknown);
    for (int64_t i = 0; i < coded.length(); ++i) {
      int32_t unused = kNull;
      int32_t& code = nulls && coded.IsNull(i) ? unused : code_of[indices[i]];
      if (code == kUnknown && dictionary.IsNull(indices[i])) code = kNull;
      if (code == kUnknown) {
        const std::string_view value = dictionary.GetView(indices[i]);
        code = table.Insert(value);
        if (code == values.length()) VIAND_RETURN_NOT_OK(values.Append(value));
      }
      if (code == kNull)
        codes.UnsafeAppendNull();
      else
        codes.UnsafeAppend(code);
    }
  }
  VIAND_ASSIGN_OR_RETURN(const auto dictionary, values.Finish());
  VIAND_ASSIGN_OR_RETURN(const auto index_array, codes.Finish());
  return arrow::DictionaryArray::FromArrays(CodedType(arrow::utf8()), index_array, dictionary);
}

}  // namespace viand::engine
