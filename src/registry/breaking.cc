#include "src/registry/breaking.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "feast/core/entity.pb.h"
#include "feast/core/feature_service.pb.h"
#include "feast/core/feature_view.pb.h"
#include "src/common/time.h"
#include "src/registry/feast_codec.h"
#include "src/registry/grid_record.h"
#include "src/registry/json_diff.h"

namespace viand::registry {
namespace {

using feast::types::ValueType;
// Column -> Feast's name of its type; INVALID: not known yet.
using Columns = std::map<std::string, std::string>;
constexpr char kUnknownType[] = "INVALID";

class Reasons {
 public:
  void Add(std::string reason) { text_ += (text_.empty() ? "" : "; ") + std::move(reason); }

  void CompareColumns(const char* what, const Columns& before, const Columns& after) {
    for (const auto& [name, type] : before) {
      const auto found = after.find(name);
      if (found == after.end()) {
        Add(fmt::format("{} \"{}\" is removed", what, name));
      } else {
        CompareTypes(fmt::format("{} \"{}\"", what, name), type, found->second);
      }
    }
  }

  void CompareTypes(const std::string& what, const std::string& before, const std::string& after) {
    if (before != after && before != kUnknownType && after != kUnknownType)
      Add(fmt::format("the type of {} changes from {} to {}", what, before, after));
  }

  std::string text() const { return text_; }

 private:
  std::string text_;
};

template <class List>
Columns ColumnsOf(const List& list) {
  Columns columns;
  for (const auto& column : list)
    columns[column.name()] = ValueType::Enum_Name(column.value_type());
  return columns;
}

std::string NamesOf(const Columns& columns) {
  std::string names;
  for (const auto& [name, type] : columns) names += (names.empty() ? "" : ", ") + name;
  return names;
}

void CompareViews(const feast::core::FeatureViewSpec& before,
                  const feast::core::FeatureViewSpec& after, Reasons* reasons) {
  const Columns old_keys = ColumnsOf(before.entity_columns());
  const Columns new_keys = ColumnsOf(after.entity_columns());
  if (NamesOf(old_keys) != NamesOf(new_keys)) {
    reasons->Add(
        fmt::format("the join keys change from {} to {}", NamesOf(old_keys), NamesOf(new_keys)));
  } else {
    reasons->CompareColumns("join key", old_keys, new_keys);
  }
  reasons->CompareColumns("feature", ColumnsOf(before.features()), ColumnsOf(after.features()));
}

void CompareEntities(const feast::core::EntitySpecV2& before,
                     const feast::core::EntitySpecV2& after, Reasons* reasons) {
  if (before.join_key() != after.join_key())
    reasons->Add(
        fmt::format("the join key changes from {} to {}", before.join_key(), after.join_key()));
  reasons->CompareTypes("the entity", ValueType::Enum_Name(before.value_type()),
                        ValueType::Enum_Name(after.value_type()));
}

Columns ProjectedColumns(const feast::core::FeatureServiceSpec& service) {
  Columns columns;
  for (const auto& projection : service.features()) {
    const std::string& alias = projection.feature_view_name_alias();
    const std::string& view = alias.empty() ? projection.feature_view_name() : alias;
    for (const auto& column : projection.feature_columns())
      columns[view + ":" + column.name()] = ValueType::Enum_Name(column.value_type());
  }
  return columns;
}

arrow::Status CompareGrids(const std::string& before, const std::string& after, Reasons* reasons) {
  VIAND_ASSIGN_OR_RETURN(const auto old_grid, GridOf(before));
  VIAND_ASSIGN_OR_RETURN(const auto new_grid, GridOf(after));
  if (!old_grid || !new_grid) return arrow::Status::OK();
  const std::vector<int64_t> lost = LostCutoffs(*old_grid, *new_grid);
  if (lost.empty()) return arrow::Status::OK();
  reasons->Add(fmt::format("{} of {} recorded cutoffs are dropped or shifted, the first {}",
                           lost.size(), old_grid->cutoffs_us.size(),
                           FormatTimestamp(lost.front())));
  return arrow::Status::OK();
}

arrow::Result<Columns> LabelColumns(const std::string& content) {
  VIAND_ASSIGN_OR_RETURN(const nlohmann::json tree, ParseJson(content));
  Columns columns;
  if (!tree.contains("types")) return columns;
  for (const auto& [name, type] : tree["types"].items())
    if (type.is_string()) columns[name] = type.get<std::string>();
  return columns;
}

template <class Message>
arrow::Result<Message> Parse(ObjectKind kind, const std::string& name, const std::string& content) {
  VIAND_ASSIGN_OR_RETURN(const auto message, ParseMessage(kind, name, content));
  return static_cast<const Message&>(*message);
}

}  // namespace

arrow::Result<std::string> WhyBreaking(ObjectKind kind, const std::string& name,
                                       const std::string& before, const std::string& after) {
  Reasons reasons;
  if (kind == ObjectKind::kEntity) {
    VIAND_ASSIGN_OR_RETURN(const auto old_entity, Parse<feast::core::Entity>(kind, name, before));
    VIAND_ASSIGN_OR_RETURN(const auto new_entity, Parse<feast::core::Entity>(kind, name, after));
    CompareEntities(old_entity.spec(), new_entity.spec(), &reasons);
  } else if (kind == ObjectKind::kFeatureView) {
    VIAND_ASSIGN_OR_RETURN(const auto old_view,
                           Parse<feast::core::FeatureView>(kind, name, before));
    VIAND_ASSIGN_OR_RETURN(const auto new_view, Parse<feast::core::FeatureView>(kind, name, after));
    CompareViews(old_view.spec(), new_view.spec(), &reasons);
  } else if (kind == ObjectKind::kFeatureService) {
    using feast::core::FeatureService;
    VIAND_ASSIGN_OR_RETURN(const auto old_service, Parse<FeatureService>(kind, name, before));
    VIAND_ASSIGN_OR_RETURN(const auto new_service, Parse<FeatureService>(kind, name, after));
    reasons.CompareColumns("feature", ProjectedColumns(old_service.spec()),
                           ProjectedColumns(new_service.spec()));
  } else if (kind == ObjectKind::kSnapshots) {
    VIAND_RETURN_NOT_OK(CompareGrids(before, after, &reasons));
  } else if (kind == ObjectKind::kLabels) {
    VIAND_ASSIGN_OR_RETURN(const Columns old_columns, LabelColumns(before));
    VIAND_ASSIGN_OR_RETURN(const Columns new_columns, LabelColumns(after));
    // A definition without types yet (before ingest) says nothing about its columns.
    if (!new_columns.empty()) reasons.CompareColumns("label column", old_columns, new_columns);
  }
  return reasons.text();
}

}  // namespace viand::registry
