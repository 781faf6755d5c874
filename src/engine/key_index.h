// Keys of any number of columns and any type to dense groups, by exact equality: a hash never
// decides. Columns are coded one by one, then pairs of codes; both exactly. Finding is thread-safe.
//
//   VIAND_ASSIGN_OR_RETURN(KeyIndex index, KeyIndex::Make(features.keys, rows, {}));
//   VIAND_ASSIGN_OR_RETURN(PoolVector<int32_t> group, index.Find(spine.keys, spine_rows));
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "src/engine/key_column.h"

namespace viand::engine {

struct KeyIndexOptions {
  bool null_is_value = false;  ///< as in GROUP BY; else a null makes no group
  bool floats = false;         ///< let floats in; join keys refuse them
};

class KeyIndex {
 public:
  static constexpr int32_t kNoGroup = -1;

  /// Groups `rows` rows. Without columns all rows are of one group. At most 2^31 - 2 rows.
  static arrow::Result<KeyIndex> Make(const std::vector<std::shared_ptr<arrow::Array>>& columns,
                                      int64_t rows, const KeyIndexOptions& options);

  /// The group of each row, numbered by first appearance; kNoGroup where a key is null.
  const PoolVector<int32_t>& groups() const { return groups_; }
  /// The first row of each group.
  const PoolVector<int64_t>& first_rows() const { return first_rows_; }
  int64_t size() const { return static_cast<int64_t>(first_rows_.size()); }

  /// Returns the groups of other keys, kNoGroup for those that are null or unknown. kInput, naming
  /// both types, where columns cannot be compared.
  arrow::Result<PoolVector<int32_t>> Find(const std::vector<std::shared_ptr<arrow::Array>>& columns,
                                          int64_t rows) const;

 private:
  /// One column without nulls: its codes are groups by first appearance as they are.
  void UseCodes(PoolVector<int32_t> codes);

  KeyIndexOptions options_;
  std::vector<KeyColumn> columns_;
  std::vector<WordTable> pairs_;  // pairs_[i]: (code of columns 0..i, code of column i + 1)
  bool codes_are_groups_ = false;
  PoolVector<int32_t> renumber_;  // last code -> group; empty where codes are groups
  PoolVector<int32_t> groups_;
  PoolVector<int64_t> first_rows_;
};

}  // namespace viand::engine
