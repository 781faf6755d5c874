#include "src/engine/execute_map.h"

#include <arrow/array.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/metadata.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>

#include "src/common/cancellation.h"
#include "src/engine/coded_array.h"
#include "src/engine/parquet_footer.h"
#include "src/engine/partition_blocks.h"
#include "src/engine/partition_inputs.h"
#include "src/engine/partition_rows.h"
#include "src/engine/plain_array.h"
#include "src/engine/read_file.h"
#include "src/engine/scan_schema.h"
#include "src/engine/wanted_keys.h"
#include "src/expression/batch_evaluator.h"
#include "src/expression/binder.h"

namespace viand::engine {
namespace {

using expression::ExpressionPtr;
using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

/// A column of 8 bytes has less than 1 MiB: gathering it into partitions stays within the cache,
/// and Parquet's reader, which wants room for 1024 rows more, does not double its block. A row
/// group of 1 Mi rows makes nine.
constexpr int64_t kDefaultBatchRows = 114 * 1024;

class MapRun {
 public:
  MapRun(const MapFragment& map, const FragmentContext& context)
      : map_(map),
        decode_in_parallel_(context.decode_in_parallel),
        pool_(context.pool),
        counters_(context.counters),
        parts_(map.partitions) {}

  arrow::Result<Tables> Run(Tables inputs) {
    VIAND_RETURN_NOT_OK(TakeWantedKeys(&inputs));
    if (!map_.filter.empty()) {
      VIAND_ASSIGN_OR_RETURN(
          filter_, expression::ParseAndBind(
                       map_.filter, {.columns = map_.columns, .described_as = map_.described_as}));
    }
    // Rows that are dealt out are copied, and what was read is dropped.
    ReadOptions options{.batch_rows = BatchRows(),
                        .decode_in_parallel = decode_in_parallel_,
                        .pool = map_.partitions == 1 ? pool_ : ProcessPool()};
    for (const auto& field : map_.columns->fields())
      options.coded.push_back(field->type()->id() == arrow::Type::DICTIONARY);
    VIAND_RETURN_NOT_OK(ChooseBlocks());
    for (const FilePart& part : map_.parts) {
      path_ = part.path;
      VIAND_RETURN_NOT_OK(
          ReadFilePart(part, map_.file_columns, map_.described_as, options,
                       [this](int64_t, const BatchPtr& batch) { return Visit(*batch); }));
    }
    // Rows that were taken in are counted with the inputs.
    if (counters_ != nullptr) counters_->rows_in += rows_seen_;
    if (map_.parts.empty() && inputs.empty())
      return MakeError(ErrorKind::kInput, "a map fragment without files takes a table");
    for (size_t i = 0; map_.parts.empty() && i < inputs.size(); ++i)
      VIAND_RETURN_NOT_OK(ScanInput(*inputs[i]));
    return Finish();
  }

 private:
  int64_t BatchRows() const { return map_.batch_rows > 0 ? map_.batch_rows : kDefaultBatchRows; }

  arrow::Status TakeWantedKeys(Tables* inputs) {
    if (map_.wanted_keys == 0) return arrow::Status::OK();
    if (inputs->size() < static_cast<size_t>(map_.wanted_keys)) return InputsDoNotFit();
    const auto first = inputs->end() - map_.wanted_keys;
    VIAND_ASSIGN_OR_RETURN(wanted_, WantedKeys::Of(Tables(first, inputs->end()), map_.keys.size()));
    inputs->erase(first, inputs->end());
    return arrow::Status::OK();
  }

  arrow::Status ScanInput(const arrow::Table& input) {
    std::vector<int> positions;
    for (const std::string& name : map_.file_columns) {
      positions.push_back(input.schema()->GetFieldIndex(name));
      if (positions.back() < 0) return MissingColumn(name, *input.schema(), "", map_.described_as);
    }
    VIAND_ASSIGN_OR_RETURN(auto selected, input.SelectColumns(positions));
    arrow::TableBatchReader reader(*selected);
    reader.set_chunksize(BatchRows());
    BatchPtr batch;
    while (true) {
      VIAND_RETURN_NOT_OK(CheckCancelled());
      VIAND_RETURN_NOT_OK(reader.ReadNext(&batch));
      if (batch == nullptr) return arrow::Status::OK();
      VIAND_RETURN_NOT_OK(Visit(*batch));
    }
  }

  /// Deals out one batch as it was read: names and types of the file.
  arrow::Status Visit(const arrow::RecordBatch& read) {
    VIAND_ASSIGN_OR_RETURN(BatchPtr batch, Convert(read));
    if (map_.positions && rows_seen_ + batch->num_rows() > std::numeric_limits<int32_t>::max()) {
      return MakeError(ErrorKind::kInput,
                       fmt::format("{}: {} has a row group of more than 2^31 - 1 rows",
                                   map_.described_as, path_),
                       "write it in smaller row groups");
    }
    std::vector<uint8_t> keep(batch->num_rows(), 1);
    arrow::ArrayVector keys;
    for (int key : map_.keys) keys.push_back(batch->column(key));
    if (map_.drop_null_keys) {
      for (const auto& key : keys) ClearNulls(*key, &keep);
    }
    if (map_.time_column >= 0 && map_.range.Binds()) {
      ClearOutside(*batch->column(map_.time_column), map_.range, &keep);
    }
    VIAND_RETURN_NOT_OK(ClearFiltered(*batch, &keep));
    if (wanted_) wanted_->ClearOthers(keys, &keep);
    VIAND_RETURN_NOT_OK(DealOut(*batch, keys, keep));
    rows_seen_ += batch->num_rows();
    return arrow::Status::OK();
  }

  arrow::Status DealOut(const arrow::RecordBatch& batch, const arrow::ArrayVector& keys,
                        const std::vector<uint8_t>& keep) {
    const BatchPtr output = Output(batch);
    std::vector<BatchPtr> split;
    if (!map_.slices.starts_us.empty()) {
      VIAND_ASSIGN_OR_RETURN(
          split, SliceRows(output, batch.column(map_.time_column), keep, map_.slices, pool_));
    } else {
      const auto row_partitions = ChoosePartitions(keys, keep, map_.partitions);
      if (blocks_ && blocks_->Takes(*output)) return blocks_->Add(*output, row_partitions, &parts_);
      if (blocks_) blocks_->End(&parts_);
      VIAND_ASSIGN_OR_RETURN(split, SplitRows(output, row_partitions, map_.partitions, pool_));
    }
    for (int p = 0; p < map_.partitions; ++p) {
      if (split[p] != nullptr) parts_[p].push_back(std::move(split[p]));
    }
    return arrow::Status::OK();
  }

  /// Not where few rows may be kept: blocks that are not full are more than what is in them.
  arrow::Status ChooseBlocks() {
    if (!map_.slices.starts_us.empty() || filter_ != nullptr || wanted_) return arrow::Status::OK();
    int64_t rows = 0;
    for (const FilePart& part : map_.parts) {
      if (part.format != FileFormat::kParquet) return arrow::Status::OK();
      VIAND_ASSIGN_OR_RETURN(const FooterPtr footer, ReadFooter(part.path, map_.described_as));
      for (const int group : part.groups) {
        // The reader tells of a file that has changed.
        if (group >= 0 && group < footer->metadata->num_row_groups())
          rows += footer->metadata->RowGroup(group)->num_rows();
      }
    }
    blocks_.emplace(OutputSchema(), map_.partitions, rows, pool_);
    return arrow::Status::OK();
  }

  arrow::Result<BatchPtr> Convert(const arrow::RecordBatch& read) const {
    arrow::ArrayVector columns;
    for (int i = 0; i < map_.columns->num_fields(); ++i) {
      const auto& field = map_.columns->field(i);
      VIAND_RETURN_NOT_OK(CheckType(field->name(), read.column(i)->type(), field->type(), path_,
                                    map_.described_as));
      auto plain = ToPlainOrCoded(read.column(i), field->type(), pool_);
      if (!plain.ok()) {
        return WithContext(plain.status(),
                           fmt::format("{}, column \"{}\": ", map_.described_as, field->name()));
      }
      columns.push_back(*plain);
    }
    return arrow::RecordBatch::Make(map_.columns, read.num_rows(), std::move(columns));
  }

  static void ClearNulls(const arrow::Array& key, std::vector<uint8_t>* keep) {
    if (key.null_count() == 0) return;
    for (int64_t i = 0; i < key.length(); ++i) (*keep)[i] &= key.IsValid(i);
  }

  arrow::Status ClearFiltered(const arrow::RecordBatch& batch, std::vector<uint8_t>* keep) const {
    if (filter_ == nullptr) return arrow::Status::OK();
    auto passed = expression::EvaluateBatch(*filter_, batch, nullptr, pool_);
    if (!passed.ok()) return WithContext(passed.status(), map_.described_as + ": ");
    const auto* booleans = dynamic_cast<const arrow::BooleanArray*>(passed->get());
    if (booleans == nullptr) {
      return MakeError(ErrorKind::kDefinition,
                       fmt::format("the filter \"{}\" is not a condition: it is {}", map_.filter,
                                   expression::TypeToSql(*(*passed)->type())),
                       "compare something, as in x > 0");
    }
    for (int64_t i = 0; i < booleans->length(); ++i) {
      (*keep)[i] &= static_cast<uint8_t>(booleans->IsValid(i) && booleans->Value(i));
    }
    return arrow::Status::OK();
  }

  BatchPtr Output(const arrow::RecordBatch& batch) const {
    arrow::ArrayVector columns;
    for (int output : map_.outputs) columns.push_back(batch.column(output));
    if (map_.first_row)
      columns.push_back(Numbers<arrow::Int64Array>(*map_.first_row + rows_seen_, batch.num_rows()));
    if (map_.positions) columns.push_back(Numbers<arrow::Int32Array>(rows_seen_, batch.num_rows()));
    return arrow::RecordBatch::Make(OutputSchema(), batch.num_rows(), std::move(columns));
  }

  std::shared_ptr<arrow::Schema> OutputSchema() const {
    arrow::FieldVector fields;
    for (int output : map_.outputs) fields.push_back(map_.columns->field(output));
    if (map_.first_row) fields.push_back(arrow::field("row", arrow::int64(), false));
    if (map_.positions) fields.push_back(arrow::field("position", arrow::int32(), false));
    return arrow::schema(std::move(fields));
  }

  /// first, first + 1, ...
  template <typename ArrayType>
  static std::shared_ptr<arrow::Array> Numbers(int64_t first, int64_t count) {
    using Number = typename ArrayType::TypeClass::c_type;
    std::vector<Number> numbers(count);
    std::iota(numbers.begin(), numbers.end(), static_cast<Number>(first));
    return std::make_shared<ArrayType>(count, arrow::Buffer::FromVector(std::move(numbers)));
  }

  arrow::Result<Tables> Finish() {
    if (blocks_) blocks_->End(&parts_);
    Tables tables;
    for (auto& batches : parts_) {
      VIAND_ASSIGN_OR_RETURN(auto table, arrow::Table::FromRecordBatches(OutputSchema(), batches));
      tables.push_back(std::move(table));
      batches.clear();
    }
    return tables;
  }

  const MapFragment& map_;
  const bool decode_in_parallel_;
  arrow::MemoryPool* const pool_;
  FragmentCounters* const counters_;
  ExpressionPtr filter_;
  std::optional<WantedKeys> wanted_;
  std::string path_;
  int64_t rows_seen_ = 0;
  PartitionBlocks::Parts parts_;
  std::optional<PartitionBlocks> blocks_;
};

}  // namespace

arrow::Result<Tables> ExecuteMap(const MapFragment& map, const Tables& inputs,
                                 const FragmentContext& context) {
  return MapRun(map, context).Run(inputs);
}

}  // namespace viand::engine
