#include "src/engine/kept_scans.h"

#include <arrow/table.h>
#include <arrow/util/byte_size.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "src/common/data_location.h"
#include "src/engine/fragment_message.h"
#include "src/engine/partition_inputs.h"

namespace viand::engine {
namespace {

/// More files are not looked at each time.
constexpr size_t kMostFiles = 64;
/// Two changes within what file systems and their clocks tell apart may look like one.
constexpr int64_t kSettledNs = int64_t{2} * 1000 * 1000 * 1000;

int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

int64_t Nanoseconds(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

arrow::Result<int64_t> BytesOf(const KeptScans::Tables& tables) {
  int64_t all = 0;
  for (const auto& table : tables) {
    VIAND_ASSIGN_OR_RETURN(const int64_t bytes, arrow::util::ReferencedBufferSize(*table));
    all += bytes;
  }
  return all;
}

}  // namespace

/// Nothing where that is not worth asking, or says nothing.
std::optional<KeptScans::FileStates> KeptScans::StatesOf(const MapFragment& map) {
  if (map.parts.empty() || map.parts.size() > kMostFiles) return std::nullopt;
  FileStates files;
  for (const FilePart& part : map.parts) {
    if (IsRemotePath(part.path)) return std::nullopt;
    const int file = ::open(part.path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return std::nullopt;
    struct stat found {};
    const bool known = ::fstat(file, &found) == 0;
    ::close(file);
    if (!known || Nanoseconds(found.st_mtim) > NowNs() - kSettledNs) return std::nullopt;
    files.push_back({.device = found.st_dev,
                     .inode = found.st_ino,
                     .size_bytes = found.st_size,
                     .modified_ns = Nanoseconds(found.st_mtim),
                     .changed_ns = Nanoseconds(found.st_ctim)});
  }
  return files;
}

arrow::Result<KeptScans::Tables> KeptScans::Run(
    const MapFragment& map, const std::function<arrow::Result<Tables>()>& read) {
  const auto files = StatesOf(map);
  if (!files) return read();
  VIAND_ASSIGN_OR_RETURN(std::string message, SerializeFragment(map));
  if (Tables found = Find(message, *files); !found.empty()) return found;
  VIAND_ASSIGN_OR_RETURN(Tables tables, read());
  const auto files_now = StatesOf(map);
  if (!files_now || *files != *files_now) return tables;
  VIAND_ASSIGN_OR_RETURN(int64_t bytes, BytesOf(tables));
  if (bytes > limit()) return tables;
  // Those who take it in need not do so again.
  for (auto& table : tables) {
    VIAND_ASSIGN_OR_RETURN(const auto joined,
                           JoinParts({table}, 0, 1, table->schema(), ProcessPool()));
    VIAND_ASSIGN_OR_RETURN(table, arrow::Table::FromRecordBatches({joined}));
  }
  VIAND_ASSIGN_OR_RETURN(bytes, BytesOf(tables));
  Keep({.message = std::move(message), .files = *files, .tables = tables, .bytes = bytes});
  return tables;
}

void KeptScans::SetLimit(int64_t bytes) {
  const std::lock_guard lock(mutex_);
  limit_ = bytes;
  DropTo(limit_);
}

int64_t KeptScans::limit() const {
  const std::lock_guard lock(mutex_);
  return limit_;
}

int64_t KeptScans::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

KeptScans::Tables KeptScans::Find(const std::string& message, const FileStates& files) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(kept_.begin(), kept_.end(),
                                  [&](const Kept& each) { return each.message == message; });
  if (found == kept_.end()) return {};
  if (found->files != files) {
    bytes_ -= found->bytes;
    kept_.erase(found);
    return {};
  }
  kept_.splice(kept_.begin(), kept_, found);
  return kept_.front().tables;
}

void KeptScans::Keep(Kept kept) {
  const std::lock_guard lock(mutex_);
  const bool known = std::any_of(kept_.begin(), kept_.end(), [&](const Kept& each) {
    return each.message == kept.message;  // by another thread meanwhile
  });
  if (known || kept.bytes > limit_) return;
  DropTo(limit_ - kept.bytes);
  bytes_ += kept.bytes;
  kept_.push_front(std::move(kept));
}

void KeptScans::DropTo(int64_t bytes) {
  while (bytes_ > bytes) {
    bytes_ -= kept_.back().bytes;
    kept_.pop_back();
  }
}

}  // namespace viand::engine
