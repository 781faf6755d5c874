// Feeds foreign bytes to the reader of tables' messages. What it takes can be walked through
// without leaving the message, where Arrow finds its texts and lists sound; then it prints and
// comes back.
#include <arrow/buffer.h>
#include <arrow/table.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "plan_generated.h"
#include "src/distributed/table_stream.h"

namespace {

/// Rows whose numbers are all the same take no bytes, so a short message may say any number of
/// them.
constexpr int64_t kMostRows = 1 << 20;

bool SaysTooManyRows(const uint8_t* data, size_t size) {
  constexpr size_t kPrefix = 16;
  if (size < kPrefix || std::memcmp(data, "viandtb1", 8) != 0) return false;
  std::vector<uint64_t> header((size - kPrefix) / sizeof(uint64_t) + 1);
  std::memcpy(header.data(), data + kPrefix, size - kPrefix);
  const auto* bytes = reinterpret_cast<const uint8_t*>(header.data());
  flatbuffers::Verifier verifier(bytes, size - kPrefix);
  if (!verifier.VerifyBuffer<viand::engine::message::PackedTable>(nullptr)) return false;
  return flatbuffers::GetRoot<viand::engine::message::PackedTable>(bytes)->rows() > kMostRows;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (SaysTooManyRows(data, size)) return 0;
  // In memory of its own, so that a read behind its end is seen.
  const auto bytes = arrow::Buffer::FromString({reinterpret_cast<const char*>(data), size});
  const auto table = viand::distributed::ParseTable(bytes);
  if (!table.ok() || !(*table)->ValidateFull().ok()) return 0;
  const auto printed = viand::distributed::SerializeTable(*table);
  if (!printed.ok()) std::abort();
  const auto again = viand::distributed::ParseTable(*printed);
  if (!again.ok() || !(*again)->ValidateFull().ok()) std::abort();
  if (!(*again)->Equals(**table, arrow::EqualOptions::Defaults().nans_equal(true))) {
    std::fprintf(stderr, "%s\nis not\n%s\n", (*again)->ToString().c_str(),
                 (*table)->ToString().c_str());
    std::abort();
  }
  return 0;
}
