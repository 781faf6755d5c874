// Feeds foreign bytes to the readers of tasks and of their results; what parses must print and
// parse again, and mean the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "src/distributed/task_message.h"

namespace {

using viand::distributed::ParseResult;
using viand::distributed::ParseTask;

void ReadTask(std::string_view bytes) {
  const auto task = ParseTask(bytes);
  if (!task.ok()) return;
  const auto printed = viand::distributed::SerializeTask(*task);
  if (!printed.ok()) std::abort();
  const auto again = ParseTask(*printed);
  if (!again.ok() || again->inputs != task->inputs || again->memory_bytes != task->memory_bytes)
    std::abort();
}

void ReadResult(std::string_view bytes) {
  const auto result = ParseResult(bytes);
  if (!result.ok()) return;
  const auto again = ParseResult(viand::distributed::SerializeResult(*result));
  if (!again.ok() || again->outputs != result->outputs || !again->status.Equals(result->status))
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ReadTask(bytes);
  ReadResult(bytes);
  return 0;
}
