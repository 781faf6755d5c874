#include "src/common/run_parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <new>
#include <thread>
#include <vector>

#include "src/common/cancellation.h"

namespace viand {

namespace {

/// What a library throws ends the work as an error, not the process.
arrow::Status Run(const ParallelJob& job, size_t i) {
  try {
    return job(i);
  } catch (const std::bad_alloc&) {
    return arrow::Status::OutOfMemory("there is no memory left");
  } catch (const std::exception& error) {
    return arrow::Status::UnknownError(error.what());
  }
}

}  // namespace

arrow::Status RunParallel(size_t count, int threads, const ParallelJob& job, Progress* progress) {
  std::vector<arrow::Status> statuses(count);
  std::atomic<size_t> next{0};
  std::atomic<bool> stop{false};
  const auto work = [&] {
    while (!stop.load(std::memory_order_relaxed)) {
      const size_t mine = next.fetch_add(1);
      if (mine >= count) return;
      statuses[mine] = CheckCancelled();
      if (statuses[mine].ok()) statuses[mine] = Run(job, mine);
      if (!statuses[mine].ok()) stop = true;
      if (progress != nullptr) progress->Advance(1);
    }
  };
  const size_t helpers = std::min(count, static_cast<size_t>(std::max(threads, 1)));
  std::vector<std::thread> pool;
  const CancellationToken token = CurrentCancellation();
  for (size_t i = 1; i < helpers; ++i) {
    pool.emplace_back([&] {
      const CancellationScope scope(token);
      work();
    });
  }
  work();
  for (std::thread& thread : pool) thread.join();
  for (const arrow::Status& status : statuses) VIAND_RETURN_NOT_OK(status);
  return arrow::Status::OK();
}

}  // namespace viand
