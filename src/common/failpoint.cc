#include "src/common/failpoint.h"

#include <signal.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace viand {
namespace {

struct Setting {
  std::string name;
  int pass = 1;
  std::string action;
};

Setting ReadSetting() {
  const char* text = std::getenv("VIAND_FAILPOINT");
  Setting setting;
  if (text == nullptr) return setting;
  const std::string value(text);
  const size_t first = value.find(':');
  const size_t second = value.find(':', first + 1);
  if (first == std::string::npos || second == std::string::npos) return setting;
  setting.name = value.substr(0, first);
  setting.pass = std::atoi(value.substr(first + 1, second - first - 1).c_str());
  setting.action = value.substr(second + 1);
  return setting;
}

}  // namespace

arrow::Status Failpoint(std::string_view name) {
  static const Setting setting = ReadSetting();
  static std::atomic<int> passes{0};
  if (setting.name != name || ++passes != setting.pass) return arrow::Status::OK();
  if (setting.action == "kill") raise(SIGKILL);
  if (setting.action == "interrupt") raise(SIGINT);
  if (setting.action == "mark") std::fprintf(stderr, "passed %s\n", setting.name.c_str());
  if (setting.action == "error") {
    return MakeError(ErrorKind::kEnvironment,
                     "no space left on device (injected by VIAND_FAILPOINT)");
  }
  return arrow::Status::OK();
}

}  // namespace viand
