// Failures as Python exceptions: the classes of viand.errors, with the text of the command line.
#pragma once

#include <nanobind/nanobind.h>

#include <string>

#include "viand/status.h"

namespace viand::python {

namespace nb = nanobind;

/// Throws the exception of a failure; does nothing for a success. Needs the GIL.
void RaiseIfFailed(const Status& status);

/// Takes the value out of a result, or throws its exception. Needs the GIL.
template <typename T>
T Require(Result<T> result) {
  RaiseIfFailed(result.status());
  return std::move(*result);
}

/// Throws a viand.InputError. Needs the GIL.
[[noreturn]] void RaiseInput(const std::string& message, const std::string& hint = "");

}  // namespace viand::python
