// The Python process that speaks with Ray for the command line: `python -m viand.ray`, a child
// whose standard input is the socket of docs/formats/ray.md.
//
// The child ends by itself when the socket is closed, and with it a Ray that it started. It is in a
// process group of its own, so that ctrl-C in a terminal reaches this program alone.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "src/common/error.h"

namespace viand::distributed {

class RayProcess {
 public:
  /// Starts `python` (empty: $VIAND_PYTHON, else python3); kEnvironment where it does not start.
  static arrow::Result<std::unique_ptr<RayProcess>> Start(const std::string& python);

  /// Waits for its end, some seconds, then ends it; the socket must be closed.
  ~RayProcess();
  RayProcess(const RayProcess&) = delete;
  RayProcess& operator=(const RayProcess&) = delete;

  /// Gives the descriptor of the socket away.
  int TakeSocket();

  /// Why there is no answer: that viand is not installed there, or the last that it said.
  arrow::Status NoAnswer();

 private:
  RayProcess() = default;
  bool HasEnded();
  std::string Said() const;

  std::string python_;
  pid_t pid_ = 0;
  bool ended_ = false;
  int socket_ = -1;
  int said_ = -1;  ///< a file in memory: its standard output and error
};

}  // namespace viand::distributed
