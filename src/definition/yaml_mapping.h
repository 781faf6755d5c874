// Typed reading of YAML nodes: the one place that says "expected a list of features, got a text".
//
//   ARROW_ASSIGN_OR_RAISE(auto source, YamlMapping::Of(node, "a source", {"name", "path"}));
//   VIAND_RETURN_NOT_OK(source.Require("path", &result.path));
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/definition/model.h"
#include "src/definition/yaml_document.h"

namespace viand::definition {

/// Returns a kDefinition error "expected <what>, got <kind>" at the node.
arrow::Status WrongKind(const YamlNode& node, std::string_view what);

arrow::Result<std::string> ReadText(const YamlNode& node, std::string_view what);
/// true/false as YAML 1.2 spells them, in any case.
arrow::Result<bool> ReadBoolean(const YamlNode& node, std::string_view what);
arrow::Result<int64_t> ReadInteger(const YamlNode& node, std::string_view what);
/// A finite number.
arrow::Result<double> ReadNumber(const YamlNode& node, std::string_view what);
/// A duration such as 90d, in us.
arrow::Result<int64_t> ReadDuration(const YamlNode& node, std::string_view what);
arrow::Result<Reference> ReadReference(const YamlNode& node, std::string_view what);
/// A list; a single text or mapping stands for a list of one where `or_one` says so.
arrow::Result<std::vector<YamlNodePtr>> ReadList(YamlNodePtr node, std::string_view what,
                                                 bool or_one = false);
/// A mapping of texts to texts.
arrow::Result<std::map<std::string, std::string>> ReadTextMap(const YamlNode& node,
                                                              std::string_view what);

/// A mapping with known keys.
class YamlMapping {
 public:
  /// Fails where the node is no mapping or has a key that is not in `keys`. `what` reads "a feature
  /// view".
  static arrow::Result<YamlMapping> Of(const YamlNode& node, std::string what,
                                       std::initializer_list<std::string_view> keys);

  SourceLocation where() const { return node_->where; }

  /// Returns the value of a key, or null where the key is absent or its value is nothing.
  YamlNodePtr Find(std::string_view key) const;

  /// Returns the value of a key that must be there.
  arrow::Result<YamlNodePtr> Get(std::string_view key, std::string hint = "") const;

  /// Reads a non-empty text that must be there.
  arrow::Status Require(std::string_view key, std::string* text) const;
  arrow::Status Require(std::string_view key, Reference* reference) const;

  /// Reads a value that may be absent, then `*value` stays as it is.
  arrow::Status Read(std::string_view key, std::string* value) const;
  arrow::Status Read(std::string_view key, Reference* value) const;
  arrow::Status Read(std::string_view key, bool* value) const;
  arrow::Status Read(std::string_view key, std::map<std::string, std::string>* value) const;

  /// Reads name, place, description, owner and tags; the name is checked (object_name.h).
  arrow::Status ReadObject(Object* object) const;
  /// The same but the name, for objects that are named by a key.
  arrow::Status ReadDocumentation(Object* object) const;

 private:
  YamlMapping(const YamlNode* node, std::string what) : node_(node), what_(std::move(what)) {}
  /// "the path of a source"
  std::string Of(std::string_view key) const;

  const YamlNode* node_;
  std::string what_;
};

}  // namespace viand::definition
