// The stored rows of a snapshot view: immutable parts (one file a cutoff), immutable generations (a
// folder of links to parts, with a manifest), and `current`, the one pointer that readers follow
// (docs/formats/offline.md).
//
// A part's name holds the fingerprint of all it was computed from, so a part that exists is fresh:
// what a killed backfill had finished is found again by its name. One writer a view at a time
// (flock); readers never wait.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/common/error.h"
#include "src/common/parquet_output.h"

namespace arrow {
class RecordBatchReader;
}

namespace viand::offline {

struct Part {
  int64_t cutoff_us = 0;
  std::string fingerprint;  ///< 32 hex digits
  int64_t rows = 0;
};

/// One state of a view.
struct Generation {
  int64_t number = 0;           ///< 0: there is none yet
  std::string definition_hash;  ///< of the computation
  std::vector<Part> parts;      ///< ascending cutoffs
  std::string folder;           ///< absolute, of the immutable generation

  /// Files of the parts in order of cutoff.
  std::vector<std::string> Files() const;
};

/// Reads what `current` points at; a view that was never backfilled has number 0.
arrow::Result<Generation> ReadCurrentGeneration(const std::string& view_folder);

/// Tells whether a part is stored, by its name alone: takes no lock.
bool IsStored(const std::string& view_folder, const Part& part);

/// Writes parts and generations of one view. Holds the view's lock while it lives.
class PartStore {
 public:
  /// Makes the folders, takes the lock (another writer: kConflict), removes what a killed process
  /// left behind.
  static arrow::Result<std::unique_ptr<PartStore>> Open(const std::string& view_folder);
  ~PartStore();

  /// Tells whether the part of that cutoff and fingerprint is stored; sets its row count.
  arrow::Result<bool> Find(Part* part) const;

  /// Writes the rows of one cutoff to disk, not yet visible; part->rows is set. Thread-safe.
  arrow::Result<std::unique_ptr<ParquetOutput>> Prepare(Part* part,
                                                        arrow::RecordBatchReader* rows) const;

  /// Makes a prepared part visible: from then on a killed backfill need not compute it again.
  static arrow::Status Keep(ParquetOutput* prepared) { return prepared->Rename(); }

  /// Makes a file that a fragment wrote, synced, the part.
  arrow::Status Take(const Part& part, const std::string& path) const;

  /// Makes the parts a generation and swaps `current` to it; then drops parts and generations that
  /// neither it nor the one before use. Does nothing where the current generation is already equal.
  arrow::Status Publish(const std::string& definition_hash, const std::vector<Part>& parts);

 private:
  PartStore(std::string folder, int lock_fd);
  std::string PartPath(const Part& part) const;
  arrow::Status DropUnused(const Generation& current, const Generation& previous) const;

  const std::string folder_;
  const int lock_fd_;
};

}  // namespace viand::offline
