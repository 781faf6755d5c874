#include "src/engine/sound_batch.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

namespace viand::engine {

arrow::Status CheckSound(const arrow::RecordBatch& batch) {
  for (std::shared_ptr<arrow::Array> column : batch.columns()) {
    VIAND_RETURN_NOT_OK(column->Validate());
    if (column->type_id() == arrow::Type::STRING) {
      VIAND_ASSIGN_OR_RETURN(column, column->View(arrow::binary()));
    } else if (column->type_id() == arrow::Type::LARGE_STRING) {
      VIAND_ASSIGN_OR_RETURN(column, column->View(arrow::large_binary()));
    }
    VIAND_RETURN_NOT_OK(column->ValidateFull());
  }
  return arrow::Status::OK();
}

}  // namespace viand::engine
