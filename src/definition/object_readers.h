// One reader an object kind: a YAML mapping -> the model. Structure only; names are resolved by
// validation.h. Each fails with the first error of its object.
#pragma once

#include "src/definition/model.h"
#include "src/definition/yaml_document.h"

namespace viand::definition {

arrow::Result<Entity> ReadEntity(const YamlDocument& document, YamlNodePtr node);
arrow::Result<Dataset> ReadDataset(const YamlDocument& document, YamlNodePtr node);
arrow::Result<Source> ReadSource(const YamlDocument& document, YamlNodePtr node);
arrow::Result<Snapshots> ReadSnapshots(const YamlDocument& document, YamlNodePtr node);
arrow::Result<FeatureView> ReadFeatureView(const YamlDocument& document, YamlNodePtr node);
arrow::Result<Labels> ReadLabels(const YamlDocument& document, YamlNodePtr node);
arrow::Result<FeatureService> ReadFeatureService(const YamlDocument& document, YamlNodePtr node);
arrow::Result<Model> ReadModel(const YamlDocument& document, YamlNodePtr node);

}  // namespace viand::definition
