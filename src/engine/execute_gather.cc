#include "src/engine/execute_gather.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/chunked_array.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "src/common/pool_vector.h"
#include "src/engine/execute_as_of.h"
#include "src/engine/gather_column.h"
#include "src/engine/gather_table.h"
#include "src/engine/plain_array.h"
#include "src/engine/radix_sort.h"
#include "src/engine/read_file.h"
#include "src/engine/scan_schema.h"

namespace viand::engine {
namespace {

/// 64 Ki values of 8 bytes stay in a core's cache while some of them are picked out.
constexpr int64_t kGatherBatchRows = 64 * 1024;

/// A row of the spine and where its feature row is.
struct FoundRow {
  int64_t row;
  int32_t position;
};

class GatherRun {
 public:
  GatherRun(const GatherFragment& gather, const FragmentContext& context)
      : gather_(gather),
        decode_in_parallel_(context.decode_in_parallel),
        batch_rows_(gather.batch_rows > 0 ? gather.batch_rows : kGatherBatchRows),
        pool_(context.pool) {}

  arrow::Result<Tables> Run(const Tables& inputs) {
    VIAND_RETURN_NOT_OK(ReadFound(inputs));
    for (const auto& field : gather_.columns->fields()) {
      VIAND_ASSIGN_OR_RETURN(
          auto column,
          GatherColumn::Make(field->type(), static_cast<int64_t>(wanted_.size()), pool_));
      columns_.push_back(std::move(column));
    }
    VIAND_RETURN_NOT_OK(ReadFiles());
    if (next_ != wanted_.size()) return BeyondTheEnd();
    return Finish();
  }

 private:
  static arrow::Status BeyondTheEnd() {
    return MakeError(ErrorKind::kInput, "an executor made up rows of a source");
  }

  /// Ranks the rows by their numbers, then orders them as they will be read.
  arrow::Status ReadFound(const Tables& inputs) {
    PoolVector<FoundRow> found;
    int64_t count = 0;
    for (const auto& input : inputs) count += input->num_rows();
    found.reserve(count);
    for (const auto& input : inputs) {
      if (!input->schema()->Equals(*FoundSchema(), false))
        return MakeError(ErrorKind::kInput, "a fragment's inputs do not fit it");
      arrow::TableBatchReader reader(*input);
      std::shared_ptr<arrow::RecordBatch> batch;
      while (true) {
        VIAND_RETURN_NOT_OK(reader.ReadNext(&batch));
        if (batch == nullptr) break;
        const auto* rows = batch->column(0)->data()->GetValues<int64_t>(1);
        const auto* positions = batch->column(1)->data()->GetValues<int32_t>(1);
        for (int64_t row = 0; row < batch->num_rows(); ++row) {
          if (rows[row] < 0 || positions[row] < 0) return BeyondTheEnd();
          found.push_back({rows[row], positions[row]});
        }
      }
    }
    if (found.size() > std::numeric_limits<int32_t>::max()) {
      return MakeError(ErrorKind::kInput,
                       "more than 2^31 - 1 rows of a spine take their features from one row group",
                       "split the spine");
    }
    RadixSort(&found, [](const FoundRow& each) { return each.row; });
    VIAND_ASSIGN_OR_RETURN(row_numbers_,
                           arrow::AllocateBuffer(found.size() * sizeof(int64_t), pool_));
    auto* numbers = reinterpret_cast<int64_t*>(row_numbers_->mutable_data());
    wanted_.reserve(found.size());
    for (size_t rank = 0; rank < found.size(); ++rank) {
      numbers[rank] = found[rank].row;
      wanted_.push_back({found[rank].position, static_cast<int32_t>(rank)});
    }
    RadixSort(&wanted_, [](const WantedRow& each) { return each.position; });
    return arrow::Status::OK();
  }

  bool IsWanted(int64_t first, int64_t rows) const {
    return next_ < wanted_.size() && wanted_[next_].position < first + rows;
  }

  arrow::Status ReadFiles() {
    int64_t first_of_part = 0;
    // What is read is dropped again: it need not lie where there is room.
    ReadOptions options{.batch_rows = batch_rows_,
                        .decode_in_parallel = decode_in_parallel_,
                        .pool = ProcessPool()};
    // The reader asks for all groups of a run before it reads any.
    size_t asked = 0;
    options.wanted = [&](int64_t first, int64_t rows) {
      const int64_t end = first_of_part + first + rows;
      const size_t before = asked;
      while (asked < wanted_.size() && wanted_[asked].position < end) ++asked;
      return asked > before;
    };
    for (const FilePart& part : gather_.parts) {
      path_ = part.path;
      if (asked == wanted_.size()) break;
      const auto visit = [&](int64_t first_row, const auto& batch) {
        return Visit(first_of_part + first_row, *batch);
      };
      VIAND_ASSIGN_OR_RETURN(
          const int64_t rows,
          ReadFilePart(part, gather_.file_columns, gather_.described_as, options, visit));
      first_of_part += rows;
    }
    return arrow::Status::OK();
  }

  /// Takes what is wanted of one batch as it was read: names and types of the file.
  arrow::Status Visit(int64_t first, const arrow::RecordBatch& read) {
    const size_t begin = next_;
    while (IsWanted(first, read.num_rows())) ++next_;
    if (next_ == begin) return arrow::Status::OK();
    const std::span<const WantedRow> wanted(wanted_.data() + begin, next_ - begin);
    if (wanted.front().position < first) return BeyondTheEnd();
    for (int i = 0; i < gather_.columns->num_fields(); ++i) {
      const auto& field = gather_.columns->field(i);
      VIAND_RETURN_NOT_OK(CheckType(field->name(), read.column(i)->type(), field->type(), path_,
                                    gather_.described_as));
      auto plain = ToPlain(read.column(i), field->type(), pool_);
      if (!plain.ok()) {
        return WithContext(plain.status(),
                           fmt::format("{}, column \"{}\": ", gather_.described_as, field->name()));
      }
      VIAND_RETURN_NOT_OK(columns_[i]->Add(*plain, wanted, first));
    }
    return arrow::Status::OK();
  }

  arrow::Result<Tables> Finish() {
    arrow::ChunkedArrayVector columns;
    for (const auto& column : columns_) {
      VIAND_ASSIGN_OR_RETURN(columns.emplace_back(), column->Finish());
    }
    const auto rows = static_cast<int64_t>(wanted_.size());
    arrow::FieldVector fields = {arrow::field("row", arrow::int64(), false)};
    arrow::ChunkedArrayVector outputs = {std::make_shared<arrow::ChunkedArray>(
        std::make_shared<arrow::Int64Array>(rows, row_numbers_))};
    for (int output : gather_.outputs) {
      fields.push_back(gather_.columns->field(output));
      outputs.push_back(columns[output]);
    }
    return DealByRow(arrow::Table::Make(arrow::schema(std::move(fields)), outputs, rows),
                     gather_.chunks);
  }

  const GatherFragment& gather_;
  const bool decode_in_parallel_;
  const int64_t batch_rows_;
  arrow::MemoryPool* const pool_;
  std::shared_ptr<arrow::Buffer> row_numbers_;  // by rank
  PoolVector<WantedRow> wanted_;                // by position
  size_t next_ = 0;                             // of `wanted_`: the first that was not read yet
  std::vector<std::unique_ptr<GatherColumn>> columns_;
  std::string path_;
};

}  // namespace

arrow::Result<Tables> ExecuteGather(const GatherFragment& gather, const Tables& inputs,
                                    const FragmentContext& context) {
  if (gather.parts.empty()) return GatherFromTable(gather, inputs, context);
  return GatherRun(gather, context).Run(inputs);
}

}  // namespace viand::engine
