// Definitions -> the YAML that reads back as the same definitions: what export, import and rollback
// write.
//
//   VIAND_ASSIGN_OR_RETURN(std::string text,
//                          YamlItem("feature_views", CanonicalText(view, kWithDocumentation), 2));
#pragma once

#include <string>

#include "src/definition/model.h"

namespace viand::definition {

/// Prints a canonical text (CanonicalText) as an item of its list: "- name: ..." and lines below
/// it, each behind `indent` spaces. `section` is the key of the list: "entities", "sources", ...
/// kDefinition for a text that is no JSON object.
arrow::Result<std::string> YamlItem(const std::string& section, const std::string& canonical,
                                    int indent);

/// The same item as JSON: what the YAML says, with its keys in the same order.
arrow::Result<std::string> JsonItem(const std::string& section, const std::string& canonical);

/// A definition as the files of a repo write it: without the texts of functions, where it found
/// them in files. Those of a notebook, of a rollback and of the registry alone stay.
template <class Object>
const Object& AsWritten(const Object& object) {
  return object;
}
FeatureView AsWritten(FeatureView view);
Labels AsWritten(Labels labels);

/// Prints all definitions, a section after the other; objects that the registry alone holds are
/// printed like any others.
arrow::Result<std::string> WriteYaml(const Definitions& definitions);

}  // namespace viand::definition
