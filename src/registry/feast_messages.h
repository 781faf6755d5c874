// Definitions as Feast's messages. Each function starts from the message that is stored (or an
// empty one) and sets what the definition says, so that everything viand does not define -
// timestamps, materialization intervals, unknown fields - stays as it is.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "src/definition/validation.h"

namespace feast::core {
class DataSource;
class Entity;
class FeatureService;
class FeatureView;
class Project;
}  // namespace feast::core

namespace viand::registry {

/// Tags that viand sets on everything it owns in Feast's tables. On disk: never change.
inline constexpr char kRepoTag[] = "viand.repo";
inline constexpr char kDefinitionTag[] = "viand.definition";

/// Feast's name of the entity that a view without entities has, and its join key.
inline constexpr char kDummyEntity[] = "__dummy";
inline constexpr char kDummyJoinKey[] = "__dummy_id";

/// One Feast entity: Feast has exactly one join key an entity.
struct EntityPart {
  std::string name;
  std::string join_key;
  std::string value_type;  ///< Feast's name; UNKNOWN where nothing says it
};

/// The Feast entities of an entity: the first join key under the entity's own name, each further
/// one as
/// "<entity>__<join key>".
std::vector<EntityPart> PartsOf(const definition::Entity& entity);

/// What the messages need to know of the repo.
struct FeastContext {
  std::string project;
  std::string root;
  std::map<std::string, std::vector<EntityPart>> entities;  ///< by the entity's name
  std::map<std::string, const definition::Source*> sources;
  std::map<std::string, const definition::BoundView*> views;
};

/// The path as Feast's readers need it: absolute, or with a scheme.
std::string AbsolutePath(const std::string& root, const std::string& path);

void FillProject(const definition::RepoConfig& config, ::feast::core::Project* message);
/// Sets one part; `definition` is the canonical text of the whole entity.
arrow::Status FillEntity(const FeastContext& context, const definition::Entity& entity,
                         const EntityPart& part, const std::string& definition,
                         ::feast::core::Entity* message);
void FillDummyEntity(::feast::core::Entity* message);
void FillSource(const FeastContext& context, const definition::Source& source,
                ::feast::core::DataSource* message);
/// Columns whose type is known only after ingest keep the stored type, else are INVALID.
arrow::Status FillView(const FeastContext& context, const definition::BoundView& bound,
                       ::feast::core::FeatureView* message);
/// `views` are the desired messages of the views.
arrow::Status FillService(const FeastContext& context, const definition::FeatureService& service,
                          const std::map<std::string, ::feast::core::FeatureView>& views,
                          ::feast::core::FeatureService* message);

}  // namespace viand::registry
