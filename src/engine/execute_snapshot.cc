#include "src/engine/execute_snapshot.h"

#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include "src/common/cancellation.h"
#include "src/common/failpoint.h"
#include "src/engine/part_file.h"
#include "src/engine/plain_array.h"
#include "src/engine/snapshot_rows.h"

namespace viand::engine {
namespace {

arrow::Status CheckInputs(const SnapshotFragment& snapshot, const Tables& inputs) {
  arrow::FieldVector fields = snapshot.result->fields();
  for (int key = 0; key < snapshot.key_count; ++key)
    fields[key] = fields[key]->WithType(PlainType(fields[key]->type()));
  const arrow::Schema plain(std::move(fields));
  for (const auto& input : inputs) {
    if (!input->schema()->Equals(plain, false))
      return MakeError(ErrorKind::kInput, "a fragment's inputs do not fit it");
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<Tables> ExecuteSnapshot(const SnapshotFragment& snapshot, const Tables& inputs) {
  VIAND_RETURN_NOT_OK(CheckInputs(snapshot, inputs));
  const SnapshotRows rows(snapshot.result, static_cast<size_t>(snapshot.key_count), inputs,
                          snapshot.batch_rows);
  std::vector<PartFile> written;
  for (const SnapshotFile& file : snapshot.files) {
    VIAND_RETURN_NOT_OK(CheckCancelled());
    VIAND_ASSIGN_OR_RETURN(const auto of_cutoff, rows.At(file.cutoff_us));
    VIAND_ASSIGN_OR_RETURN(const auto output,
                           ParquetOutput::Open(file.path, snapshot.result, SnapshotEncoding()));
    PartFile& part = written.emplace_back(PartFile{.path = file.path});
    VIAND_ASSIGN_OR_RETURN(part.rows, WriteSnapshot(of_cutoff.get(), output.get()));
    VIAND_RETURN_NOT_OK(Failpoint("snapshot.part"));
    VIAND_ASSIGN_OR_RETURN(part.bytes, output->Commit());
  }
  VIAND_ASSIGN_OR_RETURN(auto table, ToTable(written));
  return Tables{std::move(table)};
}

}  // namespace viand::engine
