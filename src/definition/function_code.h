// What a Python function of a definition is: its text, the modules of the repo that it imports, the
// versions of Python and of the packages that it uses. All of this is part of the definition, so
// that another text or another version makes another feature.
#pragma once

#include <string>

#include "src/definition/error_list.h"
#include "src/definition/model.h"

namespace viand::definition {

/// Fills the functions of all features: runs `program` (empty: PythonProgram()) as `python -P -m
/// viand.function_source ROOT REQUEST...` once, where there is one; it reads the files and runs
/// nothing of them. A function that cannot be found, or that depends on what cannot be part of a
/// definition, is added to `errors`. Returns kEnvironment where there is no such Python.
arrow::Status ResolveFunctions(const std::string& root, const std::string& program,
                               Definitions* definitions, ErrorList* errors);

/// The function as a worker process takes it (docs/formats/function.md).
std::string FunctionCode(const PythonFunction& function);

}  // namespace viand::definition
