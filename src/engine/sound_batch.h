// Arrow IPC has tables as they are in memory: what a damaged file says of places would be followed
// anywhere. Parquet and CSV are decoded, which checks them.
#pragma once

#include "src/common/error.h"

namespace arrow {
class RecordBatch;
}

namespace viand::engine {

/// Checks that no value of a batch that was read from IPC lies outside of its buffers. Texts that
/// are no UTF-8 pass.
arrow::Status CheckSound(const arrow::RecordBatch& batch);

}  // namespace viand::engine
