#include "src/definition/yaml_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <thread>

#include "src/common/atomic_file.h"
#include "src/common/run_parallel.h"
#include "src/definition/definition_files.h"
#include "src/definition/error_list.h"
#include "src/definition/function_code.h"
#include "src/definition/object_readers.h"
#include "src/definition/python_definitions.h"
#include "src/definition/yaml_document.h"
#include "src/definition/yaml_mapping.h"

namespace viand::definition {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kConfigName = "feature_store.yaml";

// Threads are made faster than their objects are read from here on.
constexpr size_t kFewObjects = 64;

template <typename T>
using ObjectReader = arrow::Result<T> (*)(const YamlDocument&, YamlNodePtr);

/// Reads the objects of one list, each error of its own.
template <typename T>
void ReadObjects(const YamlDocument& document, const YamlEntry& list, ObjectReader<T> read,
                 std::vector<T>* objects, ErrorList* errors) {
  if (list.value->kind == YamlKind::kNothing) return;
  const auto items = ReadList(list.value, fmt::format("a list of {}", list.key));
  errors->Add(items.status());
  if (!items.ok()) return;
  std::vector<arrow::Result<T>> read_objects(items->size(), arrow::Status::Invalid("not read"));
  const int threads = items->size() < kFewObjects ? 1 : std::thread::hardware_concurrency();
  const auto done = RunParallel(
      items->size(), threads,
      [&](size_t i) {
        read_objects[i] = read(document, (*items)[i]);
        return arrow::Status::OK();
      },
      nullptr);
  if (!done.ok()) return errors->Add(done);
  objects->reserve(objects->size() + items->size());
  for (arrow::Result<T>& object : read_objects) {
    errors->Add(object.status());
    if (object.ok()) objects->push_back(std::move(*object));
  }
}

void ReadNamedList(const YamlDocument& document, const YamlEntry& list, Definitions* out,
                   ErrorList* errors) {
  const std::string& key = list.key;
  if (key == "entities") ReadObjects(document, list, ReadEntity, &out->entities, errors);
  if (key == "datasets") ReadObjects(document, list, ReadDataset, &out->datasets, errors);
  if (key == "sources") ReadObjects(document, list, ReadSource, &out->sources, errors);
  if (key == "snapshots") ReadObjects(document, list, ReadSnapshots, &out->snapshots, errors);
  if (key == "feature_views") {
    ReadObjects(document, list, ReadFeatureView, &out->feature_views, errors);
  }
  if (key == "labels") ReadObjects(document, list, ReadLabels, &out->labels, errors);
  if (key == "feature_services") {
    ReadObjects(document, list, ReadFeatureService, &out->feature_services, errors);
  }
  if (key == "models") ReadObjects(document, list, ReadModel, &out->models, errors);
}

void ReadDocument(const YamlDocument& document, Definitions* definitions, ErrorList* errors) {
  static const std::vector<std::string> kLists = {"entities",         "datasets",      "sources",
                                                  "snapshots",        "feature_views", "labels",
                                                  "feature_services", "models"};
  const YamlNode& root = *document.root;
  if (root.kind == YamlKind::kNothing) return;
  if (root.kind != YamlKind::kMapping) {
    errors->Add(WrongKind(root, fmt::format("a mapping of the lists {}", fmt::join(kLists, ", "))));
    return;
  }
  for (const YamlEntry& list : root.entries) {
    if (std::find(kLists.begin(), kLists.end(), list.key) != kLists.end()) {
      ReadNamedList(document, list, definitions, errors);
      continue;
    }
    std::string hint = DidYouMean(list.key, kLists);
    if (hint.empty())
      hint = fmt::format("a file of definitions holds: {}", fmt::join(kLists, ", "));
    errors->Add(ErrorAt(list.where, ErrorKind::kDefinition,
                        fmt::format("unknown list \"{}\"", list.key), std::move(hint)));
  }
}

/// Feast's Project in a file of Python is the repo's, or a mistake.
arrow::Status CheckProjects(const PythonDefinitions& python, const std::string& project) {
  for (const auto& [name, where] : python.projects) {
    if (name == project || project.empty()) continue;
    return ErrorAt(
        where, ErrorKind::kDefinition,
        fmt::format("the project \"{}\" is not the repo's, which is \"{}\"", name, project),
        fmt::format("{} names the project of a repo", kConfigName));
  }
  return arrow::Status::OK();
}

arrow::Status ReadPython(const std::string& root, const std::vector<std::string>& files,
                         const std::string& project, const std::string& program,
                         Definitions* definitions, ErrorList* errors) {
  if (files.empty()) return arrow::Status::OK();
  const auto python = ReadPythonFiles(root, files, program);
  if (!python.ok() && KindOf(python.status()) != ErrorKind::kDefinition) return python.status();
  errors->Add(python.status());
  if (!python.ok()) return arrow::Status::OK();
  errors->Add(CheckProjects(*python, project));
  for (const PythonFile& file : python->files) ReadDocument(file.document, definitions, errors);
  return arrow::Status::OK();
}

template <typename T>
void Replace(const std::vector<T>& given, std::vector<T>* objects) {
  for (const T& object : given) {
    const auto named = [&](const T& other) { return other.name == object.name; };
    const auto found = std::find_if(objects->begin(), objects->end(), named);
    if (found != objects->end()) {
      *found = object;
    } else {
      objects->push_back(object);
    }
  }
}

}  // namespace

arrow::Status ReadDefinitionText(std::string_view text, const std::string& file,
                                 Definitions* definitions) {
  VIAND_ASSIGN_OR_RETURN(const YamlDocument document, LoadYaml(text, file));
  ErrorList errors;
  ReadDocument(document, definitions, &errors);
  return errors.Finish();
}

arrow::Result<Definitions> ReadDefinitions(const std::string& root, const std::string& project,
                                           const std::string& python) {
  VIAND_RETURN_NOT_OK(CheckNotReadingDefinitions());
  fs::path folder = fs::path(root).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();  // "repo/"
  VIAND_ASSIGN_OR_RETURN(const DefinitionFiles files, ListDefinitionFiles(folder.string()));
  Definitions definitions;
  ErrorList errors;
  for (const std::string& file : files.yaml) {
    VIAND_ASSIGN_OR_RETURN(const std::string text,
                           ReadWholeFile((folder / file).string(), kMaxYamlBytes));
    const auto document = LoadYaml(text, file);
    errors.Add(document.status());
    if (document.ok()) ReadDocument(*document, &definitions, &errors);
  }
  VIAND_RETURN_NOT_OK(
      ReadPython(folder.string(), files.python, project, python, &definitions, &errors));
  VIAND_RETURN_NOT_OK(errors.Finish());
  VIAND_RETURN_NOT_OK(ResolveFunctions(folder.string(), python, &definitions, &errors));
  VIAND_RETURN_NOT_OK(errors.Finish());
  return definitions;
}

arrow::Result<Definitions> ReadGivenDefinitions(std::string_view said, const std::string& root,
                                                const std::string& program) {
  VIAND_ASSIGN_OR_RETURN(const PythonDefinitions python, ParsePythonDefinitions(said, root));
  Definitions given;
  ErrorList errors;
  for (const PythonFile& file : python.files) ReadDocument(file.document, &given, &errors);
  VIAND_RETURN_NOT_OK(errors.Finish());
  VIAND_RETURN_NOT_OK(ResolveFunctions(root, program, &given, &errors));
  VIAND_RETURN_NOT_OK(errors.Finish());
  return given;
}

void ReplaceDefinitions(const Definitions& given, Definitions* definitions) {
  Replace(given.entities, &definitions->entities);
  Replace(given.datasets, &definitions->datasets);
  Replace(given.sources, &definitions->sources);
  Replace(given.snapshots, &definitions->snapshots);
  Replace(given.feature_views, &definitions->feature_views);
  Replace(given.labels, &definitions->labels);
  Replace(given.feature_services, &definitions->feature_services);
  Replace(given.models, &definitions->models);
}

arrow::Result<std::string> FindRepoRoot(const std::string& start) {
  std::error_code error;
  if (!start.empty() && !fs::is_directory(start, error)) {
    const bool is_file = fs::exists(start, error);
    return MakeError(ErrorKind::kUsage,
                     is_file ? fmt::format("{} is a file, expected the folder of a repo", start)
                             : fmt::format("there is no folder {}", start),
                     "name the repo's folder with -C DIR, or make one with viand init DIR");
  }
  const fs::path from = fs::weakly_canonical(fs::path(start.empty() ? "." : start), error);
  for (fs::path folder = from; !error; folder = folder.parent_path()) {
    if (fs::exists(folder / kConfigName, error)) return folder.string();
    if (error || folder == folder.parent_path()) break;
  }
  return MakeError(ErrorKind::kUsage,
                   fmt::format("no {} in {} or a folder above it", kConfigName, from.string()),
                   "name the repo with -C DIR, or make one with viand init DIR");
}

}  // namespace viand::definition
