#include "src/engine/execute_snapshot.h"

#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include <optional>
#include <utility>

#include "src/common/cancellation.h"
#include "src/common/failpoint.h"
#include "src/common/ordered_pipeline.h"
#include "src/engine/part_file.h"
#include "src/engine/partition_inputs.h"
#include "src/engine/plain_array.h"
#include "src/engine/snapshot_rows.h"

namespace viand::engine {
namespace {

/// Those who write small files mostly wait for the disk; of large ones each takes memory.
constexpr int kWritersOfSmallFiles = 4;
constexpr int64_t kSmallRows = 64 * 1024;

/// What the files have: the keys' types are the fragment's.
arrow::Result<std::shared_ptr<arrow::Schema>> ResultSchema(const SnapshotFragment& snapshot,
                                                           const Tables& inputs) {
  const int keys = snapshot.keys->num_fields();
  if (inputs.empty() || inputs[0]->num_columns() <= keys ||
      !inputs[0]->field(keys)->type()->Equals(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")))
    return InputsDoNotFit();
  for (const auto& input : inputs) {
    if (!input->schema()->Equals(*inputs[0]->schema(), false)) return InputsDoNotFit();
  }
  arrow::FieldVector fields = inputs[0]->schema()->fields();
  for (int key = 0; key < keys; ++key) {
    const auto& type = snapshot.keys->field(key)->type();
    if (!fields[key]->type()->Equals(*PlainType(type))) return InputsDoNotFit();
    fields[key] = fields[key]->WithType(type);
  }
  return arrow::schema(std::move(fields));
}

arrow::Result<PartFile> Written(const SnapshotRows& rows, const SnapshotFile& file) {
  VIAND_RETURN_NOT_OK(CheckCancelled());
  VIAND_ASSIGN_OR_RETURN(const auto of_cutoff, rows.At(file.cutoff_us));
  VIAND_ASSIGN_OR_RETURN(const auto output,
                         ParquetOutput::Open(file.path, rows.schema(), SnapshotEncoding()));
  PartFile part{.path = file.path};
  VIAND_ASSIGN_OR_RETURN(part.rows, WriteSnapshot(of_cutoff.get(), output.get()));
  VIAND_RETURN_NOT_OK(Failpoint("snapshot.part"));
  VIAND_ASSIGN_OR_RETURN(part.bytes, output->Commit());
  return part;
}

/// How many files are written beside each other.
int WritersOf(const SnapshotFragment& snapshot, const Tables& inputs) {
  int64_t rows = 0;
  for (const auto& input : inputs) rows += input->num_rows();
  return rows <= kSmallRows * static_cast<int64_t>(snapshot.files.size()) ? kWritersOfSmallFiles
                                                                          : 1;
}

}  // namespace

arrow::Result<Tables> ExecuteSnapshot(const SnapshotFragment& snapshot, const Tables& inputs) {
  VIAND_ASSIGN_OR_RETURN(auto schema, ResultSchema(snapshot, inputs));
  const SnapshotRows rows(std::move(schema), static_cast<size_t>(snapshot.keys->num_fields()),
                          inputs, snapshot.batch_rows);
  const int writers = WritersOf(snapshot, inputs);
  size_t next = 0;
  std::vector<PartFile> written;
  const arrow::Status status = RunOrdered<const SnapshotFile*, arrow::Result<PartFile>>(
      {.workers = writers, .max_in_flight = 2 * writers},
      [&]() -> arrow::Result<std::optional<const SnapshotFile*>> {
        return next < snapshot.files.size() ? std::optional(&snapshot.files[next++]) : std::nullopt;
      },
      [&](const SnapshotFile* file) { return Written(rows, *file); },
      [&](arrow::Result<PartFile> part) {
        VIAND_ASSIGN_OR_RETURN(written.emplace_back(), std::move(part));
        return arrow::Status::OK();
      });
  VIAND_RETURN_NOT_OK(status);
  VIAND_ASSIGN_OR_RETURN(auto table, ToTable(written));
  return Tables{std::move(table)};
}

}  // namespace viand::engine
