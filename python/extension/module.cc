// viand._viand: what the package's Python files call. Only the public API and Python's and Arrow's
// C interfaces are included here.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include "viand/feature_store.h"

namespace nb = nanobind;

NB_MODULE(_viand, module) {
  module.def("version", &viand::Version, "Returns the version of the library.");
}
