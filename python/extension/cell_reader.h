// One cell of an Arrow column as a Python object. Needs the GIL.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "viand/table.h"

namespace viand::python {

namespace nb = nanobind;

inline bool BitAt(const uint8_t* bits, int64_t index) {
  return (bits[index / 8] >> (index % 8) & 1) != 0;
}

/// Bytes of a value of a fixed-width number, date or time; 0 for every other type.
int64_t WidthOf(std::string_view format);

/// Dates, and times of day: of fixed width, and objects in Python.
bool IsObjectTime(std::string_view format);

/// Numbers, texts, bytes, times (datetime and its like), decimals, lists, structs (dict), maps
/// (list of pairs), dictionaries. Null is None.
class CellReader {
 public:
  explicit CellReader(const ArrowSchema& schema);

  nb::object Read(const ArrowArray& array, int64_t row) const;

 private:
  nb::object ReadValid(const ArrowArray& array, int64_t at) const;
  nb::object ReadText(const ArrowArray& array, int64_t at) const;
  nb::object ReadTime(int64_t value) const;
  nb::object ReadNested(const ArrowArray& array, int64_t at) const;
  nb::object ReadDecimal(const ArrowArray& array, int64_t at) const;
  nb::list ReadList(const ArrowArray& values, int64_t begin, int64_t end) const;

  const std::string format_;
  const int64_t width_;
  std::vector<std::string> names_;    ///< of a struct's fields
  std::vector<CellReader> children_;  ///< of a nested type
  std::vector<CellReader> dictionary_;
  nb::object times_;  ///< viand._cells
};

}  // namespace viand::python
