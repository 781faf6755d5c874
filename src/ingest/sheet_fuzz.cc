// Any bytes as rows of a sheet: both scanners must find the same, and conversion must take whatever
// they find.
#include <arrow/array.h>
#include <arrow/type.h>

#include <cstdint>
#include <cstdlib>

#include "src/ingest/chunk_reader.h"
#include "src/ingest/column_conversion.h"
#include "src/ingest/sheet_scanner.h"
#include "src/ingest/type_inference.h"

using viand::ingest::CellTable;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const viand::ingest::WorkbookContext context = [] {
    viand::ingest::WorkbookContext made;
    made.strings = *viand::ingest::SharedStrings::Parse(
        "strings", "<sst><si><t>a</t></si><si><t>2011-01-02</t></si></sst>");
    made.date_styles = {false, true};
    return made;
  }();
  viand::ingest::PaddedBytes bytes(0);
  bytes.Append(std::string_view(reinterpret_cast<const char*>(data), size));
  viand::ingest::SheetScanner fast(&context, {0, 1}, 2), plain(&context, {0, 1}, 2);
  plain.set_plain(true);
  const CellTable a = fast.Scan(bytes.view()), b = plain.Scan(bytes.view());
  if (a.row_numbers != b.row_numbers || a.finished != b.finished ||
      a.end_of_data != b.end_of_data || a.problem.message != b.problem.message) {
    std::abort();
  }
  for (size_t i = 0; i < a.cells.size(); ++i) {
    if (a.cells[i].kind != b.cells[i].kind || a.cells[i].text() != b.cells[i].text()) std::abort();
  }
  for (const auto& type :
       {arrow::int64(), arrow::uint8(), arrow::float64(), arrow::float32(), arrow::boolean(),
        arrow::utf8(), arrow::date32(), arrow::timestamp(arrow::TimeUnit::MICRO)}) {
    if (!viand::ingest::ConvertColumn(a, 0, type).ok()) std::abort();
  }
  viand::ingest::TypeSummary summary;
  for (const auto& cell : a.cells) summary.Add(cell, true);
  return 0;
}
