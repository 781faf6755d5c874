#include "src/engine/file_rows.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include <algorithm>

#include "src/engine/plain_array.h"

namespace viand::engine {

arrow::Result<std::shared_ptr<arrow::RecordBatch>> WithTypes(
    const arrow::RecordBatch& batch, const std::shared_ptr<arrow::Schema>& schema) {
  arrow::ArrayVector columns;
  for (int i = 0; i < schema->num_fields(); ++i) {
    const auto& type = schema->field(i)->type();
    if (batch.column(i)->type()->Equals(*type)) {
      columns.push_back(batch.column(i));
      continue;
    }
    VIAND_ASSIGN_OR_RETURN(auto plain, ToPlain(batch.column(i), PlainType(type)));
    VIAND_ASSIGN_OR_RETURN(auto restored, RestoreType(plain, type));
    columns.push_back(std::move(restored));
  }
  return arrow::RecordBatch::Make(schema, batch.num_rows(), std::move(columns));
}

arrow::Result<std::shared_ptr<arrow::Table>> FileRows::Read(int64_t rows) {
  std::vector<std::shared_ptr<arrow::RecordBatch>> pieces;
  while (rows > 0) {
    if (batch_ == nullptr || batch_->num_rows() == 0) {
      VIAND_ASSIGN_OR_RETURN(batch_, NextBatch());
      if (batch_ == nullptr) break;
    }
    auto piece = batch_->Slice(0, rows);
    rows -= piece->num_rows();
    batch_ = batch_->Slice(piece->num_rows());
    pieces.push_back(std::move(piece));
  }
  return arrow::Table::FromRecordBatches(columns_.schema, pieces);
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> FileRows::NextBatch() {
  while (true) {
    if (reader_ != nullptr) {
      VIAND_ASSIGN_OR_RETURN(const PlacedBatch placed, reader_->Next());
      if (placed.batch != nullptr) {
        const int64_t skipped = std::min(skipped_rows_, placed.batch->num_rows());
        skipped_rows_ -= skipped;
        return WithTypes(*placed.batch->Slice(skipped), columns_.schema);
      }
    }
    if (next_part_ == columns_.parts.size()) return nullptr;
    const FilePart& part = columns_.parts[next_part_++];
    if (part.groups.empty()) continue;
    VIAND_ASSIGN_OR_RETURN(reader_,
                           OpenFilePart(part, columns_.file_columns, columns_.described_as, read_));
  }
}

}  // namespace viand::engine
