#include "src/definition/function_code.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <vector>

#include "src/common/child_output.h"
#include "src/common/python_program.h"

namespace viand::definition {
namespace {

using Json = nlohmann::json;

constexpr const char* kFunctionsFormat = "viand.functions/1";
constexpr double kResolvingSeconds = 120;

/// Features of one function share what is found of it.
struct Wanted {
  std::string request;
  std::vector<PythonFunction*> uses;
};

void AddFunctions(std::vector<Feature>* features, std::vector<Wanted>* wanted) {
  for (Feature& feature : *features) {
    // One that the registry holds knows what it was.
    if (!feature.function || !feature.function->code.empty()) continue;
    PythonFunction* function = &*feature.function;
    const std::string request = Json{
        {"name", function->name.name},
        {"mode", function->mode},
        {"packages", function->packages},
        {"source",
         function->source}}.dump(-1, ' ', false, Json::error_handler_t::replace);
    const auto known = std::find_if(wanted->begin(), wanted->end(),
                                    [&](const Wanted& each) { return each.request == request; });
    if (known == wanted->end())
      wanted->push_back({request, {function}});
    else
      known->uses.push_back(function);
  }
}

arrow::Status NoAnswer(const ChildOutput& said, const std::string& python,
                       const PythonFunction& first) {
  const std::string what = fmt::format("the function {} needs Python", first.name.name);
  const std::string hint =
      "install viand for it with pip install viand, or name the Python that has it in "
      "$VIAND_PYTHON";
  if (said.start_error != 0) {
    return ErrorAt(
        first.name.where, ErrorKind::kEnvironment,
        fmt::format("{}, and {} does not start: {}", what, python, std::strerror(said.start_error)),
        hint);
  }
  if (said.standard_error.find("No module named") != std::string::npos &&
      said.standard_error.find("viand") != std::string::npos) {
    return ErrorAt(first.name.where, ErrorKind::kEnvironment,
                   fmt::format("{}, and {} has no package viand of this version", what, python),
                   hint);
  }
  return ErrorAt(first.name.where, ErrorKind::kEnvironment,
                 fmt::format("{}, and {} did not say what the function is{}", what, python,
                             said.timed_out ? fmt::format(" in {:g} seconds", kResolvingSeconds)
                                            : ": " + said.standard_error),
                 hint);
}

void Fill(const Json& found, PythonFunction* function) {
  function->python = found.at("python");
  function->versions = found.at("versions").get<std::map<std::string, std::string>>();
  function->code = found.at("code");
  function->modules = found.at("modules").get<std::map<std::string, std::string>>();
  function->places = found.at("places").dump();
}

/// Throws nlohmann's exceptions on another shape.
void TakeAnswers(const Json& answer, const std::vector<Wanted>& wanted, ErrorList* errors) {
  for (size_t i = 0; i < wanted.size(); ++i) {
    const Json& found = answer.at("functions").at(i);
    if (!found.contains("message")) {
      for (PythonFunction* use : wanted[i].uses) Fill(found, use);
      continue;
    }
    SourceLocation where = wanted[i].uses.front()->name.where;
    if (!found.value("file", "").empty())
      where = {found.at("file"), found.at("line"), found.at("column")};
    errors->Add(ErrorAt(where, ErrorKind::kDefinition, found.at("message"), found.at("hint")));
  }
}

}  // namespace

std::string Feature::Computation() const {
  if (!function) return expr.text;
  std::string text = function->name.name + "(";
  for (const Reference& column : function->columns)
    text += (text.back() == '(' ? "" : ", ") + column.name;
  return text + ")" + (function->output.empty() ? "" : "." + function->output);
}

arrow::Status ResolveFunctions(const std::string& root, const std::string& program,
                               Definitions* definitions, ErrorList* errors) {
  std::vector<Wanted> wanted;
  for (FeatureView& view : definitions->feature_views) AddFunctions(&view.features, &wanted);
  for (Labels& labels : definitions->labels) AddFunctions(&labels.columns, &wanted);
  if (wanted.empty()) return arrow::Status::OK();
  const std::string python = program.empty() ? PythonProgram() : program;
  ChildCommand child{.command = {python, "-P", "-m", "viand.function_source", root},
                     .timeout_seconds = kResolvingSeconds};
  for (const Wanted& each : wanted) child.command.push_back(each.request);
  VIAND_ASSIGN_OR_RETURN(const ChildOutput said, RunForOutput(child));
  const Json answer = Json::parse(said.standard_output, nullptr, /*allow_exceptions=*/false);
  const bool answered = said.exit_code == 0 && said.signal == 0 && said.start_error == 0 &&
                        answer.is_object() && answer.value("format", "") == kFunctionsFormat;
  if (!answered) return NoAnswer(said, python, *wanted.front().uses.front());
  try {
    TakeAnswers(answer, wanted, errors);
  } catch (const Json::exception& error) {
    return MakeError(ErrorKind::kEnvironment,
                     fmt::format("the package viand of {} said what is not {}: {}", python,
                                 kFunctionsFormat, error.what()),
                     "install the same version of viand for both");
  }
  return arrow::Status::OK();
}

std::string FunctionCode(const PythonFunction& function) {
  const Json places = Json::parse(function.places, nullptr, /*allow_exceptions=*/false);
  return Json{{"name", function.name.name},
              {"mode", function.mode},
              {"python", function.python},
              {"versions", function.versions},
              {"code", function.code},
              {"modules", function.modules},
              {"places", places.is_object() ? places : Json::object()}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace viand::definition
