// The command line: parses, runs one command, prints its error, returns its exit code (0 done, 1
// failed, 2 wrong use, 130 interrupted). One file a command: <name>_command.cc.
#include "src/cli/main_program.h"

int main(int argc, char** argv) { return viand::cli::RunProgram(argc, argv); }
