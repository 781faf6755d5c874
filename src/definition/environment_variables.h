// $NAME and ${NAME} in a text, as Python's os.path.expandvars reads them: Feast applies it to
// feature_store.yaml.
#pragma once

#include <string>
#include <string_view>

namespace viand::definition {

/// Replaces what is set in the environment; what is not stays as written.
std::string ExpandEnvironmentVariables(std::string_view text);

}  // namespace viand::definition
