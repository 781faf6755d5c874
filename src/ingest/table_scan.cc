#include "src/ingest/table_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "src/common/cancellation.h"
#include "src/common/ordered_pipeline.h"
#include "src/ingest/limits.h"

namespace viand::ingest {
namespace {

/// A chunk on its way; without one, the end of its file.
struct Item {
  std::shared_ptr<RawFile> file;
  std::unique_ptr<Chunk> chunk;
};

struct Outcome {
  Item item;
  std::optional<CellTable> table;
  std::unique_ptr<TableWork> work;
};

class TableScan {
 public:
  explicit TableScan(const TableScanOptions& options) : options_(options) {}

  arrow::Result<TableScanReport> Run() {
    const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    PipelineOptions pipeline;
    pipeline.workers = options_.workers > 0 ? options_.workers : cores;
    pipeline.max_in_flight = 2 * pipeline.workers + 2;
    VIAND_RETURN_NOT_OK((RunOrdered<Item, Outcome>(
        pipeline, [this] { return Produce(); }, [this](Item item) { return Scan(std::move(item)); },
        [this](Outcome outcome) { return Consume(std::move(outcome)); })));
    return report_;
  }

 private:
  arrow::Result<std::optional<Item>> Produce();
  arrow::Status OpenNext();
  arrow::Status CheckHeader(const RawFile& file);
  Outcome Scan(Item item) const;
  arrow::Status Consume(Outcome outcome);
  arrow::Status Join(Outcome* outcome);
  arrow::Status Deliver(Outcome outcome);
  arrow::Status FinishFile(const RawFile& file);

  const TableScanOptions& options_;

  // The producer's.
  size_t next_file_ = 0;
  std::shared_ptr<RawFile> open_;
  std::vector<std::string> first_header_;
  std::string first_file_;

  // The consumer's.
  Outcome pending_;  // ends within a row
  int64_t base_ = 0;
  int64_t consumed_bytes_ = 0;  // of the current file
  bool at_start_ = true;
  bool end_of_data_ = false;
  TableScanReport report_;
};

arrow::Result<std::optional<Item>> TableScan::Produce() {
  if (open_ == nullptr) {
    if (next_file_ == options_.files.size()) return std::optional<Item>();
    VIAND_RETURN_NOT_OK(OpenNext());
  }
  Item item{open_, nullptr};
  VIAND_ASSIGN_OR_RETURN(item.chunk, open_->Next());
  if (item.chunk == nullptr) open_.reset();
  return std::optional<Item>(std::move(item));
}

arrow::Status TableScan::OpenNext() {
  RawFileOptions options;
  options.skip_bad_rows = options_.dataset->on_error == definition::OnError::kSkip;
  options.chunk_bytes = options_.chunk_bytes;
  VIAND_ASSIGN_OR_RETURN(
      open_, RawFile::Open(options_.files[next_file_++], options_.dataset->from, options));
  VIAND_RETURN_NOT_OK(CheckHeader(*open_));
  return options_.select(open_.get());
}

arrow::Status TableScan::CheckHeader(const RawFile& file) {
  if (!file.has_header()) return arrow::Status::OK();
  std::vector<std::string> header = file.header();
  std::sort(header.begin(), header.end());
  if (first_file_.empty()) {
    first_file_ = file.Describe();
    first_header_ = std::move(header);
    return arrow::Status::OK();
  }
  std::vector<std::string> missing, extra;
  std::set_difference(first_header_.begin(), first_header_.end(), header.begin(), header.end(),
                      std::back_inserter(missing));
  std::set_difference(header.begin(), header.end(), first_header_.begin(), first_header_.end(),
                      std::back_inserter(extra));
  if (missing.empty() && extra.empty()) return arrow::Status::OK();
  const bool lacks = !missing.empty();
  return MakeError(
      ErrorKind::kInput,
      fmt::format("{} {} column \"{}\", which {} {}", file.Describe(), lacks ? "lacks" : "has",
                  lacks ? missing[0] : extra[0], first_file_, lacks ? "has" : "lacks"),
      lacks && !extra.empty() ? DidYouMean(missing[0], extra)
                              : "all files of a dataset have the same columns, in any order");
}

Outcome TableScan::Scan(Item item) const {
  Outcome outcome;
  if (item.chunk != nullptr) {
    outcome.table.emplace(item.file->Scan(*item.chunk));
    const bool counts = outcome.table->finished || !outcome.table->problem.message.empty();
    if (options_.work && counts) outcome.work = options_.work(*item.file, *outcome.table);
  }
  outcome.item = std::move(item);
  return outcome;
}

arrow::Status TableScan::Consume(Outcome outcome) {
  VIAND_RETURN_NOT_OK(CheckCancelled());
  const std::shared_ptr<RawFile> file = outcome.item.file;
  if (at_start_) {
    base_ = file->first_base();
    at_start_ = false;
  }
  if (outcome.item.chunk != nullptr) {
    const int64_t consumed = outcome.item.chunk->consumed_bytes;
    options_.progress->Advance(consumed - consumed_bytes_);
    report_.bytes_read += consumed - consumed_bytes_;
    consumed_bytes_ = consumed;
  }
  if (end_of_data_ && outcome.item.chunk != nullptr) return arrow::Status::OK();
  if (pending_.item.chunk != nullptr) VIAND_RETURN_NOT_OK(Join(&outcome));
  if (outcome.item.chunk == nullptr) return FinishFile(*file);
  if (!outcome.table->finished && outcome.table->problem.message.empty()) {
    pending_ = std::move(outcome);
    return arrow::Status::OK();
  }
  return Deliver(std::move(outcome));
}

/// Puts the chunk behind the unfinished one before it and scans both as one.
arrow::Status TableScan::Join(Outcome* outcome) {
  Item joined = std::move(pending_.item);
  pending_ = Outcome();
  const bool at_end = outcome->item.chunk == nullptr;
  // Nothing more will come: what is unfinished stays so.
  if (at_end && joined.chunk->last) return arrow::Status::OK();
  if (at_end) {
    joined.chunk->last = true;
  } else {
    joined.chunk->bytes.Append(outcome->item.chunk->bytes.view());
    joined.chunk->last = outcome->item.chunk->last;
    joined.chunk->consumed_bytes = outcome->item.chunk->consumed_bytes;
  }
  if (joined.chunk->bytes.size() > kMaxRowBytes) {
    return MakeError(ErrorKind::kInput,
                     fmt::format("{}{}: a row of more than {} bytes", joined.file->Describe(),
                                 joined.file->DescribeRow(base_ + 1), kMaxRowBytes),
                     "is the format right, are quotes closed?");
  }
  Outcome again = Scan(std::move(joined));
  if (!at_end) {
    *outcome = std::move(again);
    return arrow::Status::OK();
  }
  if (!again.table->finished && again.table->problem.message.empty()) return arrow::Status::OK();
  return Deliver(std::move(again));
}

arrow::Status TableScan::Deliver(Outcome outcome) {
  const CellTable& table = *outcome.table;
  const RawFile& file = *outcome.item.file;
  if (table.rows() > table.relative_rows &&
      table.row_numbers[table.relative_rows] <= base_ + table.relative_rows) {
    const int64_t row = table.row_numbers[table.relative_rows];
    return MakeError(ErrorKind::kInput,
                     fmt::format("{}: the sheet's XML is damaged: row {} is out of order",
                                 file.Describe(), row));
  }
  VIAND_RETURN_NOT_OK(options_.consume(file, table, base_, std::move(outcome.work)));
  if (!table.problem.message.empty()) {
    const int64_t row = table.problem.row + (table.problem.relative ? base_ : 0);
    return MakeError(ErrorKind::kInput,
                     fmt::format("{}{}{}: {}", file.Describe(), file.DescribeRow(row),
                                 table.problem.place, table.problem.message),
                     table.problem.hint);
  }
  report_.skipped_rows += table.skipped_rows;
  base_ = table.last_row + (table.last_row_relative ? base_ : 0);
  end_of_data_ = table.end_of_data;
  return arrow::Status::OK();
}

arrow::Status TableScan::FinishFile(const RawFile& file) {
  if (file.expects_end_of_data() && !end_of_data_) {
    return MakeError(ErrorKind::kInput, file.Describe() + " is cut off: its rows do not end",
                     "copy or download the file again");
  }
  base_ = 0;
  consumed_bytes_ = 0;
  at_start_ = true;
  end_of_data_ = false;
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<TableScanReport> ScanTables(const TableScanOptions& options) {
  return TableScan(options).Run();
}

}  // namespace viand::ingest
