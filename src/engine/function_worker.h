// Processes of Python that run the user's functions: `python -P -m viand.worker`
// (docs/formats/function.md).
//
// A worker takes one call at a time. Tables go to it in memory that both map, results come back
// over a socket. It ends with this process, however that ends. Workers are kept for later calls as
// long as the process lives; there are as many as calls at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/common/error.h"

namespace arrow {
class RecordBatch;
class Schema;
}  // namespace arrow

namespace viand::engine {

/// One call of a function: the rows of some groups, those of a group together.
struct FunctionBatch {
  std::string function;  ///< "features.rfm:monetary": for errors
  std::string code;      ///< docs/formats/function.md
  /// One row a group: the keys, as_of, and last how many rows are before the group's.
  std::shared_ptr<arrow::RecordBatch> groups;
  std::shared_ptr<arrow::RecordBatch> rows;  ///< the group's number, then the columns
  std::shared_ptr<arrow::Schema> results;    ///< names ("" for the only one) and types
  SourceLocation where = {};                 ///< of the definition: for errors without a place
};

/// Calls the function in a worker and returns one row a group, of the schema `results`. A worker
/// that is killed is replaced and the call made again, three times in all; $VIAND_FUNCTION_TIMEOUT
/// seconds (default 3600) end a call. kDefinition with the place in the user's Python where the
/// function raises or returns what does not fit; kEnvironment where there is no Python or package
/// to run it, or its versions are not the definition's; kCancelled. Thread-safe.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> CallFunction(const FunctionBatch& batch);

}  // namespace viand::engine
