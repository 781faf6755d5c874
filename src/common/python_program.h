// The Python that viand starts: for definitions, and for functions of the user's.
#pragma once

#include <string>

namespace viand {

/// Returns $VIAND_PYTHON, or python3. Inside Python the package viand sets it to the interpreter
/// that runs, where nobody else has.
std::string PythonProgram();

}  // namespace viand
