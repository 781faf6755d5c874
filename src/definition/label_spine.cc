#include "src/definition/label_spine.h"

#include <arrow/type.h>
#include <fmt/format.h>

namespace viand::definition {

void CheckLabelSpine(const BoundView& bound, const FilesOnDisk& files, ErrorList* errors) {
  const Labels& labels = *bound.labels;
  if (labels.spine_path.empty()) return;
  const auto columns = files.spine(labels.spine_path);
  errors->Add(Placed(columns.status(), labels.where));
  if (!columns.ok() || *columns == nullptr) return;
  const std::vector<std::string> names = (*columns)->field_names();
  const auto require = [&](const std::string& column, std::string_view what) {
    if ((*columns)->GetFieldIndex(column) >= 0) return;
    errors->Add(ErrorAt(labels.where, ErrorKind::kDefinition,
                        fmt::format("the spine {} of labels \"{}\" has no column \"{}\", {}",
                                    labels.spine_path, labels.name, column, what),
                        NearestOrAll(column, names, "columns are ")));
  };
  for (const std::string& key : bound.join_keys) require(key, "a join key of its entities");
  require(labels.spine_timestamp_column, "the time of its rows");
}

}  // namespace viand::definition
