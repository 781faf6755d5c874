// A pull reader of XML in memory, for the dialect that workbooks are written in: names without
// their prefix, attributes in any order and either quote, comments and processing instructions
// passed over, no DTD (so no entity of the document's own, and no expansion bomb). Not thread-safe;
// texts point into the input.
//
//   XmlReader xml(text);
//   while (xml.Next() == XmlToken::kStart || ...) if (xml.name() == "sheet") xml.Attribute("name")
//   ...
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "src/common/error.h"

namespace viand::ingest {

enum class XmlToken {
  kStart,       ///< `<a ...>` or `<a .../>` (self_closing: no kEnd follows)
  kEnd,         ///< `</a>`
  kText,        ///< characters between tags, or a CDATA section
  kDone,        ///< the input's end, between two tokens
  kUnfinished,  ///< the input's end, within a token
  kBad,         ///< not XML: what() says why
};

class XmlReader {
 public:
  explicit XmlReader(std::string_view text) : next_(text.data()), end_(text.data() + text.size()) {}

  XmlToken Next();

  std::string_view name() const { return name_; }
  bool self_closing() const { return self_closing_; }
  /// Returns the raw value of an attribute of the start tag, by its name without prefix.
  std::optional<std::string_view> Attribute(std::string_view name) const;
  std::string_view text() const { return text_; }
  /// Tells that text() came out of CDATA: nothing in it is escaped.
  bool is_cdata() const { return is_cdata_; }
  const char* what() const { return what_; }

  /// Where the next token starts, and a way to go on from another place of the input.
  const char* position() const { return next_; }
  void set_position(const char* position) { next_ = position; }

 private:
  XmlToken ReadMarkup();
  XmlToken ReadTag();
  XmlToken PassOver(std::string_view opening, std::string_view closing, bool* handled);
  XmlToken Bad(const char* what) {
    what_ = what;
    return XmlToken::kBad;
  }

  const char* next_;
  const char* const end_;
  std::string_view name_, attributes_, text_;
  bool self_closing_ = false;
  bool is_cdata_ = false;
  const char* what_ = "";
};

/// Appends raw XML text to `out` with its entities (&amp; &#10; &#xA;) replaced and line ends as
/// LF. An unknown entity or a code point that is none is false.
bool AppendXmlText(std::string_view raw, std::string* out);

/// Appends a string as workbooks hold it: AppendXmlText, then `_x000D_` replaced by the character
/// it stands for.
bool AppendWorkbookText(std::string_view raw, std::string* out);

/// Drops a byte order mark off a part's start. UTF-16, or a declared encoding other than UTF-8:
/// kInput naming `part`.
arrow::Status SkipXmlPreamble(const std::string& part, std::string_view* text);

}  // namespace viand::ingest
