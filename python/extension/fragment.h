// viand._viand.run_fragment: the body of a cluster's task, for viand/ray/task.py.
#pragma once

#include <nanobind/nanobind.h>

namespace viand::python {

void AddFragment(nanobind::module_& module);

}  // namespace viand::python
