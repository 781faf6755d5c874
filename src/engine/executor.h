// Runs fragments somewhere: on threads, in processes, on a cluster. Implementations are in
// src/distributed.
//
// A stage is a list of independent fragments. What they take in and put out are references, so that
// tables need not pass through the driver: a local executor's reference holds the table, a
// cluster's names an object in its store. An implementation for a cluster may return from RunStage
// before the fragments have run; their errors then come from Fetch, or from the stage that takes
// the reference in.
//
// Thread-safe: several plans may use one executor at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/common/block_pool.h"
#include "src/common/progress.h"
#include "src/engine/fragment.h"
#include "src/engine/plan_counters.h"

namespace viand::engine {

/// Names one table that an executor holds; the last copy to go releases the table. Opaque outside
/// of its executor.
class TableHandle {
 public:
  TableHandle(int64_t rows, int64_t bytes) : rows_(rows), bytes_(bytes) {}
  virtual ~TableHandle() = default;
  int64_t rows() const { return rows_; }
  /// In memory, BytesInMemory: what a driver may know of a table that it never sees.
  int64_t bytes() const { return bytes_; }

 private:
  const int64_t rows_;
  const int64_t bytes_;
};
using TableReference = std::shared_ptr<const TableHandle>;

struct FragmentCall {
  Fragment fragment;
  std::vector<TableReference> inputs;
};

class Executor {
 public:
  virtual ~Executor() = default;

  /// Number of fragments that run at a time: how finely a plan is worth cutting.
  virtual int Parallelism() const = 0;

  /// What all fragments that run at a time and the tables between stages may take together; 0: no
  /// bound. Plans are cut so that they can keep to it.
  virtual int64_t MemoryBytes() const { return 0; }

  /// What one fragment may take that runs alone: less than MemoryBytes() where that is several
  /// machines'. 0: no bound.
  virtual int64_t FragmentMemoryBytes() const { return MemoryBytes(); }

  /// What the driver itself may take for what passes through it; 0: no bound.
  virtual int64_t DriverMemoryBytes() const { return MemoryBytes(); }

  /// The memory for a table of the driver that stays whole, of about so many bytes: on disk where
  /// that is much of MemoryBytes().
  virtual arrow::MemoryPool* PoolFor(int64_t /*bytes*/) const { return ProcessPool(); }

  /// A folder, absolute or an address, that fragments and the driver both reach: results are
  /// written there by fragments, and what the driver wants of them it reads again a batch at a
  /// time. Empty: fragments run on this machine, and their tables may as well be fetched.
  virtual std::string StoragePath() const { return {}; }

  /// Hands a table in the driver's memory to the executor.
  virtual arrow::Result<TableReference> Put(std::shared_ptr<arrow::Table> table) = 0;

  /// Runs every call and returns the references of its outputs, in the order of the calls. Inputs
  /// are released as soon as the fragments are done with them. The first error cancels the rest of
  /// the stage and is returned; so is kCancelled. `progress` gets a stage of as many units as there
  /// are calls; `counters`, where not null, what each fragment did.
  virtual arrow::Result<std::vector<std::vector<TableReference>>> RunStage(
      std::string_view name, std::vector<FragmentCall> calls, Progress* progress,
      StageCounters* counters) = 0;

  /// Brings a table into the driver's memory.
  virtual arrow::Result<std::shared_ptr<arrow::Table>> Fetch(const TableReference& reference) = 0;
};

}  // namespace viand::engine
