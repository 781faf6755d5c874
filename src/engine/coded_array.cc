#include "src/engine/coded_array.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include <algorithm>

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
  VIAND_ASSIGN_OR_RETURN(const arrow::Datum encoded,
                         arrow::compute::DictionaryEncode(
                             plain, arrow::compute::DictionaryEncodeOptions::Defaults(), &context));
  return encoded.make_array();
}

namespace {

constexpr int32_t kUnknown = -1;
constexpr int32_t kNull = -2;

// Recodes chunk by chunk: a value is looked up once a chunk, then its code is found by its old one.
class Recoder {
 public:
  explicit Recoder(arrow::MemoryPool* pool) : values_(pool) {}

  arrow::Status Append(const arrow::DictionaryArray& chunk, int32_t* out) {
    const auto& dictionary = static_cast<const arrow::StringArray&>(*chunk.dictionary());
    const int32_t* indices = static_cast<const arrow::Int32Array&>(*chunk.indices()).raw_values();
    const bool nulls = chunk.null_count() > 0;
    std::vector<int32_t> code_of(dictionary.length(), kUnknown);
    for (int64_t i = 0; i < chunk.length(); ++i) {
      if (nulls && chunk.IsNull(i)) {
        out[i] = kNull;
        continue;
      }
      int32_t& code = code_of[indices[i]];
      if (code == kUnknown) {
        VIAND_ASSIGN_OR_RETURN(code, CodeOf(dictionary, indices[i]));
      }
      out[i] = code;
    }
    return arrow::Status::OK();
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Values() { return values_.Finish(); }

 private:
  arrow::Result<int32_t> CodeOf(const arrow::StringArray& dictionary, int32_t index) {
    if (dictionary.IsNull(index)) return kNull;
    const std::string_view value = dictionary.GetView(index);
    const int32_t code = table_.Insert(value);
    if (code == values_.length()) VIAND_RETURN_NOT_OK(values_.Append(value));
    return code;
  }

  BytesTable table_;
  arrow::StringBuilder values_;
};

}  // namespace

arrow::Result<std::shared_ptr<arrow::Array>> JoinCoded(
    const std::vector<std::shared_ptr<arrow::Array>>& chunks, arrow::MemoryPool* pool) {
  int64_t length = 0;
  for (const auto& chunk : chunks) length += chunk->length();
  std::vector<int32_t> codes(length);
  Recoder recoder(pool);
  int32_t* next = codes.data();
  for (const auto& chunk : chunks) {
    VIAND_RETURN_NOT_OK(recoder.Append(static_cast<const arrow::DictionaryArray&>(*chunk), next));
    next += chunk->length();
  }
  VIAND_ASSIGN_OR_RETURN(const auto dictionary, recoder.Values());
  std::shared_ptr<arrow::Buffer> validity;
  const int64_t nulls = std::count(codes.begin(), codes.end(), kNull);
  if (nulls > 0) {
    VIAND_ASSIGN_OR_RETURN(validity, arrow::AllocateEmptyBitmap(length, pool));
    for (int64_t i = 0; i < length; ++i)
      arrow::bit_util::SetBitTo(validity->mutable_data(), i, codes[i] != kNull);
    std::replace(codes.begin(), codes.end(), kNull, 0);
  }
  const auto indices = std::make_shared<arrow::Int32Array>(
      length, arrow::Buffer::FromVector(std::move(codes)), validity, nulls);
  return std::make_shared<arrow::DictionaryArray>(CodedType(arrow::utf8()), indices, dictionary);
}

}  // namespace viand::engine
