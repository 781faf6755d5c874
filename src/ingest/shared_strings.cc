#include "src/ingest/shared_strings.h"

#include <arrow/util/utf8.h>
#include <fmt/format.h>

#include "src/ingest/xml_reader.h"

namespace viand::ingest {
namespace {

arrow::Status BadPart(const std::string& part, std::string_view what) {
  return MakeError(ErrorKind::kInput, fmt::format("{} is damaged: {}", part, what));
}

}  // namespace

arrow::Result<SharedStrings> SharedStrings::Parse(const std::string& part, std::string xml) {
  std::string_view text(xml);
  VIAND_RETURN_NOT_OK(SkipXmlPreamble(part, &text));
  arrow::util::InitializeUTF8();
  if (!arrow::util::ValidateUTF8(text)) return BadPart(part, "its text is not valid UTF-8");
  SharedStrings table;
  XmlReader reader(text);
  char* out = xml.data();  // never ahead of the reader
  std::string decoded;
  bool in_item = false, in_text = false;
  int phonetic_depth = 0;
  while (true) {
    const XmlToken token = reader.Next();
    if (token == XmlToken::kDone) break;
    if (token == XmlToken::kUnfinished) return BadPart(part, "it ends early");
    if (token == XmlToken::kBad) return BadPart(part, reader.what());
    const std::string_view name = reader.name();
    if (token == XmlToken::kStart) {
      if (name == "si") in_item = !reader.self_closing();
      if (name == "rPh" && !reader.self_closing()) ++phonetic_depth;
      if (name == "t" && in_item && phonetic_depth == 0) in_text = !reader.self_closing();
      if (name == "si" && reader.self_closing()) table.offsets_.push_back(out - xml.data());
    } else if (token == XmlToken::kEnd) {
      if (name == "t") in_text = false;
      if (name == "rPh" && phonetic_depth > 0) --phonetic_depth;
      if (name == "si") {
        in_item = false;
        table.offsets_.push_back(out - xml.data());
      }
    } else if (in_text) {
      decoded.clear();
      if (reader.is_cdata()) {
        decoded = reader.text();
      } else if (!AppendWorkbookText(reader.text(), &decoded)) {
        return BadPart(part, fmt::format("string {} holds an unknown entity", table.size()));
      }
      out += decoded.copy(out, decoded.size());
    }
  }
  xml.resize(out - xml.data());
  xml.shrink_to_fit();
  table.bytes_ = std::move(xml);
  table.offsets_.shrink_to_fit();
  return table;
}

}  // namespace viand::ingest
