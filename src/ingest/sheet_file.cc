// A sheet of a workbook as a RawFile.
#include <fmt/format.h>

#include <numeric>

#include "src/ingest/cell_value.h"
#include "src/ingest/limits.h"
#include "src/ingest/raw_file.h"
#include "src/ingest/sheet_scanner.h"
#include "src/ingest/workbook.h"

namespace viand::ingest {
namespace {

class SheetFile : public RawFile {
 public:
  SheetFile(Sheet sheet, int64_t chunk_bytes)
      : RawFile(sheet.path),
        sheet_name_(std::move(sheet.name)),
        context_(std::move(sheet.context)),
        reader_(Describe(), std::move(sheet.xml), chunk_bytes) {}

  arrow::Status ReadHeader();

  arrow::Status Select(const std::vector<std::string>& names) override {
    std::vector<int> slots;
    VIAND_RETURN_NOT_OK(ResolveNames(names, &slots));
    column_of_.assign(names.size(), 0);
    for (size_t column = 0; column < slots.size(); ++column) {
      if (slots[column] >= 0) column_of_[slots[column]] = static_cast<int>(column);
    }
    scanner_ = std::make_unique<SheetScanner>(context_.get(), std::move(slots),
                                              static_cast<int>(names.size()));
    return arrow::Status::OK();
  }

  arrow::Result<std::unique_ptr<Chunk>> Next() override { return reader_.Next(); }
  CellTable Scan(const Chunk& chunk) const override {
    return scanner_->Scan(std::string_view(chunk.bytes.view()));
  }

  bool expects_end_of_data() const override { return !empty_; }
  std::string Describe() const override {
    return fmt::format("{}, sheet \"{}\"", path_, sheet_name_);
  }
  std::string DescribeRow(int64_t row) const override { return fmt::format(", row {}", row); }
  std::string DescribePlace(int64_t row, int column) const override {
    return fmt::format(", cell {}{} (row {}, column \"{}\")", ColumnLetters(column_of_[column]),
                       row, row, selected_[column]);
  }

 private:
  arrow::Result<const char*> ScanHeader(const PaddedBytes& text, bool last);
  arrow::Status TakeHeader(const CellTable& table);

  const std::string sheet_name_;
  const std::shared_ptr<const WorkbookContext> context_;
  ChunkReader reader_;
  std::unique_ptr<SheetScanner> scanner_;
  std::vector<int> column_of_;  // of the sheet, for each selected column
  bool empty_ = false;
};

/// Reads names off the first row that has a value; what is behind it goes back to the reader.
arrow::Status SheetFile::ReadHeader() {
  PaddedBytes text(0);
  while (true) {
    VIAND_ASSIGN_OR_RETURN(const std::unique_ptr<Chunk> chunk, reader_.Next());
    if (chunk != nullptr) text.Append(chunk->bytes.view());
    const bool last = chunk == nullptr || chunk->last;
    VIAND_ASSIGN_OR_RETURN(const char* rest, ScanHeader(text, last));
    if (rest != nullptr) {
      reader_.PushBack(text.view().substr(rest - text.data()));
      reader_.set_cut(FindLastRow);
      return arrow::Status::OK();
    }
    if (last) return MakeError(ErrorKind::kInput, Describe() + " is cut off: its rows do not end");
    if (text.size() > kMaxRowBytes) {
      return MakeError(ErrorKind::kInput, fmt::format("{} has no header row in its first {} bytes",
                                                      Describe(), kMaxRowBytes));
    }
  }
}

/// Returns where the header row ends; null where more text is needed.
arrow::Result<const char*> SheetFile::ScanHeader(const PaddedBytes& text, bool last) {
  VIAND_ASSIGN_OR_RETURN(const char* rows, FindSheetData(Describe(), text.view(), &empty_));
  if (rows == nullptr) return nullptr;
  std::vector<int> slots(kMaxSheetColumns);
  std::iota(slots.begin(), slots.end(), 0);
  const SheetScanner scanner(context_.get(), std::move(slots), static_cast<int>(kMaxSheetColumns));
  const char* stop = nullptr;
  const std::string_view content(rows, text.view().data() + text.size() - rows);
  const CellTable table = empty_ ? CellTable(0) : scanner.Scan(content, 1, &stop);
  if (!table.problem.message.empty())
    return MakeError(ErrorKind::kInput, Describe() + ": " + table.problem.message);
  if (table.rows() == 0 && (empty_ || table.end_of_data)) {
    return MakeError(ErrorKind::kInput, Describe() + " is empty; expected a header row");
  }
  if (table.rows() == 0 || !table.finished) return nullptr;
  VIAND_RETURN_NOT_OK(TakeHeader(table));
  first_base_ = table.last_row;
  return stop;
}

arrow::Status SheetFile::TakeHeader(const CellTable& table) {
  header_.clear();
  std::string scratch;
  for (int column = 0; column < table.columns(); ++column) {
    const RawCell& cell = table.At(0, column);
    if (cell.kind == CellKind::kNull) continue;
    const auto name = CellToText(cell, &scratch);
    if (!name) {
      return MakeError(
          ErrorKind::kInput,
          fmt::format("{}, cell {}{}: found {}, expected a column's name", Describe(),
                      ColumnLetters(column), table.row_numbers[0], DescribeCell(cell)));
    }
    header_.resize(column);
    header_.emplace_back(*name);
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<std::unique_ptr<RawFile>> OpenSheetFile(const std::string& path,
                                                      const definition::DatasetInput& input,
                                                      const RawFileOptions& options) {
  VIAND_ASSIGN_OR_RETURN(Sheet sheet, OpenSheet(path, input.sheet_name, input.sheet_index));
  const int64_t chunk_bytes = options.chunk_bytes > 0 ? options.chunk_bytes : kChunkBytes;
  auto file = std::make_unique<SheetFile>(std::move(sheet), chunk_bytes);
  VIAND_RETURN_NOT_OK(file->ReadHeader());
  return file;
}

}  // namespace viand::ingest
