// viand._viand: what the package's Python files call. Of viand only the public API is included
// here, of Arrow and Python their C interfaces.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include "python/extension/capsule.h"
#include "python/extension/column_maker.h"
#include "python/extension/column_values.h"
#include "python/extension/fragment.h"
#include "python/extension/python_error.h"
#include "python/extension/rows.h"
#include "python/extension/store.h"
#include "viand/feature_store.h"

namespace nb = nanobind;

NB_MODULE(_viand, module) {
  // Python drops modules in no order at its end, so that what is left then says nothing.
  nb::set_leak_warnings(false);
  module.def("version", &viand::Version, "Returns the version of the library.");
  module.def("init_repo", [](const std::string& folder, const std::string& template_name) {
    viand::python::RaiseIfFailed(viand::InitRepo(folder, template_name));
  });
  viand::python::AddStreams(module);
  viand::python::AddMemory(module);
  viand::python::AddRows(module);
  viand::python::AddColumnMaker(module);
  viand::python::AddStore(module);
  viand::python::AddFragment(module);
}
