// Runs every fragment as a task of a Ray cluster (docs/formats/ray.md, docs/RAY.md).
//
// Tables are objects of Ray's store, named here by number: from one task to the next they do not
// come near this process, which takes in and puts out what Fetch and Put are called for. Ray is
// asked for at the first call that needs it. Thread-safe.
#pragma once

#include <memory>

#include "src/distributed/ray_connection.h"
#include "src/engine/executor.h"

namespace viand::distributed {

/// Makes one; whether Ray is there is seen by the first stage.
std::unique_ptr<engine::Executor> MakeRayExecutor(RayOptions options);

}  // namespace viand::distributed
