// The keys of a feature that a Python function makes: function, columns, returns, mode, output,
// packages, code (docs/PYTHON.md).
#pragma once

#include <optional>

#include "src/definition/yaml_mapping.h"

namespace viand::definition {

/// Reads the function of a feature; leaves `*function` empty where the feature has none. What the
/// function is, ResolveFunctions (function_code.h) finds.
arrow::Status ReadFunction(const YamlMapping& feature, std::optional<PythonFunction>* function);

/// Fails where a feature without a function has one of a function's keys.
arrow::Status RefuseFunctionKeys(const YamlMapping& feature);

}  // namespace viand::definition
