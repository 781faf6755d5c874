#include "src/registry/desired_objects.h"

#include <arrow/type.h>
#include <fmt/format.h>
#include <google/protobuf/util/message_differencer.h>

#include <nlohmann/json.hpp>
#include <set>
#include <thread>
#include <vector>

#include "feast/core/data_source.pb.h"
#include "feast/core/entity.pb.h"
#include "feast/core/feature_service.pb.h"
#include "feast/core/feature_view.pb.h"
#include "feast/core/project.pb.h"
#include "src/common/run_parallel.h"
#include "src/registry/feast_codec.h"
#include "src/registry/feast_messages.h"
#include "src/registry/grid_record.h"
#include "src/registry/json_diff.h"

namespace viand::registry {
namespace {

using definition::BoundView;
using definition::Definitions;
using google::protobuf::util::MessageDifferencer;

// Feast's name columns are VARCHAR(255); SQLite would not mind, PostgreSQL would.
constexpr size_t kMaxNameBytes = 255;

// Threads are made faster than their messages from here on.
constexpr size_t kFewViews = 32;

// Descriptions, owners and tags of viand's own kinds have no other place than the text.
constexpr auto kDocumented = definition::CanonicalScope::kWithDocumentation;

class ObjectBuilder {
 public:
  ObjectBuilder(const DesiredState& desired, const RegistrySnapshot& snapshot)
      : desired_(desired),
        bound_(*desired.definitions),
        definitions_(*desired.definitions->definitions),
        snapshot_(snapshot) {}

  arrow::Result<std::map<ObjectKey, DesiredObject>> Build() {
    FillContext();
    VIAND_RETURN_NOT_OK(AddProject());
    VIAND_RETURN_NOT_OK(AddEntities());
    VIAND_RETURN_NOT_OK(AddSources());
    VIAND_RETURN_NOT_OK(AddViews());
    VIAND_RETURN_NOT_OK(AddServices());
    VIAND_RETURN_NOT_OK(AddOwnKinds());
    return std::move(objects_);
  }

 private:
  void FillContext() {
    context_.project = desired_.config->project;
    context_.root = desired_.config->root;
    for (const auto& source : definitions_.sources) context_.sources[source.name] = &source;
    for (const BoundView& view : bound_.views) context_.views[view.view->name] = &view;
    for (const auto& entity : definitions_.entities)
      context_.entities[entity.name] = PartsOf(entity);
    for (const BoundView& view : bound_.views) InferEntityTypes(view);
  }

  // An entity that does not say its type has that of its column in the first view that knows it.
  void InferEntityTypes(const BoundView& bound) {
    if (bound.output == nullptr) return;
    for (const definition::Reference& reference : bound.view->entities) {
      for (EntityPart& part : context_.entities[reference.name]) {
        const auto field = bound.output->GetFieldByName(part.join_key);
        if (part.value_type != "UNKNOWN" || field == nullptr) continue;
        if (definition::IsFeastKeyType(*field->type()))
          part.value_type = *definition::FeastTypeOf(*field->type());
      }
    }
  }

  arrow::Status Add(ObjectKind kind, const std::string& name, const SourceLocation& where,
                    std::string content) {
    if (name.size() > kMaxNameBytes)
      return ErrorAt(
          where, ErrorKind::kDefinition,
          fmt::format("the name of {} \"{}\" has {} bytes; the registry holds at most {}",
                      KindName(kind), name, name.size(), kMaxNameBytes));
    const bool added =
        objects_.try_emplace({kind, name}, DesiredObject{std::move(content), where}).second;
    if (added) return arrow::Status::OK();
    return ErrorAt(where, ErrorKind::kDefinition,
                   fmt::format("{} \"{}\" is defined twice", KindName(kind), name),
                   "a further join key of an entity is stored as \"<entity>__<join key>\"");
  }

  // Starts from the stored message, lets `fill` change it, and keeps the stored bytes where that
  // changed nothing. Changes nothing here: views are made on several threads.
  template <class Message, class Fill>
  arrow::Result<std::string> MessageContent(ObjectKind kind, const std::string& name,
                                            const Fill& fill, Message* message) const {
    const StoredObject* stored = snapshot_.Find(kind, name);
    if (stored != nullptr) VIAND_RETURN_NOT_OK(ReadStored(*stored, message));
    VIAND_RETURN_NOT_OK(fill(message));
    std::string content = SerializeMessage(*message);
    if (stored != nullptr && content != stored->content) {
      // Another client may have written the same in another order.
      Message before;
      VIAND_RETURN_NOT_OK(ReadStored(*stored, &before));
      if (MessageDifferencer::Equals(before, *message)) content = stored->content;
    }
    return content;
  }

  template <class Message, class Fill>
  arrow::Status AddMessage(ObjectKind kind, const std::string& name, const SourceLocation& where,
                           const Fill& fill) {
    Message message;
    VIAND_ASSIGN_OR_RETURN(std::string content, MessageContent(kind, name, fill, &message));
    return Add(kind, name, where, std::move(content));
  }

  template <class Message>
  static arrow::Status ReadStored(const StoredObject& stored, Message* message) {
    VIAND_ASSIGN_OR_RETURN(const auto parsed,
                           ParseMessage(stored.kind, stored.name, stored.content));
    *message = std::move(static_cast<Message&>(*parsed));
    return arrow::Status::OK();
  }

  arrow::Status AddProject() {
    return AddMessage<feast::core::Project>(ObjectKind::kProject, context_.project,
                                            {"feature_store.yaml"},
                                            [&](feast::core::Project* message) {
                                              FillProject(*desired_.config, message);
                                              return arrow::Status::OK();
                                            });
  }

  arrow::Status AddEntities() {
    for (const definition::Entity& entity : definitions_.entities) {
      if (entity.stored_only) continue;
      const std::string definition = CanonicalText(entity);
      for (const EntityPart& part : context_.entities.at(entity.name)) {
        VIAND_RETURN_NOT_OK(AddMessage<feast::core::Entity>(
            ObjectKind::kEntity, part.name, entity.where, [&](feast::core::Entity* message) {
              return FillEntity(context_, entity, part, definition, message);
            }));
      }
    }
    for (const definition::FeatureView& view : definitions_.feature_views) {
      if (!view.entities.empty() || view.stored_only) continue;
      return AddMessage<feast::core::Entity>(ObjectKind::kEntity, kDummyEntity, view.where,
                                             [&](feast::core::Entity* message) {
                                               FillDummyEntity(message);
                                               return arrow::Status::OK();
                                             });
    }
    return arrow::Status::OK();
  }

  arrow::Status AddSources() {
    for (const definition::Source& source : definitions_.sources) {
      if (source.stored_only) continue;
      VIAND_RETURN_NOT_OK(
          AddMessage<feast::core::DataSource>(ObjectKind::kDataSource, source.name, source.where,
                                              [&](feast::core::DataSource* message) {
                                                FillSource(context_, source, message);
                                                return arrow::Status::OK();
                                              }));
    }
    return arrow::Status::OK();
  }

  // Feast wants a view's name to be unique among all kinds of views of a project.
  arrow::Status CheckOtherViewKinds(const definition::FeatureView& view) const {
    for (const ObjectKind kind : {ObjectKind::kStreamFeatureView, ObjectKind::kOnDemandFeatureView,
                                  ObjectKind::kLabelView}) {
      if (snapshot_.Find(kind, view.name) == nullptr) continue;
      return ErrorAt(view.where, ErrorKind::kDefinition,
                     fmt::format("project \"{}\" of the registry has a {} \"{}\" already",
                                 context_.project, KindName(kind), view.name),
                     "rename the view, or give this repo a project of its own");
    }
    return arrow::Status::OK();
  }

  arrow::Status AddViews() {
    std::set<std::string> in_services;
    for (const definition::FeatureService& service : definitions_.feature_services)
      for (const auto& reference : service.features) in_services.insert(reference.view.name);
    struct Made {
      std::string content;
      std::optional<feast::core::FeatureView> message;  // where a service needs it
    };
    std::vector<Made> made(bound_.views.size());
    const auto make = [&](size_t i) -> arrow::Status {
      const BoundView& bound = bound_.views[i];
      const std::string& name = bound.view->name;
      const auto fill = [&](feast::core::FeatureView* message) {
        return FillView(context_, bound, message);
      };
      feast::core::FeatureView message;
      if (bound.view->stored_only) {
        VIAND_RETURN_NOT_OK(fill(&message));
      } else {
        VIAND_RETURN_NOT_OK(CheckOtherViewKinds(*bound.view));
        VIAND_ASSIGN_OR_RETURN(made[i].content,
                               MessageContent(ObjectKind::kFeatureView, name, fill, &message));
      }
      if (in_services.contains(name)) made[i].message = std::move(message);
      return arrow::Status::OK();
    };
    const int threads = made.size() < kFewViews ? 1 : std::thread::hardware_concurrency();
    VIAND_RETURN_NOT_OK(RunParallel(made.size(), threads, make, nullptr));
    for (size_t i = 0; i < made.size(); ++i) {
      const definition::FeatureView& view = *bound_.views[i].view;
      if (made[i].message) views_[view.name] = std::move(*made[i].message);
      if (view.stored_only) continue;
      VIAND_RETURN_NOT_OK(
          Add(ObjectKind::kFeatureView, view.name, view.where, std::move(made[i].content)));
      objects_[{ObjectKind::kFeatureView, view.name}].version = view.version;
    }
    return arrow::Status::OK();
  }

  arrow::Status AddServices() {
    for (const definition::FeatureService& service : definitions_.feature_services) {
      if (service.stored_only) continue;
      VIAND_RETURN_NOT_OK(AddMessage<feast::core::FeatureService>(
          ObjectKind::kFeatureService, service.name, service.where,
          [&](feast::core::FeatureService* message) {
            return FillService(context_, service, views_, message);
          }));
    }
    return arrow::Status::OK();
  }

  arrow::Status AddOwnKinds() {
    for (const auto& dataset : definitions_.datasets)
      VIAND_RETURN_NOT_OK(Add(ObjectKind::kDataset, dataset.name, dataset.where,
                              CanonicalText(dataset, kDocumented)));
    for (const auto& snapshots : definitions_.snapshots)
      if (!snapshots.stored_only) VIAND_RETURN_NOT_OK(AddSnapshots(snapshots));
    for (const BoundView& labels : bound_.labels) {
      VIAND_ASSIGN_OR_RETURN(std::string content, LabelsContent(labels));
      VIAND_RETURN_NOT_OK(
          Add(ObjectKind::kLabels, labels.labels->name, labels.labels->where, std::move(content)));
    }
    for (const auto& model : definitions_.models)
      VIAND_RETURN_NOT_OK(
          Add(ObjectKind::kModel, model.name, model.where, CanonicalText(model, kDocumented)));
    return arrow::Status::OK();
  }

  arrow::Status AddSnapshots(const definition::Snapshots& snapshots) {
    const auto resolved = desired_.grids.find(snapshots.name);
    const ResolvedGrid* grid = resolved == desired_.grids.end() ? nullptr : &resolved->second;
    std::optional<ResolvedGrid> recorded;
    const StoredObject* stored = snapshot_.Find(ObjectKind::kSnapshots, snapshots.name);
    if (grid == nullptr && stored != nullptr) {
      VIAND_ASSIGN_OR_RETURN(recorded, GridOf(stored->content));
      if (recorded) grid = &*recorded;
    }
    return Add(ObjectKind::kSnapshots, snapshots.name, snapshots.where,
               SnapshotsContent(CanonicalText(snapshots, kDocumented), grid));
  }

  // {"definition":{...},"types":{column: Feast's type}}; unknown before ingest, the recorded types
  // stay.
  arrow::Result<std::string> LabelsContent(const BoundView& bound) {
    const std::string definition = CanonicalText(*bound.labels, kDocumented);
    nlohmann::json types;
    for (const auto& column : bound.features) {
      if (column.type == nullptr) return KeepLabelTypes(*bound.labels, definition);
      VIAND_ASSIGN_OR_RETURN(types[column.feature->name], definition::FeastTypeOf(*column.type));
    }
    return fmt::format("{{\"definition\":{},\"types\":{}}}", definition, types.dump());
  }

  arrow::Result<std::string> KeepLabelTypes(const definition::Labels& labels,
                                            const std::string& definition) {
    const StoredObject* stored = snapshot_.Find(ObjectKind::kLabels, labels.name);
    if (stored != nullptr) {
      VIAND_ASSIGN_OR_RETURN(const nlohmann::json tree, ParseJson(stored->content));
      if (tree.contains("types"))
        return fmt::format("{{\"definition\":{},\"types\":{}}}", definition, tree["types"].dump());
    }
    return fmt::format("{{\"definition\":{}}}", definition);
  }

  const DesiredState& desired_;
  const definition::BoundDefinitions& bound_;
  const Definitions& definitions_;
  const RegistrySnapshot& snapshot_;
  FeastContext context_;
  std::map<std::string, feast::core::FeatureView> views_;
  std::map<ObjectKey, DesiredObject> objects_;
};

}  // namespace

arrow::Result<std::map<ObjectKey, DesiredObject>> BuildObjects(const DesiredState& desired,
                                                               const RegistrySnapshot& snapshot) {
  return ObjectBuilder(desired, snapshot).Build();
}

}  // namespace viand::registry
