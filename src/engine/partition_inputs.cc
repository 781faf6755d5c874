#include "src/engine/partition_inputs.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include "src/engine/coded_array.h"

namespace viand::engine {
namespace {

arrow::Result<std::shared_ptr<arrow::Array>> JoinChunks(const arrow::ArrayVector& chunks,
                                                        arrow::MemoryPool* pool) {
  if (chunks.size() == 1) return chunks[0];
  if (chunks[0]->type_id() == arrow::Type::DICTIONARY) return JoinCoded(chunks, pool);
  return arrow::Concatenate(chunks, pool);
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::RecordBatch>> JoinParts(const Tables& parts, size_t first,
                                                             size_t last,
                                                             std::shared_ptr<arrow::Schema> schema,
                                                             arrow::MemoryPool* pool) {
  arrow::ArrayVector columns;
  int64_t rows = 0;
  for (size_t part = first; part < last; ++part) rows += parts[part]->num_rows();
  for (int i = 0; i < schema->num_fields(); ++i) {
    arrow::ArrayVector chunks;
    for (size_t part = first; part < last; ++part) {
      for (const auto& chunk : parts[part]->column(i)->chunks()) {
        if (chunk->length() > 0) chunks.push_back(chunk);
      }
    }
    if (chunks.empty()) {
      VIAND_ASSIGN_OR_RETURN(auto empty, arrow::MakeEmptyArray(schema->field(i)->type(), pool));
      chunks.push_back(std::move(empty));
    }
    VIAND_ASSIGN_OR_RETURN(auto whole, JoinChunks(chunks, pool));
    columns.push_back(std::move(whole));
  }
  return arrow::RecordBatch::Make(std::move(schema), rows, std::move(columns));
}

arrow::Status InputsDoNotFit() {
  return MakeError(ErrorKind::kInput, "a fragment's inputs do not fit it");
}

arrow::Status CheckInputs(const Tables& inputs, size_t spine_parts, const arrow::Schema& schema) {
  if (inputs.size() < spine_parts) return InputsDoNotFit();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const arrow::Schema& found = *inputs[i]->schema();
    if (i >= spine_parts ? !found.Equals(schema, false)
                         : !found.Equals(*inputs[0]->schema(), false))
      return InputsDoNotFit();
  }
  return arrow::Status::OK();
}

arrow::Result<SpinePart> ReadSpine(const Tables& inputs, int parts, size_t key_count,
                                   arrow::MemoryPool* pool) {
  const auto schema = inputs[0]->schema();
  if (static_cast<size_t>(schema->num_fields()) != key_count + 2) {
    return MakeError(ErrorKind::kInput, "a fragment's spine does not fit it");
  }
  VIAND_ASSIGN_OR_RETURN(auto batch, JoinParts(inputs, 0, parts, schema, pool));
  arrow::ArrayVector columns = batch->columns();
  SpinePart spine;
  spine.rows = columns.back();
  columns.pop_back();
  spine.time = columns.back();
  columns.pop_back();
  spine.keys = std::move(columns);
  return spine;
}

}  // namespace viand::engine
