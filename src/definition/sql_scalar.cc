#include "src/definition/sql_scalar.h"

#include <algorithm>
#include <optional>
#include <string>

#include "src/definition/text_lines.h"
#include "src/definition/yaml_mapping.h"
#include "src/expression/lexer.h"

namespace viand::definition {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

bool IsBlank(char c) { return kBlanks.find(c) != std::string_view::npos; }

/// Returns the byte of the scalar's first character of content.
size_t ContentStart(std::string_view file, size_t offset) {
  if (offset >= file.size()) return file.size();
  const char sign = file[offset];
  if (sign == '"' || sign == '\'') return offset + 1;
  if (sign != '|' && sign != '>') return offset;
  const size_t header_end = std::min(file.find('\n', offset), file.size());
  return std::min(file.find_first_not_of(kBlanks, header_end), file.size());
}

/// Returns the file's bytes from `start` that read as `value` when runs of blanks count as one.
std::optional<std::string_view> BytesOf(std::string_view file, size_t start,
                                        std::string_view value) {
  size_t at = start;
  for (size_t i = 0; i < value.size();) {
    if (!IsBlank(value[i])) {
      if (at >= file.size() || file[at] != value[i]) return std::nullopt;
      ++at;
      ++i;
      continue;
    }
    const size_t next = std::min(value.find_first_not_of(kBlanks, i), value.size());
    if (next == value.size()) break;
    const size_t after = std::min(file.find_first_not_of(kBlanks, at), file.size());
    if (after == at) return std::nullopt;
    at = after;
    i = next;
  }
  return file.substr(start, at - start);
}

bool SameTokens(std::string_view a, std::string_view b) {
  const auto x = expression::Tokenize(a, {});
  const auto y = expression::Tokenize(b, {});
  if (!x.ok() || !y.ok()) return !x.ok() && !y.ok();
  return std::equal(x->begin(), x->end(), y->begin(), y->end(),
                    [](const expression::Token& p, const expression::Token& q) {
                      return p.kind == q.kind && p.text == q.text;
                    });
}

/// SQL that is not written in the file as it is: every place in it is the node's.
arrow::Result<Sql> SqlAtOnePlace(const YamlNode& node, std::string_view what) {
  if (node.text.find_first_not_of(kBlanks) == std::string::npos) {
    return ErrorAt(node.where, ErrorKind::kDefinition,
                   "expected " + std::string(what) + ", got an empty text");
  }
  Sql sql{node.text, node.where};
  sql.where.column = expression::OnePlaceColumn(node.where.column);
  return sql;
}

}  // namespace

arrow::Result<Sql> ReadSql(const YamlDocument& document, const YamlNode& node,
                           std::string_view what) {
  if (node.kind != YamlKind::kText) return WrongKind(node, what);
  const std::string_view file = document.text;
  if (node.offset == kNoOffset) return SqlAtOnePlace(node, what);
  size_t start = ContentStart(file, node.offset);
  std::string_view value = node.text;
  const size_t blanks = std::min(value.find_first_not_of(kBlanks), value.size());
  if (blanks == value.size()) {
    return ErrorAt(node.where, ErrorKind::kDefinition,
                   "expected " + std::string(what) + ", got an empty text");
  }
  value.remove_prefix(blanks);
  start = std::min(file.find_first_not_of(kBlanks, start), file.size());
  Sql sql;
  sql.where = node.where;
  for (size_t i = std::min(node.offset, start); i < start; ++i) {
    if (file[i] == '\n') {
      ++sql.where.line;
      sql.where.column = 1;
    } else {
      sql.where.column += (file[i] & 0xC0) != 0x80;
    }
  }
  const auto bytes = BytesOf(file, start, value);
  sql.text = std::string(bytes && SameTokens(*bytes, value) ? *bytes : value);
  return sql;
}

}  // namespace viand::definition
