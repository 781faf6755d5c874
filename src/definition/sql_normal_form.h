// One spelling for SQL texts that differ in blanks, comments and the case of keywords only.
#pragma once

#include <string>
#include <string_view>

namespace viand::definition {

/// Returns the text token by token: keywords, functions and types in lower case, needless quotes
/// gone, `!=` as `<>`, single blanks. It parses to an equal tree. A text that is no SQL comes back
/// as it is.
std::string SqlNormalForm(std::string_view text);

}  // namespace viand::definition
