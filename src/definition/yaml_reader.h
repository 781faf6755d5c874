// The files of a feature repo -> the model. Structure only: keys, kinds, shapes, durations;
// every error has file:line:column and the nearest key.
#pragma once

#include <string>
#include <string_view>

#include "src/definition/model.h"

namespace viand::definition {

/// Reads feature_store.yaml of `root`. Unknown top-level keys are allowed, as in Feast.
arrow::Result<RepoConfig> ReadRepoConfig(const std::string& root);

/// Reads the files of definitions below `root` (definition_files.h): YAML in order of path, then
/// Python (python_definitions.h) with the program `python`; empty: $VIAND_PYTHON, else python3. A
/// project that Python names must be `project`; empty: any.
arrow::Result<Definitions> ReadDefinitions(const std::string& root, const std::string& project = "",
                                           const std::string& python = "");

/// Reads definitions that Python hands over (docs/formats/python.md): those of a notebook. `python`
/// as above.
arrow::Result<Definitions> ReadGivenDefinitions(std::string_view said, const std::string& root,
                                                const std::string& python = "");

/// Puts each object of `given` in place of that of its kind and name, or behind the others.
void ReplaceDefinitions(const Definitions& given, Definitions* definitions);

/// Reads the text of one file and appends its objects. Limit: 16 MiB.
arrow::Status ReadDefinitionText(std::string_view text, const std::string& file,
                                 Definitions* definitions);

/// Finds the repo: `start` or its nearest parent that holds a feature_store.yaml.
arrow::Result<std::string> FindRepoRoot(const std::string& start);

}  // namespace viand::definition
