// Texts that are only compared, as Parquet's dictionaries: each chunk has its own.
#pragma once

#include <memory>
#include <vector>

#include "src/common/error.h"

namespace arrow {
class Array;
class DataType;
class MemoryPool;
}  // namespace arrow

namespace viand::engine {

/// Dictionaries of `type` with int32 codes.
std::shared_ptr<arrow::DataType> CodedType(const std::shared_ptr<arrow::DataType>& type);

/// ToPlain (plain_array.h) where `to` is plain; where it is coded, the array with that type.
arrow::Result<std::shared_ptr<arrow::Array>> ToPlainOrCoded(
    const std::shared_ptr<arrow::Array>& array, const std::shared_ptr<arrow::DataType>& to,
    arrow::MemoryPool* pool);

/// Appends arrays of CodedType(utf8) under one dictionary, which holds the values in use once each.
arrow::Result<std::shared_ptr<arrow::Array>> JoinCoded(
    const std::vector<std::shared_ptr<arrow::Array>>& chunks, arrow::MemoryPool* pool);

}  // namespace viand::engine
