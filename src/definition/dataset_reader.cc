#include <fmt/format.h>

#include "src/common/data_location.h"
#include "src/definition/feature_reader.h"
#include "src/definition/object_name.h"
#include "src/definition/object_readers.h"
#include "src/definition/sql_scalar.h"
#include "src/definition/yaml_mapping.h"

namespace viand::definition {
namespace {

arrow::Status ReadPaths(YamlNodePtr node, DatasetInput* input) {
  VIAND_ASSIGN_OR_RETURN(const auto items, ReadList(node, "a path or a list of paths", true));
  for (const YamlNodePtr item : items) {
    VIAND_ASSIGN_OR_RETURN(Reference path, ReadReference(*item, "a path"));
    input->paths.push_back(std::move(path));
  }
  if (!input->paths.empty()) return arrow::Status::OK();
  return ErrorAt(node->where, ErrorKind::kDefinition,
                 "expected at least one path, got an empty list");
}

arrow::Status ReadFormat(const YamlMapping& from, DatasetInput* input) {
  const YamlNodePtr node = from.Find("format");
  if (node == nullptr) return arrow::Status::OK();
  VIAND_ASSIGN_OR_RETURN(input->format, ReadText(*node, "a format"));
  const std::vector<std::string> known = {"xlsx", "csv", "json", "parquet"};
  for (const std::string& format : known) {
    if (input->format == format) return arrow::Status::OK();
  }
  return ErrorAt(
      node->where, ErrorKind::kDefinition,
      fmt::format("unknown format \"{}\", expected xlsx, csv, json or parquet", input->format),
      DidYouMean(input->format, known));
}

/// A plain whole number is the index of a sheet, from 0; anything else, and any quoted text, its
/// name.
arrow::Status ReadSheet(const YamlMapping& from, DatasetInput* input) {
  const YamlNodePtr node = from.Find("sheet");
  if (node == nullptr) return arrow::Status::OK();
  VIAND_ASSIGN_OR_RETURN(std::string text, ReadText(*node, "the name or the index of a sheet"));
  const auto index = ReadInteger(*node, "a sheet");
  if (!node->plain || !index.ok()) {
    input->sheet_name = std::move(text);
  } else if (*index < 0 || *index > 65'535) {
    return ErrorAt(node->where, ErrorKind::kDefinition,
                   fmt::format("the sheet index {} is out of range, expected 0 to 65535", text));
  } else {
    input->sheet_index = static_cast<int>(*index);
  }
  return arrow::Status::OK();
}

arrow::Status ReadTypes(const YamlMapping& from, DatasetInput* input) {
  const YamlNodePtr node = from.Find("types");
  if (node == nullptr) return arrow::Status::OK();
  if (node->kind != YamlKind::kMapping) return WrongKind(*node, "a mapping of columns to types");
  for (const YamlEntry& entry : node->entries) {
    VIAND_ASSIGN_OR_RETURN(std::string type, ReadText(*entry.value, "the name of a type"));
    input->types.emplace_back(entry.key, std::move(type));
    input->type_places[entry.key] = entry.value->where;
  }
  return arrow::Status::OK();
}

arrow::Status ReadDelimiter(const YamlMapping& from, DatasetInput* input) {
  const YamlNodePtr node = from.Find("delimiter");
  if (node == nullptr) return arrow::Status::OK();
  VIAND_ASSIGN_OR_RETURN(input->delimiter, ReadText(*node, "a delimiter"));
  if (input->delimiter == "tab" || input->delimiter == "\\t") input->delimiter = "\t";
  if (input->delimiter.size() == 1 && input->delimiter != "\"" && input->delimiter != "\n") {
    return arrow::Status::OK();
  }
  return ErrorAt(node->where, ErrorKind::kDefinition,
                 fmt::format("expected a delimiter of one character, got \"{}\"", input->delimiter),
                 "write \",\", \";\", \"|\" or tab");
}

arrow::Status ReadOnError(const YamlMapping& mapping, OnError* on_error) {
  const YamlNodePtr node = mapping.Find("on_error");
  if (node == nullptr) return arrow::Status::OK();
  const std::vector<std::string> names = {"fail", "skip", "null"};
  VIAND_ASSIGN_OR_RETURN(const std::string text, ReadText(*node, "fail, skip or \"null\""));
  for (size_t i = 0; i < names.size(); ++i) {
    if (text != names[i]) continue;
    *on_error = static_cast<OnError>(i);
    return arrow::Status::OK();
  }
  return ErrorAt(node->where, ErrorKind::kDefinition,
                 fmt::format("expected fail, skip or null as \"on_error\", got \"{}\"", text),
                 DidYouMean(text, names));
}

arrow::Status ReadInput(YamlNodePtr node, Dataset* dataset) {
  if (node->kind != YamlKind::kMapping) return ReadPaths(node, &dataset->from);
  VIAND_ASSIGN_OR_RETURN(
      const YamlMapping from,
      YamlMapping::Of(*node, "\"from\" of a dataset",
                      {"path", "format", "sheet", "delimiter", "types", "on_error"}));
  VIAND_ASSIGN_OR_RETURN(const YamlNodePtr path, from.Get("path"));
  VIAND_RETURN_NOT_OK(ReadPaths(path, &dataset->from));
  VIAND_RETURN_NOT_OK(ReadFormat(from, &dataset->from));
  VIAND_RETURN_NOT_OK(ReadSheet(from, &dataset->from));
  VIAND_RETURN_NOT_OK(ReadDelimiter(from, &dataset->from));
  VIAND_RETURN_NOT_OK(ReadTypes(from, &dataset->from));
  return ReadOnError(from, &dataset->on_error);
}

arrow::Status ReadColumns(const YamlDocument& document, const YamlMapping& mapping,
                          Dataset* dataset) {
  const YamlNodePtr node = mapping.Find("columns");
  if (node == nullptr) return arrow::Status::OK();
  if (node->kind != YamlKind::kMapping) {
    return WrongKind(*node, "a mapping of columns to expressions");
  }
  for (const YamlEntry& entry : node->entries) {
    VIAND_RETURN_NOT_OK(CheckColumnName(entry.key, entry.where));
    VIAND_ASSIGN_OR_RETURN(Sql sql, ReadSql(document, *entry.value,
                                            fmt::format("an expression as \"{}\"", entry.key)));
    dataset->columns.push_back({entry.key, std::move(sql)});
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<Dataset> ReadDataset(const YamlDocument& document, YamlNodePtr node) {
  Dataset dataset;
  VIAND_ASSIGN_OR_RETURN(const YamlMapping mapping,
                         YamlMapping::Of(*node, "a dataset",
                                         {"name", "from", "on_error", "where", "columns", "to",
                                          "sort_by", "description", "owner", "tags"}));
  VIAND_RETURN_NOT_OK(mapping.ReadObject(&dataset));
  VIAND_ASSIGN_OR_RETURN(const YamlNodePtr from, mapping.Get("from"));
  VIAND_RETURN_NOT_OK(ReadInput(from, &dataset));
  VIAND_RETURN_NOT_OK(ReadOnError(mapping, &dataset.on_error));
  VIAND_RETURN_NOT_OK(ReadOptionalSql(document, mapping, "where", &dataset.filter));
  VIAND_RETURN_NOT_OK(ReadColumns(document, mapping, &dataset));
  VIAND_RETURN_NOT_OK(mapping.Require("to", &dataset.to));
  if (IsRemotePath(dataset.to)) {
    return ErrorAt(mapping.Find("to")->where, ErrorKind::kDefinition,
                   fmt::format("dataset \"{}\" writes {}, and a dataset writes to this machine",
                               dataset.name, DisplayPath(dataset.to)),
                   "write such as data/" + dataset.name + ".parquet");
  }
  VIAND_RETURN_NOT_OK(mapping.Read("sort_by", &dataset.sort_by));
  return dataset;
}

}  // namespace viand::definition
