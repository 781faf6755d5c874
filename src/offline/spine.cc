#include "src/offline/spine.h"

#include <arrow/buffer.h>
#include <arrow/device.h>
#include <arrow/io/file.h>
#include <arrow/io/memory.h>
#include <arrow/io/stdio.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/util/byte_size.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "src/common/block_pool.h"
#include "src/common/data_files.h"
#include "src/common/data_location.h"
#include "src/common/disk_pool.h"
#include "src/common/path_pattern.h"
#include "src/engine/executor.h"
#include "src/engine/read_file.h"
#include "src/engine/sound_batch.h"
#include "src/offline/parquet_file.h"
#include "src/offline/part_store.h"
#include "src/offline/repo_layout.h"
#include "src/offline/text_keys.h"
#include "src/offline/view_plan.h"

namespace viand::offline {
namespace {

constexpr std::string_view kLabelsPrefix = "labels:";
/// What is read of standard input at a time.
constexpr int64_t kInputBytes = 1 << 20;
/// What numbers usually gain by Parquet.
constexpr int64_t kParquetRatio = 4;

SpineKind KindOfBytes(std::string_view head) {
  if (head.starts_with("PAR1")) return SpineKind::kParquet;
  if (head.starts_with("ARROW1")) return SpineKind::kIpcFile;
  if (head.starts_with("\xff\xff\xff\xff")) return SpineKind::kIpcStream;
  return SpineKind::kCsv;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> ReadStandardInput(const engine::Executor& executor) {
  arrow::io::StdinStream input;
  arrow::MemoryPool* pool = executor.PoolFor(0);
  ARROW_ASSIGN_OR_RAISE(auto sink, arrow::io::BufferOutputStream::Create(kInputBytes, pool));
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto block, input.Read(kInputBytes));
    if (block->size() == 0) break;
    ARROW_ASSIGN_OR_RAISE(const int64_t bytes, sink->Tell());
    if (arrow::MemoryPool* now = executor.PoolFor(2 * bytes); now != pool) {
      ARROW_ASSIGN_OR_RAISE(const auto before, sink->Finish());
      pool = now;
      ARROW_ASSIGN_OR_RAISE(sink, arrow::io::BufferOutputStream::Create(2 * bytes, pool));
      ARROW_RETURN_NOT_OK(sink->Write(before));
    }
    ARROW_RETURN_NOT_OK(sink->Write(block));
    ARROW_RETURN_NOT_OK(TakeFailureOf(pool));
  }
  return sink->Finish();
}

/// The rows as a table; beyond some they go to disk.
arrow::Result<std::shared_ptr<arrow::Table>> HeldWhole(arrow::RecordBatchReader* rows,
                                                       const engine::Executor& executor) {
  arrow::RecordBatchVector batches;
  int64_t bytes = 0;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto batch, rows->Next());
    if (batch == nullptr) break;
    ARROW_RETURN_NOT_OK(engine::CheckSound(*batch));
    bytes += arrow::util::TotalBufferSize(*batch);
    arrow::MemoryPool* pool = executor.PoolFor(bytes);
    if (pool != executor.PoolFor(0)) {
      ARROW_ASSIGN_OR_RAISE(batch, batch->CopyTo(arrow::CPUDevice::memory_manager(pool)));
      ARROW_RETURN_NOT_OK(TakeFailureOf(pool));
    }
    batches.push_back(std::move(batch));
  }
  return arrow::Table::FromRecordBatches(rows->schema(), batches);
}

arrow::Result<std::shared_ptr<arrow::Table>> ReadBinarySpine(
    const std::shared_ptr<arrow::io::RandomAccessFile>& input, SpineKind kind,
    const engine::Executor& executor) {
  ARROW_ASSIGN_OR_RAISE(const int64_t size_bytes, input->GetSize());
  const bool compressed = kind == SpineKind::kParquet;
  arrow::MemoryPool* pool = executor.PoolFor(compressed ? size_bytes * kParquetRatio : size_bytes);
  if (kind == SpineKind::kParquet) {
    ARROW_ASSIGN_OR_RAISE(auto reader, parquet::arrow::OpenFile(input, pool));
    ARROW_ASSIGN_OR_RAISE(auto table, reader->ReadTable());
    ARROW_RETURN_NOT_OK(TakeFailureOf(pool));
    return table;
  }
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.memory_pool = pool;
  if (kind == SpineKind::kIpcFile) {
    ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchFileReader::Open(input, options));
    ARROW_ASSIGN_OR_RAISE(auto table, reader->ToTable());
    arrow::TableBatchReader batches(*table);
    std::shared_ptr<arrow::RecordBatch> batch;
    while (true) {
      ARROW_RETURN_NOT_OK(batches.ReadNext(&batch));
      if (batch == nullptr) return table;
      ARROW_RETURN_NOT_OK(engine::CheckSound(*batch));
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchStreamReader::Open(input, options));
  // A file's bytes are in memory of its own.
  return HeldWhole(reader.get(), executor);
}

arrow::Result<engine::Scan> OpenStandardInput(const RepoContext& context) {
  ARROW_ASSIGN_OR_RAISE(auto bytes, ReadStandardInput(*context.execute.executor));
  if (bytes->size() == 0) {
    return MakeError(ErrorKind::kInput, "the spine on standard input is empty",
                     "pipe a Parquet, CSV or Arrow IPC table into it");
  }
  if (std::string_view(*bytes).starts_with("\x1f\x8b")) {
    return MakeError(ErrorKind::kInput, "the spine on standard input is gzipped",
                     "pipe it through gunzip, or name the file: --spine FILE.csv.gz");
  }
  engine::Scan scan;
  scan.described_as = "the spine on standard input";
  const SpineKind kind = KindOfBytes(std::string_view(*bytes));
  if (kind == SpineKind::kCsv) {
    scan.format = engine::FileFormat::kCsv;
    scan.csv_text = std::move(bytes);
    scan.csv_types = TextKeys(context);
    return scan;
  }
  auto table = ReadBinarySpine(std::make_shared<arrow::io::BufferReader>(bytes), kind,
                               *context.execute.executor);
  if (!table.ok()) {
    return MakeError(ErrorKind::kInput,
                     fmt::format("cannot read {}, {}: {}", scan.described_as,
                                 kind == SpineKind::kParquet ? "a Parquet file" : "Arrow IPC",
                                 table.status().message()),
                     "did the program before it end early?");
  }
  scan.table = *std::move(table);
  return scan;
}

/// Streams have no directory that a fragment could pick its rows by: they are read whole.
arrow::Result<std::shared_ptr<arrow::Table>> ReadStreams(const std::vector<std::string>& paths,
                                                         const std::string& as_written,
                                                         const engine::Executor& executor) {
  std::vector<std::shared_ptr<arrow::Table>> tables;
  for (const std::string& path : paths) {
    ARROW_ASSIGN_OR_RAISE(auto input, engine::OpenDataFile(path, "the spine"));
    auto table = ReadBinarySpine(input, SpineKind::kIpcStream, executor);
    if (!table.ok()) {
      return MakeError(
          ErrorKind::kInput,
          fmt::format("cannot read the spine {}: {}",
                      DisplayPath(paths.size() == 1 ? as_written : path), table.status().message()),
          "is it an Arrow IPC stream, and whole?");
    }
    if (!tables.empty() && !(*table)->schema()->Equals(*tables[0]->schema(), false)) {
      return MakeError(ErrorKind::kInput,
                       fmt::format("cannot read the spine {}: its columns are not those of {}",
                                   DisplayPath(path), DisplayPath(paths[0])),
                       "streams of one spine have the same columns in the same order");
    }
    tables.push_back(*std::move(table));
  }
  return arrow::ConcatenateTables(tables);
}

arrow::Result<engine::Scan> OpenFile(const RepoContext& context, const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(SpineFiles found, FindSpineFiles(path));
  engine::Scan scan;
  scan.described_as = fmt::format("spine {}", DisplayPath(path));
  scan.hive_partitions = !found.is_one;
  switch (found.kind) {
    case SpineKind::kParquet:
      scan.format = engine::FileFormat::kParquet;
      break;
    case SpineKind::kIpcFile:
      scan.format = engine::FileFormat::kIpc;
      break;
    case SpineKind::kIpcStream: {
      ARROW_ASSIGN_OR_RAISE(scan.table, ReadStreams(found.paths, path, *context.execute.executor));
      break;
    }
    case SpineKind::kCsv:
      scan.format = engine::FileFormat::kCsv;
      scan.csv_types = TextKeys(context);
      break;
  }
  scan.files = std::move(found.paths);
  return scan;
}

constexpr const char* kTakes =
    "a spine is a Parquet, CSV or Arrow IPC file, a folder or a pattern of them, - for standard "
    "input, or labels:NAME";

arrow::Status Unreadable(const std::string& path, std::string_view why) {
  return MakeError(ErrorKind::kInput,
                   fmt::format("cannot read the spine {}: {}", DisplayPath(path), why), kTakes);
}

/// The first bytes of a file, as many as tell its kind.
arrow::Result<std::string> HeadOf(const std::string& path) {
  std::string head(4096, '\0');
  if (IsRemotePath(path)) {
    const auto found = FindDataFile(path, "the spine");
    if (!found.ok() && KindOf(found.status()) == ErrorKind::kInput)
      return Unreadable(path, "no such file");
    ARROW_RETURN_NOT_OK(found.status());
    ARROW_ASSIGN_OR_RAISE(const auto input, engine::OpenDataFile(path, "the spine"));
    const auto count = input->ReadAt(0, static_cast<int64_t>(head.size()), head.data());
    if (!count.ok()) return StorageError(count.status(), path, "the spine");
    head.resize(static_cast<size_t>(*count));
    return head;
  }
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return Unreadable(path, "no such file");
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return Unreadable(path, std::strerror(errno));
  stream.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<size_t>(stream.gcount()));
  return head;
}

arrow::Result<SpineKind> KindOfFile(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const std::string head, HeadOf(path));
  if (head.empty()) return Unreadable(path, "it is empty; expected a header and rows");
  if (head.starts_with("\x1f\x8b") && path.ends_with(".gz")) return SpineKind::kCsv;
  const SpineKind kind = KindOfBytes(head);
  if (kind == SpineKind::kCsv && head.find('\0') != std::string::npos) {
    return Unreadable(path, "it is neither Parquet nor Arrow IPC nor text");
  }
  const std::string extension = std::filesystem::path(ParseAddress(path).path).extension().string();
  if (extension == ".parquet" && kind != SpineKind::kParquet) {
    return Unreadable(path, "it is not a Parquet file: it does not start with \"PAR1\"");
  }
  const bool named_ipc = extension == ".arrow" || extension == ".feather" || extension == ".ipc";
  if (named_ipc && kind == SpineKind::kCsv) {
    return Unreadable(path, "it is not an Arrow IPC file: it does not start with \"ARROW1\"");
  }
  return kind;
}

bool IsNamedParquet(const std::string& path) {
  const std::string extension = std::filesystem::path(ParseAddress(path).path).extension().string();
  return extension == ".parquet" || extension == ".parq" || extension == ".pq";
}

constexpr std::string_view NameOfKind(SpineKind kind) {
  switch (kind) {
    case SpineKind::kParquet:
      return "Parquet";
    case SpineKind::kIpcFile:
      return "an Arrow IPC file";
    case SpineKind::kIpcStream:
      return "an Arrow IPC stream";
    default:
      return "CSV";
  }
}

}  // namespace

arrow::Result<SpineFiles> FindSpineFiles(const std::string& path) {
  const std::string absolute =
      IsRemotePath(path) ? path : std::filesystem::absolute(path).lexically_normal().string();
  ARROW_ASSIGN_OR_RAISE(const auto listed, ListDataFiles(absolute));
  SpineFiles found;
  found.paths = PathsOf(listed);
  std::error_code error;
  if (found.paths.empty() && std::filesystem::is_directory(path, error))
    return Unreadable(path, "there is no Parquet file in the folder; a pattern finds others");
  if (found.paths.empty() && IsPattern(path) && !std::filesystem::exists(path, error))
    return Unreadable(path, "no file fits the pattern");
  if (found.paths.empty()) found.paths = {absolute};
  found.is_one = found.paths.size() == 1 && found.paths[0] == absolute;
  for (size_t i = 0; i < found.paths.size(); ++i) {
    // Of many files those named as Parquet are taken for it: a store would be asked for each.
    SpineKind kind = SpineKind::kParquet;
    if (found.is_one || !IsNamedParquet(found.paths[i])) {
      // Told by the user's own words where it is one file.
      ARROW_ASSIGN_OR_RAISE(kind, KindOfFile(found.is_one ? path : found.paths[i]));
    }
    if (i == 0) found.kind = kind;
    if (kind == found.kind) continue;
    return Unreadable(
        path, fmt::format("{} is {}, but {} is {}", DisplayPath(found.paths[i]), NameOfKind(kind),
                          DisplayPath(found.paths[0]), NameOfKind(found.kind)));
  }
  return found;
}

namespace {

/// The (key, t) of a snapshot view's rows.
arrow::Result<engine::Scan> PopulationOf(const RepoContext& context,
                                         const definition::BoundView& view) {
  // The same checks as a retrieval: the rows are there, and of this definition.
  ARROW_RETURN_NOT_OK(PlanLookup(context, {.view = &view}).status());
  ARROW_ASSIGN_OR_RAISE(const Generation generation,
                        ReadCurrentGeneration(RowsFolder(context.root(), *view.view)));
  engine::Scan scan;
  scan.files = generation.Files();
  std::vector<std::string> columns = view.join_keys;
  columns.push_back("event_timestamp");
  arrow::FieldVector fields;
  ARROW_ASSIGN_OR_RAISE(const auto schema, ReadParquetSchema(scan.files.at(0)));
  for (const std::string& column : columns) fields.push_back(schema->GetFieldByName(column));
  scan.schema = arrow::schema(std::move(fields));
  return scan;
}

}  // namespace

arrow::Result<std::shared_ptr<const engine::HeldRows>> ComputeLabels(
    const RepoContext& context, const definition::BoundView& labels) {
  engine::RetrievalPlan plan;
  if (labels.labels->population.name.empty()) {
    ARROW_ASSIGN_OR_RAISE(
        plan.spine, OpenFile(context, AbsolutePath(context.root(), labels.labels->spine_path)));
    plan.spine_timestamp = labels.labels->spine_timestamp_column;
  } else {
    ARROW_ASSIGN_OR_RAISE(const auto* population,
                          RequireView(context, labels.labels->population.name));
    ARROW_ASSIGN_OR_RAISE(plan.spine, PopulationOf(context, *population));
    plan.spine.described_as = fmt::format("the population of labels \"{}\"", labels.labels->name);
  }
  ARROW_ASSIGN_OR_RAISE(engine::Lookup lookup, PlanLabelLookup(context, labels));
  plan.lookups.push_back(std::move(lookup));
  return engine::RetrieveHeld(plan, context.execute);
}

arrow::Result<engine::Scan> OpenSpine(const RepoContext& context, const std::string& text) {
  if (text == "-") return OpenStandardInput(context);
  if (!text.starts_with(kLabelsPrefix)) return OpenFile(context, text);
  const std::string name = text.substr(kLabelsPrefix.size());
  const definition::BoundView* labels = context.bound->FindLabels(name);
  if (labels == nullptr) {
    return MakeError(ErrorKind::kNotFound, fmt::format("unknown labels \"{}\"", name),
                     NearestOrAll(name, NamesOf(context.bound->definitions->labels), "there is: "));
  }
  engine::Scan scan;
  ARROW_ASSIGN_OR_RAISE(scan.held, ComputeLabels(context, *labels));
  scan.described_as = fmt::format("labels \"{}\"", name);
  return scan;
}

}  // namespace viand::offline
