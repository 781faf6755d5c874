#include "python/extension/column_maker.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "python/extension/borrowed_memory.h"
#include "python/extension/capsule.h"
#include "python/extension/cell_reader.h"
#include "python/extension/python_error.h"
#include "python/extension/rows.h"
#include "python/extension/shared_array.h"
#include "python/extension/type_name.h"

namespace viand::python {
namespace {

using Bits = std::vector<uint8_t>;

struct Column {
  SharedSchema schema;
  SharedArray array;
};

/// What an array is made of.
struct Parts {
  std::shared_ptr<const BorrowedMemory> values;
  Bits valid;
  std::vector<uint8_t> bytes;
  std::vector<int64_t> offsets;
  std::vector<int32_t> short_offsets;
  std::vector<const void*> buffers;
  std::unique_ptr<ArrowArray> dictionary;
};

void ReleaseParts(ArrowArray* array) {
  const std::unique_ptr<Parts> parts(static_cast<Parts*>(array->private_data));
  if (parts->dictionary != nullptr && parts->dictionary->release != nullptr)
    parts->dictionary->release(parts->dictionary.get());
  array->release = nullptr;
}

SharedSchema MakeSchema(const std::string& name, const std::string& format,
                        const ArrowSchema* words = nullptr, bool ordered = false) {
  ArrowSchema plain = {.format = format.c_str(),
                       .name = name.c_str(),
                       .flags = ARROW_FLAG_NULLABLE | (ordered ? ARROW_FLAG_DICTIONARY_ORDERED : 0),
                       .dictionary = const_cast<ArrowSchema*>(words)};
  ArrowSchema schema;
  Export(plain, &schema);
  return Share(&schema);
}

/// `data` are the buffers behind that of validity.
Column MakeColumn(SharedSchema schema, std::unique_ptr<Parts> parts, int64_t length,
                  std::vector<const void*> data) {
  int64_t nulls = 0;
  for (int64_t row = 0; row < length && !parts->valid.empty(); ++row)
    nulls += BitAt(parts->valid.data(), row) ? 0 : 1;
  parts->buffers = {parts->valid.empty() ? nullptr : parts->valid.data()};
  parts->buffers.insert(parts->buffers.end(), data.begin(), data.end());
  ArrowArray array = {.length = length,
                      .null_count = nulls,
                      .n_buffers = static_cast<int64_t>(parts->buffers.size()),
                      .buffers = parts->buffers.data(),
                      .dictionary = parts->dictionary.get(),
                      .release = &ReleaseParts};
  array.private_data = parts.release();
  return {std::move(schema), Share(&array)};
}

void SetBit(Bits* bits, int64_t row) { (*bits)[row / 8] |= static_cast<uint8_t>(1 << (row % 8)); }

/// Bits of the rows that are there, by `is_missing(row)`; empty where all are.
template <typename IsMissing>
Bits ValidBits(int64_t rows, IsMissing is_missing) {
  int64_t first = 0;
  while (first < rows && !is_missing(first)) ++first;
  if (first == rows) return {};
  Bits bits((rows + 7) / 8, 0);
  for (int64_t row = 0; row < rows; ++row)
    if (!is_missing(row)) SetBit(&bits, row);
  return bits;
}

Bits ValidBits(nb::handle missing, const std::string& format, const void* values, int64_t rows) {
  if (missing.is_none()) return {};
  if (!nb::isinstance<nb::str>(missing)) {
    const BorrowedMemory mask(missing);
    if (mask.bytes() < rows) RaiseInput("a mask is shorter than its column");
    const auto* bytes = static_cast<const uint8_t*>(mask.data());
    return ValidBits(rows, [&](int64_t row) { return bytes[row] != 0; });
  }
  if (format == "g") {
    const auto* numbers = static_cast<const double*>(values);
    return ValidBits(rows, [&](int64_t row) { return numbers[row] != numbers[row]; });
  }
  if (format == "f") {
    const auto* numbers = static_cast<const float*>(values);
    return ValidBits(rows, [&](int64_t row) { return numbers[row] != numbers[row]; });
  }
  if (WidthOf(format) != 8) return {};
  // numpy's NaT
  const auto* times = static_cast<const int64_t*>(values);
  return ValidBits(rows,
                   [&](int64_t row) { return times[row] == std::numeric_limits<int64_t>::min(); });
}

Column ColumnOfValues(const std::string& name, const std::string& format, nb::object values,
                      int64_t length, nb::object missing) {
  auto parts = std::make_unique<Parts>();
  parts->values = std::make_shared<const BorrowedMemory>(values);
  if (parts->values->bytes() < length * WidthOf(format))
    RaiseInput("column \"" + name + "\" has less memory than rows");
  const void* data = parts->values->data();
  parts->valid = ValidBits(missing, format, data, length);
  return MakeColumn(MakeSchema(name, format), std::move(parts), length, {data});
}

Column ColumnOfBooleans(const std::string& name, nb::object values, nb::object missing) {
  const BorrowedMemory bytes(values);
  auto parts = std::make_unique<Parts>();
  parts->bytes.assign((bytes.bytes() + 7) / 8, 0);
  for (int64_t row = 0; row < bytes.bytes(); ++row)
    if (static_cast<const uint8_t*>(bytes.data())[row] != 0) SetBit(&parts->bytes, row);
  parts->valid = ValidBits(missing, "b", bytes.data(), bytes.bytes());
  const void* data = parts->bytes.data();
  return MakeColumn(MakeSchema(name, "b"), std::move(parts), bytes.bytes(), {data});
}

enum class Kind { kMissing, kBoolean, kInteger, kFloat, kText, kBytes, kOther };

/// pandas' missing values are told by their types' names, without pandas.
bool IsNamedMissing(PyObject* object) {
  const nb::object name = nb::handle(reinterpret_cast<PyObject*>(Py_TYPE(object))).attr("__name__");
  const auto text = nb::cast<std::string>(name);
  return text == "NAType" || text == "NaTType";
}

Kind KindOf(PyObject* object) {
  if (object == Py_None) return Kind::kMissing;
  if (PyUnicode_Check(object) != 0) return Kind::kText;
  if (PyBool_Check(object) != 0) return Kind::kBoolean;
  if (PyLong_Check(object) != 0) return Kind::kInteger;
  if (PyFloat_Check(object) != 0) {
    const double number = PyFloat_AsDouble(object);
    return number != number ? Kind::kMissing : Kind::kFloat;
  }
  if (PyBytes_Check(object) != 0) return Kind::kBytes;
  return IsNamedMissing(object) ? Kind::kMissing : Kind::kOther;
}

const char* Named(Kind kind) {
  switch (kind) {
    case Kind::kBoolean:
      return "a bool";
    case Kind::kInteger:
      return "an int";
    case Kind::kFloat:
      return "a float";
    case Kind::kText:
      return "a str";
    case Kind::kBytes:
      return "bytes";
    default:
      return "another object";
  }
}

/// The kind of all objects of a column: integers among floats are floats.
struct ColumnKind {
  Kind kind = Kind::kMissing;
  int64_t other = -1;  ///< the first row of a kind that has no column here
};

ColumnKind FindKind(const std::string& name, const nb::list& objects) {
  ColumnKind found;
  int64_t first = 0, row = -1;
  for (const nb::handle object : objects) {
    ++row;
    const Kind kind = KindOf(object.ptr());
    if (kind == Kind::kMissing || kind == found.kind) continue;
    if (kind == Kind::kOther) return {kind, row};
    if (found.kind == Kind::kMissing) {
      found.kind = kind;
      first = row;
    } else if (found.kind == Kind::kFloat && kind == Kind::kInteger) {
      continue;
    } else if (found.kind == Kind::kInteger && kind == Kind::kFloat) {
      found.kind = kind;
    } else {
      RaiseInput("column \"" + name + "\" mixes types: row " + std::to_string(first) + " has " +
                     Named(found.kind) + ", row " + std::to_string(row) + " " + Named(kind),
                 "give it one type, as in df[\"" + name + "\"].astype(\"string\")");
    }
  }
  return found;
}

/// Texts or bytes, one behind the other.
Column ColumnOfTexts(const std::string& name, const nb::list& objects, bool is_text) {
  auto parts = std::make_unique<Parts>();
  parts->offsets.push_back(0);
  for (const nb::handle object : objects) {
    Py_ssize_t size = 0;
    const char* data = nullptr;
    char* bytes = nullptr;
    const Kind kind = KindOf(object.ptr());
    if (kind == Kind::kText) {
      data = PyUnicode_AsUTF8AndSize(object.ptr(), &size);
      if (data == nullptr) {
        PyErr_Clear();
        RaiseInput("column \"" + name + "\" row " + std::to_string(parts->offsets.size() - 1) +
                       " is no text that UTF-8 can have",
                   "a lone surrogate: df[\"" + name + "\"].str.encode(...) mends it");
      }
    } else if (kind == Kind::kBytes) {
      if (PyBytes_AsStringAndSize(object.ptr(), &bytes, &size) != 0) throw nb::python_error();
      data = bytes;
    }
    if (size > 0) parts->bytes.insert(parts->bytes.end(), data, data + size);
    parts->offsets.push_back(static_cast<int64_t>(parts->bytes.size()));
  }
  const auto rows = static_cast<int64_t>(nb::len(objects));
  parts->valid =
      ValidBits(rows, [&](int64_t row) { return KindOf(objects[row].ptr()) == Kind::kMissing; });
  const void* data = parts->bytes.data();
  if (parts->bytes.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    const void* offsets = parts->offsets.data();
    return MakeColumn(MakeSchema(name, is_text ? "U" : "Z"), std::move(parts), rows,
                      {offsets, data});
  }
  parts->short_offsets.assign(parts->offsets.begin(), parts->offsets.end());
  parts->offsets = {};
  const void* offsets = parts->short_offsets.data();
  return MakeColumn(MakeSchema(name, is_text ? "u" : "z"), std::move(parts), rows, {offsets, data});
}

int64_t IntegerOf(const std::string& name, int64_t row, PyObject* object) {
  int overflow = 0;
  const int64_t value = PyLong_AsLongLongAndOverflow(object, &overflow);
  if (overflow != 0)
    RaiseInput(
        "column \"" + name + "\" row " + std::to_string(row) + " is an integer beyond 64 bits",
        "give it as text");
  return value;
}

Column ColumnOfNumbers(const std::string& name, const nb::list& objects, Kind kind) {
  const auto rows = static_cast<int64_t>(nb::len(objects));
  auto parts = std::make_unique<Parts>();
  const bool is_boolean = kind == Kind::kBoolean;
  parts->bytes.assign(is_boolean ? (rows + 7) / 8 : rows * 8, 0);
  for (int64_t row = 0; row < rows; ++row) {
    PyObject* object = nb::handle(objects[row]).ptr();
    if (KindOf(object) == Kind::kMissing) continue;
    if (is_boolean) {
      if (object == Py_True) SetBit(&parts->bytes, row);
    } else if (kind == Kind::kInteger) {
      const int64_t value = IntegerOf(name, row, object);
      std::memcpy(parts->bytes.data() + row * 8, &value, 8);
    } else {
      const double value = PyFloat_AsDouble(object);
      if (value == -1 && PyErr_Occurred() != nullptr) throw nb::python_error();
      std::memcpy(parts->bytes.data() + row * 8, &value, 8);
    }
  }
  parts->valid = ValidBits(
      rows, [&](int64_t row) { return KindOf(nb::handle(objects[row]).ptr()) == Kind::kMissing; });
  const void* data = parts->bytes.data();
  return MakeColumn(MakeSchema(name, is_boolean               ? "b"
                                     : kind == Kind::kInteger ? "l"
                                                              : "g"),
                    std::move(parts), rows, {data});
}

nb::object ColumnOfObjects(const std::string& name, const nb::list& objects) {
  const ColumnKind found = FindKind(name, objects);
  if (found.other >= 0) return nb::int_(found.other);
  switch (found.kind) {
    case Kind::kText:
    case Kind::kBytes:
      return nb::cast(ColumnOfTexts(name, objects, found.kind == Kind::kText));
    case Kind::kMissing: {
      const auto rows = static_cast<int64_t>(nb::len(objects));
      ArrowArray array = {.length = rows, .null_count = rows, .release = [](ArrowArray* self) {
                            self->release = nullptr;
                          }};
      return nb::cast(Column{MakeSchema(name, "n"), Share(&array)});
    }
    default:
      return nb::cast(ColumnOfNumbers(name, objects, found.kind));
  }
}

Column ColumnOfCodes(const std::string& name, const Column& codes, const Column& words,
                     bool ordered) {
  auto schema = MakeSchema(name, codes.schema->format, words.schema.get(), ordered);
  ArrowArray array;
  Export(codes.array, &array);
  auto dictionary = std::make_unique<ArrowArray>();
  Export(words.array, dictionary.get());
  // A struct of its own, that keeps the codes' and has the words besides.
  auto parts = std::make_unique<Parts>();
  parts->dictionary = std::move(dictionary);
  parts->buffers.assign(array.buffers, array.buffers + array.n_buffers);
  struct Owner {
    std::unique_ptr<Parts> parts;
    SharedArray codes;
  };
  ArrowArray made = {.length = array.length,
                     .null_count = array.null_count,
                     .offset = array.offset,
                     .n_buffers = array.n_buffers,
                     .buffers = parts->buffers.data(),
                     .dictionary = parts->dictionary.get(),
                     .release = [](ArrowArray* self) {
                       const std::unique_ptr<Owner> owner(static_cast<Owner*>(self->private_data));
                       ArrowArray* held = owner->parts->dictionary.get();
                       if (held->release != nullptr) held->release(held);
                       self->release = nullptr;
                     }};
  made.private_data = new Owner{std::move(parts), Share(&array)};
  return {std::move(schema), Share(&made)};
}

Column ColumnOfArray(const std::string& name, nb::object schema_capsule, nb::object array_capsule) {
  ArrowSchema given = TakeSchema(schema_capsule);
  const SharedSchema held = Share(&given);
  ArrowArray array = TakeArray(array_capsule);
  ArrowSchema schema;
  Export(*held, &schema, name.c_str());
  return {Share(&schema), Share(&array)};
}

nb::object StreamOfColumns(const std::vector<Column>& columns, int64_t rows) {
  std::vector<SharedSchema> schemas;
  std::vector<SharedArray> arrays;
  for (const Column& column : columns) {
    if (column.array->length != rows)
      RaiseInput(std::string("column \"") + column.schema->name + "\" has " +
                 std::to_string(column.array->length) + " rows, others have " +
                 std::to_string(rows));
    schemas.push_back(column.schema);
    arrays.push_back(column.array);
  }
  ArrowSchema schema;
  ExportStruct(schemas, &schema);
  ArrowArray batch;
  ExportStruct(arrays, rows, &batch);
  ArrowArrayStream stream;
  ExportStream(Share(&schema), {Share(&batch)}, &stream);
  return StreamCapsule(&stream);
}

Column ColumnOfStream(const std::string& name, nb::object capsule) {
  const auto rows = Require(Rows::Read(TakeStream(capsule)));
  if (rows->Column(0).size() != 1) RaiseInput("column \"" + name + "\" came in several pieces");
  ArrowSchema schema;
  Export(rows->column_schema(0), &schema, name.c_str());
  return {Share(&schema), rows->Column(0)[0]};
}

nb::object StreamOfBatch(nb::object schema_capsule, nb::object array_capsule) {
  ArrowSchema schema = TakeSchema(schema_capsule);
  SharedSchema held = Share(&schema);
  if (std::string_view(held->format) != "+s")
    RaiseInput("entity_df is one column, of the type " + TypeName(*held),
               "give a table, or a batch of records");
  ArrowArray array = TakeArray(array_capsule);
  ArrowArrayStream stream;
  ExportStream(std::move(held), {Share(&array)}, &stream);
  return StreamCapsule(&stream);
}

}  // namespace

void AddColumnMaker(nb::module_& module) {
  nb::class_<Column>(module, "Column", "A column on its way into viand.")
      .def("__len__", [](const Column& column) { return column.array->length; });
  module.def("column_of_stream", &ColumnOfStream, nb::arg("name"), nb::arg("capsule"));
  module.def("stream_of_batch", &StreamOfBatch, nb::arg("schema"), nb::arg("array"));
  module.def("column_of_values", &ColumnOfValues, nb::arg("name"), nb::arg("format"),
             nb::arg("values"), nb::arg("length"), nb::arg("missing").none());
  module.def("column_of_booleans", &ColumnOfBooleans, nb::arg("name"), nb::arg("values"),
             nb::arg("missing").none());
  module.def("column_of_objects", &ColumnOfObjects, nb::arg("name"), nb::arg("objects"));
  module.def("column_of_codes", &ColumnOfCodes, nb::arg("name"), nb::arg("codes"), nb::arg("words"),
             nb::arg("ordered"));
  module.def("column_of_array", &ColumnOfArray, nb::arg("name"), nb::arg("schema"),
             nb::arg("array"));
  module.def("stream_of_columns", &StreamOfColumns, nb::arg("columns"), nb::arg("rows"));
}

}  // namespace viand::python
