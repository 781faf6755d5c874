#include "src/engine/spine.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/datum.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/metadata.h>
#include <parquet/statistics.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "src/common/block_pool.h"
#include "src/common/time.h"
#include "src/engine/column_chunk.h"
#include "src/engine/executor.h"
#include "src/engine/held_rows.h"
#include "src/engine/map_stage.h"
#include "src/engine/plain_array.h"
#include "src/engine/scan_schema.h"
#include "src/expression/batch_evaluator.h"
#include "src/expression/binder.h"

namespace viand::engine {
namespace {

constexpr int64_t kSpineBatchRows = 64 * 1024;
/// A spine of more bytes is read a second time rather than kept.
constexpr int64_t kMostHeldBytes = 64 << 20;
/// So is one of more than this share of the memory budget.
constexpr int64_t kHeldShare = 16;

/// What all columns of so many rows are read at a time: the pieces become the chunks of a result.
ReadOptions OptionsOfRead(const ExecuteOptions& options) {
  return {.batch_rows = kSpineBatchRows,
          .decode_in_parallel = options.executor->Parallelism() > 1,
          .pool = ProcessPool()};
}

arrow::Result<std::unique_ptr<PartReader>> OpenColumns(const OpenedScan& scan, const FilePart& part,
                                                       const std::vector<std::string>& columns,
                                                       const ReadOptions& options) {
  std::vector<std::string> names;
  for (const std::string& name : columns) names.push_back(scan.NameInFile(name));
  return OpenFilePart(part, names, scan.described_as, options);
}

arrow::Result<std::shared_ptr<arrow::Table>> Filtered(const std::shared_ptr<arrow::Table>& table,
                                                      const std::string& filter,
                                                      const std::string& described_as) {
  const auto plain = PlainSchema(*table->schema());
  VIAND_ASSIGN_OR_RETURN(auto bound, expression::ParseAndBind(
                                         filter, {.columns = plain, .described_as = described_as}));
  arrow::ArrayVector passed;
  arrow::TableBatchReader reader(*table);
  std::shared_ptr<arrow::RecordBatch> batch;
  while (true) {
    VIAND_RETURN_NOT_OK(reader.ReadNext(&batch));
    if (batch == nullptr) break;
    VIAND_ASSIGN_OR_RETURN(auto typed, WithTypes(*batch, plain));
    VIAND_ASSIGN_OR_RETURN(auto keep, expression::EvaluateBatch(*bound, *typed));
    passed.push_back(std::move(keep));
  }
  if (passed.empty()) return table;
  arrow::compute::ExecContext context(ProcessPool());
  VIAND_ASSIGN_OR_RETURN(
      auto kept,
      arrow::compute::Filter(arrow::Datum(table),
                             arrow::Datum(std::make_shared<arrow::ChunkedArray>(std::move(passed))),
                             arrow::compute::FilterOptions::Defaults(), &context));
  return kept.table();
}

/// The rows as a table in memory from here on.
arrow::Status Hold(std::shared_ptr<arrow::Table> table, const std::string& filter, Spine* spine) {
  if (!filter.empty()) {
    VIAND_ASSIGN_OR_RETURN(table, Filtered(table, filter, spine->described_as));
  }
  spine->scan.schema = table->schema();
  spine->scan.renames.clear();
  spine->scan.files.clear();
  spine->scan.table = std::move(table);
  return arrow::Status::OK();
}

/// Says which text of a column, as CSV has it, is the first that is no time, or that has a zone
/// where those before have none; empty: none.
std::string FirstWithoutTime(const Spine& spine) {
  const auto column =
      spine.scan.table == nullptr ? nullptr : spine.scan.table->GetColumnByName(spine.time);
  if (column == nullptr || column->type()->id() != arrow::Type::STRING) return "";
  int64_t row = 0;
  std::optional<bool> zoned;
  for (const auto& chunk : column->chunks()) {
    const auto& texts = static_cast<const arrow::StringArray&>(*chunk);
    for (int64_t i = 0; i < texts.length(); ++i) {
      ++row;
      if (texts.IsNull(i)) continue;
      const std::string_view text = texts.GetView(i);
      const auto found = [&](std::string_view why) {
        return fmt::format(": row {} has \"{}\"{}", row, text.substr(0, 40), why);
      };
      if (!ParseTimestampUs(text).ok()) return found("");
      const bool has_zone = text.ends_with('Z') || text.find_first_of("+-", 10) < text.size();
      if (zoned && *zoned != has_zone) {
        return found(has_zone ? ", with a zone; rows before have none"
                              : ", without a zone; rows before have one");
      }
      zoned = has_zone;
    }
  }
  return "";
}

arrow::Status CheckTime(const Spine& spine) {
  const auto field = spine.schema().GetFieldByName(spine.time);
  if (field == nullptr) return MissingColumn(spine.time, spine.schema(), "", spine.described_as);
  if (field->type()->id() == arrow::Type::NA || IsTimeType(*field->type()))
    return arrow::Status::OK();
  return MakeError(
      ErrorKind::kInput,
      fmt::format("column \"{}\" of {} is {}, expected a timestamp or a date{}", spine.time,
                  spine.described_as, field->type()->ToString(), FirstWithoutTime(spine)),
      "write it as a timestamp (2011-03-01 08:26:00 in CSV), or name another column with "
      "--timestamp-column");
}

/// Nulls of some type in place of a column of nulls of none.
arrow::Result<std::shared_ptr<arrow::ChunkedArray>> Typed(
    const std::shared_ptr<arrow::ChunkedArray>& column,
    const std::shared_ptr<arrow::DataType>& type) {
  if (column->type()->id() != arrow::Type::NA) return column;
  VIAND_ASSIGN_OR_RETURN(auto nulls, arrow::MakeArrayOfNull(type, column->length()));
  return std::make_shared<arrow::ChunkedArray>(nulls);
}

std::shared_ptr<arrow::DataType> TypeOfNoTimes() {
  return arrow::timestamp(arrow::TimeUnit::MICRO);
}

arrow::Status LookThroughTable(const std::vector<std::string>& keys, Spine* spine) {
  const arrow::Table& table = *spine->scan.table;
  spine->rows = table.num_rows();
  VIAND_ASSIGN_OR_RETURN(const auto times,
                         Typed(table.GetColumnByName(spine->time), TypeOfNoTimes()));
  spine->range = RangeOf(*times);
  for (const std::string& name : keys) {
    auto column = table.GetColumnByName(name);
    if (column != nullptr) spine->keys[name] = KeySample{column->length(), std::move(column)};
  }
  return arrow::Status::OK();
}

/// Of each row group of a Parquet file an array with the least and the greatest value of a column
/// by the group's statistics, or with a null where it has no other; fewer where some do not tell.
arrow::Result<arrow::ArrayVector> EndsByFooter(const OpenedFile& file, const std::string& name) {
  arrow::ArrayVector ends;
  const int leaf = file.parquet == nullptr ? -1 : file.parquet->schema()->ColumnIndex(name);
  const auto field = file.in_file->GetFieldByName(name);
  if (leaf < 0 || field == nullptr) return ends;
  for (const RowGroup& group : file.groups) {
    const auto statistics = StatisticsOf(*file.parquet->RowGroup(group.index), leaf);
    if (statistics == nullptr) return ends;
    if (statistics->HasNullCount() && statistics->null_count() == group.rows) {
      VIAND_ASSIGN_OR_RETURN(ends.emplace_back(), arrow::MakeArrayOfNull(field->type(), 1));
      continue;
    }
    std::shared_ptr<arrow::Scalar> min, max;
    if (!statistics->HasMinMax() ||
        !parquet::arrow::StatisticsAsScalars(*statistics, &min, &max).ok() ||
        !min->type->Equals(field->type()))
      return ends;
    VIAND_ASSIGN_OR_RETURN(const auto first, arrow::MakeArrayFromScalar(*min, 1));
    VIAND_ASSIGN_OR_RETURN(const auto second, arrow::MakeArrayFromScalar(*max, 1));
    VIAND_ASSIGN_OR_RETURN(ends.emplace_back(), arrow::Concatenate({first, second}));
  }
  return ends;
}

/// Finds the ends of the keys and times of files that are not kept, and how many rows there are: by
/// their footers, or where these do not tell by reading them.
class FilesLook {
 public:
  FilesLook(std::vector<std::string> keys, const ExecuteOptions& options, Spine* spine)
      : columns_(std::move(keys)), options_(options), spine_(spine) {
    std::erase_if(columns_, [&](const std::string& name) {
      return spine->schema().GetFieldIndex(name) < 0 || name == spine->time;
    });
    columns_.push_back(spine->time);
  }

  arrow::Status Run() {
    spine_->range = NoTimes();
    for (OpenedFile& file : spine_->scan.files) {
      FilePart part = PartOf(spine_->scan, file);
      if (part.format != FileFormat::kIpc) {
        VIAND_ASSIGN_OR_RETURN(const bool told, LookAtFooter(file));
        if (!told) VIAND_RETURN_NOT_OK(Read(part).status());
        continue;
      }
      // Only their reading tells how many rows each has.
      for (RowGroup& group : file.groups) {
        part.groups = {group.index};
        VIAND_ASSIGN_OR_RETURN(group.rows, Read(part));
      }
    }
    return arrow::Status::OK();
  }

 private:
  /// What the statistics of a file's row groups say in place of its rows; false where they do not
  /// say all.
  arrow::Result<bool> LookAtFooter(const OpenedFile& file) {
    std::vector<arrow::ArrayVector> ends;
    for (const std::string& column : columns_) {
      VIAND_ASSIGN_OR_RETURN(auto of_column, EndsByFooter(file, spine_->scan.NameInFile(column)));
      if (of_column.size() != file.groups.size()) return false;
      ends.push_back(std::move(of_column));
    }
    for (size_t group = 0; group < file.groups.size(); ++group) {
      arrow::ArrayVector of_group;
      for (const auto& of_column : ends) of_group.push_back(of_column[group]);
      VIAND_RETURN_NOT_OK(Visit(of_group, file.groups[group].rows));
      spine_->rows += file.groups[group].rows;
    }
    return true;
  }

  arrow::Result<int64_t> Read(const FilePart& part) {
    VIAND_ASSIGN_OR_RETURN(const auto reader,
                           OpenColumns(spine_->scan, part, columns_, OptionsOfRead(options_)));
    while (true) {
      VIAND_ASSIGN_OR_RETURN(const PlacedBatch placed, reader->Next());
      if (placed.batch == nullptr) break;
      VIAND_RETURN_NOT_OK(Visit(placed.batch->columns(), placed.batch->num_rows()));
    }
    spine_->rows += reader->rows();
    return reader->rows();
  }

  /// `values`: of each column those of `rows` rows, or what has their least and greatest.
  arrow::Status Visit(const arrow::ArrayVector& values, int64_t rows) {
    for (size_t i = 0; i < columns_.size(); ++i) {
      const auto& type = spine_->schema().GetFieldByName(columns_[i])->type();
      VIAND_ASSIGN_OR_RETURN(const auto column, ToPlain(values[i], PlainType(type)));
      if (columns_[i] == spine_->time) {
        spine_->range =
            Hull(spine_->range, RangeOf(arrow::ChunkedArray(arrow::ArrayVector{column})));
      } else {
        KeySample& sample = spine_->keys[columns_[i]];
        VIAND_RETURN_NOT_OK(AddEnds(column, &sample));
        sample.rows += rows - column->length();
      }
    }
    return arrow::Status::OK();
  }

  std::vector<std::string> columns_;
  const ExecuteOptions& options_;
  Spine* const spine_;
};

/// What is known of them without reading them.
void LookAtHeld(Spine* spine) {
  const HeldRows& held = *spine->scan.held;
  spine->rows = held.rows();
  if (held.time == spine->time) spine->range = held.range;
  spine->keys = held.keys;
}

/// Whether a key or the time has no type: it gets one where the rows are in memory.
bool HasColumnOfNulls(const Spine& spine, std::vector<std::string> columns) {
  columns.push_back(spine.time);
  return std::any_of(columns.begin(), columns.end(), [&](const std::string& name) {
    const auto field = spine.schema().GetFieldByName(name);
    return field != nullptr && field->type()->id() == arrow::Type::NA;
  });
}

/// Tells whether the rows are to be kept: where they are few for the memory that there is, or where
/// they must be looked at whole.
bool IsWorthHolding(const Spine& spine, const std::vector<std::string>& keys,
                    const ExecuteOptions& options) {
  if (HasColumnOfNulls(spine, keys)) return true;
  // Where fragments run elsewhere they read the files themselves.
  if (!options.executor->StoragePath().empty()) return false;
  const int64_t memory = options.executor->DriverMemoryBytes();
  const int64_t most = memory > 0 ? std::min(kMostHeldBytes, memory / kHeldShare) : kMostHeldBytes;
  return spine.scan.RowCount() * RowBytesIn(spine.scan, *PlainSchema(spine.schema())) <= most;
}

}  // namespace

arrow::Result<Spine> OpenSpine(
    const RetrievalPlan& plan, const std::vector<std::string>& keys,
    const std::map<std::string, std::shared_ptr<arrow::DataType>>& csv_types,
    const ExecuteOptions& options) {
  Spine spine;
  VIAND_ASSIGN_OR_RETURN(spine.scan, OpenScan(plan.spine, csv_types, options.executor));
  spine.described_as = spine.scan.described_as.empty() ? "the spine" : spine.scan.described_as;
  spine.time = plan.spine_timestamp;
  if (spine.scan.held != nullptr) {
    VIAND_RETURN_NOT_OK(CheckTime(spine));
    if (plan.spine.filter.empty() && !options.executor->StoragePath().empty() &&
        !HasColumnOfNulls(spine, keys)) {
      LookAtHeld(&spine);
      return spine;
    }
    VIAND_ASSIGN_OR_RETURN(spine.scan.table, FetchAll(*spine.scan.held, options.executor));
    spine.scan.held.reset();
  }
  if (spine.scan.table == nullptr) {
    VIAND_RETURN_NOT_OK(SelectColumns(spine.scan, spine.schema().field_names()).status());
  } else {
    VIAND_ASSIGN_OR_RETURN(auto table,
                           spine.scan.table->RenameColumns(spine.schema().field_names()));
    VIAND_RETURN_NOT_OK(Hold(std::move(table), plan.spine.filter, &spine));
  }
  VIAND_RETURN_NOT_OK(CheckTime(spine));
  if (spine.scan.table == nullptr &&
      (!plan.spine.filter.empty() || IsWorthHolding(spine, keys, options))) {
    FileRows files(FileColumnsOf(spine), OptionsOfRead(options));
    VIAND_ASSIGN_OR_RETURN(auto table, files.Read(std::numeric_limits<int64_t>::max()));
    VIAND_RETURN_NOT_OK(CheckUnchanged(spine.scan));
    VIAND_RETURN_NOT_OK(Hold(std::move(table), plan.spine.filter, &spine));
  }
  VIAND_RETURN_NOT_OK(spine.scan.table != nullptr ? LookThroughTable(keys, &spine)
                                                  : FilesLook(keys, options, &spine).Run());
  return spine;
}

arrow::Result<SpineKeys> KeysOf(const Spine& spine, const std::vector<std::string>& keys,
                                const std::vector<std::shared_ptr<arrow::DataType>>& types) {
  SpineKeys result{.scan = spine.scan, .keys = keys, .time = spine.time};
  if (spine.scan.table == nullptr) return result;
  std::shared_ptr<arrow::Table>& table = result.scan.table;
  const auto set_type = [&](const std::string& name,
                            const std::shared_ptr<arrow::DataType>& type) -> arrow::Status {
    const int index = table->schema()->GetFieldIndex(name);
    VIAND_ASSIGN_OR_RETURN(auto column, Typed(table->column(index), type));
    const auto field = table->field(index)->WithType(column->type());
    return table->SetColumn(index, field, std::move(column)).Value(&table);
  };
  for (size_t i = 0; i < keys.size(); ++i) VIAND_RETURN_NOT_OK(set_type(keys[i], types[i]));
  VIAND_RETURN_NOT_OK(set_type(spine.time, TypeOfNoTimes()));
  result.scan.schema = table->schema();
  return result;
}

FileColumns FileColumnsOf(const Spine& spine) {
  const OpenedScan& scan = spine.scan;
  FileColumns columns{.schema = scan.schema, .described_as = scan.described_as};
  for (const OpenedFile& file : scan.files) columns.parts.push_back(PartOf(scan, file));
  for (const std::string& name : scan.schema->field_names())
    columns.file_columns.push_back(scan.NameInFile(name));
  return columns;
}

PartsOfRows PartsWith(const Spine& spine, int64_t first_row, int64_t rows) {
  PartsOfRows found;
  int64_t row = 0;
  for (const OpenedFile& file : spine.scan.files) {
    FilePart taken = PartOf(spine.scan, file);
    taken.groups.clear();
    for (const RowGroup& group : file.groups) {
      const int64_t next = row + group.rows;
      if (next > first_row && row < first_row + rows) {
        if (found.parts.empty() && taken.groups.empty()) found.skipped_rows = first_row - row;
        taken.groups.push_back(group.index);
      }
      row = next;
    }
    if (!taken.groups.empty()) found.parts.push_back(std::move(taken));
  }
  if (found.parts.empty()) {
    found.parts.push_back(PartOf(spine.scan, spine.scan.files[0]));
    found.parts[0].groups.clear();
  }
  return found;
}

SpineReader::SpineReader(const Spine& spine, const ExecuteOptions& options)
    : table_(spine.scan.table), files_(FileColumnsOf(spine), OptionsOfRead(options)) {}

arrow::Result<std::shared_ptr<arrow::Table>> SpineReader::Read(int64_t rows) {
  if (table_ == nullptr) return files_.Read(rows);
  auto slice = table_->Slice(next_row_, rows);
  next_row_ += slice->num_rows();
  return slice;
}

}  // namespace viand::engine
