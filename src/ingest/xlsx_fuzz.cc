// Any bytes as a workbook: opened, its header read, its rows scanned. Limits keep a run small.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "src/ingest/raw_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const int descriptor = ::memfd_create("fuzz.xlsx", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  if (::ftruncate(descriptor, 0) != 0 ||
      ::pwrite(descriptor, data, size, 0) != static_cast<ssize_t>(size))
    return 0;
  viand::definition::DatasetInput input;
  input.format = "xlsx";
  auto file = viand::ingest::RawFile::Open(path, input);
  if (!file.ok()) return 0;
  if (!(*file)->Select({}).ok()) return 0;
  while (true) {
    auto chunk = (*file)->Next();
    if (!chunk.ok() || *chunk == nullptr) return 0;
    (*file)->Scan(**chunk);
  }
}
