#include "src/store/definition_json.h"

#include <nlohmann/json.hpp>

#include "src/definition/yaml_writer.h"
#include "src/registry/feast_codec.h"

namespace viand::store {
namespace {

using Json = nlohmann::ordered_json;
using definition::BoundView;
using registry::ObjectKind;

constexpr auto kDocumented = definition::CanonicalScope::kWithDocumentation;

class JsonWriter {
 public:
  JsonWriter(const RepoSession& session, const registry::RegistrySnapshot& snapshot)
      : session_(session), snapshot_(snapshot) {}

  template <class Object>
  arrow::Status Add(const char* section, ObjectKind kind, const std::vector<Object>& objects) {
    for (const Object& object : objects) {
      ARROW_ASSIGN_OR_RAISE(
          const std::string item,
          definition::JsonItem(section, CanonicalText(definition::AsWritten(object), kDocumented)));
      Json entry = {{"list", section}, {"in_repo", !object.stored_only}};
      entry["definition"] = Json::parse(item);
      if constexpr (std::is_same_v<Object, definition::FeatureView>) AddTypes(object, &entry);
      if (const auto* stored = snapshot_.Find(kind, object.name)) AddTimes(*stored, &entry);
      objects_.push_back(std::move(entry));
    }
    return arrow::Status::OK();
  }

  std::string Print() const {
    return Json{{"format", "viand.objects/1"}, {"objects", objects_}}.dump();
  }

 private:
  /// Feast's names; what Feast has no type for is left out.
  static void AddType(const std::string& name, const arrow::DataType* type, Json* types) {
    if (type == nullptr) return;
    if (const auto feast = definition::FeastTypeOf(*type); feast.ok()) (*types)[name] = *feast;
  }

  void AddTypes(const definition::FeatureView& view, Json* entry) const {
    const BoundView* bound = session_.bound().FindView(view.name);
    if (bound == nullptr) return;
    Json types = Json::object(), keys = Json::object();
    for (const auto& feature : bound->features)
      AddType(feature.feature->name, feature.type.get(), &types);
    for (const std::string& key : bound->join_keys) {
      const auto field = bound->output == nullptr ? nullptr : bound->output->GetFieldByName(key);
      AddType(key, field == nullptr ? nullptr : field->type().get(), &keys);
    }
    (*entry)["types"] = types;
    (*entry)["key_types"] = keys;
    (*entry)["ttl_us"] = bound->ttl_us;
  }

  static void AddTimes(const registry::StoredObject& stored, Json* entry) {
    const registry::StoredTimes times = registry::TimesOf(stored);
    if (times.created_us != 0) (*entry)["created_us"] = times.created_us;
    const int64_t updated_us = times.updated_us == 0 ? stored.updated_us : times.updated_us;
    if (updated_us != 0) (*entry)["updated_us"] = updated_us;
  }

  const RepoSession& session_;
  const registry::RegistrySnapshot& snapshot_;
  Json objects_ = Json::array();
};

}  // namespace

arrow::Result<std::string> DefinitionsJson(const RepoSession& session,
                                           const registry::RegistrySnapshot& snapshot,
                                           const definition::Definitions& all) {
  JsonWriter writer(session, snapshot);
  ARROW_RETURN_NOT_OK(writer.Add("entities", ObjectKind::kEntity, all.entities));
  ARROW_RETURN_NOT_OK(writer.Add("datasets", ObjectKind::kDataset, all.datasets));
  ARROW_RETURN_NOT_OK(writer.Add("sources", ObjectKind::kDataSource, all.sources));
  ARROW_RETURN_NOT_OK(writer.Add("snapshots", ObjectKind::kSnapshots, all.snapshots));
  ARROW_RETURN_NOT_OK(writer.Add("feature_views", ObjectKind::kFeatureView, all.feature_views));
  ARROW_RETURN_NOT_OK(writer.Add("labels", ObjectKind::kLabels, all.labels));
  ARROW_RETURN_NOT_OK(
      writer.Add("feature_services", ObjectKind::kFeatureService, all.feature_services));
  ARROW_RETURN_NOT_OK(writer.Add("models", ObjectKind::kModel, all.models));
  return writer.Print();
}

}  // namespace viand::store
