#include "src/ingest/json_scanner.h"

#include <fmt/format.h>

#include <cstring>
#include <unordered_map>

#include "src/ingest/code_point.h"
#include "src/ingest/csv_scanner.h"
#include "src/ingest/limits.h"

namespace viand::ingest {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  const char folded = c | 0x20;
  return folded >= 'a' && folded <= 'f' ? folded - 'a' + 10 : -1;
}

/// Columns by name. A name is looked up after its prefix, and most objects have the same members in
/// the same order, so the column behind the last one is tried first.
class Columns {
 public:
  Columns(const std::vector<std::string>& names, bool discover, CellTable* table)
      : names_(names), discover_(discover), table_(*table) {
    table_.seen.resize(names_.size());
    for (size_t i = 0; i < names_.size(); ++i) AddPrefixes(names_[i], static_cast<int>(i));
  }

  /// Returns the column of a path, or -1.
  int Find(std::string_view path) {
    const size_t guess = last_ + 1 < names_.size() ? last_ + 1 : 0;
    if (guess < names_.size() && names_[guess] == path) return static_cast<int>(last_ = guess);
    const auto found = by_name_.find(std::string(path));
    if (found == by_name_.end() || found->second < 0) return -1;
    return static_cast<int>(last_ = found->second);
  }
  /// As Find; where the columns are not given, an unknown path becomes one.
  int FindOrAdd(std::string_view path) {
    const int found = Find(path);
    if (found < 0 && discover_) {
      names_.emplace_back(path);
      AddPrefixes(names_.back(), static_cast<int>(names_.size()) - 1);
      table_.AddColumn();
      return static_cast<int>(last_ = names_.size() - 1);
    }
    if (found >= 0 && !discover_) table_.seen[found] = true;
    // A few of the others, for the error that suggests the nearest name.
    if (found < 0 && others_.size() < kMaxOthers && by_name_.emplace(path, -1).second)
      others_.emplace_back(path);
    return found;
  }
  /// Tells whether some column lies within the object at `path`.
  bool IsPrefix(std::string_view path) const {
    return discover_ || prefixes_.contains(std::string(path));
  }
  std::vector<std::string> TakeNames() { return std::move(discover_ ? names_ : others_); }

 private:
  void AddPrefixes(const std::string& name, int column) {
    by_name_.emplace(name, column);
    for (size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
      prefixes_.emplace(name.substr(0, dot), true);
    }
  }

  static constexpr size_t kMaxOthers = 100;
  std::vector<std::string> names_, others_;
  const bool discover_;
  CellTable& table_;
  std::unordered_map<std::string, int> by_name_;
  std::unordered_map<std::string, bool> prefixes_;
  size_t last_ = static_cast<size_t>(-1);
};

/// Reads one line. Methods return false at the first byte that is wrong; error() then says what.
class Line {
 public:
  Line(std::string_view text, int64_t row, Columns* columns, CellTable* table)
      : p_(text.data()),
        start_(p_),
        end_(p_ + text.size()),
        row_(row),
        columns_(*columns),
        table_(*table) {}

  bool Run() {
    SkipSpace();
    if (p_ < end_ && *p_ == '[') return Fail("an array; expected one object a line");
    if (p_ == end_ || *p_ != '{') return Fail("expected an object");
    if (!ReadObject("", 0)) return false;
    SkipSpace();
    return p_ == end_ || Fail("text follows the object");
  }
  std::string error() const {
    return fmt::format("{} (byte {} of the line)", what_, p_ - start_ + 1);
  }

 private:
  bool Fail(const char* what) {
    what_ = what;
    return false;
  }
  void SkipSpace() {
    while (p_ < end_ && (*p_ == ' ' || *p_ == '\t' || *p_ == '\r' || *p_ == '\n')) ++p_;
  }
  bool Take(char c) {
    SkipSpace();
    if (p_ == end_ || *p_ != c) return false;
    ++p_;
    return true;
  }

  /// Reads an object whose members are columns `prefix` + name; null `prefix` data: nobody wants
  /// them.
  bool ReadObject(std::string_view prefix, int depth) {
    if (depth >= kMaxJsonDepth) return Fail("nested too deeply");
    ++p_;
    if (Take('}')) return true;
    while (true) {
      SkipSpace();
      std::string_view key;
      if (p_ == end_ || *p_ != '"') return Fail("expected a name in quotes");
      if (!ReadString(&key)) return false;
      if (!Take(':')) return Fail("expected a colon");
      SkipSpace();
      if (prefix.data() == nullptr) {
        if (!SkipValue(depth + 1)) return false;
      } else if (depth == 0) {
        if (!ReadMember(key, depth)) return false;
      } else {
        const std::string path = fmt::format("{}.{}", prefix, key);
        if (!ReadMember(path, depth)) return false;
      }
      if (Take(',')) continue;
      return Take('}') || Fail("expected a comma or the object's end");
    }
  }

  bool ReadMember(std::string_view path, int depth) {
    if (p_ < end_ && *p_ == '{' && columns_.IsPrefix(path) && columns_.Find(path) < 0) {
      const std::string prefix(path);
      return ReadObject(prefix, depth + 1);
    }
    const int column = columns_.FindOrAdd(path);
    if (column < 0) return SkipValue(depth + 1);
    RawCell cell;
    if (!ReadCell(&cell, depth)) return false;
    table_.cells[row_ * table_.columns() + column] = cell;
    return true;
  }

  bool ReadCell(RawCell* cell, int depth) {
    if (p_ == end_) return Fail("expected a value");
    const char* const start = p_;
    std::string_view text;
    switch (*p_) {
      case '"':
        if (!ReadString(&text)) return false;
        *cell = {text.data(), static_cast<uint32_t>(text.size()), CellKind::kText};
        return true;
      case '{':
      case '[':
        if (!SkipValue(depth + 1)) return false;
        *cell = {start, static_cast<uint32_t>(p_ - start), CellKind::kNested};
        return true;
      case 't':
        *cell = {"1", 1, CellKind::kBoolean};
        return ReadWord("true");
      case 'f':
        *cell = {"0", 1, CellKind::kBoolean};
        return ReadWord("false");
      case 'n':
        return ReadWord("null");
      default:
        if (!ReadNumber()) return false;
        *cell = {start, static_cast<uint32_t>(p_ - start), CellKind::kNumber};
        return true;
    }
  }

  bool SkipValue(int depth) {
    if (p_ < end_ && *p_ == '{') return ReadObject(std::string_view(), depth);
    if (p_ < end_ && *p_ == '[') return SkipArray(depth);
    if (p_ < end_ && *p_ == '"') {
      std::string_view ignored;
      return ReadString(&ignored);
    }
    RawCell ignored;
    return ReadCell(&ignored, depth);
  }

  bool SkipArray(int depth) {
    if (depth >= kMaxJsonDepth) return Fail("nested too deeply");
    ++p_;
    if (Take(']')) return true;
    while (true) {
      SkipSpace();
      if (!SkipValue(depth + 1)) return false;
      if (Take(',')) continue;
      return Take(']') || Fail("expected a comma or the array's end");
    }
  }

  bool ReadWord(std::string_view word) {
    if (!std::string_view(p_, end_ - p_).starts_with(word)) return Fail("expected a value");
    p_ += word.size();
    return true;
  }

  bool ReadNumber() {
    if (p_ < end_ && *p_ == '-') ++p_;
    if (p_ == end_ || !IsDigit(*p_)) return Fail("expected a value");
    const bool zero = *p_++ == '0';
    if (!zero) SkipDigits();
    if (p_ < end_ && *p_ == '.') {
      ++p_;
      if (!SkipDigits()) return Fail("expected digits");
    }
    if (p_ < end_ && (*p_ == 'e' || *p_ == 'E')) {
      ++p_;
      if (p_ < end_ && (*p_ == '+' || *p_ == '-')) ++p_;
      if (!SkipDigits()) return Fail("expected digits");
    }
    return true;
  }
  bool SkipDigits() {
    const char* const start = p_;
    while (p_ < end_ && IsDigit(*p_)) ++p_;
    return p_ > start;
  }

  bool ReadString(std::string_view* text) {
    const char* const start = ++p_;
    while (p_ < end_ && *p_ != '"' && *p_ != '\\' && static_cast<unsigned char>(*p_) >= ' ') ++p_;
    if (p_ < end_ && *p_ == '"') {
      *text = std::string_view(start, p_++ - start);
      return true;
    }
    std::string decoded(start, p_);
    while (p_ < end_ && *p_ != '"') {
      if (static_cast<unsigned char>(*p_) < ' ') return Fail("a control character in a string");
      if (*p_ != '\\') {
        decoded.push_back(*p_++);
      } else if (!ReadEscape(&decoded)) {
        return false;
      }
    }
    if (p_ == end_) return Fail("a string is not closed");
    ++p_;
    *text = table_.Own(std::move(decoded));
    return true;
  }

  bool ReadUnit(uint32_t* unit) {
    *unit = 0;
    if (end_ - p_ < 4) return Fail("expected four hex digits");
    for (int i = 0; i < 4; ++i) {
      const int digit = HexDigit(*p_++);
      if (digit < 0) return Fail("expected four hex digits");
      *unit = *unit * 16 + digit;
    }
    return true;
  }

  bool ReadEscape(std::string* out) {
    constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
    if (end_ - p_ < 2) return Fail("a string is not closed");
    const char c = p_[1];
    p_ += 2;
    if (const size_t at = kFrom.find(c); at != std::string_view::npos) {
      out->push_back(kTo[at]);
      return true;
    }
    uint32_t code = 0;
    if (c != 'u') return Fail("an unknown escape in a string");
    if (!ReadUnit(&code)) return false;
    if (code >= 0xD800 && code < 0xE000) {
      uint32_t low = 0;
      if (code >= 0xDC00 || end_ - p_ < 2 || p_[0] != '\\' || p_[1] != 'u')
        return Fail("half a surrogate pair");
      p_ += 2;
      if (!ReadUnit(&low)) return false;
      if (low < 0xDC00 || low > 0xDFFF) return Fail("half a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    AppendCodePoint(code, out);
    return true;
  }

  const char* p_;
  const char* const start_;
  const char* const end_;
  const int64_t row_;
  Columns& columns_;
  CellTable& table_;
  const char* what_ = "";
};

}  // namespace

CellTable JsonScanner::Scan(std::string_view text) const {
  CellTable table(static_cast<int>(names_.size()));
  if (!CheckUtf8(text, &table)) return table;
  Columns columns(names_, discover_, &table);
  int64_t line = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view content = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++line;
    if (content.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    table.AddRow(line);
    Line reader(content, table.rows() - 1, &columns, &table);
    if (reader.Run()) continue;
    table.DropLastRow();
    if (skip_bad_rows_) {
      ++table.skipped_rows;
      continue;
    }
    table.problem = {line, true, "", fmt::format("not a JSON object: {}", reader.error()),
                     "the format is JSON lines: one object a line"};
    break;
  }
  table.relative_rows = table.rows();
  table.last_row = line;
  table.names = columns.TakeNames();
  return table;
}

}  // namespace viand::ingest
