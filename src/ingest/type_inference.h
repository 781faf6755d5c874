// The types of columns that nobody declared, found over whole files: integral numbers make bigint,
// numbers double, booleans boolean, dates timestamp; number and text, or any other mix, make
// varchar. Nulls and empty texts say nothing; a column of nothing else is varchar. CSV text counts
// as what it parses as, but an integer with a leading zero is text (an article number must not lose
// it).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "src/ingest/cell_table.h"

namespace arrow {
class DataType;
}

namespace viand::ingest {

/// What was seen in one column. Merging is a union, so order does not matter.
class TypeSummary {
 public:
  /// `text_may_be_time`: of JSON, which has no other way to write one.
  void Add(const RawCell& cell, bool text_may_be_time);
  void Merge(const TypeSummary& other) { seen_ |= other.seen_; }
  std::shared_ptr<arrow::DataType> Type() const;

 private:
  uint32_t seen_ = 0;
};

}  // namespace viand::ingest
