// Producer, workers, consumer: items are produced by one thread, transformed by several, and
// consumed in the order in which they were produced, by the caller. At most `max_in_flight` items
// exist at a time, which bounds the memory.
//
//   VIAND_RETURN_NOT_OK((RunOrdered<Item, Outcome>(options, produce, transform, consume)));
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "src/common/cancellation.h"
#include "src/common/error.h"

namespace viand {

struct PipelineOptions {
  int workers = 2;
  int max_in_flight = 6;
};

namespace internal {

template <typename Item, typename Outcome>
class OrderedPipeline {
 public:
  using Produce = std::function<arrow::Result<std::optional<Item>>()>;
  using Transform = std::function<Outcome(Item)>;
  using Consume = std::function<arrow::Status(Outcome)>;

  OrderedPipeline(const PipelineOptions& options, Produce produce, Transform transform,
                  Consume consume)
      : options_(options),
        produce_(std::move(produce)),
        transform_(std::move(transform)),
        consume_(std::move(consume)) {}

  arrow::Status Run() {
    std::vector<std::thread> threads;
    threads.emplace_back([this] { Guard([this] { return ProduceAll(); }); });
    for (int i = 0; i < options_.workers; ++i) {
      threads.emplace_back([this] { Guard([this] { return TransformAll(); }); });
    }
    Guard([this] { return ConsumeAll(); });
    for (std::thread& thread : threads) thread.join();
    return status_;
  }

 private:
  /// Runs one thread's part; its failure, or an exception, stops the others.
  template <typename Part>
  void Guard(Part part) {
    const CancellationScope scope(token_);
    arrow::Status status;
    try {
      status = part();
    } catch (const std::bad_alloc&) {
      status = MakeError(ErrorKind::kEnvironment, "out of memory");
    } catch (const std::exception& e) {
      status = arrow::Status::UnknownError(e.what());
    }
    if (!status.ok()) Stop(std::move(status));
  }

  void Stop(arrow::Status status) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!stopped_) status_ = std::move(status);
    stopped_ = true;
    changed_.notify_all();
  }

  arrow::Status ProduceAll() {
    while (true) {
      {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(
            lock, [this] { return stopped_ || produced_ - consumed_ < options_.max_in_flight; });
        if (stopped_) return arrow::Status::OK();
      }
      arrow::Result<std::optional<Item>> item = produce_();
      const std::lock_guard<std::mutex> lock(mutex_);
      // A failure is consumed in its turn: an error in an earlier item is the one to tell.
      if (!item.ok() || !item->has_value()) {
        last_ = item.status();
        ended_ = true;
        changed_.notify_all();
        return arrow::Status::OK();
      }
      items_.emplace_back(produced_++, std::move(**item));
      changed_.notify_all();
    }
  }

  arrow::Status TransformAll() {
    while (true) {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return stopped_ || !items_.empty() || ended_; });
      if (stopped_ || items_.empty()) return arrow::Status::OK();
      auto [number, item] = std::move(items_.front());
      items_.pop_front();
      lock.unlock();
      Outcome outcome = transform_(std::move(item));
      lock.lock();
      outcomes_.emplace(number, std::move(outcome));
      changed_.notify_all();
    }
  }

  arrow::Status ConsumeAll() {
    while (true) {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] {
        return stopped_ || outcomes_.contains(consumed_) || (ended_ && consumed_ == produced_);
      });
      if (stopped_) return arrow::Status::OK();
      const auto found = outcomes_.find(consumed_);
      if (found == outcomes_.end()) return last_;
      Outcome outcome = std::move(found->second);
      outcomes_.erase(found);
      lock.unlock();
      VIAND_RETURN_NOT_OK(consume_(std::move(outcome)));
      lock.lock();
      ++consumed_;
      changed_.notify_all();
    }
  }

  const PipelineOptions options_;
  const CancellationToken token_ = CurrentCancellation();
  const Produce produce_;
  const Transform transform_;
  const Consume consume_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<int64_t, Item>> items_;
  std::map<int64_t, Outcome> outcomes_;
  int64_t produced_ = 0;
  int64_t consumed_ = 0;
  bool ended_ = false;
  bool stopped_ = false;
  arrow::Status last_;    // how production ended
  arrow::Status status_;  // why all was stopped
};

}  // namespace internal

/// Runs to the end, or to the first failure in order of the items. `produce` gives nullopt at the
/// end.
template <typename Item, typename Outcome>
arrow::Status RunOrdered(const PipelineOptions& options,
                         typename internal::OrderedPipeline<Item, Outcome>::Produce produce,
                         typename internal::OrderedPipeline<Item, Outcome>::Transform transform,
                         typename internal::OrderedPipeline<Item, Outcome>::Consume consume) {
  return internal::OrderedPipeline<Item, Outcome>(options, std::move(produce), std::move(transform),
                                                  std::move(consume))
      .Run();
}

}  // namespace viand
