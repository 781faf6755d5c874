// Any bytes as CSV and as JSON lines, then as values.
#include <arrow/array.h>
#include <arrow/type.h>

#include <cstdint>
#include <cstdlib>

#include "src/ingest/column_conversion.h"
#include "src/ingest/csv_scanner.h"
#include "src/ingest/json_scanner.h"
#include "src/ingest/type_inference.h"

using viand::ingest::CellTable;

namespace {

void Convert(const CellTable& table) {
  for (int column = 0; column < table.columns(); ++column) {
    for (const auto& type : {arrow::int64(), arrow::float64(), arrow::boolean(), arrow::utf8(),
                             arrow::date32(), arrow::timestamp(arrow::TimeUnit::MICRO)}) {
      if (!viand::ingest::ConvertColumn(table, column, type).ok()) std::abort();
    }
  }
  viand::ingest::TypeSummary summary;
  for (const auto& cell : table.cells) summary.Add(cell, true);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (bool last : {false, true}) {
    for (bool skip : {false, true})
      Convert(viand::ingest::CsvScanner(',', {0, -1, 1}, 2, skip).Scan(text, last));
  }
  Convert(viand::ingest::JsonScanner({"a", "b.c"}).Scan(text));
  Convert(viand::ingest::JsonScanner::OfAllColumns().Scan(text));
  return 0;
}
