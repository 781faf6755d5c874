#include "src/cli/command.h"

#include <unistd.h>

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
  std::cout << document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

void Command::Print(const std::string& text) const {
  terminal_->ClearProgress();
  std::cout << text << std::flush;
}

bool Command::Confirm(const std::string& question, bool by_default) const {
  if (isatty(STDIN_FILENO) == 0 || isatty(STDERR_FILENO) == 0 || json()) return false;
  terminal_->ClearProgress();
  std::cerr << question << (by_default ? " [Y/n] " : " [y/N] ") << std::flush;
  std::string answer;
  if (!std::getline(std::cin, answer)) return false;
  if (answer.empty()) return by_default;
  return answer[0] == 'y' || answer[0] == 'Y';
}

Status UsageError(const std::string& message, const std::string& hint) {
  return Status(StatusCode::kUsage, message, hint);
}

}  // namespace viand::cli
