#include "src/engine/constant_columns.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

namespace viand::engine {

ConstantColumns::ConstantColumns(const std::vector<std::string>& columns,
                                 std::shared_ptr<arrow::RecordBatch> constants)
    : columns_(columns) {
  for (const std::string& name : columns) {
    places_.push_back(constants == nullptr ? -1 : constants->schema()->GetFieldIndex(name));
    if (places_.back() < 0) read_.push_back(name);
  }
  if (read_.size() < columns.size()) constants_ = std::move(constants);
}

std::vector<bool> ConstantColumns::OfRead(const std::vector<bool>& flags) const {
  std::vector<bool> result;
  for (size_t i = 0; i < flags.size(); ++i) {
    if (places_[i] < 0) result.push_back(flags[i]);
  }
  return result;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ConstantColumns::Complete(
    const std::shared_ptr<arrow::RecordBatch>& batch, arrow::MemoryPool* pool) const {
  if (empty()) return batch;
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  int read = 0;
  for (const int place : places_) {
    if (place < 0) {
      fields.push_back(batch->schema()->field(read));
      arrays.push_back(batch->column(read++));
      continue;
    }
    VIAND_ASSIGN_OR_RETURN(const auto value, constants_->column(place)->GetScalar(0));
    VIAND_ASSIGN_OR_RETURN(auto array, arrow::MakeArrayFromScalar(*value, batch->num_rows(), pool));
    fields.push_back(constants_->schema()->field(place));
    arrays.push_back(std::move(array));
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), batch->num_rows(),
                                  std::move(arrays));
}

}  // namespace viand::engine
