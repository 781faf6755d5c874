#include "src/engine/map_stage.h"

#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>
#include <fmt/format.h>
#include <parquet/metadata.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "src/engine/coded_array.h"
#include "src/engine/fragment_message.h"
#include "src/engine/held_rows.h"
#include "src/engine/memory_shares.h"
#include "src/engine/parquet_footer.h"
#include "src/engine/plain_array.h"
#include "src/engine/prune_groups.h"
#include "src/expression/binder.h"

namespace viand::engine {
namespace {

/// Below it, dealing rows out costs more than a second thread wins.
constexpr int64_t kRowsWorthSplitting = 32 * 1024;
/// A partition of so many rows keeps a column of 8 bytes within 2 MiB.
constexpr int64_t kRowsPerPartition = 256 * 1024;
/// A fragment of fewer rows is not worth its overhead, unless they are long; one of more holds much
/// memory at a time.
constexpr int64_t kLeastRowsPerFragment = 64 * 1024;
constexpr int64_t kLeastFragmentBytes = 32 << 20;
constexpr int64_t kMostRowsPerFragment = 1024 * 1024;
constexpr int64_t kMostPartitions = 1024;
/// Where fragments run on other machines, each table that one hands to another costs the driver a
/// quarter of a millisecond and 6 KB (bench/ray_model), and tables below 100 KB go through it: of a
/// billion rows a hundred thousand tables then, not 2 million. Joins of such partitions take a
/// tenth longer. For more CPUs than kFreelyElsewhere there are more partitions, and more scans,
/// only where they are as large.
constexpr int64_t kRowsPerPartitionElsewhere = 4096 * 1024;
constexpr int64_t kMostRowsPerFragmentElsewhere = 8192 * 1024;
constexpr int64_t kFreelyElsewhere = 64;
/// Where a fragment of a core has fewer rows, the way there and back costs more than a second one
/// wins by evening out.
constexpr int64_t kRowsWorthASecond = 256 * 1024;
static_assert(kMostPartitions <= kMaxPartitions);

/// A reduce fragment holds its inputs, their order, and what it makes of them.
constexpr int64_t kCopiesOfInput = 4;

/// Row groups that are asked how long their texts are.
constexpr int64_t kMeasuredGroups = 16;

int64_t CoresOf(const ExecuteOptions& options) {
  return std::max(1, options.executor->Parallelism());
}

/// How many fragments of one stage so many rows are worth, that every core may have two.
int64_t WorthHaving(int64_t rows, const ExecuteOptions& options) {
  const int64_t cores = CoresOf(options);
  const int64_t wanted = 2 * cores;
  if (!RunsElsewhere(options)) return wanted;
  if (rows < wanted * kRowsWorthASecond)
    return std::clamp<int64_t>(rows / kLeastRowsPerFragment + 1, 1, cores);
  return std::min(wanted, std::max(kFreelyElsewhere, rows / kRowsPerPartitionElsewhere + 1));
}

int64_t RowsPerFragment(int64_t rows, int64_t row_bytes, const ExecuteOptions& options) {
  const int64_t even = rows / WorthHaving(rows, options) + 1;
  const int64_t memory = options.executor->MemoryBytes();
  const int64_t most =
      RunsElsewhere(options) ? kMostRowsPerFragmentElsewhere : kMostRowsPerFragment;
  const int64_t fit = memory > 0 ? memory / kScanShare / CoresOf(options) / row_bytes : most;
  const int64_t least =
      std::clamp<int64_t>(kLeastFragmentBytes / row_bytes, 1, kLeastRowsPerFragment);
  return std::clamp(std::min(even, fit), least, most);
}

void AddUnique(const std::vector<std::string>& names, std::vector<std::string>* list) {
  for (const std::string& name : names) {
    if (!name.empty() && std::find(list->begin(), list->end(), name) == list->end())
      list->push_back(name);
  }
}

/// Bytes of a value that differ in length, on average over the longest of some row groups; 0 where
/// nothing tells.
int64_t TextBytesIn(const OpenedScan& scan, const std::string& name) {
  if (scan.table != nullptr) {
    const auto column = scan.table->GetColumnByName(name);
    if (column == nullptr || column->length() == 0) return 0;
    return arrow::util::ReferencedBufferSize(*column).ValueOr(0) / column->length();
  }
  int64_t groups = 0, next = 0, longest = 0;
  for (const OpenedFile& file : scan.files) groups += static_cast<int64_t>(file.groups.size());
  const int64_t step = groups / kMeasuredGroups + 1;
  for (const OpenedFile& file : scan.files) {
    for (const RowGroup& group : file.groups) {
      if (next++ % step != 0 || file.parquet == nullptr || group.rows == 0) continue;
      longest =
          std::max(longest, TextBytes(*file.parquet->RowGroup(group.index), {name}) / group.rows);
    }
  }
  return longest;
}

class MapStage {
 public:
  MapStage(OpenedScan* scan, const MapRequest& request, const ExecuteOptions& options)
      : scan_(scan), request_(request), options_(options) {}

  arrow::Result<PlannedMap> Plan() {
    VIAND_RETURN_NOT_OK(BindFilter());
    VIAND_RETURN_NOT_OK(MakePrototype());
    PruneGroups({.filter = filter_,
                 .time_column = request_.time_column,
                 .range = request_.range,
                 .keys = request_.key_bounds},
                scan_);
    VIAND_RETURN_NOT_OK(Cut());
    PlannedMap planned;
    MapOutputs& outputs = planned.outputs;
    arrow::FieldVector fields;
    for (int output : prototype_.outputs) fields.push_back(prototype_.columns->field(output));
    if (request_.positions) fields.push_back(arrow::field("position", arrow::int32(), false));
    outputs.schema = arrow::schema(std::move(fields));
    outputs.slices = std::move(slices_);
    outputs.partitions.resize(request_.partitions);
    outputs.found = scan_->found;
    outputs.left = scan_->left;
    planned.name = scan_->described_as.empty() ? "scan" : "scan " + scan_->described_as;
    planned.calls = std::move(calls_);
    return planned;
  }

 private:
  arrow::Status BindFilter() {
    if (request_.filter.empty()) return arrow::Status::OK();
    const expression::Scope scope{.columns = PlainSchema(*scan_->schema),
                                  .described_as = scan_->described_as};
    VIAND_ASSIGN_OR_RETURN(filter_, expression::ParseAndBind(request_.filter, scope));
    return arrow::Status::OK();
  }

  /// What all fragments of the scan have in common.
  arrow::Status MakePrototype() {
    std::vector<std::string> names;
    AddUnique(request_.columns, &names);
    AddUnique(request_.keys, &names);
    if (request_.range.Binds()) AddUnique({request_.time_column}, &names);
    if (filter_ != nullptr) AddUnique(expression::ColumnsOf(*filter_), &names);
    VIAND_ASSIGN_OR_RETURN(prototype_.columns, SelectColumns(*scan_, names));
    VIAND_RETURN_NOT_OK(CodeColumns());
    for (const std::string& name : names)
      prototype_.file_columns.push_back(scan_->NameInFile(name));
    const auto position = [&](const std::string& name) {
      return prototype_.columns->GetFieldIndex(name);
    };
    for (const std::string& name : request_.columns) prototype_.outputs.push_back(position(name));
    for (const std::string& name : request_.keys) prototype_.keys.push_back(position(name));
    if (request_.range.Binds()) prototype_.time_column = position(request_.time_column);
    prototype_.range = request_.range;
    prototype_.filter = request_.filter;
    prototype_.described_as = scan_->described_as;
    prototype_.drop_null_keys = request_.drop_null_keys;
    prototype_.positions = request_.positions;
    prototype_.partitions = request_.partitions;
    prototype_.batch_rows = options_.batch_rows;
    prototype_.wanted_keys = static_cast<int>(request_.wanted_keys.size());
    return arrow::Status::OK();
  }

  void AddCall(MapFragment fragment, PartitionInputs inputs) {
    inputs.insert(inputs.end(), request_.wanted_keys.begin(), request_.wanted_keys.end());
    calls_.push_back({std::move(fragment), std::move(inputs)});
  }

  /// Decoding a dictionary's texts, copying them row by row and finding equal ones again costs more
  /// than most aggregates: Parquet's dictionaries are kept where only equality counts.
  arrow::Status CodeColumns() {
    if (scan_->table != nullptr || scan_->format != FileFormat::kParquet)
      return arrow::Status::OK();
    std::vector<std::string> compared = request_.compared_only;
    const auto forget = [&](const std::vector<std::string>& names) {
      for (const std::string& name : names) std::erase(compared, name);
    };
    forget(request_.keys);
    forget({request_.time_column});
    if (filter_ != nullptr) forget(expression::ColumnsOf(*filter_));
    for (const std::string& name : compared) {
      const int index = prototype_.columns->GetFieldIndex(name);
      const auto& field = prototype_.columns->field(index);
      if (field->type()->id() != arrow::Type::STRING) continue;
      VIAND_ASSIGN_OR_RETURN(
          prototype_.columns,
          prototype_.columns->SetField(index, field->WithType(CodedType(field->type()))));
    }
    return arrow::Status::OK();
  }

  arrow::Status Cut() {
    if (scan_->table != nullptr) return CutTable();
    return scan_->held != nullptr ? CutHeld() : CutFiles();
  }

  /// Tables are not cut: who made them chose how many rows each has.
  arrow::Status CutHeld() {
    const int64_t most =
        RowsPerFragment(scan_->RowCount(), RowBytesIn(*scan_, *prototype_.columns), options_);
    int64_t next_row = 0;
    std::vector<PartitionInputs> inputs;
    for (const TableReference& table : scan_->held->tables) {
      if (slices_.empty() || slices_.back().rows + table->rows() > most) {
        slices_.push_back({.parts = {}, .first_row = next_row, .rows = 0});
        inputs.emplace_back();
      }
      slices_.back().rows += table->rows();
      next_row += table->rows();
      inputs.back().push_back(table);
    }
    for (size_t i = 0; i < inputs.size(); ++i) {
      MapFragment fragment = prototype_;
      if (request_.row_numbers) fragment.first_row = slices_[i].first_row;
      AddCall(std::move(fragment), std::move(inputs[i]));
    }
    return arrow::Status::OK();
  }

  arrow::Status CutTable() {
    const int64_t rows = scan_->table->num_rows();
    const int64_t step = RowsPerFragment(rows, RowBytesIn(*scan_, *prototype_.columns), options_);
    std::vector<int> positions;
    for (const std::string& name : prototype_.file_columns) {
      positions.push_back(scan_->table->schema()->GetFieldIndex(name));
    }
    VIAND_ASSIGN_OR_RETURN(const auto selected, scan_->table->SelectColumns(positions));
    const bool at_least_one = request_.row_numbers;
    for (int64_t start = 0; start < rows || (start == 0 && at_least_one); start += step) {
      VIAND_ASSIGN_OR_RETURN(auto input, options_.executor->Put(selected->Slice(start, step)));
      MapFragment fragment = prototype_;
      if (request_.row_numbers) fragment.first_row = start;
      AddCall(std::move(fragment), {std::move(input)});
      slices_.push_back({.parts = {}, .first_row = start, .rows = std::min(step, rows - start)});
    }
    return arrow::Status::OK();
  }

  arrow::Status CutFiles() {
    const int64_t most =
        RowsPerFragment(scan_->RowCount(), RowBytesIn(*scan_, *prototype_.columns), options_);
    for (const OpenedFile& file : scan_->files) {
      for (const RowGroup& group : file.groups) {
        if (slices_.empty() || slices_.back().rows + group.rows > most) slices_.emplace_back();
        std::vector<FilePart>& parts = slices_.back().parts;
        if (parts.empty() || parts.back().path != file.path) {
          parts.push_back(PartOf(*scan_, file));
          parts.back().groups.clear();
        }
        parts.back().groups.push_back(group.index);
        slices_.back().rows += group.rows;
      }
    }
    if (slices_.empty() && request_.row_numbers) return CallWithoutRows();
    int64_t first_row = 0;
    for (const ScanSlice& slice : slices_) {
      MapFragment fragment = prototype_;
      fragment.parts = slice.parts;
      if (request_.row_numbers)
        fragment.first_row = std::exchange(first_row, first_row + slice.rows);
      AddCall(std::move(fragment), {});
    }
    return arrow::Status::OK();
  }

  /// Files without a row group have none to read the columns from.
  arrow::Status CallWithoutRows() {
    VIAND_ASSIGN_OR_RETURN(const auto schema,
                           prototype_.columns->WithNames(prototype_.file_columns));
    VIAND_ASSIGN_OR_RETURN(auto table, arrow::Table::MakeEmpty(schema));
    VIAND_ASSIGN_OR_RETURN(auto input, options_.executor->Put(std::move(table)));
    MapFragment fragment = prototype_;
    fragment.first_row = 0;
    AddCall(std::move(fragment), {std::move(input)});
    slices_.emplace_back();
    return arrow::Status::OK();
  }

  OpenedScan* const scan_;
  const MapRequest& request_;
  const ExecuteOptions& options_;
  expression::ExpressionPtr filter_;
  MapFragment prototype_;
  std::vector<ScanSlice> slices_;
  std::vector<FragmentCall> calls_;
};

}  // namespace

bool RunsElsewhere(const ExecuteOptions& options) {
  return !options.executor->StoragePath().empty();
}

arrow::Result<PlannedMap> PlanMapStage(OpenedScan* scan, const MapRequest& request,
                                       const ExecuteOptions& options) {
  return MapStage(scan, request, options).Plan();
}

arrow::Result<MapOutputs> RunMapStage(OpenedScan* scan, const MapRequest& request,
                                      const ExecuteOptions& options) {
  VIAND_ASSIGN_OR_RETURN(PlannedMap planned, PlanMapStage(scan, request, options));
  VIAND_ASSIGN_OR_RETURN(auto results, options.executor->RunStage(
                                           planned.name, std::move(planned.calls), options.progress,
                                           NewStage(options.counters, request.operation)));
  for (auto& tables : results) {
    for (int p = 0; p < request.partitions; ++p)
      planned.outputs.partitions[p].push_back(std::move(tables[p]));
  }
  return std::move(planned.outputs);
}

int64_t RowsOf(const PartitionInputs& tables) {
  int64_t rows = 0;
  for (const TableReference& table : tables) rows += table->rows();
  return rows;
}

int64_t RowBytes(const arrow::Schema& columns) {
  int64_t bytes = 1;
  for (const auto& field : columns.fields()) {
    const int bits = field->type()->bit_width();
    bytes += bits > 0 ? (bits + 7) / 8 : kTypicalTextBytes;
  }
  return bytes;
}

int64_t RowBytesIn(const OpenedScan& scan, const arrow::Schema& columns) {
  int64_t bytes = RowBytes(columns);
  for (const auto& field : columns.fields()) {
    if (field->type()->bit_width() > 0) continue;
    bytes +=
        std::max<int64_t>(TextBytesIn(scan, scan.NameInFile(field->name())) - kTypicalTextBytes, 0);
  }
  return bytes;
}

int64_t RowsPerFragmentInMemory(int64_t row_bytes, const ExecuteOptions& options) {
  const int64_t memory = options.executor->MemoryBytes();
  if (memory <= 0) return std::numeric_limits<int64_t>::max();
  return std::max<int64_t>(memory / kLargestShare / CoresOf(options) / row_bytes, 1);
}

int ChoosePartitionCount(const InputSize& most, const ExecuteOptions& options) {
  if (options.partitions > 0) return std::min(options.partitions, kMaxPartitions);
  const int64_t cores = CoresOf(options);
  const int64_t memory = options.executor->MemoryBytes() / kReduceShare;
  const int64_t by_memory = memory > 0 ? most.bytes * kCopiesOfInput * cores / memory + 1 : 1;
  const bool small = cores == 1 && by_memory == 1 && most.rows < kRowsPerPartition;
  if (most.rows < kRowsWorthSplitting || small) return 1;
  const int64_t rows = RunsElsewhere(options) ? kRowsPerPartitionElsewhere : kRowsPerPartition;
  const int64_t wanted = std::max(most.rows / rows + 1, by_memory);
  return static_cast<int>(
      std::clamp(wanted, WorthHaving(most.rows, options), std::max(kMostPartitions, 2 * cores)));
}

}  // namespace viand::engine
