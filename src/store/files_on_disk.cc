#include "src/store/files_on_disk.h"

#include <arrow/io/interfaces.h>
#include <arrow/ipc/reader.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <filesystem>

#include "src/common/data_files.h"
#include "src/common/data_location.h"
#include "src/common/file_signature.h"
#include "src/engine/hive_partition.h"
#include "src/engine/open_scan.h"
#include "src/engine/read_file.h"
#include "src/ingest/ingest.h"
#include "src/offline/parquet_file.h"
#include "src/offline/repo_layout.h"
#include "src/offline/spine.h"
#include "src/offline/view_source.h"

namespace viand::store {
namespace {

using definition::SchemaResult;

arrow::Status CheckParquet(const std::string& root, const std::string& path) {
  const std::string why = IsRemotePath(path) ? "" : WhyNotParquet(path);
  if (why.empty()) return arrow::Status::OK();
  return MakeError(
      ErrorKind::kInput,
      fmt::format("{} is not a Parquet file: {}", offline::RelativePath(root, path), why),
      "a source reads Parquet; a dataset makes it of other files");
}

/// Those of some Parquet files together, and of the folders above them.
SchemaResult ColumnsOfScan(const engine::Scan& scan) {
  ARROW_ASSIGN_OR_RAISE(const engine::OpenedScan opened, engine::OpenScan(scan));
  ARROW_ASSIGN_OR_RAISE(const auto partitions, engine::PartitionSchema(scan.files));
  return definition::MarkPartitions(*opened.schema, *partitions);
}

SchemaResult ColumnsOfSource(const std::string& root, const definition::Source& source) {
  ARROW_ASSIGN_OR_RAISE(engine::Scan scan, offline::ScanOfFiles(root, source));
  if (scan.files.empty()) return nullptr;
  ARROW_RETURN_NOT_OK(CheckParquet(root, scan.files.front()));
  scan.described_as.clear();
  return ColumnsOfScan(scan);
}

SchemaResult ColumnsOfParquet(const std::string& root, const std::string& path) {
  const std::string absolute = offline::AbsolutePath(root, path);
  std::error_code error;
  if (!std::filesystem::exists(absolute, error)) return nullptr;
  ARROW_RETURN_NOT_OK(CheckParquet(root, absolute));
  return offline::ReadParquetSchema(absolute);
}

SchemaResult ColumnsOfIpc(const std::string& path, bool stream) {
  if (!stream) {
    ARROW_ASSIGN_OR_RAISE(const auto reader, engine::OpenIpcFile(path, "the spine"));
    return reader->schema();
  }
  ARROW_ASSIGN_OR_RAISE(const auto input, engine::OpenDataFile(path, "the spine"));
  const auto reader = arrow::ipc::RecordBatchStreamReader::Open(input);
  if (!reader.ok()) {
    return StorageError(reader.status(), path, "the spine",
                        "is it an Arrow IPC stream, and whole?");
  }
  return (*reader)->schema();
}

SchemaResult ColumnsOfSpine(const std::string& root, const std::string& path) {
  const std::string absolute = offline::AbsolutePath(root, path);
  ARROW_ASSIGN_OR_RAISE(const auto files, ListDataFiles(absolute));
  if (files.empty()) return nullptr;
  ARROW_ASSIGN_OR_RAISE(const offline::SpineFiles found, offline::FindSpineFiles(absolute));
  const std::string& first = found.paths.front();
  switch (found.kind) {
    case offline::SpineKind::kParquet:
      return found.is_one ? offline::ReadParquetSchema(first)
                          : ColumnsOfScan({.files = found.paths, .hive_partitions = true});
    case offline::SpineKind::kIpcFile:
      return ColumnsOfIpc(first, /*stream=*/false);
    case offline::SpineKind::kIpcStream:
      return ColumnsOfIpc(first, /*stream=*/true);
    case offline::SpineKind::kCsv:
      break;
  }
  // The reader of headers knows files of this machine.
  if (IsRemotePath(first)) return nullptr;
  definition::DatasetInput input;
  input.format = "csv";
  return ingest::HeaderOf(first, input);
}

SchemaResult ColumnsOfRawFiles(const std::string& root, const definition::Dataset& dataset) {
  ARROW_ASSIGN_OR_RAISE(const auto files, ingest::InputFiles(dataset, root));
  return ingest::HeaderOf(files.front(), dataset.from);
}

}  // namespace

definition::FilesOnDisk FilesBelow(const std::string& root) {
  return {
      .source = [root](const definition::Source& source) { return ColumnsOfSource(root, source); },
      .parquet = [root](const std::string& path) { return ColumnsOfParquet(root, path); },
      .spine = [root](const std::string& path) { return ColumnsOfSpine(root, path); },
      .raw =
          [root](const definition::Dataset& dataset) { return ColumnsOfRawFiles(root, dataset); }};
}

}  // namespace viand::store
