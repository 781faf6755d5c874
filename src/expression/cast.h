// Casts between types, as DuckDB does them, except that a value that does not fit is an error,
// never wrapped or cut.
#pragma once

#include "src/expression/function_table.h"
#include "src/expression/sql_types.h"

namespace viand::expression {

/// Both evaluators of a cast; the call they see is the kCast node.
struct Cast {
  StrictBatch batch;
  StrictRow row;
  Failure failure;
};

/// Returns the cast of one type to another, null where there is none.
const Cast* FindCast(const arrow::DataType& from, const arrow::DataType& to);

}  // namespace viand::expression
