#include <malloc.h>

#include "src/cli/main_program.h"

namespace {

// A job's arrays come and go by the megabyte. glibc would give each back to the kernel and have the
// next one's pages cleared again, which costs more than many an aggregate; kept, they are used
// again.
void KeepFreedMemory() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the greatest that it takes
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  mallopt(M_TOP_PAD, 8 << 20);
}

}  // namespace

int main(int argc, char** argv) {
  KeepFreedMemory();
  return viand::cli::RunProgram(argc, argv);
}
