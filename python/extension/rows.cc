#include "python/extension/rows.h"

#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>

#include <string>
#include <utility>

#include "python/extension/capsule.h"
#include "python/extension/column_values.h"
#include "python/extension/python_error.h"
#include "python/extension/type_name.h"

namespace viand::python {
namespace {

nb::object StreamOf(const Rows& rows, const nb::object&) {
  ArrowArrayStream stream;
  rows.Stream().Release(&stream);
  return StreamCapsule(&stream);
}

nb::object SchemaOf(const Rows& rows) {
  ArrowSchema schema;
  Export(*rows.schema(), &schema);
  return SchemaCapsule(&schema);
}

/// [(name, type, the type as Arrow's C interface has it)]
nb::list FieldsOf(const Rows& rows) {
  nb::list fields;
  for (int64_t i = 0; i < rows.columns(); ++i) {
    const ArrowSchema& schema = rows.column_schema(i);
    fields.append(nb::make_tuple(schema.name, TypeName(schema), schema.format));
  }
  return fields;
}

}  // namespace

Rows::Rows(SharedSchema schema, std::vector<SharedArray> batches)
    : schema_(std::move(schema)), batches_(std::move(batches)) {
  for (const SharedArray& batch : batches_) length_ += batch->length;
}

Result<std::shared_ptr<Rows>> Rows::Read(Table table) {
  ArrowSchema schema = {};
  if (Status read = table.GetSchema(&schema); !read.ok()) return read;
  std::vector<SharedArray> batches;
  SharedSchema shared = Share(&schema);
  while (true) {
    ArrowArray batch = {};
    if (Status read = table.Next(&batch); !read.ok()) return read;
    if (batch.release == nullptr) break;
    batches.push_back(Share(&batch));
  }
  return std::make_shared<Rows>(std::move(shared), std::move(batches));
}

std::vector<SharedArray> Rows::Column(int64_t column) const {
  std::vector<SharedArray> arrays;
  for (const SharedArray& batch : batches_) arrays.push_back(ChildOf(batch, column));
  return arrays;
}

Table Rows::Stream() const {
  ArrowArrayStream stream;
  ExportStream(schema_, batches_, &stream);
  return Table(&stream);
}

void AddRows(nb::module_& module) {
  module.def(
      "read_stream", [](nb::handle capsule) { return Require(Rows::Read(TakeStream(capsule))); },
      nb::arg("capsule"), "Reads a stream to its end.");
  nb::class_<Rows>(module, "Rows", "A table in memory; given away without a copy.")
      .def("__len__", &Rows::length)
      .def("__arrow_c_stream__", &StreamOf, nb::arg("requested_schema") = nb::none())
      .def("__arrow_c_schema__", &SchemaOf)
      .def("fields", &FieldsOf, "Returns [(name, type, format)].")
      .def("column", &ColumnParts, nb::arg("index"),
           "Returns the column's parts, as column_values.h has them.")
      .def("cells", &Cells, nb::arg("index"), nb::arg("begin"), nb::arg("end"),
           "Returns rows [begin, end) of a column as Python's objects.")
      .def("facts", &FactsOf, nb::arg("index"),
           "Returns (nulls, least, greatest) of a column; None where it has no order.");
}

}  // namespace viand::python
