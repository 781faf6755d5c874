#include "src/cli/table_output.h"

#include <arrow/array.h>
#include <arrow/csv/writer.h>
#include <arrow/io/file.h>
#include <arrow/io/stdio.h>
#include <arrow/ipc/writer.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <fmt/format.h>

#include <filesystem>

#include "src/common/atomic_file.h"
#include "src/common/time.h"
#include "src/offline/parquet_file.h"
#include "src/store/arrow_border.h"

namespace viand::cli {
namespace {

arrow::Status WriteCsv(const arrow::Table& table, arrow::io::OutputStream* sink) {
  return arrow::csv::WriteCSV(table, arrow::csv::WriteOptions::Defaults(), sink);
}

arrow::Status WriteIpc(const arrow::Table& table, arrow::io::OutputStream* sink) {
  ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::MakeFileWriter(sink, table.schema()));
  ARROW_RETURN_NOT_OK(writer->WriteTable(table));
  return writer->Close();
}

template <typename Write>
arrow::Status WriteAtomically(const std::string& path, Write write) {
  ARROW_ASSIGN_OR_RAISE(AtomicFile file, AtomicFile::Create(path));
  ARROW_ASSIGN_OR_RAISE(auto sink, arrow::io::FileOutputStream::Open(file.temporary_path()));
  ARROW_RETURN_NOT_OK(write(sink.get()));
  ARROW_RETURN_NOT_OK(sink->Close());
  return file.Commit();
}

arrow::Status WriteTo(const std::shared_ptr<arrow::Table>& table, const std::string& output) {
  if (output == "-") {
    arrow::io::StdoutStream sink;
    ARROW_RETURN_NOT_OK(WriteCsv(*table, &sink));
    return sink.Flush();
  }
  const std::string extension = std::filesystem::path(output).extension().string();
  if (extension == ".parquet") return offline::WriteParquet(table, output);
  if (extension == ".csv")
    return WriteAtomically(output, [&](auto* sink) { return WriteCsv(*table, sink); });
  if (extension == ".arrow" || extension == ".feather" || extension == ".ipc") {
    return WriteAtomically(output, [&](auto* sink) { return WriteIpc(*table, sink); });
  }
  return MakeError(ErrorKind::kUsage, fmt::format("cannot tell a format from the name {}", output),
                   "end it in .parquet, .csv or .arrow, or write - for CSV on standard output");
}

std::string CellText(const arrow::Scalar& cell) {
  if (!cell.is_valid) return "null";
  if (cell.type->id() == arrow::Type::DOUBLE) {
    return fmt::format("{:.6g}", static_cast<const arrow::DoubleScalar&>(cell).value);
  }
  if (cell.type->id() == arrow::Type::TIMESTAMP &&
      static_cast<const arrow::TimestampType&>(*cell.type).unit() == arrow::TimeUnit::MICRO) {
    return FormatTimestamp(static_cast<const arrow::TimestampScalar&>(cell).value);
  }
  return cell.ToString();
}

arrow::Result<std::string> RenderHead(const arrow::Table& table, int64_t rows,
                                      const Terminal& terminal) {
  TextTable text(table.schema()->field_names());
  for (int column = 0; column < table.num_columns(); ++column) {
    if (!arrow::is_base_binary_like(table.column(column)->type()->id())) text.AlignRight(column);
  }
  for (int64_t row = 0; row < std::min(rows, table.num_rows()); ++row) {
    std::vector<std::string> cells;
    for (const auto& column : table.columns()) {
      ARROW_ASSIGN_OR_RAISE(const auto cell, column->GetScalar(row));
      cells.push_back(CellText(*cell));
    }
    text.Add(std::move(cells));
  }
  return text.Render(terminal);
}

}  // namespace

Result<WrittenTable> WriteTable(Table table, const std::string& output) {
  const auto read = store::ToArrowTable(std::move(table));
  if (!read.ok()) return store::ToPublic(read.status());
  const arrow::Status written = WriteTo(*read, output);
  if (!written.ok()) return store::ToPublic(written);
  return WrittenTable{(*read)->num_rows(), (*read)->num_columns()};
}

Result<std::string> HeadOfTable(Table table, int64_t rows, const Terminal& terminal) {
  const auto read = store::ToArrowTable(std::move(table));
  if (!read.ok()) return store::ToPublic(read.status());
  auto text = RenderHead(**read, rows, terminal);
  if (!text.ok()) return store::ToPublic(text.status());
  return *std::move(text);
}

}  // namespace viand::cli
