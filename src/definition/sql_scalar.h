// The SQL text inside a YAML scalar, so placed that an error in it points into the file.
#pragma once

#include <string_view>

#include "src/definition/model.h"
#include "src/definition/yaml_document.h"

namespace viand::definition {

/// Reads a scalar as SQL. Where the file's own bytes mean the same as what YAML makes of them
/// (blank space apart), they are taken, line ends and indentation included, so that lines and
/// columns are right in block and multi-line scalars too; else (escapes, folded comments) the text
/// is YAML's, and its place is right for the first line. `what` reads "an expression". Limit: that
/// of the expression parser.
arrow::Result<Sql> ReadSql(const YamlDocument& document, const YamlNode& node,
                           std::string_view what);

}  // namespace viand::definition
