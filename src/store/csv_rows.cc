#include "src/store/csv_rows.h"

#include <arrow/csv/writer.h>
#include <arrow/ipc/writer.h>
#include <arrow/table.h>

#include "src/store/nested_json.h"

namespace viand::store {

arrow::Status WriteCsv(arrow::RecordBatchReader* rows, arrow::io::OutputStream* sink,
                       int64_t* count) {
  ARROW_ASSIGN_OR_RAISE(const auto none, arrow::Table::MakeEmpty(rows->schema()));
  ARROW_ASSIGN_OR_RAISE(const auto flat_none, WithNestedAsJson(none));
  ARROW_ASSIGN_OR_RAISE(
      auto writer,
      arrow::csv::MakeCSVWriter(sink, flat_none->schema(), arrow::csv::WriteOptions::Defaults()));
  ARROW_RETURN_NOT_OK(ForEachBatch(rows, count, [&](const auto& batch) -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(const auto table, arrow::Table::FromRecordBatches({batch}));
    ARROW_ASSIGN_OR_RAISE(const auto flat, WithNestedAsJson(table));
    return writer->WriteTable(*flat);
  }));
  return writer->Close();
}

}  // namespace viand::store
