// Definitions in Python: a child process imports the files and says what they hold, as
// docs/formats/python.md has it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/definition/yaml_document.h"

namespace viand::definition {

/// One Python file's objects as the document that a YAML file of the same objects would be.
struct PythonFile {
  std::string name;  ///< relative to the repo where it lies in it
  YamlDocument document;
};

/// What the Python files of a repo hold.
struct PythonDefinitions {
  /// Of all files in which nodes stand; places of nodes point into it.
  std::shared_ptr<const std::vector<std::string>> names;
  std::vector<PythonFile> files;
  /// The projects that they name (Feast's Project), with their places.
  std::vector<std::pair<std::string, SourceLocation>> projects;
};

/// Runs `program` (empty: $VIAND_PYTHON, else python3) over the files (relative to the repo).
/// Errors: kEnvironment where there is no such Python or it has no package viand; kDefinition with
/// file:line where a file fails or takes longer than $VIAND_PYTHON_TIMEOUT seconds (default 120).
arrow::Result<PythonDefinitions> ReadPythonFiles(const std::string& root,
                                                 const std::vector<std::string>& files,
                                                 const std::string& program = "");

/// Reads what the child said.
arrow::Result<PythonDefinitions> ParsePythonDefinitions(std::string_view said,
                                                        const std::string& root);

/// Fails where this process reads definitions itself: a file of definitions that opens a store
/// would be read for ever.
arrow::Status CheckNotReadingDefinitions();

}  // namespace viand::definition
