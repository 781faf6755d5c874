// The code of fmt inside libviand_engine.so. Debian has it only as a shared library, which the
// engine must not need; used here from its headers, it is compiled in, and the other objects'
// references find it.
#define FMT_HEADER_ONLY 1
#include <fmt/format.h>

namespace viand::engine {

std::string FormatInLibrary(fmt::string_view format, fmt::format_args arguments);

std::string FormatInLibrary(fmt::string_view format, fmt::format_args arguments) {
  return fmt::vformat(format, arguments);
}

}  // namespace viand::engine
