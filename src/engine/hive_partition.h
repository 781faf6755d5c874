// Columns that the folders above a file spell: .../region=eu/day=2011-03-01/part-0.parquet.
//
// Every folder of a path that is named key=value counts, outermost first; keys and values may be
// percent-encoded. The value __HIVE_DEFAULT_PARTITION__ is null.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/common/error.h"

namespace arrow {
class DataType;
struct Scalar;
class Schema;
}  // namespace arrow

namespace viand::engine {

struct PartitionValue {
  std::string key;
  std::optional<std::string> text;  ///< absent: null
};

/// Reads the folders of a path or address. A key that stands twice with two values is kInput.
arrow::Result<std::vector<PartitionValue>> PartitionValuesOf(const std::string& path);

/// Returns the columns that the folders above these files spell, in order of first appearance. A
/// column is int64 where every value is a whole number (01 is 1), else date32 or timestamp[us]
/// where every value is one, else text. A column whose values are all null is text.
arrow::Result<std::shared_ptr<arrow::Schema>> PartitionSchema(
    const std::vector<std::string>& paths);

/// Returns a value as one of `type`; kInput, naming path and key, where it cannot be one.
arrow::Result<std::shared_ptr<arrow::Scalar>> ParsePartitionValue(
    const PartitionValue& value, const std::shared_ptr<arrow::DataType>& type,
    const std::string& path, const std::string& described_as);

}  // namespace viand::engine
