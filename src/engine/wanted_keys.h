// The keys that a lookup asks for, where they are few: rows of others need not be dealt out. A key
// is told by its hash alone, so some rows of others are kept: whoever takes them compares keys.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "src/common/error.h"

namespace arrow {
class Array;
class Table;
}  // namespace arrow

namespace viand::engine {

/// Thread-safe once it is made.
class WantedKeys {
 public:
  /// The keys of tables with one column a key. kInput where one has another number of columns.
  static arrow::Result<WantedKeys> Of(const std::vector<std::shared_ptr<arrow::Table>>& tables,
                                      size_t key_count);

  /// Sets keep[i] to 0 where row i certainly has another key.
  void ClearOthers(const std::vector<std::shared_ptr<arrow::Array>>& keys,
                   std::vector<uint8_t>* keep) const;

 private:
  explicit WantedKeys(int64_t rows);

  std::vector<uint64_t> bits_;  // by the last bits of a hash
  uint64_t mask_ = 0;
};

}  // namespace viand::engine
