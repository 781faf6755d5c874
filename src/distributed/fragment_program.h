// The body of a fresh process that runs one fragment: `viand fragment IN OUT`.
#pragma once

#include <string>

namespace viand::distributed {

/// Reads a task message from `in_path`, runs it, writes its tables to "<out_path>.0",
/// "<out_path>.1", ... and a result message to `out_path`. Returns the exit code: 0 wherever a
/// result could be written, be it an error; 1 otherwise.
int RunFragmentProgram(const std::string& in_path, const std::string& out_path);

}  // namespace viand::distributed
