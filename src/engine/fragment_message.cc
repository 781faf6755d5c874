#include "src/engine/fragment_message.h"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "plan_generated.h"
#include "src/engine/arrange_message.h"
#include "src/engine/broadcast_message.h"
#include "src/engine/chain_message.h"
#include "src/engine/message_numbers.h"
#include "src/engine/plain_array.h"
#include "src/engine/schema_message.h"

namespace viand::engine {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using Strings = flatbuffers::Vector<Offset<flatbuffers::String>>;

std::string ReadText(const flatbuffers::String* text) { return text == nullptr ? "" : text->str(); }

std::vector<std::string> ReadTexts(const Strings* texts) {
  std::vector<std::string> result;
  if (texts == nullptr) return result;
  for (const auto* text : *texts) result.push_back(text->str());
  return result;
}

Offset<message::TimeWindow> Write(FlatBufferBuilder* builder, const TimeWindow& window) {
  return message::CreateTimeWindow(*builder, window.unbounded, window.following, window.length_us);
}

TimeWindow Read(const message::TimeWindow* window) {
  if (window == nullptr) return {};
  return {window->unbounded(), window->following(), window->length_us()};
}

SourceLocation Read(const message::Place* place) {
  if (place == nullptr) return {};
  return {ReadText(place->file()), place->line(), place->column()};
}

Offset<message::TimeRange> Write(FlatBufferBuilder* builder, const TimeRange& range) {
  return message::CreateTimeRange(*builder, range.min_us.has_value(), range.max_us.has_value(),
                                  range.min_us.value_or(0), range.max_us.value_or(0));
}

TimeRange Read(const message::TimeRange* range) {
  TimeRange result;
  if (range == nullptr) return result;
  if (range->has_min()) result.min_us = range->min_us();
  if (range->has_max()) result.max_us = range->max_us();
  return result;
}

arrow::Result<Offset<message::FilePart>> Write(FlatBufferBuilder* builder, const FilePart& part) {
  Offset<Bytes> constants;
  if (part.constants != nullptr) {
    VIAND_ASSIGN_OR_RETURN(auto sink, arrow::io::BufferOutputStream::Create());
    VIAND_ASSIGN_OR_RETURN(auto writer,
                           arrow::ipc::MakeStreamWriter(sink, part.constants->schema()));
    VIAND_RETURN_NOT_OK(writer->WriteRecordBatch(*part.constants));
    VIAND_RETURN_NOT_OK(writer->Close());
    VIAND_ASSIGN_OR_RETURN(const auto bytes, sink->Finish());
    constants = builder->CreateVector(bytes->data(), bytes->size());
  }
  const auto path = builder->CreateString(part.path);
  const auto groups = builder->CreateVector(part.groups);
  return message::CreateFilePart(*builder, path, static_cast<uint8_t>(part.format), groups,
                                 constants);
}

arrow::Result<Offset<flatbuffers::Vector<Offset<message::FilePart>>>> Write(
    FlatBufferBuilder* builder, const std::vector<FilePart>& parts) {
  std::vector<Offset<message::FilePart>> list;
  for (const FilePart& part : parts) {
    VIAND_ASSIGN_OR_RETURN(auto written, Write(builder, part));
    list.push_back(written);
  }
  return builder->CreateVector(list);
}

arrow::Result<Offset<void>> Write(FlatBufferBuilder* builder, const MapFragment& map) {
  VIAND_ASSIGN_OR_RETURN(auto columns, WriteSchema(builder, *map.columns));
  VIAND_ASSIGN_OR_RETURN(const auto part_list, Write(builder, map.parts));
  const auto file_columns = builder->CreateVectorOfStrings(map.file_columns);
  const auto described_as = builder->CreateString(map.described_as);
  const auto filter = builder->CreateString(map.filter);
  const auto range = Write(builder, map.range);
  const auto outputs = builder->CreateVector(map.outputs);
  const auto keys = builder->CreateVector(map.keys);
  const auto slice_starts = builder->CreateVector(map.slices.starts_us);
  return message::CreateMapFragment(*builder, part_list, columns, file_columns, described_as,
                                    filter, map.time_column, range, outputs, keys,
                                    map.drop_null_keys, map.partitions, map.first_row.has_value(),
                                    map.first_row.value_or(0), map.batch_rows, map.positions,
                                    slice_starts, map.wanted_keys)
      .Union();
}

arrow::Result<Offset<void>> Write(FlatBufferBuilder* builder, const AsOfFragment& join) {
  VIAND_ASSIGN_OR_RETURN(auto features, WriteSchema(builder, *join.features));
  const auto grid = builder->CreateVector(join.grid_us);
  const auto first_rows = builder->CreateVector(join.first_rows);
  return message::CreateAsOfFragment(*builder, join.spine_parts, join.key_count, features,
                                     join.has_created, join.created_not_after, join.ttl_us, grid,
                                     join.feature_parts, join.batch_rows, first_rows,
                                     join.chunks.rows_each, join.chunks.count)
      .Union();
}

arrow::Result<Offset<void>> Write(FlatBufferBuilder* builder, const GatherFragment& gather) {
  VIAND_ASSIGN_OR_RETURN(auto columns, WriteSchema(builder, *gather.columns));
  VIAND_ASSIGN_OR_RETURN(const auto parts, Write(builder, gather.parts));
  const auto file_columns = builder->CreateVectorOfStrings(gather.file_columns);
  const auto described_as = builder->CreateString(gather.described_as);
  const auto outputs = builder->CreateVector(gather.outputs);
  return message::CreateGatherFragment(*builder, parts, columns, file_columns, described_as,
                                       outputs, gather.batch_rows, gather.chunks.rows_each,
                                       gather.chunks.count, gather.first_row, gather.rows)
      .Union();
}

arrow::Result<Offset<message::Function>> Write(FlatBufferBuilder* builder,
                                               const PlannedFunction& function) {
  const auto name = builder->CreateSharedString(function.name);
  const auto code = builder->CreateSharedString(function.code);  // of several features
  const auto columns = builder->CreateVectorOfStrings(function.columns);
  const auto output = builder->CreateString(function.output);
  const arrow::Schema value({arrow::field("value", function.type)});
  VIAND_ASSIGN_OR_RETURN(const auto type, WriteSchema(builder, value));
  return message::CreateFunction(*builder, name, code, columns, output, type);
}

arrow::Result<Offset<message::Feature>> Write(FlatBufferBuilder* builder,
                                              const PlannedFeature& feature) {
  const auto name = builder->CreateString(feature.name);
  const auto expr = builder->CreateString(feature.expr);
  const auto length = Write(builder, feature.window);
  const auto default_value = builder->CreateString(feature.default_value);
  const auto where = message::CreatePlace(*builder, builder->CreateString(feature.where.file),
                                          feature.where.line, feature.where.column);
  Offset<message::Function> function;
  if (feature.function != nullptr) {
    VIAND_ASSIGN_OR_RETURN(function, Write(builder, *feature.function));
  }
  return message::CreateFeature(*builder, name, expr, length, default_value, where, function);
}

arrow::Result<Offset<message::WindowTask>> Write(FlatBufferBuilder* builder,
                                                 const WindowTask& task) {
  std::vector<Offset<message::Feature>> features;
  for (const PlannedFeature& feature : task.features) {
    VIAND_ASSIGN_OR_RETURN(features.emplace_back(), Write(builder, feature));
  }
  const auto cutoffs = builder->CreateVector(task.cutoffs_us);
  const auto filter = builder->CreateString(task.filter);
  const auto feature_list = builder->CreateVector(features);
  const auto existence = Write(builder, task.existence);
  return message::CreateWindowTask(
      *builder, cutoffs, filter, feature_list, existence, builder->CreateString(task.having),
      static_cast<uint8_t>(task.absent), builder->CreateVector(task.cut_at_us));
}

arrow::Result<Offset<void>> Write(FlatBufferBuilder* builder, const WindowFragment& window) {
  std::vector<Offset<message::WindowTask>> tasks;
  for (const WindowTask& task : window.tasks) {
    VIAND_ASSIGN_OR_RETURN(tasks.emplace_back(), Write(builder, task));
  }
  VIAND_ASSIGN_OR_RETURN(auto events, WriteSchema(builder, *window.events));
  const auto keys = builder->CreateVector(window.keys);
  const auto described_as = builder->CreateString(window.described_as);
  const auto task_list = builder->CreateVector(tasks);
  return message::CreateWindowFragment(*builder, window.at_spine, window.spine_parts, events, keys,
                                       window.time_column, described_as, task_list,
                                       window.chunks.rows_each, window.chunks.count,
                                       window.summary_parts, window.summarize)
      .Union();
}

arrow::Result<Offset<void>> Write(FlatBufferBuilder* builder, const WriteFragment& write) {
  VIAND_ASSIGN_OR_RETURN(const auto parts, Write(builder, write.parts));
  VIAND_ASSIGN_OR_RETURN(const auto result, WriteSchema(builder, *write.result));
  std::vector<Offset<message::FoundTables>> lookups;
  for (const FoundTables& lookup : write.lookups) {
    VIAND_ASSIGN_OR_RETURN(const auto columns, WriteSchema(builder, *lookup.columns));
    lookups.push_back(message::CreateFoundTables(*builder, lookup.tables, columns,
                                                 static_cast<uint8_t>(lookup.missing)));
  }
  const auto file_columns = builder->CreateVectorOfStrings(write.file_columns);
  const auto lookup_list = builder->CreateVector(lookups);
  const auto described_as = builder->CreateString(write.described_as);
  const auto path = builder->CreateString(write.path);
  return message::CreateWriteFragment(*builder, parts, file_columns, write.skipped_rows,
                                      write.first_row, write.rows, result, lookup_list,
                                      described_as, path, static_cast<uint8_t>(write.format),
                                      write.rows_at_a_time, write.spine_tables)
      .Union();
}

arrow::Result<Offset<void>> Write(FlatBufferBuilder* builder, const SnapshotFragment& snapshot) {
  VIAND_ASSIGN_OR_RETURN(const auto keys, WriteSchema(builder, *snapshot.keys));
  std::vector<Offset<message::SnapshotFile>> files;
  for (const SnapshotFile& file : snapshot.files) {
    const auto path = builder->CreateString(file.path);
    files.push_back(message::CreateSnapshotFile(*builder, file.cutoff_us, path));
  }
  const auto file_list = builder->CreateVector(files);
  return message::CreateSnapshotFragment(*builder, file_list, snapshot.batch_rows, keys).Union();
}

message::Body NumberOf(const Fragment& fragment) {
  constexpr message::Body kNumbers[] = {
      message::Body_MapFragment,       message::Body_AsOfFragment,  message::Body_WindowFragment,
      message::Body_GatherFragment,    message::Body_WriteFragment, message::Body_SnapshotFragment,
      message::Body_BroadcastFragment, message::Body_ChainFragment, message::Body_ArrangeFragment};
  return kNumbers[fragment.index()];
}

/// Fails unless every index points at a column.
arrow::Status CheckIndices(const std::vector<int>& indices, const arrow::Schema& schema,
                           std::string_view what) {
  for (int index : indices) {
    if (index < 0 || index >= schema.num_fields())
      return DamagedFragment(fmt::format("{} {} is no column", what, index));
  }
  return arrow::Status::OK();
}

arrow::Status CheckTimeColumn(int index, const arrow::Schema& schema) {
  VIAND_RETURN_NOT_OK(CheckIndices({index}, schema, "time"));
  return IsTimeType(*schema.field(index)->type()) ? arrow::Status::OK()
                                                  : DamagedFragment("its time is no time");
}

arrow::Status CheckSlices(const MapFragment& map) {
  const TimeSlices& slices = map.slices;
  if (slices.starts_us.empty()) return arrow::Status::OK();
  const bool ascend = std::is_sorted(slices.starts_us.begin(), slices.starts_us.end());
  const bool fits = map.time_column != -1 && slices.count() == map.partitions;
  return ascend && fits ? arrow::Status::OK() : DamagedFragment("its slices of time");
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ReadConstants(const Bytes& bytes) {
  // A copy: the columns outlive the message.
  const std::string copy(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  auto reader = arrow::ipc::RecordBatchStreamReader::Open(
      std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(copy)));
  if (!reader.ok()) return DamagedFragment(reader.status().message());
  auto batch = (*reader)->Next();
  if (!batch.ok()) return DamagedFragment(batch.status().message());
  if (*batch == nullptr || (*batch)->num_rows() != 1) return DamagedFragment("constants of a file");
  if (auto whole = (*batch)->ValidateFull(); !whole.ok()) return DamagedFragment(whole.message());
  return *batch;
}

arrow::Result<FilePart> Read(const message::FilePart& part) {
  const auto format = static_cast<FileFormat>(part.format());
  if (format != FileFormat::kParquet && format != FileFormat::kIpc) {
    return DamagedFragment(fmt::format("file format {}", part.format()));
  }
  FilePart result{ReadText(part.path()), format, ReadNumbers(part.groups())};
  if (part.constants() == nullptr) return result;
  VIAND_ASSIGN_OR_RETURN(result.constants, ReadConstants(*part.constants()));
  return result;
}

arrow::Result<std::vector<FilePart>> Read(
    const flatbuffers::Vector<Offset<message::FilePart>>* parts) {
  std::vector<FilePart> result;
  if (parts == nullptr) return result;
  for (const auto* part : *parts) {
    VIAND_ASSIGN_OR_RETURN(auto read, Read(*part));
    result.push_back(std::move(read));
  }
  return result;
}

arrow::Result<Fragment> Read(const message::MapFragment& map) {
  MapFragment result;
  VIAND_ASSIGN_OR_RETURN(result.parts, Read(map.parts()));
  VIAND_ASSIGN_OR_RETURN(result.columns, ReadSchema(map.columns()));
  result.file_columns = ReadTexts(map.file_columns());
  result.described_as = ReadText(map.described_as());
  result.filter = ReadText(map.filter());
  result.time_column = map.time_column();
  result.range = Read(map.range());
  result.outputs = ReadNumbers(map.outputs());
  result.keys = ReadNumbers(map.keys());
  result.drop_null_keys = map.drop_null_keys();
  result.partitions = map.partitions();
  if (map.has_first_row()) result.first_row = map.first_row();
  result.batch_rows = map.batch_rows();
  result.positions = map.positions();
  if (result.file_columns.size() != static_cast<size_t>(result.columns->num_fields())) {
    return DamagedFragment("columns and names in the file differ in number");
  }
  if (result.partitions < 1 || result.partitions > kMaxPartitions)
    return DamagedFragment("number of partitions");
  if (result.batch_rows < 0) return DamagedFragment("batch size");
  if (result.time_column != -1)
    VIAND_RETURN_NOT_OK(CheckTimeColumn(result.time_column, *result.columns));
  result.slices.starts_us = ReadNumbers(map.slice_starts_us());
  VIAND_RETURN_NOT_OK(CheckSlices(result));
  VIAND_RETURN_NOT_OK(CheckIndices(result.outputs, *result.columns, "output"));
  VIAND_RETURN_NOT_OK(CheckIndices(result.keys, *result.columns, "key"));
  result.wanted_keys = map.wanted_keys();
  if (result.wanted_keys < 0 || (result.wanted_keys > 0 && result.keys.empty()))
    return DamagedFragment("keys that are wanted");
  return result;
}

arrow::Result<RowChunks> ReadChunks(int64_t rows_each, int count) {
  if (count < 1 || count > kMaxRowChunks || rows_each < 0 || (count > 1 && rows_each < 1) ||
      rows_each > std::numeric_limits<int64_t>::max() / kMaxRowChunks)
    return DamagedFragment("chunks of the spine");
  return RowChunks{rows_each, count};
}

arrow::Result<Fragment> Read(const message::AsOfFragment& join) {
  AsOfFragment result;
  result.spine_parts = join.spine_parts();
  result.feature_parts = join.feature_parts();
  result.key_count = join.key_count();
  VIAND_ASSIGN_OR_RETURN(result.features, ReadSchema(join.features()));
  result.has_created = join.has_created();
  result.created_not_after = join.created_not_after();
  result.ttl_us = join.ttl_us();
  result.grid_us = ReadNumbers(join.grid_us());
  result.batch_rows = join.batch_rows();
  if (result.spine_parts < 1 || result.key_count < 0)
    return DamagedFragment("number of spine parts or keys");
  if (result.feature_parts < 0 || result.feature_parts > kMaxFeatureParts)
    return DamagedFragment("number of feature parts");
  const int64_t fixed = static_cast<int64_t>(result.key_count) + 2 + (result.has_created ? 1 : 0);
  if (fixed != result.features->num_fields()) return DamagedFragment("number of feature columns");
  if (result.features->fields().back()->type()->id() != arrow::Type::INT32)
    return DamagedFragment("its positions are no int32");
  VIAND_RETURN_NOT_OK(CheckTimeColumn(result.key_count, *result.features));
  if (result.has_created)
    VIAND_RETURN_NOT_OK(CheckTimeColumn(result.key_count + 1, *result.features));
  result.first_rows = ReadNumbers(join.first_rows());
  if (!result.first_rows.empty() &&
      (result.first_rows.size() != static_cast<size_t>(result.feature_parts) ||
       !std::is_sorted(result.first_rows.begin(), result.first_rows.end()) ||
       result.first_rows.front() < 0 ||
       result.first_rows.back() > std::numeric_limits<int64_t>::max() / 2))
    return DamagedFragment("first rows of its parts");
  VIAND_ASSIGN_OR_RETURN(result.chunks, ReadChunks(join.chunk_rows(), join.chunk_count()));
  return result;
}

arrow::Result<Fragment> Read(const message::GatherFragment& gather) {
  GatherFragment result;
  VIAND_ASSIGN_OR_RETURN(result.parts, Read(gather.parts()));
  VIAND_ASSIGN_OR_RETURN(result.columns, ReadSchema(gather.columns()));
  result.file_columns = ReadTexts(gather.file_columns());
  result.described_as = ReadText(gather.described_as());
  result.outputs = ReadNumbers(gather.outputs());
  result.batch_rows = gather.batch_rows();
  if (result.file_columns.size() != static_cast<size_t>(result.columns->num_fields())) {
    return DamagedFragment("columns and names in the file differ in number");
  }
  if (result.batch_rows < 0) return DamagedFragment("batch size");
  VIAND_ASSIGN_OR_RETURN(result.chunks, ReadChunks(gather.chunk_rows(), gather.chunk_count()));
  result.first_row = gather.first_row();
  result.rows = gather.rows();
  if (result.rows < 0 || result.rows > kMaxGatheredRows || result.first_row < 0)
    return DamagedFragment("rows of the spine");
  VIAND_RETURN_NOT_OK(CheckIndices(result.outputs, *result.columns, "output"));
  return result;
}

arrow::Result<FoundTables> Read(const message::FoundTables& found) {
  FoundTables result;
  result.tables = found.tables();
  VIAND_ASSIGN_OR_RETURN(result.columns, ReadSchema(found.columns()));
  result.missing = static_cast<MissingRows>(found.missing());
  if (result.tables < 0) return DamagedFragment("number of tables");
  if (found.missing() > static_cast<uint8_t>(MissingRows::kNull))
    return DamagedFragment("rule for missing rows");
  return result;
}

/// Fails unless the result has the spine's columns and then those of each lookup.
arrow::Status CheckResult(const WriteFragment& write) {
  auto next = static_cast<int64_t>(write.file_columns.size());
  const int64_t count = write.result->num_fields();
  for (const FoundTables& lookup : write.lookups) {
    for (const auto& column : lookup.columns->fields()) {
      const bool fits =
          next < count &&
          PlainType(write.result->field(static_cast<int>(next))->type())->Equals(*column->type());
      if (!fits) return DamagedFragment("columns of its result");
      ++next;
    }
  }
  return next == count ? arrow::Status::OK() : DamagedFragment("columns of its result");
}

arrow::Result<Fragment> Read(const message::WriteFragment& write) {
  WriteFragment result;
  VIAND_ASSIGN_OR_RETURN(result.parts, Read(write.parts()));
  result.file_columns = ReadTexts(write.file_columns());
  result.skipped_rows = write.skipped_rows();
  result.first_row = write.first_row();
  result.rows = write.rows();
  VIAND_ASSIGN_OR_RETURN(result.result, ReadAnySchema(write.result()));
  if (write.lookups() != nullptr) {
    for (const auto* lookup : *write.lookups()) {
      VIAND_ASSIGN_OR_RETURN(auto read, Read(*lookup));
      result.lookups.push_back(std::move(read));
    }
  }
  result.described_as = ReadText(write.described_as());
  result.path = ReadText(write.path());
  result.format = static_cast<PartFormat>(write.format());
  result.rows_at_a_time = write.rows_at_a_time();
  result.spine_tables = write.spine_tables();
  if (write.format() > static_cast<uint8_t>(PartFormat::kDropped))
    return DamagedFragment("format of its file");
  if (result.path.empty() && IsFile(result.format)) return DamagedFragment("no path");
  if (result.spine_tables < 0 || result.skipped_rows < 0 || result.first_row < 0 ||
      result.rows < 0 || result.rows > std::numeric_limits<int64_t>::max() - result.first_row ||
      result.rows_at_a_time < 1)
    return DamagedFragment("rows of the spine");
  VIAND_RETURN_NOT_OK(CheckResult(result));
  return result;
}

arrow::Result<Fragment> Read(const message::SnapshotFragment& snapshot) {
  SnapshotFragment result;
  VIAND_ASSIGN_OR_RETURN(result.keys, ReadAnySchema(snapshot.keys()));
  result.batch_rows = snapshot.batch_rows();
  if (snapshot.files() != nullptr) {
    for (const auto* file : *snapshot.files()) {
      result.files.push_back({file->cutoff_us(), ReadText(file->path())});
      if (result.files.back().path.empty()) return DamagedFragment("no path");
    }
  }
  if (result.batch_rows < 1 || result.batch_rows > kMaxGatheredRows)
    return DamagedFragment("batch size");
  return result;
}

arrow::Result<std::shared_ptr<const PlannedFunction>> Read(const message::Function& function) {
  VIAND_ASSIGN_OR_RETURN(const auto type, ReadSchema(function.type()));
  if (type->num_fields() != 1) return DamagedFragment("type of a function");
  return std::make_shared<const PlannedFunction>(PlannedFunction{
      ReadText(function.name()), ReadText(function.code()), ReadTexts(function.columns()),
      ReadText(function.output()), type->field(0)->type()});
}

arrow::Result<WindowTask> Read(const message::WindowTask& task) {
  WindowTask result;
  result.cutoffs_us = ReadNumbers(task.cutoffs_us());
  result.filter = ReadText(task.filter());
  if (task.features() != nullptr) {
    for (const auto* feature : *task.features()) {
      result.features.push_back({ReadText(feature->name()), ReadText(feature->expr()),
                                 Read(feature->window()), ReadText(feature->default_value()),
                                 Read(feature->where())});
      if (feature->function() == nullptr) continue;
      VIAND_ASSIGN_OR_RETURN(result.features.back().function, Read(*feature->function()));
    }
  }
  result.existence = Read(task.existence());
  result.having = ReadText(task.having());
  result.absent = static_cast<AbsentRows>(task.absent());
  if (task.absent() > static_cast<uint8_t>(AbsentRows::kCompute))
    return DamagedFragment("rule for absent rows");
  result.cut_at_us = ReadNumbers(task.cut_at_us());
  if (!std::is_sorted(result.cut_at_us.begin(), result.cut_at_us.end()) ||
      result.cut_at_us.size() > static_cast<size_t>(kMaxRowChunks))
    return DamagedFragment("groups of its cutoffs");
  return result;
}

arrow::Result<Fragment> Read(const message::WindowFragment& window) {
  WindowFragment result;
  result.at_spine = window.at_spine();
  result.spine_parts = window.spine_parts();
  VIAND_ASSIGN_OR_RETURN(result.events, ReadSchema(window.events()));
  result.keys = ReadNumbers(window.keys());
  result.time_column = window.time_column();
  result.described_as = ReadText(window.described_as());
  if (window.tasks() != nullptr) {
    for (const auto* task : *window.tasks()) {
      VIAND_ASSIGN_OR_RETURN(auto read, Read(*task));
      result.tasks.push_back(std::move(read));
    }
  }
  if (result.tasks.empty()) return DamagedFragment("no views to aggregate");
  VIAND_ASSIGN_OR_RETURN(result.chunks, ReadChunks(window.chunk_rows(), window.chunk_count()));
  if (!result.at_spine && result.chunks.count != 1)
    return DamagedFragment("chunks without a spine");
  if (result.at_spine ? result.spine_parts < 1 : result.spine_parts != 0)
    return DamagedFragment("number of spine parts");
  result.summary_parts = window.summary_parts();
  result.summarize = window.summarize();
  if (result.summary_parts < 0) return DamagedFragment("number of summaries");
  if (result.summarize && result.at_spine) return DamagedFragment("a summary at a spine");
  const bool cut = std::any_of(result.tasks.begin(), result.tasks.end(),
                               [](const WindowTask& task) { return !task.cut_at_us.empty(); });
  if (result.at_spine && cut) return DamagedFragment("groups of its cutoffs");
  VIAND_RETURN_NOT_OK(CheckTimeColumn(result.time_column, *result.events));
  VIAND_RETURN_NOT_OK(CheckIndices(result.keys, *result.events, "key"));
  return result;
}

}  // namespace

arrow::Result<std::string> SerializeFragment(const Fragment& fragment) {
  FlatBufferBuilder builder;
  VIAND_ASSIGN_OR_RETURN(
      Offset<void> body,
      std::visit([&builder](const auto& each) { return Write(&builder, each); }, fragment));
  message::FinishFragmentBuffer(builder,
                                message::CreateFragment(builder, NumberOf(fragment), body));
  return std::string(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
}

arrow::Result<Fragment> ParseFragment(std::string_view bytes, bool nested) {
  // Numbers are read in place, so the bytes must lie as aligned as they were written.
  const auto aligned = std::make_unique<uint64_t[]>(bytes.size() / sizeof(uint64_t) + 1);
  auto* data = reinterpret_cast<uint8_t*>(aligned.get());
  std::copy(bytes.begin(), bytes.end(), data);
  flatbuffers::Verifier verifier(data, bytes.size());
  if (!message::VerifyFragmentBuffer(verifier)) return DamagedFragment("it does not verify");
  const auto* fragment = message::GetFragment(data);
  if (fragment->body() == nullptr) return DamagedFragment("no body");
  switch (fragment->body_type()) {
    case message::Body_MapFragment:
      return Read(*fragment->body_as_MapFragment());
    case message::Body_AsOfFragment:
      return Read(*fragment->body_as_AsOfFragment());
    case message::Body_WindowFragment:
      return Read(*fragment->body_as_WindowFragment());
    case message::Body_GatherFragment:
      return Read(*fragment->body_as_GatherFragment());
    case message::Body_WriteFragment:
      return Read(*fragment->body_as_WriteFragment());
    case message::Body_SnapshotFragment:
      return Read(*fragment->body_as_SnapshotFragment());
    case message::Body_BroadcastFragment:
      if (nested) return DamagedFragment("a fragment within its like");
      return Read(*fragment->body_as_BroadcastFragment());
    case message::Body_ChainFragment:
      if (nested) return DamagedFragment("a fragment within its like");
      return Read(*fragment->body_as_ChainFragment());
    case message::Body_ArrangeFragment:
      return Read(*fragment->body_as_ArrangeFragment());
    default:
      return DamagedFragment("unknown kind of fragment");
  }
}

}  // namespace viand::engine
