// A feature's default: a literal that must fit the feature's type.
#pragma once

#include <memory>

#include "src/definition/model.h"

namespace arrow {
class DataType;
struct Scalar;
}  // namespace arrow

namespace viand::definition {

/// Returns the literal as a scalar of `type`. A text feature takes the YAML text as it is, or an
/// SQL string in single quotes; other types take SQL literals, times also as plain text. Nothing is
/// rounded: 0.5 does not fit bigint.
arrow::Result<std::shared_ptr<arrow::Scalar>> BindDefault(
    const Sql& literal, const std::shared_ptr<arrow::DataType>& type);

}  // namespace viand::definition
