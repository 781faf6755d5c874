// One column of a key: values of its type to dense codes, by exact value. Values of other types of
// the same class (integers of any width, times of any unit, text of any layout) find the code of
// the equal value. Finding is thread-safe.
#pragma once

#include <arrow/array.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/common/error.h"
#include "src/engine/exact_words.h"
#include "src/engine/key_table.h"

namespace viand::engine {

enum class KeyClass {
  kNull,
  kBoolean,
  kInteger,
  kDecimal,
  kTime,
  kTimeOfDay,
  kDuration,
  kText,
  kBytes,
  kFloat
};

/// Returns the class of a type; kInput for floats, unless `floats`, and for nested types.
arrow::Result<KeyClass> KeyClassOf(const arrow::DataType& type, bool floats);

class KeyColumn {
 public:
  static constexpr int32_t kNullCode = -1;
  static constexpr int32_t kNotFound = -2;

  /// Codes the values of `array`, filling `codes`: kNullCode for null. `floats` lets floats in: NaN
  /// equals NaN and -0.0 equals 0.0.
  static arrow::Result<KeyColumn> Make(const std::shared_ptr<arrow::Array>& array, bool floats,
                                       PoolVector<int32_t>* codes);

  /// Looks up the values of another array. Types that cannot be compared are kInput, naming both.
  arrow::Result<PoolVector<int32_t>> Find(const std::shared_ptr<arrow::Array>& array) const;

  int64_t size() const { return words_.size() + strings_.size(); }

 private:
  static arrow::Result<KeyColumn> MakeEncoded(const arrow::DictionaryArray& array, bool floats,
                                              PoolVector<int32_t>* codes);
  PoolVector<int32_t> FindWords(const arrow::Array& array, const Words& words) const;
  PoolVector<int32_t> FindDecimals(const std::shared_ptr<arrow::Array>& array, KeyClass type) const;

  KeyClass class_ = KeyClass::kNull;
  std::shared_ptr<arrow::Array> array_;  // owns the strings' bytes
  std::vector<std::string> decimals_;    // or these do
  WordTable words_;
  BytesTable strings_;
};

}  // namespace viand::engine
