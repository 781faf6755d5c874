#include "src/registry/dependants.h"

#include <deque>
#include <set>

#include "feast/core/feature_service.pb.h"
#include "feast/core/feature_view.pb.h"
#include "src/registry/feast_messages.h"

namespace viand::registry {

void Dependants::Add(ObjectKind kind, const std::string& name, const Key& reader) {
  if (!name.empty()) readers_[{kind, name}].push_back(reader);
}

Dependants Dependants::Make(const definition::Definitions& definitions,
                            const RegistrySnapshot& snapshot) {
  Dependants graph;
  std::map<std::string, std::vector<std::string>> parts;
  for (const auto& entity : definitions.entities)
    for (const EntityPart& part : PartsOf(entity)) parts[entity.name].push_back(part.name);
  std::map<std::string, std::string> dataset_of_path;
  for (const auto& dataset : definitions.datasets) dataset_of_path[dataset.to] = dataset.name;
  std::set<std::string> views;
  for (const auto& view : definitions.feature_views) views.insert(view.name);

  const auto reads_source = [&](const definition::Reference& source, const Key& reader) {
    const bool is_view = views.contains(source.name);
    graph.Add(is_view ? ObjectKind::kFeatureView : ObjectKind::kDataSource, source.name, reader);
  };
  const auto reads_entities = [&](const std::vector<definition::Reference>& entities,
                                  const Key& reader) {
    for (const auto& entity : entities)
      for (const std::string& part : parts[entity.name])
        graph.Add(ObjectKind::kEntity, part, reader);
  };
  for (const auto& source : definitions.sources)
    if (const auto dataset = dataset_of_path.find(source.path); dataset != dataset_of_path.end())
      graph.Add(ObjectKind::kDataset, dataset->second, {ObjectKind::kDataSource, source.name});
  for (const auto& snapshots : definitions.snapshots)
    reads_source(snapshots.source, {ObjectKind::kSnapshots, snapshots.name});
  for (const auto& view : definitions.feature_views) {
    const Key key{ObjectKind::kFeatureView, view.name};
    reads_entities(view.entities, key);
    reads_source(view.source, key);
    if (view.snapshots) graph.Add(ObjectKind::kSnapshots, view.snapshots->name, key);
  }
  for (const auto& labels : definitions.labels) {
    const Key key{ObjectKind::kLabels, labels.name};
    reads_entities(labels.entities, key);
    reads_source(labels.source, key);
    graph.Add(ObjectKind::kFeatureView, labels.population.name, key);
  }
  for (const auto& service : definitions.feature_services)
    for (const auto& reference : service.features)
      graph.Add(ObjectKind::kFeatureView, reference.view.name,
                {ObjectKind::kFeatureService, service.name});
  for (const auto& model : definitions.models) {
    graph.Add(ObjectKind::kFeatureService, model.features.name, {ObjectKind::kModel, model.name});
    graph.Add(ObjectKind::kLabels, model.labels.name, {ObjectKind::kModel, model.name});
  }
  graph.AddStored(snapshot, definitions);
  return graph;
}

// Damaged messages read nothing: whoever needs them will say that they are damaged.
void Dependants::AddStored(const RegistrySnapshot& snapshot,
                           const definition::Definitions& definitions) {
  std::set<Key> defined;
  for (const auto& view : definitions.feature_views)
    defined.insert({ObjectKind::kFeatureView, view.name});
  for (const auto& service : definitions.feature_services)
    defined.insert({ObjectKind::kFeatureService, service.name});
  for (const auto& [key, object] : snapshot.objects) {
    if (defined.contains(key)) continue;
    feast::core::FeatureService service;
    feast::core::FeatureView view;
    if (key.first == ObjectKind::kFeatureService && service.ParseFromString(object.content)) {
      for (const auto& projection : service.spec().features())
        Add(ObjectKind::kFeatureView, projection.feature_view_name(), key);
    } else if (key.first == ObjectKind::kFeatureView && view.ParseFromString(object.content)) {
      for (const auto& entity : view.spec().entities()) Add(ObjectKind::kEntity, entity, key);
    }
  }
}

std::vector<Dependants::Key> Dependants::Of(const Key& object) const {
  std::vector<Key> found;
  std::set<Key> seen = {object};
  std::deque<Key> queue = {object};
  while (!queue.empty()) {
    const auto readers = readers_.find(queue.front());
    queue.pop_front();
    if (readers == readers_.end()) continue;
    for (const Key& reader : readers->second) {
      if (!seen.insert(reader).second) continue;
      found.push_back(reader);
      queue.push_back(reader);
    }
  }
  return found;
}

}  // namespace viand::registry
