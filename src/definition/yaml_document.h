// One YAML file as a tree of texts with places: what the readers of objects walk over.
//
// Stricter than yaml-cpp: a key that stands twice, an open quote, a second document, a key that is
// no text and invalid UTF-8 are errors; merge keys (<<) are resolved. Immutable once loaded.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/common/error.h"

namespace viand::definition {

struct YamlNode;
using YamlNodePtr = std::shared_ptr<const YamlNode>;

enum class YamlKind { kNothing, kText, kList, kMapping };

struct YamlEntry {
  std::string key;
  SourceLocation where;  ///< of the key
  YamlNodePtr value;
};

struct YamlNode {
  YamlKind kind = YamlKind::kNothing;
  SourceLocation where;
  std::string text;    ///< kText
  bool plain = false;  ///< kText: written without quotes
  size_t offset =
      0;  ///< kText: byte in the file of the scalar's first character, quote or block sign included
  std::vector<YamlNodePtr> items;  ///< kList
  std::vector<YamlEntry> entries;  ///< kMapping, in order, keys unique
  size_t weight = 1;  ///< nodes of the tree below, those behind an alias counted wherever it stands

  /// Returns the value of a key of a mapping, or null.
  const YamlNode* Find(std::string_view key) const;
};

struct YamlDocument {
  std::string text;  ///< the whole file
  YamlNodePtr root;  ///< kNothing for an empty file
};

inline constexpr size_t kMaxYamlBytes = 16 << 20;
/// Bounds what aliases of aliases can blow up to.
inline constexpr size_t kMaxYamlNodes = 5'000'000;

/// Parses a file's text; errors are kDefinition at file:line:column.
arrow::Result<YamlDocument> LoadYaml(std::string_view text, const std::string& file);

/// Returns "nothing", "a text", "a list", "a mapping": for "expected a list of features, got a
/// text".
std::string_view KindText(const YamlNode& node);

}  // namespace viand::definition
