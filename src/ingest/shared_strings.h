// The shared strings of a workbook: one block of memory and an offset each. Thread-safe once made.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/common/error.h"

namespace viand::ingest {

class SharedStrings {
 public:
  SharedStrings() = default;

  /// Reads sharedStrings.xml. Rich text is joined, phonetic text left out. The texts are unescaped
  /// in place, for they only shrink: the table takes no more memory than the part. `part` is for
  /// errors.
  static arrow::Result<SharedStrings> Parse(const std::string& part, std::string xml);

  int64_t size() const { return static_cast<int64_t>(offsets_.size()) - 1; }
  /// Returns string `index`, 0 <= index < size().
  std::string_view operator[](int64_t index) const {
    return std::string_view(bytes_.data() + offsets_[index], offsets_[index + 1] - offsets_[index]);
  }

 private:
  std::string bytes_;
  std::vector<uint32_t> offsets_ = {0};
};

}  // namespace viand::ingest
