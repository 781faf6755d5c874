#include "src/definition/function_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace viand::definition {
namespace {

constexpr std::string_view kOwnKeys[] = {"columns", "returns",  "mode",
                                         "output",  "packages", "code"};

/// A text has to pass through the arguments of a process.
constexpr size_t kMaxSourceBytes = 100'000;

bool IsIdentifier(std::string_view text) {
  const auto may = [](unsigned char c, bool first) {
    return std::isalpha(c) != 0 || c == '_' || c >= 0x80 || (!first && std::isdigit(c) != 0);
  };
  if (text.empty() || !may(text.front(), true)) return false;
  return std::all_of(text.begin() + 1, text.end(), [&](unsigned char c) { return may(c, false); });
}

bool IsModule(std::string_view text) {
  while (true) {
    const size_t dot = text.find('.');
    if (!IsIdentifier(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

arrow::Status CheckName(const Reference& name, bool has_source) {
  const size_t colon = name.name.find(':');
  const std::string_view text = name.name;
  const bool fits = colon == std::string::npos
                        ? has_source && IsIdentifier(text)
                        : IsModule(text.substr(0, colon)) && IsIdentifier(text.substr(colon + 1));
  if (fits) return arrow::Status::OK();
  return ErrorAt(name.where, ErrorKind::kDefinition,
                 fmt::format("\"{}\" names no function: expected module:name", name.name),
                 "features/rfm.py of the repo is the module features.rfm, its function monetary is "
                 "features.rfm:monetary");
}

arrow::Status ReadColumns(const YamlMapping& mapping, PythonFunction* function) {
  const YamlNodePtr node = mapping.Find("columns");
  if (node == nullptr) return arrow::Status::OK();
  VIAND_ASSIGN_OR_RETURN(const auto items, ReadList(node, "a list of columns", true));
  std::set<std::string> names;
  for (const YamlNodePtr item : items) {
    VIAND_ASSIGN_OR_RETURN(Reference column, ReadReference(*item, "the name of a column"));
    if (!names.insert(column.name).second) {
      return ErrorAt(column.where, ErrorKind::kDefinition,
                     fmt::format("the column \"{}\" stands twice in one list", column.name));
    }
    function->columns.push_back(std::move(column));
  }
  return arrow::Status::OK();
}

arrow::Status ReadMode(const YamlMapping& mapping, PythonFunction* function) {
  VIAND_RETURN_NOT_OK(mapping.Read("mode", &function->mode));
  if (function->mode == "arrow" || function->mode == "pandas") return arrow::Status::OK();
  return ErrorAt(mapping.Find("mode")->where, ErrorKind::kDefinition,
                 fmt::format("unknown mode \"{}\" of a function", function->mode),
                 "arrow gives it a pyarrow.Table, pandas a DataFrame");
}

}  // namespace

arrow::Status RefuseFunctionKeys(const YamlMapping& feature) {
  for (const std::string_view key : kOwnKeys) {
    if (const YamlNodePtr extra = feature.Find(key)) {
      return ErrorAt(extra->where, ErrorKind::kDefinition,
                     fmt::format("\"{}\" needs a \"function\"", key),
                     "function: module:name is a function in Python");
    }
  }
  return arrow::Status::OK();
}

arrow::Status ReadFunction(const YamlMapping& feature, std::optional<PythonFunction>* function) {
  if (feature.Find("function") == nullptr) return RefuseFunctionKeys(feature);
  if (const YamlNodePtr expr = feature.Find("expr")) {
    return ErrorAt(expr->where, ErrorKind::kDefinition,
                   "a feature has \"expr\" or \"function\", not both");
  }
  PythonFunction read;
  VIAND_RETURN_NOT_OK(feature.Require("function", &read.name));
  VIAND_RETURN_NOT_OK(feature.Read("code", &read.source));
  VIAND_RETURN_NOT_OK(CheckName(read.name, !read.source.empty()));
  if (read.source.size() > kMaxSourceBytes) {
    return ErrorAt(
        feature.Find("code")->where, ErrorKind::kDefinition,
        fmt::format("the code of \"{}\" is longer than {} bytes", read.name.name, kMaxSourceBytes),
        "put it into a module of the repo");
  }
  VIAND_RETURN_NOT_OK(ReadColumns(feature, &read));
  VIAND_ASSIGN_OR_RETURN(
      const YamlNodePtr returns,
      feature.Get("returns", "the type of its values, such as double, bigint or varchar"));
  VIAND_ASSIGN_OR_RETURN(read.returns.text, ReadText(*returns, "a type as \"returns\""));
  read.returns.where = returns->where;
  VIAND_RETURN_NOT_OK(ReadMode(feature, &read));
  VIAND_RETURN_NOT_OK(feature.Read("output", &read.output));
  if (const YamlNodePtr node = feature.Find("packages")) {
    VIAND_ASSIGN_OR_RETURN(const auto items, ReadList(node, "a list of packages", true));
    for (const YamlNodePtr item : items) {
      VIAND_ASSIGN_OR_RETURN(read.packages.emplace_back(),
                             ReadText(*item, "the name of a package"));
    }
    std::sort(read.packages.begin(), read.packages.end());
  }
  *function = std::move(read);
  return arrow::Status::OK();
}

}  // namespace viand::definition
