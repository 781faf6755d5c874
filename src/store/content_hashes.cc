#include "src/store/content_hashes.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "src/common/atomic_file.h"
#include "src/common/cancellation.h"
#include "src/common/run_parallel.h"
#include "src/common/sha256.h"
#include "src/common/time.h"

namespace viand::store {
namespace {

using nlohmann::json;

/// Reading a smaller file again costs less than remembering it.
constexpr int64_t kRememberedBytes = 1 << 20;
constexpr size_t kMostRemembered = 10'000;
/// A change this young may be followed by one that leaves the same times.
constexpr int64_t kSettledUs = 2 * kMicrosPerSecond;
/// Several reads at once keep a disk busy.
constexpr int kReaders = 4;

struct Stamp {
  std::string text;  ///< whatever changes with the file
  int64_t bytes = 0;
  int64_t changed_us = 0;
};

arrow::Result<Stamp> StampOf(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0)
    return MakeError(ErrorKind::kEnvironment,
                     fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  const auto ns = [](const timespec& time) {
    return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  };
  return Stamp{fmt::format("{} {} {} {} {}", found.st_size, found.st_dev, found.st_ino,
                           ns(found.st_mtim), ns(found.st_ctim)),
               found.st_size, ns(found.st_ctim) / 1000};
}

std::string MemoryPath(const std::string& root) { return root + "/data/.content_hashes"; }

/// What cannot be read is forgotten.
json ReadMemory(const std::string& root) {
  const auto text = ReadWholeFile(MemoryPath(root));
  json memory = text.ok() ? json::parse(*text, nullptr, false) : json();
  return memory.is_object() ? memory : json::object();
}

/// {"path": ["stamp", "sha256"]}; a memory that cannot be written costs time alone.
void WriteMemory(const std::string& root, const json& memory) {
  if (!std::filesystem::is_directory(root + "/data")) return;
  const std::string text = memory.dump(1, ' ', false, json::error_handler_t::replace);
  static_cast<void>(WriteFileAtomically(MemoryPath(root), text + "\n"));
}

}  // namespace

ContentHashes::ContentHashes(std::string root, std::vector<std::string> paths)
    : root_(std::move(root)), paths_(std::move(paths)) {
  if (paths_.empty()) return;
  thread_ = std::thread([this, token = CurrentCancellation()] {
    const CancellationScope scope(token);
    status_ = Run();
  });
}

ContentHashes::~ContentHashes() {
  if (thread_.joinable()) thread_.join();
}

arrow::Result<std::map<std::string, std::string>> ContentHashes::Finish() {
  if (thread_.joinable()) thread_.join();
  VIAND_RETURN_NOT_OK(status_);
  return sha256_of_;
}

arrow::Status ContentHashes::Run() {
  json memory = ReadMemory(root_);
  std::vector<std::string> hashes(paths_.size());
  std::vector<Stamp> stamps(paths_.size());
  std::vector<size_t> unknown;
  for (size_t i = 0; i < paths_.size(); ++i) {
    VIAND_ASSIGN_OR_RETURN(stamps[i], StampOf(paths_[i]));
    const auto known = memory.find(paths_[i]);
    const bool same = known != memory.end() && known->is_array() && known->size() == 2 &&
                      (*known)[0] == stamps[i].text && (*known)[1].is_string();
    if (same) {
      hashes[i] = (*known)[1].get<std::string>();
    } else {
      unknown.push_back(i);
    }
  }
  const auto hash = [&](size_t job) -> arrow::Status {
    // On Linux a thread has a priority of its own: what the user waits for goes first.
    setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), 10);
    const size_t i = unknown[job];
    VIAND_ASSIGN_OR_RETURN(hashes[i], Sha256OfFile(paths_[i]));
    VIAND_ASSIGN_OR_RETURN(const Stamp after, StampOf(paths_[i]));
    if (after.text == stamps[i].text) return arrow::Status::OK();
    return MakeError(ErrorKind::kEnvironment,
                     fmt::format("{} changed while it was read", paths_[i]),
                     "retrieve again once whoever writes it has finished");
  };
  VIAND_RETURN_NOT_OK(RunParallel(unknown.size(), kReaders, hash, nullptr));
  bool learnt = false;
  for (const size_t i : unknown) {
    if (stamps[i].bytes < kRememberedBytes || NowUs() - stamps[i].changed_us < kSettledUs) continue;
    if (memory.size() >= kMostRemembered) memory = json::object();
    memory[paths_[i]] = {stamps[i].text, hashes[i]};
    learnt = true;
  }
  if (learnt) WriteMemory(root_, memory);
  for (size_t i = 0; i < paths_.size(); ++i) sha256_of_[paths_[i]] = hashes[i];
  return arrow::Status::OK();
}

}  // namespace viand::store
