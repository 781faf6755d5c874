// The features of a view and the columns of labels, and what views and labels share.
#pragma once

#include <optional>
#include <vector>

#include "src/definition/model.h"
#include "src/definition/yaml_document.h"
#include "src/definition/yaml_mapping.h"

namespace viand::definition {

/// Reads `name: expression` and `name: {expr, window, default, description, owner, tags}`.
arrow::Result<std::vector<Feature>> ReadComputedFeatures(const YamlDocument& document,
                                                         const YamlNode& node);

/// Reads a list of ready columns: names, or {name, dtype, description, owner, tags}; with `expr` in
/// it a computed one.
arrow::Result<std::vector<Feature>> ReadFeatureList(const YamlDocument& document, YamlNodePtr node);

/// Reads an optional SQL text at `key`.
arrow::Status ReadOptionalSql(const YamlDocument& document, const YamlMapping& mapping,
                              std::string_view key, std::optional<Sql>* sql);

/// Reads a window at `key`, where there is one.
arrow::Status ReadOptionalWindow(const YamlMapping& mapping, std::string_view key,
                                 std::optional<Window>* window);

/// Reads the list of entities at `key`.
arrow::Status ReadEntities(const YamlMapping& mapping, std::vector<Reference>* entities);

}  // namespace viand::definition
