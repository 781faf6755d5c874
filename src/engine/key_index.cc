#include "src/engine/key_index.h"

#include <algorithm>
#include <limits>
#include <string>

namespace viand::engine {
namespace {

// Codes start at -2 (KeyColumn): shifted to be unsigned.
uint64_t Pair(int32_t left, int32_t right) {
  return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
}

arrow::Status CheckLengths(const std::vector<std::shared_ptr<arrow::Array>>& columns,
                           int64_t rows) {
  for (const auto& column : columns) {
    if (column->length() != rows) {
      return arrow::Status::Invalid("a key column of ", column->length(), " rows, expected ", rows);
    }
  }
  return arrow::Status::OK();
}

}  // namespace

void KeyIndex::UseCodes(PoolVector<int32_t> codes) {
  for (size_t row = 0; row < codes.size(); ++row) {
    if (codes[row] == static_cast<int32_t>(first_rows_.size()))
      first_rows_.push_back(static_cast<int64_t>(row));
  }
  codes_are_groups_ = true;
  groups_ = std::move(codes);
}

arrow::Result<KeyIndex> KeyIndex::Make(const std::vector<std::shared_ptr<arrow::Array>>& columns,
                                       int64_t rows, const KeyIndexOptions& options) {
  VIAND_RETURN_NOT_OK(CheckLengths(columns, rows));
  if (rows > std::numeric_limits<int32_t>::max() - 1) {
    return MakeError(ErrorKind::kInput,
                     "a partition of " + std::to_string(rows) + " rows is too large",
                     "at most 2^31 - 2 rows fit one: use more partitions");
  }
  KeyIndex index;
  index.options_ = options;
  PoolVector<int32_t> codes(rows, 0);
  for (size_t i = 0; i < columns.size(); ++i) {
    PoolVector<int32_t> next;
    VIAND_ASSIGN_OR_RETURN(KeyColumn column, KeyColumn::Make(columns[i], options.floats, &next));
    index.columns_.push_back(std::move(column));
    if (i == 0) {
      codes = std::move(next);
      continue;
    }
    WordTable& pairs = index.pairs_.emplace_back();
    for (int64_t row = 0; row < rows; ++row) {
      const bool drop = !options.null_is_value && (codes[row] < 0 || next[row] < 0);
      codes[row] = drop ? KeyColumn::kNullCode : pairs.Insert(Pair(codes[row], next[row]));
    }
  }
  if (columns.size() == 1 && columns[0]->null_count() == 0 &&
      columns[0]->type_id() != arrow::Type::DICTIONARY) {
    index.UseCodes(std::move(codes));
    return index;
  }
  // One column's null has the code -1: number it as a group where it is a value.
  const int64_t null_code = -1;
  int32_t most = -1;
  for (const int32_t code : codes) most = std::max(most, code);
  index.renumber_.assign(most + 2, kNoGroup);
  index.groups_.resize(rows);
  for (int64_t row = 0; row < rows; ++row) {
    if (codes[row] == null_code && !options.null_is_value) {
      index.groups_[row] = kNoGroup;
      continue;
    }
    int32_t& group = index.renumber_[codes[row] + 1];
    if (group == kNoGroup) {
      group = static_cast<int32_t>(index.first_rows_.size());
      index.first_rows_.push_back(row);
    }
    index.groups_[row] = group;
  }
  return index;
}

arrow::Result<PoolVector<int32_t>> KeyIndex::Find(
    const std::vector<std::shared_ptr<arrow::Array>>& columns, int64_t rows) const {
  VIAND_RETURN_NOT_OK(CheckLengths(columns, rows));
  if (columns.size() != columns_.size()) {
    return arrow::Status::Invalid(columns.size(), " key columns, expected ", columns_.size());
  }
  PoolVector<int32_t> codes(rows, 0);
  for (size_t i = 0; i < columns.size(); ++i) {
    VIAND_ASSIGN_OR_RETURN(PoolVector<int32_t> next, columns_[i].Find(columns[i]));
    if (i == 0) {
      codes = std::move(next);
      continue;
    }
    for (int64_t row = 0; row < rows; ++row) {
      if (codes[row] == KeyColumn::kNotFound) continue;
      const bool drop = next[row] == KeyColumn::kNotFound ||
                        (!options_.null_is_value && (codes[row] < 0 || next[row] < 0));
      const int32_t code = drop ? -1 : pairs_[i - 1].Find(Pair(codes[row], next[row]));
      codes[row] = code >= 0 ? code : KeyColumn::kNotFound;
    }
  }
  if (codes_are_groups_) {
    for (int32_t& code : codes) code = std::max(code, kNoGroup);
    return codes;
  }
  for (int32_t& code : codes) {
    const bool none = code == KeyColumn::kNotFound ||
                      (code == KeyColumn::kNullCode && !options_.null_is_value) ||
                      code + 1 >= static_cast<int64_t>(renumber_.size());
    code = none ? kNoGroup : renumber_[code + 1];
  }
  return codes;
}

}  // namespace viand::engine
