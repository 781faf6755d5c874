#include "src/registry/json_diff.h"

#include <nlohmann/json.hpp>

#include <map>
#include <utility>

namespace viand::registry {
namespace {

using Json = nlohmann::json;
using Fields = std::vector<std::pair<std::string, const Json*>>;

// What a person reads: strings bare, the rest as JSON.
std::string PlainText(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get_ref<const std::string&>();
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string ElementName(const Json& value) {
  if (!value.is_object()) return "";
  for (const char* key : {"alias", "view", "name"}) {
    const auto found = value.find(key);
    if (found != value.end() && found->is_string()) return found->get<std::string>();
  }
  return "";
}

// The named parts of a value; empty where it is a leaf, or an array of nameless or equally named
// elements.
Fields FieldsOf(const Json& value) {
  Fields fields;
  if (value.is_object())
    for (const auto& [name, member] : value.items()) fields.emplace_back(name, &member);
  if (!value.is_array()) return fields;
  std::map<std::string, int> seen;
  for (const Json& element : value) {
    const std::string name = ElementName(element);
    if (name.empty() || ++seen[name] > 1) return {};
    fields.emplace_back(name, &element);
  }
  return fields;
}

std::string NamesOf(const Fields& fields) {
  std::string names;
  for (const auto& [name, value] : fields) names += (names.empty() ? "" : ", ") + name;
  return names;
}

class JsonDiff {
 public:
  std::vector<FieldChange> changes;

  void Compare(const Json& before, const Json& after, const std::string& path) {
    if (before == after) return;
    const Fields old_fields = FieldsOf(before), new_fields = FieldsOf(after);
    if (before.type() != after.type() || old_fields.empty() || new_fields.empty()) {
      changes.push_back({path, PlainText(before), PlainText(after)});
      return;
    }
    const size_t count = changes.size();
    CompareFields(old_fields, new_fields, path);
    if (changes.size() == count)
      changes.push_back({path, NamesOf(old_fields), NamesOf(new_fields)});
  }

 private:
  void CompareFields(const Fields& before, const Fields& after, const std::string& path) {
    static const Json kAbsent;
    const auto join = [&](const std::string& name) {
      return path.empty() ? name : path + "." + name;
    };
    std::map<std::string, const Json*> old_fields(before.begin(), before.end());
    for (const auto& [name, value] : after) {
      const auto old = old_fields.extract(name);
      Compare(old.empty() ? kAbsent : *old.mapped(), *value, join(name));
    }
    for (const auto& [name, value] : old_fields) Compare(*value, kAbsent, join(name));
  }
};

}  // namespace

arrow::Result<Json> ParseJson(std::string_view text) {
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_discarded()) return json;
  return MakeError(ErrorKind::kInput, "an object of the registry is damaged: its text is not JSON",
                   "restore the registry from a copy");
}

std::vector<FieldChange> DiffJson(const Json& before, const Json& after) {
  JsonDiff diff;
  diff.Compare(before, after, "");
  return std::move(diff.changes);
}

}  // namespace viand::registry
