// The whole program but for main().
#pragma once

namespace viand::cli {

/// Parses the arguments, runs the command, prints its error; returns the exit code.
int RunProgram(int argc, char** argv);

}  // namespace viand::cli
