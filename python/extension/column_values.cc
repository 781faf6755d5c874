#include "python/extension/column_values.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>
#include <variant>

#include "python/extension/cell_reader.h"
#include "python/extension/rows.h"

namespace viand::python {
namespace {

/// Bytes of an array, or bytes of our own, as Python's buffer protocol gives them away.
class Memory {
 public:
  Memory(SharedArray of, const void* data, int64_t bytes)
      : of_(std::move(of)), data_(data), bytes_(bytes) {}
  explicit Memory(std::vector<uint8_t> own)
      : own_(std::move(own)), data_(own_.data()), bytes_(static_cast<int64_t>(own_.size())) {}

  static int GetBuffer(PyObject* self, Py_buffer* view, int flags) {
    const auto* memory = nb::inst_ptr<Memory>(self);
    return PyBuffer_FillInfo(view, self, const_cast<void*>(memory->data_), memory->bytes_,
                             /*readonly=*/1, flags);
  }

  uintptr_t address() const { return reinterpret_cast<uintptr_t>(data_); }
  int64_t size() const { return bytes_; }

 private:
  SharedArray of_;
  std::vector<uint8_t> own_;
  const void* data_ = nullptr;
  int64_t bytes_ = 0;
};

bool IsValid(const ArrowArray& array, int64_t row) {
  const auto* bits = array.n_buffers > 0 ? static_cast<const uint8_t*>(array.buffers[0]) : nullptr;
  return bits == nullptr || BitAt(bits, row + array.offset);
}

nb::object NullsOf(const ArrowArray& array) {
  if (array.buffers[0] == nullptr || array.null_count == 0) return nb::none();
  std::vector<uint8_t> nulls(array.length);
  uint8_t any = 0;
  for (int64_t row = 0; row < array.length; ++row) any |= nulls[row] = IsValid(array, row) ? 0 : 1;
  return any != 0 ? nb::cast(Memory(std::move(nulls))) : nb::none();
}

nb::object ValuesOf(const SharedArray& array, int64_t width) {
  const auto* data = static_cast<const uint8_t*>(array->buffers[1]);
  return nb::cast(Memory(array, data == nullptr ? nullptr : data + array->offset * width,
                         array->length * width));
}

nb::object BooleansOf(const ArrowArray& array) {
  std::vector<uint8_t> bytes(array.length);
  const auto* bits = static_cast<const uint8_t*>(array.buffers[1]);
  for (int64_t row = 0; row < array.length; ++row)
    bytes[row] = BitAt(bits, row + array.offset) ? 1 : 0;
  return nb::cast(Memory(std::move(bytes)));
}

nb::list ObjectsOf(const ArrowSchema& schema, const ArrowArray& array, int64_t begin, int64_t end) {
  nb::list objects;
  const CellReader cells(schema);
  for (int64_t row = begin; row < end; ++row) objects.append(cells.Read(array, row));
  return objects;
}

nb::tuple PartOf(const ArrowSchema& schema, const SharedArray& array) {
  const std::string_view format = schema.format;
  if (array->dictionary != nullptr) {
    return nb::make_tuple(
        ValuesOf(array, WidthOf(format)), NullsOf(*array),
        ObjectsOf(*schema.dictionary, *array->dictionary, 0, array->dictionary->length));
  }
  if (format == "b") return nb::make_tuple(BooleansOf(*array), NullsOf(*array), nb::none());
  if (const int64_t width = WidthOf(format); width > 0 && !IsObjectTime(format))
    return nb::make_tuple(ValuesOf(array, width), NullsOf(*array), nb::none());
  return nb::make_tuple(ObjectsOf(schema, *array, 0, array->length), nb::none(), nb::none());
}

/// The least and the greatest of the values that are there, by one comparison; rows of them.
struct Extremes {
  const ArrowArray *least_in = nullptr, *greatest_in = nullptr;
  int64_t least = 0, greatest = 0;
};

template <typename T>
void AddExtremes(const ArrowArray& array, std::optional<T>* least, std::optional<T>* greatest,
                 Extremes* at) {
  const auto* values = static_cast<const T*>(array.buffers[1]);
  for (int64_t row = 0; row < array.length; ++row) {
    if (!IsValid(array, row)) continue;
    const T value = values[row + array.offset];
    if constexpr (std::is_floating_point_v<T>) {
      if (value != value) continue;
    }
    if (!*least || value < **least) *least = value, at->least_in = &array, at->least = row;
    if (!*greatest || value > **greatest)
      *greatest = value, at->greatest_in = &array, at->greatest = row;
  }
}

template <typename T>
Extremes FindExtremes(const std::vector<SharedArray>& arrays) {
  Extremes at;
  std::optional<T> least, greatest;
  for (const SharedArray& array : arrays) AddExtremes<T>(*array, &least, &greatest, &at);
  return at;
}

Extremes ExtremesOf(std::string_view format, const std::vector<SharedArray>& arrays) {
  if (format == "g") return FindExtremes<double>(arrays);
  if (format == "f") return FindExtremes<float>(arrays);
  if (format == "L") return FindExtremes<uint64_t>(arrays);
  if (format == "I") return FindExtremes<uint32_t>(arrays);
  if (format == "S") return FindExtremes<uint16_t>(arrays);
  if (format == "C") return FindExtremes<uint8_t>(arrays);
  if (format == "e") return {};
  switch (WidthOf(format)) {
    case 8:
      return FindExtremes<int64_t>(arrays);
    case 4:
      return FindExtremes<int32_t>(arrays);
    case 2:
      return FindExtremes<int16_t>(arrays);
    case 1:
      return FindExtremes<int8_t>(arrays);
    default:
      return {};
  }
}

}  // namespace

nb::list ColumnParts(const Rows& rows, int64_t column) {
  nb::list parts;
  for (const SharedArray& array : rows.Column(column))
    parts.append(PartOf(rows.column_schema(column), array));
  return parts;
}

nb::list Cells(const Rows& rows, int64_t column, int64_t begin, int64_t end) {
  nb::list cells;
  const CellReader reader(rows.column_schema(column));
  int64_t first = 0;
  for (const SharedArray& array : rows.Column(column)) {
    for (int64_t row = std::max<int64_t>(begin - first, 0);
         row < std::min(end - first, array->length); ++row)
      cells.append(reader.Read(*array, row));
    first += array->length;
  }
  return cells;
}

nb::tuple FactsOf(const Rows& rows, int64_t column) {
  const ArrowSchema& schema = rows.column_schema(column);
  const auto arrays = rows.Column(column);
  int64_t nulls = 0;
  for (const SharedArray& array : arrays) {
    if (std::string_view(schema.format) == "n") nulls += array->length;
    if (array->n_buffers == 0 || array->buffers[0] == nullptr) continue;
    for (int64_t row = 0; row < array->length; ++row) nulls += IsValid(*array, row) ? 0 : 1;
  }
  const Extremes found =
      schema.dictionary == nullptr ? ExtremesOf(schema.format, arrays) : Extremes();
  if (found.least_in == nullptr) return nb::make_tuple(nulls, nb::none(), nb::none());
  const CellReader cells(schema);
  return nb::make_tuple(nulls, cells.Read(*found.least_in, found.least),
                        cells.Read(*found.greatest_in, found.greatest));
}

void AddMemory(nb::module_& module) {
  static PyType_Slot slots[] = {{Py_bf_getbuffer, reinterpret_cast<void*>(&Memory::GetBuffer)},
                                {0, nullptr}};
  nb::class_<Memory>(module, "Memory", nb::type_slots(slots), "Bytes, for numpy.frombuffer.")
      .def_prop_ro("address", &Memory::address)
      .def("__len__", &Memory::size);
}

}  // namespace viand::python
