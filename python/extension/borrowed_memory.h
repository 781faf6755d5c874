// Somebody's memory, by Python's buffer protocol.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>

namespace viand::python {

namespace nb = nanobind;

/// Made under the GIL; given back under it, from whatever thread.
class BorrowedMemory {
 public:
  explicit BorrowedMemory(nb::handle of) {
    if (PyObject_GetBuffer(of.ptr(), &view_, PyBUF_C_CONTIGUOUS) != 0) throw nb::python_error();
  }
  ~BorrowedMemory() {
    if (Py_IsInitialized() == 0) return;
    const PyGILState_STATE state = PyGILState_Ensure();
    PyBuffer_Release(&view_);
    PyGILState_Release(state);
  }
  BorrowedMemory(const BorrowedMemory&) = delete;
  BorrowedMemory& operator=(const BorrowedMemory&) = delete;

  const void* data() const { return view_.buf; }
  int64_t bytes() const { return view_.len; }

 private:
  Py_buffer view_ = {};
};

}  // namespace viand::python
