#include "src/cli/command.h"

#include <iostream>
#include <nlohmann/json.hpp>

namespace viand::cli {

void Require(const Status& status) {
  if (!status.ok()) throw CommandFailure{status};
}

std::unique_ptr<FeatureStore> Command::Open() const {
  OpenOptions open = options_->open;
  Terminal* terminal = terminal_;
  open.on_progress = [terminal](const std::string& stage, int64_t done, int64_t total,
                                const std::string& unit) {
    terminal->ShowProgress(stage, done, total, unit);
  };
  return Require(FeatureStore::Open(options_->repo, open));
}

void Command::PrintJson(const nlohmann::json& document) const {
  terminal_->ClearProgress();
  std::cout << document.dump(2) << "\n";
}

void Command::Print(const std::string& text) const {
  terminal_->ClearProgress();
  std::cout << text << std::flush;
}

Status UsageError(const std::string& message, const std::string& hint) {
  return Status(StatusCode::kUsage, message, hint);
}

}  // namespace viand::cli
