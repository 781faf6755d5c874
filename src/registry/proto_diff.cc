#include "src/registry/proto_diff.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "src/common/time.h"
#include "src/registry/feast_messages.h"
#include "src/registry/json_diff.h"

namespace viand::registry {
namespace {

using google::protobuf::Duration;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::TextFormat;

std::string ScalarText(const Message& message, const FieldDescriptor* field, int index) {
  const auto* reflection = message.GetReflection();
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING)
    return index < 0 ? reflection->GetString(message, field)
                     : reflection->GetRepeatedString(message, field, index);
  std::string text;
  TextFormat::PrintFieldValueToString(message, field, index, &text);
  return text;
}

std::string StringField(const Message& message, const char* name) {
  const auto* field = message.GetDescriptor()->FindFieldByName(name);
  return field == nullptr ? "" : message.GetReflection()->GetString(message, field);
}

// How an element of a list is called; empty: it has no name.
std::string ElementName(const Message& message) {
  std::string name = StringField(message, "name");
  if (name.empty()) name = StringField(message, "feature_view_name_alias");
  if (name.empty()) name = StringField(message, "feature_view_name");
  return name;
}

// One line for an element that comes or goes: a column's type says enough.
std::string Summary(const Message& message) {
  const auto* type = message.GetDescriptor()->FindFieldByName("value_type");
  return type == nullptr ? message.ShortDebugString() : ScalarText(message, type, -1);
}

class MessageDiff {
 public:
  std::vector<FieldChange> changes;

  void Compare(const Message& before, const Message& after, const std::string& path) {
    const auto* descriptor = before.GetDescriptor();
    for (int i = 0; i < descriptor->field_count(); ++i) {
      const FieldDescriptor* field = descriptor->field(i);
      if (path.empty() && field->name() == "meta") continue;
      const std::string field_path = field->name() == "spec" ? path : Join(path, field->name());
      if (field->is_map()) {
        CompareMaps(before, after, field, field_path);
      } else if (field->is_repeated()) {
        CompareLists(before, after, field, field_path);
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        CompareSubmessages(before, after, field, field_path);
      } else {
        Report(field_path, ScalarText(before, field, -1), ScalarText(after, field, -1));
      }
    }
  }

 private:
  static std::string Join(const std::string& path, const std::string& name) {
    return path.empty() ? name : path + "." + name;
  }

  void Report(const std::string& path, std::string before, std::string after) {
    if (before != after) changes.push_back({path, std::move(before), std::move(after)});
  }

  void CompareSubmessages(const Message& before, const Message& after, const FieldDescriptor* field,
                          const std::string& path) {
    const Message& old_value = before.GetReflection()->GetMessage(before, field);
    const Message& new_value = after.GetReflection()->GetMessage(after, field);
    if (field->message_type() == Duration::descriptor()) {
      const bool had = before.GetReflection()->HasField(before, field);
      Report(path, had ? DurationText(old_value) : "", DurationText(new_value));
    } else if (before.GetReflection()->HasField(before, field) ||
               after.GetReflection()->HasField(after, field)) {
      Compare(old_value, new_value, path);
    }
  }

  static std::string DurationText(const Message& message) {
    const auto& duration = static_cast<const Duration&>(message);
    return FormatDuration(duration.seconds() * kMicrosPerSecond + duration.nanos() / 1000);
  }

  static std::map<std::string, std::string> MapOf(const Message& message,
                                                  const FieldDescriptor* field) {
    std::map<std::string, std::string> entries;
    const auto* reflection = message.GetReflection();
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      const Message& entry = reflection->GetRepeatedMessage(message, field, i);
      entries[StringField(entry, "key")] = StringField(entry, "value");
    }
    return entries;
  }

  void CompareMaps(const Message& before, const Message& after, const FieldDescriptor* field,
                   const std::string& path) {
    auto old_entries = MapOf(before, field);
    for (const auto& [key, value] : MapOf(after, field)) {
      const std::string old_value = old_entries[key];
      old_entries.erase(key);
      if (path == "tags" && key == kDefinitionTag) {
        CompareDefinitions(old_value, value);
      } else {
        Report(Join(path, key), old_value, value);
      }
    }
    for (const auto& [key, value] : old_entries) Report(Join(path, key), value, "");
  }

  void CompareDefinitions(const std::string& before, const std::string& after) {
    if (before == after) return;
    auto old_tree = ParseJson(before), new_tree = ParseJson(after);
    std::vector<FieldChange> fields;
    if (!before.empty() && old_tree.ok() && new_tree.ok()) {
      fields = DiffJson(*old_tree, *new_tree);
    } else {
      fields.push_back({Join("tags", kDefinitionTag), before, after});
    }
    changes.insert(changes.begin(), fields.begin(), fields.end());
  }

  void CompareLists(const Message& before, const Message& after, const FieldDescriptor* field,
                    const std::string& path) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE)
      return Report(path, ListText(before, field), ListText(after, field));
    auto old_elements = ElementsOf(before, field);
    const size_t count = changes.size();
    const auto* reflection = after.GetReflection();
    for (int i = 0; i < reflection->FieldSize(after, field); ++i) {
      const Message& element = reflection->GetRepeatedMessage(after, field, i);
      const auto old = old_elements.extract(ElementName(element));
      const std::string element_path = Join(path, ElementName(element));
      if (old.empty()) {
        Report(element_path, "", Summary(element));
      } else {
        Compare(*old.mapped(), element, element_path);
      }
    }
    for (const auto& [name, element] : old_elements)
      Report(Join(path, name), Summary(*element), "");
    if (changes.size() == count) Report(path, NamesOf(before, field), NamesOf(after, field));
  }

  static std::map<std::string, const Message*> ElementsOf(const Message& message,
                                                          const FieldDescriptor* field) {
    std::map<std::string, const Message*> elements;
    const auto* reflection = message.GetReflection();
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      const Message& element = reflection->GetRepeatedMessage(message, field, i);
      elements[ElementName(element)] = &element;
    }
    return elements;
  }

  static std::string NamesOf(const Message& message, const FieldDescriptor* field) {
    std::string names;
    const auto* reflection = message.GetReflection();
    for (int i = 0; i < reflection->FieldSize(message, field); ++i)
      names += (names.empty() ? "" : ", ") +
               ElementName(reflection->GetRepeatedMessage(message, field, i));
    return names;
  }

  static std::string ListText(const Message& message, const FieldDescriptor* field) {
    std::string text;
    for (int i = 0; i < message.GetReflection()->FieldSize(message, field); ++i)
      text += (text.empty() ? "" : ", ") + ScalarText(message, field, i);
    return text;
  }
};

}  // namespace

std::vector<FieldChange> DiffMessages(const Message& before, const Message& after) {
  MessageDiff diff;
  diff.Compare(before, after, "");
  return std::move(diff.changes);
}

}  // namespace viand::registry
