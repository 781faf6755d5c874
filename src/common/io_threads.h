// Runs one function over many inputs on the threads that wait for files, so that their waits
// overlap.
//
//   VIAND_ASSIGN_OR_RETURN(auto sizes, MapOnIoThreads(paths, [](const std::string& path) {
//     return SizeOf(path);  // an arrow::Result
//   }));
#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/util/future.h>
#include <arrow/util/thread_pool.h>

#include <type_traits>
#include <utility>
#include <vector>

#include "src/common/error.h"

namespace viand {

/// Returns the function's values in the order of the inputs; of failures that of the first input.
/// The function is called from several threads at a time, and must not call this one.
template <typename Input, typename Function,
          typename Value = typename std::invoke_result_t<Function, const Input&>::ValueType>
arrow::Result<std::vector<Value>> MapOnIoThreads(const std::vector<Input>& inputs,
                                                 const Function& function) {
  std::vector<Value> values;
  values.reserve(inputs.size());
  if (inputs.size() == 1) {
    VIAND_ASSIGN_OR_RETURN(Value value, function(inputs[0]));
    values.push_back(std::move(value));
    return values;
  }
  auto* threads = arrow::io::default_io_context().executor();
  std::vector<arrow::Future<Value>> calls;
  arrow::Status failure;
  for (const Input& input : inputs) {
    auto call = threads->Submit([&input, &function] { return function(input); });
    failure = call.status();
    if (!failure.ok()) break;
    calls.push_back(*std::move(call));
  }
  // Every call is waited for: they look at the caller's inputs.
  for (auto& call : calls) {
    auto result = call.MoveResult();
    if (result.ok()) {
      values.push_back(*std::move(result));
    } else if (failure.ok()) {
      failure = result.status();
    }
  }
  VIAND_RETURN_NOT_OK(failure);
  return values;
}

}  // namespace viand
