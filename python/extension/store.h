// viand._viand.Store: an opened repo, for viand/feature_store.py.
#pragma once

#include <nanobind/nanobind.h>

namespace viand::python {

void AddStore(nanobind::module_& module);

}  // namespace viand::python
