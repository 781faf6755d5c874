#include "src/common/cancellation.h"

#include <signal.h>

#include <utility>

namespace viand {
namespace {

std::atomic<bool> cancelled{false};
thread_local CancellationToken current;

void OnSignal(int signal_number) {
  if (cancelled.exchange(true)) {
    signal(signal_number, SIG_DFL);
    raise(signal_number);
  }
}

}  // namespace

void InstallCancellationHandlers() {
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

void RequestCancellation() { cancelled.store(true); }

void ResetCancellation() { cancelled.store(false); }

arrow::Status CheckCancelled() {
  const bool asked = cancelled.load(std::memory_order_relaxed) ||
                     (current != nullptr && current->load(std::memory_order_relaxed));
  if (!asked) return arrow::Status::OK();
  return MakeError(ErrorKind::kCancelled, "interrupted; nothing is half-written",
                   "run the same command again to go on");
}

CancellationToken CurrentCancellation() { return current; }

CancellationScope::CancellationScope(CancellationToken token)
    : outer_(std::exchange(current, std::move(token))) {}

CancellationScope::~CancellationScope() { current = std::move(outer_); }

}  // namespace viand
