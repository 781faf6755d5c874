#include "src/ml/training_parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <regex>

namespace viand::ml {
namespace {

constexpr char kBinaryObjective[] = "binary:logistic";
constexpr char kDefaultObjective[] = "reg:squarederror";

/// Objectives that give one number a row: a probability or a prediction in the label's own unit.
const std::vector<std::string>& Objectives() {
  static const std::vector<std::string> objectives = {
      kBinaryObjective,       kDefaultObjective,   "reg:squaredlogerror", "reg:logistic",
      "reg:pseudohubererror", "reg:absoluteerror", "reg:quantileerror",   "reg:gamma",
      "reg:tweedie",          "count:poisson"};
  return objectives;
}

bool IsThreads(const std::string& name) { return name == "nthread" || name == "n_jobs"; }

}  // namespace

arrow::Result<std::string> ObjectiveOf(const definition::Model& model) {
  std::string objective = kDefaultObjective;
  for (const auto& [name, value] : model.params) {
    if (name == "objective") objective = value;
  }
  const auto& known = Objectives();
  if (std::find(known.begin(), known.end(), objective) != known.end()) return objective;
  std::string hint = DidYouMean(objective, known);
  if (hint.empty())
    hint = "viand's models give one number a row: binary:logistic, reg:* or count:poisson";
  return ErrorAt(model.where, ErrorKind::kDefinition,
                 fmt::format("model \"{}\": objective \"{}\" is unknown or not supported",
                             model.name, objective),
                 hint);
}

Task TaskOf(const std::string& objective) {
  return objective == kBinaryObjective ? Task::kBinary : Task::kRegression;
}

int ThreadsOf(const definition::Model& model, int requested) {
  if (requested <= 0) {
    for (const auto& [name, value] : model.params) {
      if (IsThreads(name)) std::from_chars(value.data(), value.data() + value.size(), requested);
    }
  }
  return BoundThreads(requested);
}

arrow::Status ApplyParameters(const definition::Model& model, int threads, Booster* booster) {
  const auto at_model = [&](const arrow::Status& status) {
    if (status.ok()) return status;
    return ErrorAt(model.where, ErrorKind::kDefinition,
                   fmt::format("model \"{}\": {}", model.name, status.message()));
  };
  for (const auto& [name, value] : model.params) {
    if (!IsThreads(name)) VIAND_RETURN_NOT_OK(at_model(booster->SetParameter(name, value)));
  }
  VIAND_RETURN_NOT_OK(booster->SetParameter("nthread", std::to_string(threads)));
  VIAND_RETURN_NOT_OK(booster->SetParameter("validate_parameters", "true"));
  return at_model(booster->Configure().status());
}

std::vector<std::string> ExplainWarnings(const std::vector<std::string>& warnings,
                                         const std::string& configuration) {
  static const std::regex quoted(R"re("([A-Za-z_]+)")re");
  static const std::regex key(R"re("([A-Za-z_]+)":)re");
  std::vector<std::string> known;
  for (std::sregex_iterator it(configuration.begin(), configuration.end(), key), end; it != end;
       ++it) {
    known.push_back((*it)[1]);
  }
  std::vector<std::string> explained;
  for (const std::string& warning : warnings) {
    std::string text = warning;
    const bool unused = warning.rfind("Parameters: {", 0) == 0;
    for (std::sregex_iterator it(warning.begin(), warning.end(), quoted), end; unused && it != end;
         ++it) {
      const std::string hint = DidYouMean((*it)[1].str(), known);
      if (!hint.empty()) text += " " + hint;
    }
    explained.push_back(std::move(text));
  }
  return explained;
}

}  // namespace viand::ml
