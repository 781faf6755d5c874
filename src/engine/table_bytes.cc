#include "src/engine/table_bytes.h"

#include <arrow/array/array_dict.h>
#include <arrow/table.h>
#include <arrow/util/byte_size.h>

namespace viand::engine {

int64_t BytesInMemory(const arrow::Table& table) {
  int64_t bytes = 0;
  for (const auto& column : table.columns()) {
    for (const auto& chunk : column->chunks()) {
      const auto* coded = dynamic_cast<const arrow::DictionaryArray*>(chunk.get());
      const arrow::Array& values = coded == nullptr ? *chunk : *coded->indices();
      // Not every type can tell how much of its buffers a slice has.
      const auto referenced = arrow::util::ReferencedBufferSize(values);
      bytes += referenced.ok() ? *referenced : arrow::util::TotalBufferSize(values);
    }
  }
  return bytes;
}

}  // namespace viand::engine
