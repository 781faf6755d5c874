#include "src/common/python_program.h"

#include <cstdlib>

namespace viand {

std::string PythonProgram() {
  const char* named = std::getenv("VIAND_PYTHON");
  return named != nullptr && *named != '\0' ? named : "python3";
}

}  // namespace viand
