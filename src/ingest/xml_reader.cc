#include "src/ingest/xml_reader.h"

#include <fmt/format.h>

#include <cctype>
#include <charconv>
#include <cstring>

#include "src/ingest/code_point.h"

namespace viand::ingest {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool EndsName(char c) { return IsSpace(c) || c == '>' || c == '/' || c == '=' || c == '<'; }

const char* Find(const char* from, const char* end, std::string_view what) {
  const auto* found =
      static_cast<const char*>(::memmem(from, end - from, what.data(), what.size()));
  return found;
}

std::string_view WithoutPrefix(std::string_view name) {
  const size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

bool IsCodePoint(uint32_t code) {
  return code != 0 && code < 0x110000 && (code < 0xD800 || code > 0xDFFF);
}

bool AppendEntity(std::string_view entity, std::string* out) {
  constexpr std::pair<std::string_view, char> kNamed[] = {
      {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
  for (const auto& [name, c] : kNamed) {
    if (entity == name) {
      out->push_back(c);
      return true;
    }
  }
  if (!entity.starts_with('#')) return false;
  const bool hex = entity.starts_with("#x");
  entity.remove_prefix(hex ? 2 : 1);
  uint32_t code = 0;
  const char* const end = entity.data() + entity.size();
  const auto [stop, error] = std::from_chars(entity.data(), end, code, hex ? 16 : 10);
  if (error != std::errc() || stop != end || !IsCodePoint(code)) return false;
  AppendCodePoint(code, out);
  return true;
}

/// Reads "_xHHHH_" at the start of `text`.
std::optional<uint32_t> EscapedUnit(std::string_view text) {
  if (text.size() < 7 || text[0] != '_' || text[1] != 'x' || text[6] != '_') return std::nullopt;
  uint32_t unit = 0;
  const auto [stop, error] = std::from_chars(text.data() + 2, text.data() + 6, unit, 16);
  if (error != std::errc() || stop != text.data() + 6) return std::nullopt;
  return unit;
}

/// Replaces the escapes of `text` from `from` on, a surrogate pair by its one character.
void ReplaceUnitEscapes(std::string* text, size_t from) {
  size_t in = text->find("_x", from);
  if (in == std::string::npos) return;
  std::string replaced;
  const std::string_view all(*text);
  size_t copied = from;
  for (; in != std::string::npos; in = all.find("_x", in)) {
    const std::optional<uint32_t> unit = EscapedUnit(all.substr(in));
    if (!unit) {
      ++in;
      continue;
    }
    uint32_t code = *unit;
    size_t length = 7;
    if (code >= 0xD800 && code < 0xDC00) {
      const std::optional<uint32_t> low = EscapedUnit(all.substr(in + length));
      if (low && *low >= 0xDC00 && *low < 0xE000) {
        code = 0x10000 + ((code - 0xD800) << 10) + (*low - 0xDC00);
        length = 14;
      }
    }
    if (!IsCodePoint(code)) {
      ++in;
      continue;
    }
    replaced.append(all.substr(copied, in - copied));
    AppendCodePoint(code, &replaced);
    in += length;
    copied = in;
  }
  replaced.append(all.substr(copied));
  text->replace(from, std::string::npos, replaced);
}

}  // namespace

XmlToken XmlReader::Next() {
  while (next_ < end_) {
    if (*next_ != '<') {
      const auto* tag = static_cast<const char*>(std::memchr(next_, '<', end_ - next_));
      if (tag == nullptr) tag = end_;
      text_ = std::string_view(next_, tag - next_);
      is_cdata_ = false;
      next_ = tag;
      return XmlToken::kText;
    }
    bool handled = false;
    for (const auto& [opening, closing] :
         {std::pair<std::string_view, std::string_view>{"<!--", "-->"}, {"<?", "?>"}}) {
      const XmlToken token = PassOver(opening, closing, &handled);
      if (token != XmlToken::kDone) return token;
      if (handled) break;
    }
    if (!handled) return ReadMarkup();
  }
  return XmlToken::kDone;
}

/// Passes over a comment or an instruction; kDone means that there was none, or that it is passed.
XmlToken XmlReader::PassOver(std::string_view opening, std::string_view closing, bool* handled) {
  const std::string_view rest(next_, end_ - next_);
  if (!rest.starts_with(opening)) return XmlToken::kDone;
  const char* close = Find(next_ + opening.size(), end_, closing);
  if (close == nullptr) return XmlToken::kUnfinished;
  next_ = close + closing.size();
  *handled = true;
  return XmlToken::kDone;
}

XmlToken XmlReader::ReadMarkup() {
  constexpr std::string_view kCdata = "<![CDATA[";
  const std::string_view rest(next_, end_ - next_);
  if (rest.size() < 2) return XmlToken::kUnfinished;
  if (rest[1] != '!') return ReadTag();
  if (rest.starts_with(kCdata)) {
    const char* start = next_ + kCdata.size();
    const char* close = Find(start, end_, "]]>");
    if (close == nullptr) return XmlToken::kUnfinished;
    text_ = std::string_view(start, close - start);
    is_cdata_ = true;
    next_ = close + 3;
    return XmlToken::kText;
  }
  if (kCdata.starts_with(rest) || std::string_view("<!--").starts_with(rest))
    return XmlToken::kUnfinished;
  return Bad("a document type declaration, which workbooks must not have");
}

XmlToken XmlReader::ReadTag() {
  const char* p = next_ + 1;
  const bool closing = *p == '/';
  if (closing) ++p;
  const char* const name = p;
  while (p < end_ && !EndsName(*p)) ++p;
  if (p == end_) return XmlToken::kUnfinished;
  if (p == name) return Bad("a tag without a name");
  name_ = WithoutPrefix(std::string_view(name, p - name));
  const char* const attributes = p;
  for (; p < end_ && *p != '>'; ++p) {
    if (*p == '<') return Bad("a tag within a tag");
    if (*p != '"' && *p != '\'') continue;
    p = static_cast<const char*>(std::memchr(p + 1, *p, end_ - p - 1));
    if (p == nullptr) return XmlToken::kUnfinished;
  }
  if (p == end_) return XmlToken::kUnfinished;
  self_closing_ = !closing && p > attributes && p[-1] == '/';
  attributes_ = std::string_view(attributes, p - attributes - (self_closing_ ? 1 : 0));
  next_ = p + 1;
  return closing ? XmlToken::kEnd : XmlToken::kStart;
}

std::optional<std::string_view> XmlReader::Attribute(std::string_view wanted) const {
  const char* p = attributes_.data();
  const char* const end = p + attributes_.size();
  while (true) {
    while (p < end && IsSpace(*p)) ++p;
    const char* const name = p;
    while (p < end && !EndsName(*p)) ++p;
    const std::string_view found = WithoutPrefix(std::string_view(name, p - name));
    while (p < end && IsSpace(*p)) ++p;
    if (p == end || *p != '=') return std::nullopt;
    ++p;
    while (p < end && IsSpace(*p)) ++p;
    if (p == end || (*p != '"' && *p != '\'')) return std::nullopt;
    const char* const value = p + 1;
    p = static_cast<const char*>(std::memchr(value, *p, end - value));
    if (p == nullptr) return std::nullopt;
    if (found == wanted) return std::string_view(value, p - value);
    ++p;
  }
}

bool AppendXmlText(std::string_view raw, std::string* out) {
  while (!raw.empty()) {
    const size_t special = raw.find_first_of("&\r");
    out->append(raw.substr(0, special));
    if (special == std::string_view::npos) return true;
    if (raw[special] == '\r') {
      out->push_back('\n');
      raw.remove_prefix(special + 1);
      if (raw.starts_with('\n')) raw.remove_prefix(1);
      continue;
    }
    const size_t end = raw.find(';', special);
    if (end == std::string_view::npos ||
        !AppendEntity(raw.substr(special + 1, end - special - 1), out))
      return false;
    raw.remove_prefix(end + 1);
  }
  return true;
}

bool AppendWorkbookText(std::string_view raw, std::string* out) {
  const size_t from = out->size();
  if (!AppendXmlText(raw, out)) return false;
  ReplaceUnitEscapes(out, from);
  return true;
}

arrow::Status SkipXmlPreamble(const std::string& part, std::string_view* text) {
  if (text->starts_with("\xEF\xBB\xBF")) text->remove_prefix(3);
  const bool utf16 = text->starts_with("\xFF\xFE") || text->starts_with("\xFE\xFF") ||
                     text->starts_with(std::string_view("<\0", 2)) ||
                     text->starts_with(std::string_view("\0<", 2));
  std::string encoding = utf16 ? "UTF-16" : "";
  if (text->starts_with("<?xml")) {
    const std::string_view head = text->substr(0, text->find("?>"));
    const size_t at = head.find("encoding");
    const size_t open = at == std::string_view::npos ? at : head.find_first_of("\"'", at);
    const size_t close = open == std::string_view::npos ? open : head.find(head[open], open + 1);
    if (close != std::string_view::npos)
      encoding = std::string(head.substr(open + 1, close - open - 1));
  }
  std::string folded = encoding;
  for (char& c : folded) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (folded.empty() || folded == "utf-8" || folded == "utf8" || folded == "us-ascii")
    return arrow::Status::OK();
  return MakeError(ErrorKind::kInput,
                   fmt::format("{} is encoded as {}; expected UTF-8", part, encoding),
                   "save the workbook anew with Excel or LibreOffice");
}

}  // namespace viand::ingest
