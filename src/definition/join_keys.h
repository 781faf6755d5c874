// Entities' join keys against the columns that hold them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/definition/error_list.h"
#include "src/definition/model.h"

namespace arrow {
class Schema;
}

namespace viand::definition {

/// Checks the value types that an entity declares: those that Feast's entity keys can hold; floats
/// are refused.
arrow::Status CheckValueTypes(const Entity& entity);

/// Returns the join keys of all entities in their order; unknown entities and a key in two entities
/// are errors.
std::vector<std::string> JoinKeysOf(const std::vector<Reference>& entities,
                                    const std::vector<Entity>& defined, ErrorList* errors);

/// Checks that `schema` has each join key, in a type that fits the entity's value type, as far as
/// it is known; `open`: there may be more columns. `described_as` reads "source x".
void CheckJoinKeyColumns(const std::vector<Reference>& entities, const std::vector<Entity>& defined,
                         const arrow::Schema& schema, bool open, const std::string& described_as,
                         ErrorList* errors);

}  // namespace viand::definition
