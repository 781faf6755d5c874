#include "src/expression/batch_evaluator.h"

#include <arrow/array/util.h>
#include <arrow/compute/initialize.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>

#include "src/common/block_pool.h"
#include "src/expression/batch_rows.h"

namespace viand::expression {

arrow::Result<std::shared_ptr<arrow::Array>> EvaluateBatch(
    const Expression& expression, const arrow::RecordBatch& batch,
    const std::shared_ptr<arrow::Array>& as_of, arrow::MemoryPool* pool) {
  static const arrow::Status kernels = arrow::compute::Initialize();
  VIAND_RETURN_NOT_OK(kernels);
  if (pool == nullptr) pool = ProcessPool();
  // No row, no error: not even of a constant.
  if (batch.num_rows() == 0) return arrow::MakeEmptyArray(expression.type, pool);
  return BatchRows(batch, as_of, pool).EvaluateArray(expression);
}

}  // namespace viand::expression
