#include "src/definition/yaml_document.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "src/definition/text_lines.h"
#include "src/definition/yaml_events.h"

namespace viand::definition {
namespace {

/// Carries an error of ours out of yaml-cpp's parser; caught in LoadYaml.
struct RefusedYaml {
  arrow::Status status;
};

[[noreturn]] void Refuse(const SourceLocation& where, std::string message, std::string hint = "") {
  throw RefusedYaml{ErrorAt(where, ErrorKind::kDefinition, std::move(message), std::move(hint))};
}

/// Skips an anchor (&x) and a tag (!x), which yaml-cpp counts as the start of a scalar.
size_t SkipProperties(std::string_view text, size_t offset) {
  constexpr std::string_view kBlanks = " \t\r\n";
  while (offset < text.size() && (text[offset] == '&' || text[offset] == '!')) {
    offset = std::min(text.find_first_of(kBlanks, offset), text.size());
    offset = std::min(text.find_first_not_of(kBlanks, offset), text.size());
  }
  return offset;
}

/// Tells whether the quoted scalar that opens at `offset` closes; yaml-cpp lets the end of the file
/// close it.
bool QuoteCloses(std::string_view text, size_t offset) {
  const char quote = text[offset];
  for (size_t i = offset + 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '"' || i + 1 >= text.size() || text[i + 1] != quote) return true;
      ++i;
    }
  }
  return false;
}

/// Builds the tree from the parser's events.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, const TextLines& lines, YamlNodes* nodes)
      : text_(text), lines_(lines), nodes_(nodes) {}

  /// Nothing, at the first line, for a file without content.
  YamlNodePtr Root() {
    if (root_ != nullptr) return root_;
    YamlNode* nothing = nodes_->Make();
    nothing->where = PlaceAt(0);
    return nothing;
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 1) return;
    const YamlPlace where = Place(mark);
    if (lines_.Line(where.line - 1).starts_with("---")) {
      Refuse(where, "a second document starts here, expected one document a file",
             "write the objects into the lists above, or into a file of their own");
    }
    Refuse(where, "this line does not continue what stands above it", "check its indentation");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Add(Make(YamlKind::kNothing, mark), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) Refuse(Place(mark), "an alias stands inside what it names");
    Attach(found->second, Place(mark));
  }

  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode* node = nodes_->Make();
    node->kind = YamlKind::kText;
    node->offset = SkipProperties(text_, lines_.OffsetOf(mark.line, mark.column));
    node->where = PlaceAt(node->offset);
    node->text = value;
    const char sign = node->offset < text_.size() ? text_[node->offset] : '\0';
    if ((sign == '"' || sign == '\'') && !QuoteCloses(text_, node->offset)) {
      Refuse(node->where,
             fmt::format("the quoted text that starts here lacks its closing {}", sign));
    }
    node->plain = sign != '"' && sign != '\'' && sign != '|' && sign != '>';
    Add(node, anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open_.push_back({Make(YamlKind::kList, mark), anchor, nullptr, {}});
  }
  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open_.push_back({Make(YamlKind::kMapping, mark), anchor, nullptr, {}});
  }
  void OnMapEnd() override {
    CheckUnique(*open_.back().node);
    if (open_.back().merges) MergeInto(open_.back().node);
    Close();
  }

 private:
  struct Open {
    YamlNode* node;
    YAML::anchor_t anchor;
    YamlNodePtr key;  ///< of a mapping: read, its value not yet
    YamlPlace key_where;
    bool merges = false;  ///< it has the key <<, without quotes
  };

  YamlPlace PlaceAt(size_t offset) const {
    const TextLines::Place place = lines_.PlaceOf(offset);
    return {&nodes_->file(), place.line, place.column};
  }

  YamlPlace Place(const YAML::Mark& mark) const {
    return PlaceAt(lines_.OffsetOf(mark.line, mark.column));
  }

  YamlNode* Make(YamlKind kind, const YAML::Mark& mark) const {
    YamlNode* node = nodes_->Make();
    node->kind = kind;
    node->where = Place(mark);
    return node;
  }

  void Close() {
    const Open closed = open_.back();
    open_.pop_back();
    Add(closed.node, closed.anchor);
  }

  void Add(YamlNodePtr node, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) anchors_[anchor] = node;
    Attach(node, node->where);
  }

  void Attach(YamlNodePtr node, const YamlPlace& where) {
    if (open_.empty()) {
      root_ = node;
      return;
    }
    Open& parent = open_.back();
    parent.node->weight += node->weight;
    if (parent.node->weight > kMaxYamlNodes) {
      Refuse(where,
             fmt::format("more than {} values, those behind aliases counted", kMaxYamlNodes));
    }
    if (parent.node->kind == YamlKind::kList) {
      parent.node->items.push_back(node);
    } else if (parent.key == nullptr) {
      if (node->kind != YamlKind::kText) {
        Refuse(where, fmt::format("expected a text as a key, got {}", KindText(*node)),
               "a name such as null or ~ must stand in quotes");
      }
      parent.key = node;
      parent.key_where = where;
    } else {
      parent.node->entries.push_back({parent.key->text, parent.key_where, node});
      parent.merges |= parent.key->plain && parent.key->text == "<<";
      parent.key = nullptr;
    }
  }

  /// Replaces `<<: *base` by the entries of the base that the mapping does not have itself.
  static void MergeInto(YamlNode* node) {
    const auto merge = std::find_if(node->entries.begin(), node->entries.end(),
                                    [](const YamlEntry& entry) { return entry.key == "<<"; });
    const YamlNodePtr value = merge->value;
    node->entries.erase(merge);
    std::set<std::string> own;
    for (const YamlEntry& entry : node->entries) own.insert(entry.key);
    std::vector<YamlNodePtr> bases = value->items;
    if (value->kind != YamlKind::kList) bases.push_back(value);
    for (const YamlNodePtr base : bases) {
      if (base->kind != YamlKind::kMapping) {
        Refuse(value->where, fmt::format("expected a mapping to merge, got {}", KindText(*base)));
      }
      for (const YamlEntry& entry : base->entries) {
        if (own.insert(entry.key).second) node->entries.push_back(entry);
      }
    }
  }

  static void CheckUnique(const YamlNode& node) {
    // Of a few, comparing all is faster than a tree.
    constexpr size_t kFew = 16;
    std::map<std::string_view, const YamlEntry*> seen;
    for (size_t i = 0; i < node.entries.size(); ++i) {
      const YamlEntry& entry = node.entries[i];
      const YamlEntry* first = &entry;
      if (node.entries.size() <= kFew) {
        const auto is_same = [&](const YamlEntry& other) { return other.key == entry.key; };
        first = &*std::find_if(node.entries.begin(), node.entries.begin() + i, is_same);
      } else {
        first = seen.emplace(entry.key, &entry).first->second;
      }
      if (first == &entry) continue;
      Refuse(entry.where,
             fmt::format("the key \"{}\" stands twice in one mapping, first on line {}", entry.key,
                         first->where.line));
    }
  }

  std::string_view text_;
  const TextLines& lines_;
  YamlNodes* const nodes_;
  int documents_ = 0;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlNodePtr> anchors_;
  YamlNodePtr root_ = nullptr;
};

/// Finds the first byte that belongs in no text file: broken UTF-8 or a control character.
size_t FirstBadByte(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      if (byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t') return i;
      ++i;
      continue;
    }
    const int length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
    if (byte < 0xC2 || byte > 0xF4 || i + length > text.size()) return i;
    for (int k = 1; k < length; ++k) {
      if ((text[i + k] & 0xC0) != 0x80) return i;
    }
    const auto second = static_cast<unsigned char>(text[i + 1]);
    const bool overlong = (byte == 0xE0 && second < 0xA0) || (byte == 0xF0 && second < 0x90);
    const bool surrogate_or_beyond =
        (byte == 0xED && second > 0x9F) || (byte == 0xF4 && second > 0x8F);
    if (overlong || surrogate_or_beyond) return i;
    i += length;
  }
  return text.size();
}

/// yaml-cpp's words for what people get wrong most, said so that they help.
std::string ExplainParserMessage(const std::string& message) {
  static const std::map<std::string, std::string> kHints = {
      {"illegal map value",
       "a text that holds \": \" must stand in quotes; check the indentation too"},
      {"end of map not found", "check the indentation, or a missing }"},
      {"end of sequence not found", "check the indentation, or a missing ]"},
      {"end of sequence flow not found", "a list in [ ] lacks a comma or its ]"},
      {"end of map flow not found", "a mapping in { } lacks a comma or its }"},
      {"unknown token",
       "a text that starts with @, `, % or another sign of YAML must stand in quotes"},
      {"the referenced anchor is not defined", "name it with &name before its first *name"},
  };
  const auto found = kHints.find(message);
  return found == kHints.end() ? std::string() : found->second;
}

arrow::Status FromParserException(const YAML::ParserException& error, const TextLines& lines) {
  const int line = std::max(0, error.mark.line);
  // A tab in the indentation is what lies behind most errors that name something else.
  const int last = std::min<int>(line + 1, static_cast<int>(lines.count()));
  for (int i = std::max(0, line - 1); i < last; ++i) {
    const std::string_view text = lines.Line(i);
    const size_t blanks = std::min(text.find_first_not_of(" \t"), text.size());
    const size_t tab = text.substr(0, blanks).find('\t');
    if (tab == std::string_view::npos || blanks == text.size()) continue;
    return ErrorAt(lines.At(lines.OffsetOf(i, static_cast<int>(tab))), ErrorKind::kDefinition,
                   "YAML: a tab indents this line", "indent with spaces");
  }
  return ErrorAt(lines.At(lines.OffsetOf(line, error.mark.column)), ErrorKind::kDefinition,
                 "YAML: " + error.msg, ExplainParserMessage(error.msg));
}

arrow::Result<YamlNodePtr> ParseTree(const std::string& text, const TextLines& lines,
                                     YamlNodes* nodes) {
  try {
    TreeBuilder builder(text, lines, nodes);
    if (SendEvents(text, &builder)) return builder.Root();
  } catch (const RefusedYaml&) {
    // yaml-cpp, which sees the text first to last, says what is wrong first.
  }
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    TreeBuilder builder(text, lines, nodes);
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.Root();
  } catch (const RefusedYaml& refused) {
    return refused.status;
  } catch (const YAML::ParserException& error) {
    return FromParserException(error, lines);
  } catch (const std::exception& error) {
    return ErrorAt(lines.At(0), ErrorKind::kDefinition, fmt::format("YAML: {}", error.what()));
  }
}

}  // namespace

const YamlNode* YamlNode::Find(std::string_view key) const {
  for (const YamlEntry& entry : entries) {
    if (entry.key == key) return entry.value;
  }
  return nullptr;
}

YamlNode* YamlNodes::Make() {
  if (used_ == kChunkNodes) {
    chunks_.push_back(std::make_unique<YamlNode[]>(kChunkNodes));
    used_ = 0;
  }
  return &chunks_.back()[used_++];
}

std::string_view KindText(const YamlNode& node) {
  switch (node.kind) {
    case YamlKind::kText:
      return "a text";
    case YamlKind::kList:
      return "a list";
    case YamlKind::kMapping:
      return "a mapping";
    default:
      return "nothing";
  }
}

arrow::Result<YamlDocument> LoadYaml(std::string_view text, const std::string& file) {
  if (text.size() > kMaxYamlBytes) {
    return ErrorAt(
        {file, 0, 0}, ErrorKind::kDefinition,
        fmt::format("the file has {} bytes, expected at most {}", text.size(), kMaxYamlBytes));
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  YamlDocument document{std::string(text), std::make_unique<YamlNodes>(file), nullptr};
  const TextLines lines(document.text, file);
  const size_t bad = FirstBadByte(document.text);
  if (bad < document.text.size()) {
    return ErrorAt(lines.At(bad), ErrorKind::kDefinition,
                   fmt::format("the byte 0x{:02X} belongs in no text, expected UTF-8",
                               static_cast<unsigned char>(document.text[bad])),
                   "save the file as UTF-8");
  }
  VIAND_ASSIGN_OR_RETURN(document.root, ParseTree(document.text, lines, document.nodes.get()));
  return document;
}

}  // namespace viand::definition
