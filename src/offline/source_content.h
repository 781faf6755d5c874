// What a source holds, piece by piece of time: so that a changed row recomputes only the cutoffs
// whose windows it can touch.
//
// A dataset's output has a piece a day (a hash of that day's rows, in order); any other Parquet
// source a piece a file; a snapshot view a piece a cutoff.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/common/error.h"
#include "src/engine/plan.h"

namespace arrow {
class Table;
}

namespace viand::offline {

struct TimePiece {
  int64_t min_us = 0;  ///< first and last time of its rows, rounded down
  int64_t max_us = 0;
  std::string hash;  ///< of the rows' content and order

  bool operator==(const TimePiece&) const = default;
};

struct SourceContent {
  std::string schema;             ///< the columns and their types, printed
  std::vector<TimePiece> pieces;  ///< in the order of the rows; none of rows without a time
  int64_t rows = 0;

  bool empty() const { return pieces.empty(); }
  int64_t start_us() const;  ///< first time; 0 where there is none
  int64_t end_us() const;

  /// Hash of everything that can lie in [from_us, to_us).
  std::string HashOf(int64_t from_us, int64_t to_us) const;
};

/// Cuts a table that is sorted by `timestamp_column` (nulls last, in no piece) into days and hashes
/// them. An unsorted table becomes one piece.
arrow::Result<SourceContent> ContentOfTable(const arrow::Table& table,
                                            const std::string& timestamp_column);

/// One piece a file: the identity of its content (content_identity.h) and of what its folders
/// spell, its time range from the column's statistics, or where they are missing from the column
/// itself. `timestamp_column` is the name in the files.
arrow::Result<SourceContent> ContentOfFiles(const engine::Scan& scan,
                                            const std::string& timestamp_column);

}  // namespace viand::offline
