#include "src/store/files_on_disk.h"

#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <filesystem>

#include "src/common/file_signature.h"
#include "src/ingest/ingest.h"
#include "src/offline/parquet_file.h"
#include "src/offline/repo_layout.h"
#include "src/offline/spine.h"

namespace viand::store {
namespace {

using definition::SchemaResult;

SchemaResult ColumnsOfParquet(const std::string& root, const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const auto files,
                        offline::ExpandParquetPath(offline::AbsolutePath(root, path)));
  if (files.empty()) return nullptr;
  const std::string why = WhyNotParquet(files.front());
  if (why.empty()) return offline::ReadParquetSchema(files.front());
  return MakeError(
      ErrorKind::kInput,
      fmt::format("{} is not a Parquet file: {}", offline::RelativePath(root, files.front()), why),
      "a source reads Parquet; a dataset makes it of other files");
}

SchemaResult ColumnsOfIpc(const std::string& path, bool stream) {
  ARROW_ASSIGN_OR_RAISE(const auto input, arrow::io::ReadableFile::Open(path));
  if (stream) {
    ARROW_ASSIGN_OR_RAISE(const auto reader, arrow::ipc::RecordBatchStreamReader::Open(input));
    return reader->schema();
  }
  ARROW_ASSIGN_OR_RAISE(const auto reader, arrow::ipc::RecordBatchFileReader::Open(input));
  return reader->schema();
}

SchemaResult ColumnsOfSpine(const std::string& root, const std::string& path) {
  const std::string absolute = offline::AbsolutePath(root, path);
  std::error_code error;
  if (!std::filesystem::exists(absolute, error)) return nullptr;
  ARROW_ASSIGN_OR_RAISE(const offline::SpineKind kind, offline::KindOfSpine(absolute));
  switch (kind) {
    case offline::SpineKind::kParquet:
      return offline::ReadParquetSchema(absolute);
    case offline::SpineKind::kIpcFile:
      return ColumnsOfIpc(absolute, /*stream=*/false);
    case offline::SpineKind::kIpcStream:
      return ColumnsOfIpc(absolute, /*stream=*/true);
    case offline::SpineKind::kCsv:
      break;
  }
  definition::DatasetInput input;
  input.format = "csv";
  return ingest::HeaderOf(absolute, input);
}

SchemaResult ColumnsOfRawFiles(const std::string& root, const definition::Dataset& dataset) {
  ARROW_ASSIGN_OR_RAISE(const auto files, ingest::InputFiles(dataset, root));
  return ingest::HeaderOf(files.front(), dataset.from);
}

}  // namespace

definition::FilesOnDisk FilesBelow(const std::string& root) {
  return {
      .parquet = [root](const std::string& path) { return ColumnsOfParquet(root, path); },
      .spine = [root](const std::string& path) { return ColumnsOfSpine(root, path); },
      .raw =
          [root](const definition::Dataset& dataset) { return ColumnsOfRawFiles(root, dataset); }};
}

}  // namespace viand::store
