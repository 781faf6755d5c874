#include "src/ingest/number_format.h"

namespace viand::ingest {
namespace {

/// Tells whether a bracket's content is a duration, as in [h], [mm], [ss].
bool IsElapsed(std::string_view content) {
  if (content.empty()) return false;
  const char letter = content[0] | 0x20;
  if (letter != 'h' && letter != 'm' && letter != 's') return false;
  for (char c : content) {
    if ((c | 0x20) != letter) return false;
  }
  return true;
}

}  // namespace

bool IsBuiltinDateFormat(int id) {
  return (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) ||
         (id >= 50 && id <= 58);
}

bool IsDateFormatCode(std::string_view code) {
  for (size_t i = 0; i < code.size(); ++i) {
    switch (code[i]) {
      case '"':
        i = code.find('"', i + 1);
        if (i == std::string_view::npos) return false;
        break;
      case '[': {
        const size_t close = code.find(']', i);
        if (close == std::string_view::npos) return false;
        if (IsElapsed(code.substr(i + 1, close - i - 1))) return true;
        i = close;
        break;
      }
      case '\\':
      case '_':
      case '*':
        ++i;
        break;
      case ';':
        return false;
      case 'G':
      case 'g':
        // "General" holds an e; a lone g is a Japanese era.
        if (code.substr(i, 7) == "General" || code.substr(i, 7) == "GENERAL" ||
            code.substr(i, 7) == "general") {
          i += 6;
          break;
        }
        return true;
      case 'E':
      case 'e':
        // "0.00E+00" is scientific; an e of its own is a year.
        if (i + 1 < code.size() && (code[i + 1] == '+' || code[i + 1] == '-')) break;
        return true;
      case 'y':
      case 'Y':
      case 'm':
      case 'M':
      case 'd':
      case 'D':
      case 'h':
      case 'H':
      case 's':
      case 'S':
        return true;
      default:
        break;
    }
  }
  return false;
}

}  // namespace viand::ingest
