#include <fmt/format.h>

#include "src/common/time.h"
#include "src/definition/error_list.h"
#include "src/definition/object_readers.h"
#include "src/definition/yaml_mapping.h"

namespace viand::definition {
namespace {

/// Labels, or a spine with its labels in a column.
arrow::Status ReadPopulation(const YamlMapping& mapping, Model* model) {
  VIAND_RETURN_NOT_OK(mapping.Read("labels", &model->labels));
  VIAND_RETURN_NOT_OK(mapping.Read("spine", &model->spine_path));
  VIAND_RETURN_NOT_OK(mapping.Read("timestamp_column", &model->spine_timestamp_column));
  if (model->labels.name.empty() != model->spine_path.empty()) {
    const YamlNodePtr column = mapping.Find("timestamp_column");
    if (column == nullptr || !model->spine_path.empty()) return arrow::Status::OK();
    return ErrorAt(column->where, ErrorKind::kDefinition, "\"timestamp_column\" needs a \"spine\"");
  }
  return ErrorAt(
      model->where, ErrorKind::kDefinition,
      fmt::format("the model \"{}\" has {} \"labels\" {} \"spine\", expected one of them",
                  model->name, model->labels.name.empty() ? "neither" : "both",
                  model->labels.name.empty() ? "nor" : "and"));
}

arrow::Status ReadAfter(const YamlNode& after, Split* split) {
  VIAND_ASSIGN_OR_RETURN(const std::string text, ReadText(after, "a time as \"after\""));
  const auto time = ParseTimestampUs(text);
  if (!time.ok()) return Placed(time.status(), after.where);
  split->kind = Split::Kind::kAfter;
  split->after_us = *time;
  return arrow::Status::OK();
}

arrow::Status ReadFraction(const YamlMapping& test, const YamlNode& node, Split* split) {
  VIAND_ASSIGN_OR_RETURN(split->fraction, ReadNumber(node, "a fraction"));
  split->kind = Split::Kind::kFraction;
  if (!(split->fraction > 0 && split->fraction < 1)) {
    return ErrorAt(node.where, ErrorKind::kDefinition,
                   fmt::format("the test fraction {} is out of range, expected above 0 and below 1",
                               split->fraction));
  }
  const YamlNodePtr by = test.Find("by");
  if (by == nullptr || by->text == "time") return arrow::Status::OK();
  return ErrorAt(by->where, ErrorKind::kDefinition,
                 fmt::format("expected time as \"by\" of a split, got \"{}\"", by->text),
                 "the test rows are the latest ones: a random split would leak the future");
}

arrow::Status ReadSplit(const YamlMapping& mapping, Split* split) {
  constexpr std::string_view kForms = "last_snapshot, {after: TIME} or {fraction: 0.2, by: time}";
  const YamlNodePtr node = mapping.Find("split");
  if (node == nullptr) return arrow::Status::OK();
  VIAND_ASSIGN_OR_RETURN(const YamlMapping whole, YamlMapping::Of(*node, "a split", {"test"}));
  VIAND_ASSIGN_OR_RETURN(const YamlNodePtr test, whole.Get("test"));
  if (test->kind == YamlKind::kText) {
    if (test->text == "last_snapshot") return arrow::Status::OK();
    return ErrorAt(
        test->where, ErrorKind::kDefinition,
        fmt::format("expected {} as \"test\" of a split, got \"{}\"", kForms, test->text),
        DidYouMean(test->text, {"last_snapshot"}));
  }
  VIAND_ASSIGN_OR_RETURN(const YamlMapping form, YamlMapping::Of(*test, "the test of a split",
                                                                 {"after", "fraction", "by"}));
  const YamlNodePtr after = form.Find("after");
  const YamlNodePtr fraction = form.Find("fraction");
  if (after != nullptr && fraction == nullptr && form.Find("by") == nullptr) {
    return ReadAfter(*after, split);
  }
  if (after == nullptr && fraction != nullptr) return ReadFraction(form, *fraction, split);
  return ErrorAt(test->where, ErrorKind::kDefinition,
                 fmt::format("expected {} as \"test\" of a split", kForms));
}

arrow::Status ReadParams(const YamlMapping& mapping, Model* model) {
  const YamlNodePtr node = mapping.Find("params");
  if (node == nullptr) return arrow::Status::OK();
  if (node->kind != YamlKind::kMapping) return WrongKind(*node, "a mapping of parameters");
  for (const YamlEntry& entry : node->entries) {
    const std::string what = fmt::format("a value of the parameter \"{}\"", entry.key);
    VIAND_ASSIGN_OR_RETURN(const auto values, ReadList(entry.value, what, true));
    for (const YamlNodePtr value : values) {
      VIAND_ASSIGN_OR_RETURN(std::string text, ReadText(*value, what));
      model->params.emplace_back(entry.key, std::move(text));
    }
  }
  return arrow::Status::OK();
}

arrow::Status ReadNumbers(const YamlMapping& mapping, Model* model) {
  if (const YamlNodePtr fill = mapping.Find("fill_null")) {
    VIAND_ASSIGN_OR_RETURN(model->fill_null, ReadNumber(*fill, "a number as \"fill_null\""));
  }
  const YamlNodePtr node = mapping.Find("num_boost_round");
  if (node == nullptr) return arrow::Status::OK();
  VIAND_ASSIGN_OR_RETURN(const int64_t rounds, ReadInteger(*node, "\"num_boost_round\""));
  if (rounds < 1 || rounds > 1'000'000) {
    return ErrorAt(node->where, ErrorKind::kDefinition,
                   fmt::format("\"num_boost_round\" is {}, expected 1 to 1000000", rounds));
  }
  model->num_boost_round = static_cast<int>(rounds);
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<Model> ReadModel(const YamlDocument&, YamlNodePtr node) {
  Model model;
  VIAND_ASSIGN_OR_RETURN(
      const YamlMapping mapping,
      YamlMapping::Of(
          *node, "a model",
          {"name", "type", "features", "labels", "spine", "timestamp_column", "target", "fill_null",
           "split", "params", "num_boost_round", "description", "owner", "tags"}));
  VIAND_RETURN_NOT_OK(mapping.ReadObject(&model));
  VIAND_RETURN_NOT_OK(mapping.Read("type", &model.type));
  VIAND_RETURN_NOT_OK(mapping.Require("features", &model.features));
  VIAND_RETURN_NOT_OK(ReadPopulation(mapping, &model));
  VIAND_RETURN_NOT_OK(mapping.Require("target", &model.target));
  VIAND_RETURN_NOT_OK(ReadSplit(mapping, &model.split));
  VIAND_RETURN_NOT_OK(ReadParams(mapping, &model));
  VIAND_RETURN_NOT_OK(ReadNumbers(mapping, &model));
  return model;
}

}  // namespace viand::definition
