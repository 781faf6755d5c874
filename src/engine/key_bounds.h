// Which keys a plan asks for, as far as statistics of row groups can tell: the least and the
// greatest of each key column, and where they are few, each of them.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "src/engine/open_scan.h"

namespace arrow {
class Array;
class ChunkedArray;
class DataType;
struct Scalar;
namespace compute {
class Expression;
}
}  // namespace arrow

namespace viand::engine {

struct KeyBound {
  std::string column;                  ///< of the scan
  std::shared_ptr<arrow::Scalar> min;  ///< null with `max`: no key but null, which matches nothing
  std::shared_ptr<arrow::Scalar> max;
  std::shared_ptr<arrow::Array> values;  ///< all of them where they are few; else null
};

/// The keys that a scan's column is compared with.
struct KeySample {
  int64_t rows = 0;
  std::shared_ptr<arrow::ChunkedArray> values;  ///< all, or some with the least and the greatest
  bool is_whole = true;
};

/// Adds rows of keys of which only the least and the greatest are kept; of no type that has bounds
/// nothing is.
arrow::Status AddEnds(const std::shared_ptr<arrow::Array>& keys, KeySample* sample);

/// Finds the bound of the keys that a scan's column is compared with; nothing where the type has
/// none that statistics could use, or where finding it costs more than it can save: many keys, and
/// no two row groups of the scan that hold different ranges of them.
std::optional<KeyBound> KeyBoundOf(const KeySample& keys, const OpenedScan& scan,
                                   const std::string& column);

/// Returns a predicate that every row of the bound passes, over a column of `type` named `name`; a
/// literal true where types do not compare by value here.
arrow::compute::Expression KeyFilter(const KeyBound& bound, const std::string& name,
                                     const std::shared_ptr<arrow::DataType>& type);

}  // namespace viand::engine
