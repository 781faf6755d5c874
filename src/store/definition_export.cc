#include "src/store/definition_export.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "src/definition/yaml_writer.h"
#include "src/registry/feast_python.h"
#include "src/registry/plan.h"
#include "src/registry/stored_definitions.h"
#include "src/store/apply_step.h"
#include "src/store/definition_json.h"

namespace viand::store {
namespace {

using registry::ObjectKind;

/// Definitions of what the registry alone has; what has none is told line by line.
struct Imported {
  definition::Definitions definitions;
  std::string comments;
};

bool IsOwnPart(const definition::Definitions& all, const registry::StoredObject& object) {
  const auto named = [&](const auto& objects) {
    return offline::FindObject(objects, object.name) != nullptr;
  };
  switch (object.kind) {
    case ObjectKind::kEntity:
      return std::any_of(all.entities.begin(), all.entities.end(), [&](const auto& entity) {
        return object.name == entity.name || object.name.starts_with(entity.name + "__");
      });
    case ObjectKind::kDataSource:
      return named(all.sources);
    case ObjectKind::kFeatureService:
      return named(all.feature_services);
    default:
      return named(all.feature_views);
  }
}

/// A service of views that can be read.
arrow::Status AddService(const registry::RegistrySnapshot& snapshot, const std::string& name,
                         Imported* imported) {
  definition::Definitions read = imported->definitions;
  registry::StoredDefinitions stored(snapshot, &read);
  ARROW_ASSIGN_OR_RAISE(const auto views, stored.AddService(name));
  for (const std::string& view : views) {
    const std::string plain = view.substr(0, view.find('@'));
    if (!stored.HasView(plain)) ARROW_RETURN_NOT_OK(stored.AddView(plain));
  }
  imported->definitions.feature_services = std::move(read.feature_services);
  return arrow::Status::OK();
}

arrow::Status AddOne(const registry::RegistrySnapshot& snapshot,
                     const registry::StoredObject& object, Imported* imported) {
  registry::StoredDefinitions stored(snapshot, &imported->definitions);
  switch (object.kind) {
    case ObjectKind::kEntity:
      return stored.AddEntity(object.name);
    case ObjectKind::kDataSource:
      return stored.AddSource(object.name);
    case ObjectKind::kFeatureService:
      return AddService(snapshot, object.name, imported);
    case ObjectKind::kStreamFeatureView:
      return MakeError(
          ErrorKind::kUsage,
          fmt::format("\"{}\" is a stream feature view, which stays Feast's; its batch "
                      "rows are retrieved by its name",
                      object.name));
    case ObjectKind::kSavedDataset:
    case ObjectKind::kValidationReference:
    case ObjectKind::kPermission:
      return MakeError(ErrorKind::kUsage, "it stays Feast's");
    default:
      return stored.AddView(object.name);
  }
}

/// Paths of the repo are relative in its files, and what was declared is written as it was.
void Tidy(const std::string& root, const registry::RegistrySnapshot& snapshot,
          definition::Definitions* definitions) {
  for (definition::Source& source : definitions->sources)
    if (source.path.starts_with(root + "/")) source.path = source.path.substr(root.size() + 1);
  registry::StoredDefinitions(snapshot, definitions).DeclareEntityTypes();
  const auto place = [](const auto& a, const auto& b) { return a.name < b.name; };
  std::sort(definitions->entities.begin(), definitions->entities.end(), place);
}

arrow::Result<Imported> ImportFrom(const RepoSession& session,
                                   const registry::RegistrySnapshot& snapshot,
                                   const std::vector<std::string>& names) {
  Imported imported;
  std::set<std::string> missing(names.begin(), names.end());
  std::vector<std::string> known;
  for (const auto& [key, object] : snapshot.objects) {
    const bool of_feast = static_cast<int>(key.first) < static_cast<int>(ObjectKind::kDataset);
    if (!of_feast || key.first == ObjectKind::kProject || key.second == "__dummy" ||
        IsOwnPart(session.definitions(), object))
      continue;
    known.push_back(key.second);
    const bool wanted = std::find(names.begin(), names.end(), key.second) != names.end();
    if (!names.empty() && !wanted) continue;
    missing.erase(key.second);
    const arrow::Status added = AddOne(snapshot, object, &imported);
    if (added.ok()) continue;
    if (wanted) return added;
    imported.comments += fmt::format("# not imported: {} {}: {}\n", registry::KindName(key.first),
                                     key.second, added.message());
  }
  if (!missing.empty())
    return MakeError(
        ErrorKind::kNotFound,
        fmt::format("the registry has no \"{}\" that the repo does not define", *missing.begin()),
        NearestOrAll(*missing.begin(), known, "it has "));
  Tidy(session.root(), snapshot, &imported.definitions);
  return imported;
}

template <class Objects>
void Append(const Objects& from, Objects* to) {
  for (const auto& object : from)
    if (offline::FindObject(*to, object.name) == nullptr) to->push_back(object);
}

/// The repo's own definitions, then what the registry has beside them.
arrow::Result<Imported> AllDefinitions(const RepoSession& session,
                                       const registry::RegistrySnapshot& snapshot) {
  definition::Definitions all = session.definitions();
  const auto drop_stored = [](auto& objects) {
    std::erase_if(objects, [](const auto& object) { return object.stored_only; });
  };
  drop_stored(all.entities);
  drop_stored(all.sources);
  drop_stored(all.snapshots);
  drop_stored(all.feature_views);
  drop_stored(all.feature_services);
  ARROW_ASSIGN_OR_RAISE(Imported imported, ImportFrom(session, snapshot, {}));
  Append(imported.definitions.entities, &all.entities);
  Append(imported.definitions.sources, &all.sources);
  Append(imported.definitions.snapshots, &all.snapshots);
  Append(imported.definitions.feature_views, &all.feature_views);
  Append(imported.definitions.feature_services, &all.feature_services);
  return Imported{std::move(all), std::move(imported.comments)};
}

arrow::Result<std::string> ExportPython(RepoSession* session,
                                        const registry::RegistrySnapshot& snapshot) {
  ARROW_ASSIGN_OR_RAISE(const CurrentPlan current, MakeCurrentPlan(session));
  std::vector<registry::StoredObject> objects;
  std::set<std::pair<ObjectKind, std::string>> planned;
  for (const registry::Change& change : current.plan.changes) {
    planned.insert({change.kind, change.name});
    if (change.action != registry::ChangeAction::kRemove) objects.push_back(change.desired);
  }
  for (const auto& [key, object] : snapshot.objects)
    if (!planned.contains(key)) objects.push_back(object);
  return registry::FeastPython(session->config().project, objects);
}

}  // namespace

arrow::Result<std::string> ExportDefinitions(RepoSession* session, const std::string& format) {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, session->ReadRegistry());
  if (format == "feast-python") return ExportPython(session, *snapshot);
  if (format == "yaml" || format == "json") {
    ARROW_ASSIGN_OR_RAISE(const Imported all, AllDefinitions(*session, *snapshot));
    if (format == "json") return DefinitionsJson(*session, *snapshot, all.definitions);
    ARROW_ASSIGN_OR_RAISE(const std::string text, definition::WriteYaml(all.definitions));
    return all.comments + text;
  }
  const std::vector<std::string> formats = {"yaml", "json", "feast-python"};
  return MakeError(ErrorKind::kUsage, fmt::format("unknown format \"{}\" of an export", format),
                   NearestOrAll(format, formats, "the formats are "));
}

arrow::Result<std::string> ImportDefinitions(RepoSession* session,
                                             const std::vector<std::string>& names) {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, session->ReadRegistry());
  ARROW_ASSIGN_OR_RAISE(const Imported imported, ImportFrom(*session, *snapshot, names));
  ARROW_ASSIGN_OR_RAISE(const std::string text, definition::WriteYaml(imported.definitions));
  return imported.comments + text;
}

}  // namespace viand::store
