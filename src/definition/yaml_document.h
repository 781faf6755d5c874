// One YAML file as a tree of texts with places: what the readers of objects walk over.
//
// Stricter than yaml-cpp: a key that stands twice, an open quote, a second document, a key that is
// no text and invalid UTF-8 are errors; merge keys (<<) are resolved. Immutable once loaded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/common/error.h"

namespace viand::definition {

struct YamlNode;
using YamlNodePtr = const YamlNode*;  ///< owned by its document

/// Of a text that stands nowhere in the file as it is.
inline constexpr size_t kNoOffset = SIZE_MAX;

enum class YamlKind { kNothing, kText, kList, kMapping };

/// A SourceLocation without a copy of the file's name, which is the document's.
struct YamlPlace {
  const std::string* file = nullptr;
  int line = 0;
  int column = 0;

  operator SourceLocation() const { return {*file, line, column}; }  // NOLINT: it is one
};

struct YamlEntry {
  std::string key;
  YamlPlace where;  ///< of the key
  YamlNodePtr value = nullptr;
};

struct YamlNode {
  YamlKind kind = YamlKind::kNothing;
  bool plain = false;  ///< kText: written without quotes
  YamlPlace where;
  std::string text;  ///< kText
  /// kText: byte in the file of the scalar's first character, quote or block sign included;
  /// kNoOffset: all of the text counts as standing at `where`.
  size_t offset = 0;
  std::vector<YamlNodePtr> items;  ///< kList
  std::vector<YamlEntry> entries;  ///< kMapping, in order, keys unique
  size_t weight = 1;  ///< nodes of the tree below, those behind an alias counted wherever it stands

  /// Returns the value of a key of a mapping, or null.
  const YamlNode* Find(std::string_view key) const;
};

/// The nodes of a document: made one by one, freed together, where they are for good.
class YamlNodes {
 public:
  explicit YamlNodes(std::string file) : file_(std::move(file)) {}
  YamlNodes(const YamlNodes&) = delete;

  YamlNode* Make();
  const std::string& file() const { return file_; }

 private:
  static constexpr size_t kChunkNodes = 256;

  const std::string file_;
  std::vector<std::unique_ptr<YamlNode[]>> chunks_;
  size_t used_ = kChunkNodes;  // of the last chunk
};

struct YamlDocument {
  std::string text;                  ///< the whole file
  std::unique_ptr<YamlNodes> nodes;  ///< owns all that is below `root`
  YamlNodePtr root = nullptr;        ///< kNothing for an empty file
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
