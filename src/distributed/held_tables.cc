#include "src/distributed/held_tables.h"

#include <arrow/table.h>

#include "src/common/block_pool.h"
#include "src/distributed/compact_dictionaries.h"
#include "src/distributed/spill_file.h"
#include "src/engine/table_bytes.h"

namespace viand::distributed {
namespace {

// Of the budget, for what is held: the other half is for the fragments that run.
constexpr int64_t kHeldShare = 2;

/// A table of more than so many times the mean of its group's may be of a heavy key: it stays on
/// disk while it is read, for memory need not hold it.
constexpr int64_t kPackedTimesMean = 2;

}  // namespace

/// What one fragment put out: each table in memory, on disk, or released.
struct HeldTables::Group {
  std::mutex mutex;
  engine::Tables tables;  // guarded by mutex; null: on disk or released
  // Guarded by mutex: empty where in memory.
  std::vector<std::shared_ptr<const SpillFile::Piece>> pieces;
  int64_t bytes = 0;
  ReadBy read_by = ReadBy::kFragment;
};

struct HeldTables::Handle : engine::TableHandle {
  Handle(std::shared_ptr<Group> of, size_t at)
      : TableHandle(of->tables[at]->num_rows(), engine::BytesInMemory(*of->tables[at])),
        group(std::move(of)),
        index(at) {}
  ~Handle() override {
    const std::lock_guard<std::mutex> lock(group->mutex);
    group->tables[index].reset();
    if (!group->pieces.empty()) group->pieces[index].reset();
  }
  const std::shared_ptr<Group> group;
  const size_t index;
};

engine::TableReference HeldTables::Keep(std::shared_ptr<arrow::Table> table) {
  auto group = std::make_shared<Group>();
  group->tables.push_back(std::move(table));
  return std::make_shared<Handle>(std::move(group), 0);
}

arrow::Result<std::vector<engine::TableReference>> HeldTables::Hold(engine::Tables outputs,
                                                                    ReadBy read_by,
                                                                    int64_t* spilled_bytes) {
  auto group = std::make_shared<Group>();
  group->tables = std::move(outputs);
  group->read_by = read_by;
  std::vector<engine::TableReference> references;
  for (size_t i = 0; i < group->tables.size(); ++i)
    references.push_back(std::make_shared<Handle>(group, i));
  if (budget_bytes_ <= 0) return references;
  for (const auto& reference : references) group->bytes += reference->bytes();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    groups_.push_back(group);
  }
  VIAND_RETURN_NOT_OK(MakeRoom(spilled_bytes));
  return references;
}

arrow::Result<std::shared_ptr<arrow::Table>> HeldTables::Load(
    const engine::TableReference& reference) {
  const auto& handle = static_cast<const Handle&>(*reference);
  std::shared_ptr<const SpillFile::Piece> piece;
  {
    const std::lock_guard<std::mutex> lock(handle.group->mutex);
    if (handle.group->pieces.empty()) return handle.group->tables[handle.index];
    piece = handle.group->pieces[handle.index];
  }
  return SpillFile::Read(std::move(piece));
}

bool HeldTables::MemoryIsShort() const {
  if (ProcessPool()->bytes_allocated() >= budget_bytes_ / kHeldShare) return true;
  // The pool does not count what thousands of small tables take beside their values.
  const int64_t most_bytes = of_others_bytes_ + budget_bytes_;
  if (AnonymousMemoryBytes() <= most_bytes) return false;
  ProcessPool()->ReleaseUnused();
  return AnonymousMemoryBytes() > most_bytes;
}

arrow::Status HeldTables::MakeRoom(int64_t* spilled_bytes) {
  while (MemoryIsShort()) {
    const auto group = TakeLargest();
    if (group == nullptr) return arrow::Status::OK();
    VIAND_ASSIGN_OR_RETURN(const int64_t bytes, Spill(group.get()));
    if (spilled_bytes != nullptr) *spilled_bytes += bytes;
  }
  return arrow::Status::OK();
}

/// Null where nothing is left to spill.
std::shared_ptr<HeldTables::Group> HeldTables::TakeLargest() {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::erase_if(groups_, [](const auto& group) { return group.expired(); });
  std::shared_ptr<Group> largest;
  size_t at = 0;
  for (size_t i = 0; i < groups_.size(); ++i) {
    auto group = groups_[i].lock();
    if (group == nullptr || (largest != nullptr && group->bytes <= largest->bytes)) continue;
    largest = std::move(group);
    at = i;
  }
  if (largest != nullptr) groups_.erase(groups_.begin() + static_cast<std::ptrdiff_t>(at));
  return largest;
}

arrow::Result<int64_t> HeldTables::Spill(Group* group) {
  VIAND_ASSIGN_OR_RETURN(const auto file, OpenFile());
  const std::lock_guard<std::mutex> lock(group->mutex);
  int64_t bytes = 0, rows = 0, tables = 0;
  for (const auto& table : group->tables) {
    if (table == nullptr || table->num_rows() == 0) continue;
    rows += table->num_rows();
    ++tables;
  }
  std::vector<std::shared_ptr<const SpillFile::Piece>> pieces(group->tables.size());
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (group->tables[i] == nullptr) continue;
    VIAND_ASSIGN_OR_RETURN(const auto compact, CompactDictionaries(group->tables[i]));
    const bool mapped =
        group->read_by == ReadBy::kDriver || compact->num_rows() * tables > kPackedTimesMean * rows;
    VIAND_ASSIGN_OR_RETURN(pieces[i], file->Write(compact, mapped ? SpillFile::Layout::kMapped
                                                                  : SpillFile::Layout::kPacked));
    bytes += pieces[i]->bytes();
  }
  group->pieces = std::move(pieces);
  for (auto& table : group->tables) table.reset();
  return bytes;
}

arrow::Result<std::shared_ptr<SpillFile>> HeldTables::OpenFile() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (file_ == nullptr) {
    VIAND_ASSIGN_OR_RETURN(file_, SpillFile::Open(folder_));
  }
  return file_;
}

}  // namespace viand::distributed
