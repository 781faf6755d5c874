// viand._viand: what the package's Python files call. Of viand only the public API is included
// here, of Arrow and Python their C interfaces.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <cstdlib>

#include "python/extension/capsule.h"
#include "python/extension/column_maker.h"
#include "python/extension/column_values.h"
#include "python/extension/fragment.h"
#include "python/extension/python_error.h"
#include "python/extension/rows.h"
#include "python/extension/store.h"
#include "viand/feature_store.h"

namespace nb = nanobind;

namespace {

/// What the engine starts of Python is the interpreter that runs, unless somebody named another:
/// files of definitions and functions find the packages that stand around this one.
void NameThisPython() {
  const nb::object program = nb::module_::import_("sys").attr("executable");
  if (nb::isinstance<nb::str>(program) && nb::len(program) > 0)
    setenv("VIAND_PYTHON", nb::cast<std::string>(program).c_str(), /*overwrite=*/0);
}

}  // namespace

NB_MODULE(_viand, module) {
  NameThisPython();
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
