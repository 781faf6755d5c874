#include "python/extension/python_error.h"

namespace viand::python {

void RaiseIfFailed(const Status& status) {
  if (status.ok()) return;
  const auto text = [](const std::string& bytes) {
    return nb::steal(PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()),
                                          "backslashreplace"));
  };
  const nb::object error =
      nb::module_::import_("viand.errors")
          .attr("from_status")(static_cast<int>(status.code()), text(status.message()),
                               text(status.hint()), text(status.file()), status.line(),
                               status.column());
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.ptr())), error.ptr());
  throw nb::python_error();
}

void RaiseInput(const std::string& message, const std::string& hint) {
  RaiseIfFailed(Status(StatusCode::kInput, message, hint));
  throw nb::python_error();
}

}  // namespace viand::python
