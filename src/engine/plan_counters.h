// What a plan did, counted while it ran: the figures of `explain --analyze`. Nothing is counted,
// and nothing costs, where nobody asks: every pointer to counters may be null.
//
//   PlanCounters counters;
//   Retrieve(plan, {.executor = executor, .counters = &counters});
//   for (const auto& [operation, stage] : counters.Total()) ...
//
// A fragment counts for itself (FragmentContext::counters), wherever it runs; its executor brings
// the figures home. PlanCounters is thread-safe.
#pragma once

#include <compare>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "src/common/error.h"
#include "src/engine/fragment.h"

namespace arrow {
class Table;
}

namespace viand::engine {

/// Keys that are kept of a fragment and of an operator.
inline constexpr size_t kHeaviestKeys = 5;

/// A key and the number of its rows.
struct HeavyKey {
  std::string key;  ///< "user_id 17, shop 3"
  int64_t rows = 0;

  bool operator==(const HeavyKey&) const = default;
};

/// What one fragment did.
struct FragmentCounters {
  int64_t rows_in = 0;        ///< read of files or of the tables that it took in, before any filter
  int64_t rows_out = 0;       ///< of all the tables that it put out
  int64_t bytes_out = 0;      ///< of these, in memory
  int64_t spilled_bytes = 0;  ///< written to disk to make room for its outputs
  int64_t run_us = 0;         ///< from its start to its end
  /// Of the messages that its outputs left its process as; 0: they stayed in memory.
  int64_t sent_bytes = 0;
  std::vector<HeavyKey> heaviest;  ///< a reduce fragment's keys by their rows of features or events
  std::string node;                ///< of a cluster, where it ran; empty: here
  int attempt = 0;                 ///< of a cluster: from 1; 0: here

  bool operator==(const FragmentCounters&) const = default;
};

/// The operators of a plan.
enum class OperatorKind {
  kRetrieve,  ///< the whole
  kReadSpine,
  kPartitionSpine,  ///< by one set of keys
  kScan,            ///< and partition a view's source
  kAsOfJoin,        ///< of each partition
  kAggregate,       ///< of each partition
  kGather,          ///< read the columns of the rows that a join found
  kAssemble         ///< put results into the spine's order
};

struct OperatorId {
  OperatorKind kind;
  int lookup = 0;  ///< of the plan; kPartitionSpine: the first that has these keys

  auto operator<=>(const OperatorId&) const = default;  // NOLINT: there is no 0
};

/// What a stage, or all stages of one operator, did.
struct StageCounters {
  int64_t run_us = 0;                       ///< from the start to the end as the driver saw it
  std::vector<FragmentCounters> fragments;  ///< in order of the calls
};

class PlanCounters {
 public:
  /// Makes room for one stage of an operator. The pointer stays valid; who runs the stage fills it.
  StageCounters* NewStage(OperatorId operation);

  /// The stages of each operator, put together: times added, fragments one after another.
  std::map<OperatorId, StageCounters> Total() const;

 private:
  mutable std::mutex mutex_;
  std::list<std::pair<OperatorId, StageCounters>> stages_;  // guarded by mutex_
};

/// Returns `counters->NewStage(operation)`, null without counters.
StageCounters* NewStage(PlanCounters* counters, OperatorId operation);

/// Adds the time from its making to its end to a stage, and what the driver did itself; does
/// nothing without a stage.
class StageTimer {
 public:
  explicit StageTimer(StageCounters* stage);
  StageTimer(const StageTimer&) = delete;
  ~StageTimer();

  /// Counts work that no fragment does.
  void Count(int64_t rows_in, int64_t rows_out, int64_t bytes_out);
  /// The same: rows taken in and the table that came of them.
  arrow::Status Count(int64_t rows_in, const arrow::Table& result);
  /// The same of tables put together into `rows` rows.
  arrow::Status Count(const std::vector<std::shared_ptr<arrow::Table>>& parts, int64_t rows);

 private:
  StageCounters* const stage_;
  int64_t start_us_ = 0;
};

/// Microseconds of a clock that never goes back.
int64_t SteadyNowUs();

/// Counts what a fragment took in and put out, and of a reduce fragment its heaviest keys. rows_in
/// of a map fragment that reads files is counted as it reads.
arrow::Status CountTables(const Fragment& fragment,
                          const std::vector<std::shared_ptr<arrow::Table>>& inputs,
                          const std::vector<std::shared_ptr<arrow::Table>>& outputs,
                          FragmentCounters* counters);

/// The heaviest of the keys that columns of the tables are.
arrow::Result<std::vector<HeavyKey>> HeaviestKeys(
    const std::vector<int>& columns, const std::vector<std::shared_ptr<arrow::Table>>& tables);

/// The kHeaviestKeys of many, most rows first, then by key.
std::vector<HeavyKey> Heaviest(std::vector<HeavyKey> keys);

}  // namespace viand::engine
