// Encodings come off at the scan and go back on at the end: inside fragments a column has its
// values as they are.
//
// A dictionary depends on which rows shared a batch, so it cannot pass through a plan whose result
// must not depend on batches; decoded on the way in, encoded by first appearance in the result, it
// is the same under every plan.
#pragma once

#include <memory>

#include "src/common/error.h"

namespace arrow {
class Array;
class ChunkedArray;
class DataType;
class Field;
class MemoryPool;
class Schema;
}  // namespace arrow

namespace viand::engine {

/// Returns the type without dictionary, run-end encoding or view layout.
std::shared_ptr<arrow::DataType> PlainType(const std::shared_ptr<arrow::DataType>& type);

/// Returns the schema with every top-level type plain, without metadata.
std::shared_ptr<arrow::Schema> PlainSchema(const arrow::Schema& schema);

/// Tells whether values of type `from` can become `to` without loss: the same type, a wider
/// integer, float to double, another layout of strings, a finer unit of the same kind of timestamp,
/// null.
bool IsWidening(const arrow::DataType& from, const arrow::DataType& to);

/// Returns the values as plain type `to`; the caller has checked IsWidening on the plain types.
/// Fails where a time does not fit the finer unit.
arrow::Result<std::shared_ptr<arrow::Array>> ToPlain(const std::shared_ptr<arrow::Array>& array,
                                                     const std::shared_ptr<arrow::DataType>& to,
                                                     arrow::MemoryPool* pool = nullptr);

/// Gives plain values the type that the source has, dictionaries in order of first appearance.
arrow::Result<std::shared_ptr<arrow::Array>> RestoreType(
    const std::shared_ptr<arrow::Array>& plain, const std::shared_ptr<arrow::DataType>& type,
    arrow::MemoryPool* pool = nullptr);

}  // namespace viand::engine
