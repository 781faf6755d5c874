#include "src/engine/execute_write.h"

#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include <algorithm>

#include "src/common/cancellation.h"
#include "src/common/failpoint.h"
#include "src/engine/assemble_rows.h"
#include "src/engine/file_rows.h"
#include "src/engine/part_file.h"
#include "src/engine/table_bytes.h"

namespace viand::engine {
namespace {

constexpr int64_t kReadRows = 64 * 1024;

arrow::Status DoNotFit() {
  return MakeError(ErrorKind::kInput, "a fragment's inputs do not fit it");
}

class WriteRun {
 public:
  WriteRun(const WriteFragment& write, const FragmentContext& context)
      : write_(write), context_(context), spine_columns_(write.file_columns.size()) {}

  arrow::Result<Tables> Run(const Tables& inputs) {
    VIAND_RETURN_NOT_OK(TakeInputs(inputs));
    std::unique_ptr<PartOutput> output;  // null: no file
    if (IsFile(write_.format)) {
      VIAND_ASSIGN_OR_RETURN(output, PartOutput::Open(write_.path, write_.format, write_.result));
    }
    Tables kept;
    int64_t bytes = 0;
    const int64_t end = write_.first_row + write_.rows;
    const int64_t at_a_time = RowsOfLength(pieces_, write_.rows, write_.rows_at_a_time);
    for (int64_t row = write_.first_row; row < end;) {
      VIAND_RETURN_NOT_OK(CheckCancelled());
      VIAND_ASSIGN_OR_RETURN(const auto rows, RowsFrom(row, std::min(at_a_time, end - row)));
      row += rows->num_rows();
      if (output != nullptr)
        VIAND_RETURN_NOT_OK(output->Write(*rows));
      else if (write_.format == PartFormat::kHeld)
        kept.push_back(rows);
      else
        bytes += BytesInMemory(*rows);
    }
    for (const int64_t left : rows_left_) {
      if (left != 0) return RowsLostOrRepeated();
    }
    if (write_.format == PartFormat::kHeld) return Whole(kept);
    if (output != nullptr) {
      VIAND_RETURN_NOT_OK(Failpoint("write.part"));
      VIAND_ASSIGN_OR_RETURN(bytes, output->Commit());
    }
    VIAND_ASSIGN_OR_RETURN(auto table, ToTable({{write_.path, write_.rows, bytes}}));
    return Tables{std::move(table)};
  }

 private:
  arrow::Result<Tables> Whole(const Tables& rows) const {
    if (rows.empty()) {
      VIAND_ASSIGN_OR_RETURN(auto none, arrow::Table::MakeEmpty(write_.result));
      return Tables{std::move(none)};
    }
    VIAND_ASSIGN_OR_RETURN(auto table, arrow::ConcatenateTables(rows));
    return Tables{std::move(table)};
  }

  /// The chunk's rows of the tables that have them.
  arrow::Status TakeSpine(const Tables& inputs, const arrow::Schema& schema) {
    const auto count = static_cast<size_t>(write_.spine_tables);
    if (inputs.size() < count) return DoNotFit();
    const Tables tables(inputs.begin(), inputs.begin() + write_.spine_tables);
    for (const auto& table : tables) {
      if (!table->schema()->Equals(schema, false)) return DoNotFit();
    }
    VIAND_ASSIGN_OR_RETURN(table_, arrow::ConcatenateTables(tables));
    table_ = table_->Slice(write_.skipped_rows, write_.rows);
    return table_->num_rows() == write_.rows ? arrow::Status::OK() : DoNotFit();
  }

  arrow::Status TakeInputs(const Tables& inputs) {
    size_t next = 0;
    arrow::FieldVector fields(write_.result->fields().begin(),
                              write_.result->fields().begin() + spine_columns_);
    const auto schema = arrow::schema(std::move(fields), write_.result->metadata());
    if (write_.parts.empty()) {
      VIAND_RETURN_NOT_OK(TakeSpine(inputs, *schema));
      next = static_cast<size_t>(write_.spine_tables);
    } else {
      files_ =
          std::make_unique<FileRows>(FileColumns{.parts = write_.parts,
                                                 .file_columns = write_.file_columns,
                                                 .schema = schema,
                                                 .described_as = write_.described_as},
                                     ReadOptions{.batch_rows = kReadRows,
                                                 .decode_in_parallel = context_.decode_in_parallel,
                                                 .pool = context_.pool},
                                     write_.skipped_rows);
    }
    for (const FoundTables& lookup : write_.lookups) {
      if (inputs.size() - next < static_cast<size_t>(lookup.tables)) return DoNotFit();
      Tables& pieces =
          pieces_.emplace_back(inputs.begin() + next, inputs.begin() + next + lookup.tables);
      next += lookup.tables;
      for (const auto& piece : pieces) {
        if (piece->num_columns() == 0 || piece->column(0)->type()->id() != arrow::Type::INT64)
          return DoNotFit();
      }
      rows_left_.push_back(RowsOf(pieces));
    }
    return next == inputs.size() ? arrow::Status::OK() : DoNotFit();
  }

  arrow::Result<std::shared_ptr<arrow::Table>> RowsFrom(int64_t row, int64_t count) {
    std::shared_ptr<arrow::Table> rows;
    if (files_ == nullptr) {
      rows = table_->Slice(row - write_.first_row, count);
    } else {
      VIAND_ASSIGN_OR_RETURN(rows, files_->Read(count));
    }
    if (rows->num_rows() != count) {
      return MakeError(ErrorKind::kInput, write_.described_as + " has changed while it was read",
                       "run it again");
    }
    auto next = write_.result->fields().begin() + spine_columns_;
    for (size_t i = 0; i < write_.lookups.size(); ++i) {
      const arrow::Schema& columns = *write_.lookups[i].columns;
      const arrow::FieldVector fields(next, next + columns.num_fields());
      next += columns.num_fields();
      VIAND_ASSIGN_OR_RETURN(const Tables parts,
                             AppendFound(pieces_[i], columns, fields,
                                         {.first_row = row,
                                          .missing = write_.lookups[i].missing,
                                          .in_parallel = context_.decode_in_parallel,
                                          .pool = context_.pool},
                                         &rows));
      rows_left_[i] -= RowsOf(parts);
    }
    return rows;
  }

  const WriteFragment& write_;
  const FragmentContext& context_;
  const int64_t spine_columns_;
  std::shared_ptr<arrow::Table> table_;  // the chunk's rows; null: in files
  std::unique_ptr<FileRows> files_;
  std::vector<Tables> pieces_;      // by lookup
  std::vector<int64_t> rows_left_;  // of these: not put together yet
};

}  // namespace

arrow::Result<Tables> ExecuteWrite(const WriteFragment& write, const Tables& inputs,
                                   const FragmentContext& context) {
  return WriteRun(write, context).Run(inputs);
}

}  // namespace viand::engine
