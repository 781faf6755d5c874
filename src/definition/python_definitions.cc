#include "src/definition/python_definitions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "src/common/atomic_file.h"
#include "src/common/child_output.h"
#include "src/common/python_program.h"
#include "src/definition/error_list.h"

namespace viand::definition {
namespace {

using Json = nlohmann::json;

constexpr const char* kFormat = "viand.definitions/1";
constexpr const char* kReading = "VIAND_READING_DEFINITIONS";
constexpr double kTimeoutSeconds = 120;
constexpr size_t kMaxSaidBytes = 256 << 20;

double TimeoutSeconds() {
  const char* text = std::getenv("VIAND_PYTHON_TIMEOUT");
  const double seconds = text == nullptr ? 0 : std::strtod(text, nullptr);
  return seconds > 0 ? seconds : kTimeoutSeconds;
}

/// The lines that the child said, the last one perhaps cut.
std::vector<Json> LinesOf(std::string_view said) {
  std::vector<Json> lines;
  while (!said.empty()) {
    const size_t end = std::min(said.find('\n'), said.size());
    Json line = Json::parse(said.substr(0, end), nullptr, /*allow_exceptions=*/false);
    if (line.is_object()) lines.push_back(std::move(line));
    said.remove_prefix(std::min(end + 1, said.size()));
  }
  return lines;
}

/// The file that the child was reading when it said no more.
SourceLocation FileAtWork(const std::string& said, const std::vector<std::string>& files) {
  std::string file = files.front();
  for (const Json& line : LinesOf(said))
    if (line.contains("reading") && line["reading"].is_string()) file = line["reading"];
  return {.file = file};
}

std::string LastLineOf(std::string text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

/// Turns an end without an answer into what the user can do about it.
arrow::Status NoAnswer(const ChildOutput& child, const std::string& python,
                       const std::vector<std::string>& files) {
  const std::string& which = files.front();
  const std::string choose =
      "install viand for it with pip install viand, or name the Python that has it in "
      "$VIAND_PYTHON; .feastignore leaves out files that define nothing";
  if (child.start_error != 0) {
    return ErrorAt(
        {.file = which}, ErrorKind::kEnvironment,
        fmt::format(
            "the file imports viand, and the Python to read it with, {}, does not start: {}",
            python, std::strerror(child.start_error)),
        "install Python 3.11 or later with the package viand, or name it in $VIAND_PYTHON");
  }
  const SourceLocation at = FileAtWork(child.standard_output, files);
  if (child.timed_out) {
    return ErrorAt(
        at, ErrorKind::kDefinition,
        fmt::format("reading the file took longer than {:g} seconds", TimeoutSeconds()),
        "a file of definitions computes nothing; $VIAND_PYTHON_TIMEOUT sets the seconds, "
        ".feastignore leaves files out");
  }
  if (child.beyond_limit) {
    return ErrorAt(at, ErrorKind::kDefinition,
                   fmt::format("the definitions are longer than {} MiB", kMaxSaidBytes >> 20),
                   "generate fewer objects");
  }
  if (child.standard_error.find("No module named viand") != std::string::npos ||
      child.standard_error.find("No module named 'viand'") != std::string::npos) {
    return ErrorAt({.file = which}, ErrorKind::kEnvironment,
                   fmt::format("the file imports viand, and {} has no package viand", python),
                   choose);
  }
  if (child.standard_error.find("nknown option: -P") != std::string::npos)
    return ErrorAt({.file = which}, ErrorKind::kEnvironment,
                   fmt::format("{} is older than Python 3.11", python), choose);
  const std::string how = child.signal != 0 ? fmt::format("signal {}", child.signal)
                                            : fmt::format("exit code {}", child.exit_code);
  const std::string last = LastLineOf(child.standard_error);
  return ErrorAt(at, ErrorKind::kDefinition,
                 fmt::format("Python ended with {} while it read the file{}{}", how,
                             last.empty() ? "" : ": ", last));
}

SourceLocation PlaceOf(const Json& problem) {
  return {.file = problem.value("file", ""),
          .line = problem.value("line", 0),
          .column = problem.value("column", 0)};
}

arrow::Status ErrorsOf(const Json& problems) {
  ErrorList errors;
  for (const Json& problem : problems) {
    errors.Add(ErrorAt(PlaceOf(problem), ErrorKind::kDefinition, problem.value("message", ""),
                       problem.value("hint", "")));
  }
  return errors.Finish();
}

/// Builds the documents. Its methods throw nlohmann's exceptions on another shape.
class DocumentBuilder {
 public:
  DocumentBuilder(const Json& answer, const std::string& root) {
    result_.names = std::make_shared<const std::vector<std::string>>(
        answer.at("files").get<std::vector<std::string>>());
    for (const std::string& name : *result_.names) {
      std::string text = TextOf(root, name);
      auto nodes = std::make_unique<YamlNodes>(name);
      YamlNode* top = nodes->Make();
      top->kind = YamlKind::kMapping;
      top->where = {&name, 1, 1};
      tops_.push_back(top);
      result_.files.push_back({name, {std::move(text), std::move(nodes), top}});
    }
    for (const Json& object : answer.at("objects")) AddObject(object);
    for (const Json& project : answer.at("projects"))
      result_.projects.emplace_back(project.at("name"), PlaceOf(project));
  }

  PythonDefinitions Take() { return std::move(result_); }

 private:
  /// Empty for a notebook's cell or a file that is gone: its places are known and not its text.
  static std::string TextOf(const std::string& root, const std::string& name) {
    const std::string path = (std::filesystem::path(root) / name).string();
    std::error_code error;
    const bool is_file = std::filesystem::is_regular_file(path, error);
    return is_file ? ReadWholeFile(path).ValueOr("") : "";
  }

  void AddObject(const Json& object) {
    file_ = object.at("file").get<size_t>();
    const std::string section = object.at("list");
    YamlNode* top = tops_.at(file_);
    const YamlNode* node = Node(object.at("node"));
    YamlNode*& list = lists_[{file_, section}];
    if (list == nullptr) {
      list = result_.files[file_].document.nodes->Make();
      list->kind = YamlKind::kList;
      list->where = node->where;
      top->entries.push_back({section, list->where, list});
    }
    list->items.push_back(node);
  }

  const YamlNode* Node(const Json& json) {
    YamlNode* node = result_.files[file_].document.nodes->Make();
    const auto& at = json.at("at");
    const size_t file = json.at("file");
    node->where = {&result_.names->at(file), at.at(0), at.at(1)};
    if (json.contains("map")) {
      node->kind = YamlKind::kMapping;
      for (const Json& entry : json["map"]) {
        const YamlNode* value = Node(entry.at(1));
        node->entries.push_back({entry.at(0), value->where, value});
      }
    } else if (json.contains("list")) {
      node->kind = YamlKind::kList;
      for (const Json& item : json["list"]) node->items.push_back(Node(item));
    } else {
      node->kind = YamlKind::kText;
      node->text = json.at("text");
      node->plain = json.value("plain", false);
      const int64_t offset = at.at(2);
      const bool shown = offset >= 0 && file == file_ && !result_.files[file].document.text.empty();
      node->offset = shown ? static_cast<size_t>(offset) : kNoOffset;
    }
    return node;
  }

  size_t file_ = 0;  ///< of the object at hand
  std::vector<YamlNode*> tops_;
  std::map<std::pair<size_t, std::string>, YamlNode*> lists_;
  PythonDefinitions result_;
};

}  // namespace

arrow::Status CheckNotReadingDefinitions() {
  if (std::getenv(kReading) == nullptr) return arrow::Status::OK();
  return MakeError(ErrorKind::kUsage, "a FeatureStore is opened while definitions are read",
                   "what a file of definitions does as a program stands under "
                   "if __name__ == \"__main__\":");
}

arrow::Result<PythonDefinitions> ParsePythonDefinitions(std::string_view said,
                                                        const std::string& root) {
  const std::vector<Json> lines = LinesOf(said);
  const Json answer = lines.empty() ? Json::object() : lines.back();
  try {
    if (answer.contains("errors")) VIAND_RETURN_NOT_OK(ErrorsOf(answer["errors"]));
    if (answer.value("format", "") == kFormat) return DocumentBuilder(answer, root).Take();
  } catch (const std::exception& error) {  // of nlohmann, and of names that are not there
    return MakeError(
        ErrorKind::kEnvironment,
        fmt::format("the package viand of Python said what is not {}: {}", kFormat, error.what()));
  }
  return MakeError(
      ErrorKind::kEnvironment,
      fmt::format("the package viand of Python is of another version: it does not say {}", kFormat),
      "install the same version of viand for both");
}

arrow::Result<PythonDefinitions> ReadPythonFiles(const std::string& root,
                                                 const std::vector<std::string>& files,
                                                 const std::string& program) {
  const std::string python = program.empty() ? PythonProgram() : program;
  // -P: a file viand.py of the repo must not stand for the package.
  ChildCommand child{.command = {python, "-P", "-m", "viand.repo", root},
                     .timeout_seconds = TimeoutSeconds(),
                     .output_limit_bytes = kMaxSaidBytes};
  child.command.insert(child.command.end(), files.begin(), files.end());
  VIAND_ASSIGN_OR_RETURN(const ChildOutput said, RunForOutput(child));
  const std::vector<Json> lines = LinesOf(said.standard_output);
  const bool answered = said.exit_code == 0 && said.signal == 0 && said.start_error == 0 &&
                        !said.timed_out && !said.beyond_limit && !lines.empty() &&
                        !lines.back().contains("reading");
  if (!answered) return NoAnswer(said, python, files);
  // What the user's code prints is the user's to see.
  std::fputs(said.standard_error.c_str(), stderr);
  return ParsePythonDefinitions(said.standard_output, root);
}

}  // namespace viand::definition
