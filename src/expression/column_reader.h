// Columns as files have them -> columns as expressions read them (sql_types.h: ReadType).
#pragma once

#include <memory>
#include <string>

#include "src/expression/sql_types.h"

namespace arrow {
class Array;
class MemoryPool;
}  // namespace arrow

namespace viand::expression {

/// Returns the column as `type`, its ReadType. A value that has no exact counterpart (nanoseconds,
/// a ubigint beyond bigint) is kInput, naming the column and the row.
arrow::Result<std::shared_ptr<arrow::Array>> ReadColumn(const std::shared_ptr<arrow::Array>& column,
                                                        const TypePtr& type,
                                                        const std::string& name,
                                                        arrow::MemoryPool* pool);

}  // namespace viand::expression
