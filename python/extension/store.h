// viand._viand.Store: an opened repo, for viand/store.py.
#pragma once

#include <nanobind/nanobind.h>

namespace viand::python {

void AddStore(nanobind::module_& module);

}  // namespace viand::python
