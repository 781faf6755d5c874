// Runs every fragment, serialized, in a fresh process: what shows that a fragment needs nothing but
// its message.
//
// Tables are Arrow IPC files in a temporary folder, which goes with the executor; a table's file
// goes with its last reference. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/engine/executor.h"

namespace viand::distributed {

struct ProcessExecutorOptions {
  /// Program and first arguments; the paths IN and OUT follow. Empty: this executable with
  /// `fragment`.
  std::vector<std::string> command;
  int processes = 0;             ///< at a time; 0: as many as the machine has cores
  std::string temporary_folder;  ///< where to make the folder; empty: TMPDIR, else /tmp
  std::string storage_path;      ///< Executor::StoragePath
};

/// Makes the temporary folder; kEnvironment where that fails.
arrow::Result<std::unique_ptr<engine::Executor>> MakeProcessExecutor(
    const ProcessExecutorOptions& options = {});

}  // namespace viand::distributed
