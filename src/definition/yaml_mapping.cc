#include "src/definition/yaml_mapping.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "src/common/time.h"
#include "src/definition/error_list.h"
#include "src/definition/object_name.h"

namespace viand::definition {
namespace {

arrow::Status Wrong(const YamlNode& node, std::string_view what) {
  return ErrorAt(node.where, ErrorKind::kDefinition,
                 fmt::format("expected {}, got \"{}\"", what, node.text));
}

/// Reads a whole text as a number of type T.
template <typename T>
std::optional<T> ParseNumber(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

arrow::Status WrongKind(const YamlNode& node, std::string_view what) {
  return ErrorAt(node.where, ErrorKind::kDefinition,
                 fmt::format("expected {}, got {}", what, KindText(node)));
}

arrow::Result<std::string> ReadText(const YamlNode& node, std::string_view what) {
  if (node.kind != YamlKind::kText) return WrongKind(node, what);
  return node.text;
}

arrow::Result<bool> ReadBoolean(const YamlNode& node, std::string_view what) {
  if (node.kind != YamlKind::kText) return WrongKind(node, what);
  std::string lower = node.text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (lower == "true") return true;
  if (lower == "false") return false;
  return Wrong(node, fmt::format("{}, true or false", what));
}

arrow::Result<int64_t> ReadInteger(const YamlNode& node, std::string_view what) {
  if (node.kind != YamlKind::kText) return WrongKind(node, what);
  const auto value = ParseNumber<int64_t>(node.text);
  if (!value) return Wrong(node, fmt::format("{}, a whole number", what));
  return *value;
}

arrow::Result<double> ReadNumber(const YamlNode& node, std::string_view what) {
  if (node.kind != YamlKind::kText) return WrongKind(node, what);
  const auto value = ParseNumber<double>(node.text);
  if (!value || !std::isfinite(*value)) return Wrong(node, fmt::format("{}, a number", what));
  return *value;
}

arrow::Result<int64_t> ReadDuration(const YamlNode& node, std::string_view what) {
  if (node.kind != YamlKind::kText) return WrongKind(node, what);
  auto parsed = ParseDurationUs(node.text);
  if (!parsed.ok()) return Placed(parsed.status(), node.where);
  return *parsed;
}

arrow::Result<Reference> ReadReference(const YamlNode& node, std::string_view what) {
  VIAND_ASSIGN_OR_RETURN(std::string name, ReadText(node, what));
  if (name.empty()) return Wrong(node, what);
  return Reference{std::move(name), node.where};
}

arrow::Result<std::vector<YamlNodePtr>> ReadList(YamlNodePtr node, std::string_view what,
                                                 bool or_one) {
  if (node->kind == YamlKind::kList) return node->items;
  if (or_one && node->kind != YamlKind::kNothing) return std::vector<YamlNodePtr>{node};
  return WrongKind(*node, what);
}

arrow::Result<std::map<std::string, std::string>> ReadTextMap(const YamlNode& node,
                                                              std::string_view what) {
  if (node.kind != YamlKind::kMapping) return WrongKind(node, what);
  std::map<std::string, std::string> map;
  for (const YamlEntry& entry : node.entries) {
    VIAND_ASSIGN_OR_RETURN(map[entry.key], ReadText(*entry.value, "a text"));
  }
  return map;
}

arrow::Result<YamlMapping> YamlMapping::Of(const YamlNode& node, std::string what,
                                           std::initializer_list<std::string_view> keys) {
  if (node.kind != YamlKind::kMapping) return WrongKind(node, what);
  for (const YamlEntry& entry : node.entries) {
    if (std::find(keys.begin(), keys.end(), entry.key) != keys.end()) continue;
    const std::vector<std::string> known(keys.begin(), keys.end());
    std::string hint = DidYouMean(entry.key, known);
    if (hint.empty()) hint = fmt::format("its keys are: {}", fmt::join(known, ", "));
    return ErrorAt(entry.where, ErrorKind::kDefinition,
                   fmt::format("unknown key \"{}\" of {}", entry.key, what), std::move(hint));
  }
  return YamlMapping(&node, std::move(what));
}

std::string YamlMapping::Of(std::string_view key) const {
  return fmt::format("a text as \"{}\" of {}", key, what_);
}

YamlNodePtr YamlMapping::Find(std::string_view key) const {
  for (const YamlEntry& entry : node_->entries) {
    if (entry.key == key) return entry.value->kind == YamlKind::kNothing ? nullptr : entry.value;
  }
  return nullptr;
}

arrow::Result<YamlNodePtr> YamlMapping::Get(std::string_view key, std::string hint) const {
  YamlNodePtr value = Find(key);
  if (value != nullptr) return value;
  const std::string name = node_->Find("name") != nullptr ? node_->Find("name")->text : "";
  return ErrorAt(node_->where, ErrorKind::kDefinition,
                 fmt::format("{}{} lacks the key \"{}\"", what_,
                             name.empty() ? "" : fmt::format(" (\"{}\")", name), key),
                 std::move(hint));
}

arrow::Status YamlMapping::Require(std::string_view key, std::string* text) const {
  VIAND_ASSIGN_OR_RETURN(const YamlNodePtr value, Get(key));
  if (value->kind != YamlKind::kText) return WrongKind(*value, Of(key));
  *text = value->text;
  return text->empty() ? Wrong(*value, Of(key)) : arrow::Status::OK();
}

arrow::Status YamlMapping::Require(std::string_view key, Reference* reference) const {
  VIAND_ASSIGN_OR_RETURN(const YamlNodePtr value, Get(key));
  return ReadReference(*value, Of(key)).Value(reference);
}

arrow::Status YamlMapping::Read(std::string_view key, std::string* value) const {
  // What is expected is only put into words where it is not there.
  const YamlNodePtr node = Find(key);
  if (node == nullptr) return arrow::Status::OK();
  if (node->kind != YamlKind::kText) return WrongKind(*node, Of(key));
  *value = node->text;
  return arrow::Status::OK();
}

arrow::Status YamlMapping::Read(std::string_view key, Reference* value) const {
  const YamlNodePtr node = Find(key);
  if (node == nullptr) return arrow::Status::OK();
  return ReadReference(*node, Of(key)).Value(value);
}

arrow::Status YamlMapping::Read(std::string_view key, bool* value) const {
  const YamlNodePtr node = Find(key);
  if (node == nullptr) return arrow::Status::OK();
  return ReadBoolean(*node, fmt::format("\"{}\" of {}", key, what_)).Value(value);
}

arrow::Status YamlMapping::Read(std::string_view key,
                                std::map<std::string, std::string>* value) const {
  const YamlNodePtr node = Find(key);
  if (node == nullptr) return arrow::Status::OK();
  return ReadTextMap(*node, fmt::format("a mapping of texts as \"{}\" of {}", key, what_))
      .Value(value);
}

arrow::Status YamlMapping::ReadObject(Object* object) const {
  VIAND_RETURN_NOT_OK(Require("name", &object->name));
  VIAND_RETURN_NOT_OK(CheckObjectName(object->name, Find("name")->where));
  object->where = Find("name")->where;
  return ReadDocumentation(object);
}

arrow::Status YamlMapping::ReadDocumentation(Object* object) const {
  VIAND_RETURN_NOT_OK(Read("description", &object->description));
  VIAND_RETURN_NOT_OK(Read("owner", &object->owner));
  return Read("tags", &object->tags);
}

}  // namespace viand::definition
