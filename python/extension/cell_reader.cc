#include "python/extension/cell_reader.h"

#include <cmath>

#include "python/extension/python_error.h"

namespace viand::python {
namespace {

template <typename T>
T ValueAt(const ArrowArray& array, int buffer, int64_t at) {
  return static_cast<const T*>(array.buffers[buffer])[at];
}

nb::object Text(const char* data, int64_t size) {
  return nb::steal(PyUnicode_DecodeUTF8(data, static_cast<Py_ssize_t>(size), "replace"));
}

nb::object Bytes(const char* data, int64_t size) {
  return nb::bytes(data, static_cast<size_t>(size));
}

/// A view of a text: its length, and where it does not fit into the view, a buffer and a place in
/// it.
struct TextView {
  int32_t size;
  char start[4];
  int32_t buffer, offset;
};

double HalfFloat(uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int mantissa = bits & 1023;
  const double sign = (bits >> 15) != 0 ? -1 : 1;
  if (exponent == 31) return mantissa != 0 ? sign * NAN : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(mantissa + 1024, exponent - 25);
}

}  // namespace

int64_t WidthOf(std::string_view format) {
  if (format.empty()) return 0;
  if (format.size() == 1) {
    switch (format[0]) {
      case 'c':
      case 'C':
        return 1;
      case 's':
      case 'S':
      case 'e':
        return 2;
      case 'i':
      case 'I':
      case 'f':
        return 4;
      case 'l':
      case 'L':
      case 'g':
        return 8;
      default:
        return 0;
    }
  }
  if (format[0] != 't' || format.starts_with("ti")) return 0;
  return format == "tdD" || format == "tts" || format == "ttm" ? 4 : 8;
}

bool IsObjectTime(std::string_view format) {
  return format.starts_with("td") || format.starts_with("tt");
}

CellReader::CellReader(const ArrowSchema& schema)
    : format_(schema.format), width_(WidthOf(schema.format)) {
  for (int64_t i = 0; i < schema.n_children; ++i) {
    names_.emplace_back(schema.children[i]->name != nullptr ? schema.children[i]->name : "");
    children_.emplace_back(*schema.children[i]);
  }
  if (schema.dictionary != nullptr) dictionary_.emplace_back(*schema.dictionary);
  if (format_[0] == 't' || format_[0] == 'd') times_ = nb::module_::import_("viand._cells");
}

nb::object CellReader::Read(const ArrowArray& array, int64_t row) const {
  if (format_ == "n") return nb::none();
  const int64_t at = row + array.offset;
  const bool is_union = format_.starts_with("+u");
  const auto* bits =
      array.n_buffers > 0 && !is_union ? static_cast<const uint8_t*>(array.buffers[0]) : nullptr;
  if (bits != nullptr && !BitAt(bits, at)) return nb::none();
  return ReadValid(array, at);
}

nb::object CellReader::ReadValid(const ArrowArray& array, int64_t at) const {
  if (array.dictionary != nullptr) {
    // Codes are never negative, so that their sign does not matter.
    const int64_t code = width_ == 1   ? ValueAt<uint8_t>(array, 1, at)
                         : width_ == 2 ? ValueAt<uint16_t>(array, 1, at)
                         : width_ == 4 ? ValueAt<uint32_t>(array, 1, at)
                                       : ValueAt<int64_t>(array, 1, at);
    return dictionary_[0].Read(*array.dictionary, code);
  }
  switch (format_[0]) {
    case 'b':
      return nb::bool_(BitAt(static_cast<const uint8_t*>(array.buffers[1]), at));
    case 'c':
      return nb::int_(ValueAt<int8_t>(array, 1, at));
    case 'C':
      return nb::int_(ValueAt<uint8_t>(array, 1, at));
    case 's':
      return nb::int_(ValueAt<int16_t>(array, 1, at));
    case 'S':
      return nb::int_(ValueAt<uint16_t>(array, 1, at));
    case 'i':
      return nb::int_(ValueAt<int32_t>(array, 1, at));
    case 'I':
      return nb::int_(ValueAt<uint32_t>(array, 1, at));
    case 'l':
      return nb::int_(ValueAt<int64_t>(array, 1, at));
    case 'L':
      return nb::int_(ValueAt<uint64_t>(array, 1, at));
    case 'e':
      return nb::float_(HalfFloat(ValueAt<uint16_t>(array, 1, at)));
    case 'f':
      return nb::float_(ValueAt<float>(array, 1, at));
    case 'g':
      return nb::float_(ValueAt<double>(array, 1, at));
    case 't':
      return ReadTime(width_ == 4 ? ValueAt<int32_t>(array, 1, at)
                                  : ValueAt<int64_t>(array, 1, at));
    case 'd':
      return ReadDecimal(array, at);
    case '+':
      return ReadNested(array, at);
    default:
      return ReadText(array, at);
  }
}

nb::object CellReader::ReadText(const ArrowArray& array, int64_t at) const {
  const bool is_text = format_.back() == 'u' || format_.back() == 'U';
  const char* data = nullptr;
  int64_t size = 0;
  if (format_[0] == 'v') {
    const auto* view = static_cast<const TextView*>(array.buffers[1]) + at;
    size = view->size;
    data = size <= 12 ? view->start
                      : static_cast<const char*>(array.buffers[2 + view->buffer]) + view->offset;
  } else if (format_[0] == 'w') {
    size = std::stoll(format_.substr(2));
    data = static_cast<const char*>(array.buffers[1]) + at * size;
  } else {
    const bool large = format_[0] == 'U' || format_[0] == 'Z';
    const int64_t begin = large ? ValueAt<int64_t>(array, 1, at) : ValueAt<int32_t>(array, 1, at);
    size =
        (large ? ValueAt<int64_t>(array, 1, at + 1) : ValueAt<int32_t>(array, 1, at + 1)) - begin;
    data = static_cast<const char*>(array.buffers[2]) + begin;
  }
  return is_text && format_[0] != 'w' ? Text(data, size) : Bytes(data, size);
}

nb::object CellReader::ReadTime(int64_t value) const {
  const auto text = [](std::string_view part) { return nb::str(part.data(), part.size()); };
  const std::string_view format = format_;
  if (format == "tdD") return times_.attr("date")(value, "D");
  if (format == "tdm") return times_.attr("date")(value, "ms");
  const std::string_view unit = format.substr(2, 1);
  if (format.starts_with("tt")) return times_.attr("time")(value, text(unit));
  if (format.starts_with("tD")) return times_.attr("duration")(value, text(unit));
  if (format.starts_with("ts"))
    return times_.attr("timestamp")(value, text(unit), text(format.substr(4)));
  RaiseInput("intervals have no Python object", "cast them to a duration");
}

nb::object CellReader::ReadDecimal(const ArrowArray& array, int64_t at) const {
  // d:precision,scale[,bits]
  const size_t comma = format_.find(',');
  const size_t second = format_.find(',', comma + 1);
  const int scale = std::stoi(format_.substr(comma + 1));
  const int64_t bytes =
      second == std::string::npos ? 16 : std::stoi(format_.substr(second + 1)) / 8;
  return times_.attr("decimal")(
      nb::bytes(static_cast<const char*>(array.buffers[1]) + at * bytes, bytes), scale);
}

nb::list CellReader::ReadList(const ArrowArray& values, int64_t begin, int64_t end) const {
  nb::list list;
  for (int64_t i = begin; i < end; ++i) list.append(children_[0].Read(values, i));
  return list;
}

nb::object CellReader::ReadNested(const ArrowArray& array, int64_t at) const {
  if (format_ == "+s") {
    nb::dict fields;
    for (size_t i = 0; i < children_.size(); ++i)
      fields[nb::str(names_[i].c_str())] = children_[i].Read(*array.children[i], at);
    return fields;
  }
  if (format_.starts_with("+w:")) {
    const int64_t size = std::stoll(format_.substr(3));
    return ReadList(*array.children[0], at * size, (at + 1) * size);
  }
  if (format_ == "+L")
    return ReadList(*array.children[0], ValueAt<int64_t>(array, 1, at),
                    ValueAt<int64_t>(array, 1, at + 1));
  if (format_ != "+l" && format_ != "+m")
    RaiseInput("columns of the type " + format_ + " have no Python object", "install pyarrow");
  const nb::list list = ReadList(*array.children[0], ValueAt<int32_t>(array, 1, at),
                                 ValueAt<int32_t>(array, 1, at + 1));
  if (format_ == "+l") return list;
  nb::list pairs;
  for (const nb::handle pair : list) {
    const nb::list values = nb::steal<nb::list>(PyDict_Values(pair.ptr()));
    pairs.append(nb::make_tuple(values[0], values[1]));
  }
  return pairs;
}

}  // namespace viand::python
