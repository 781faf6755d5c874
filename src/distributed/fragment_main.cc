// viand_fragment IN OUT: the program that the process executor's tests start; users have `viand
// fragment IN OUT`.
#include <cstdio>

#include "src/distributed/fragment_program.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: viand_fragment IN OUT\n");
    return 2;
  }
  return viand::distributed::RunFragmentProgram(argv[1], argv[2]);
}
