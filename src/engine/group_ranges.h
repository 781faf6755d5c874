// Ranges of whole numbers and times against the statistics of row groups, compared as they are
// stored: thousands of small files are looked through in milliseconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/engine/key_bounds.h"
#include "src/engine/time_range.h"

namespace parquet {
class RowGroupMetaData;
class SchemaDescriptor;
}  // namespace parquet

namespace viand::engine {

/// What one column's values must be to matter, both ends included, by name in the file.
struct RawBounds {
  std::string column;
  int64_t min = 0;
  int64_t max = 0;
};

/// Returns the bounds of a range of times over a column of `type`; nothing where it does not bind.
std::optional<RawBounds> RawBoundsOf(const TimeRange& range, const std::string& column,
                                     const arrow::DataType& type);

/// Returns the bounds of keys over a column of `type`; nothing where these are no signed integers.
std::optional<RawBounds> RawBoundsOf(const KeyBound& bound, const std::string& column,
                                     const arrow::DataType& type);

/// Tells whether a file's statistics of a column are numbers as Arrow has them: whole numbers with
/// a sign, and times that are stored in the unit that they are read in.
bool ComparesRaw(const parquet::SchemaDescriptor& stored, const arrow::Schema& in_file,
                 const std::string& column);

/// Tells whether a row group may have a row that is inside of all bounds. Statistics that are
/// missing or of another kind than the type say yes.
bool MayHaveRows(const parquet::RowGroupMetaData& group, const std::vector<RawBounds>& bounds,
                 const arrow::Schema& in_file);

}  // namespace viand::engine
