#include "src/registry/grid_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "src/common/time.h"
#include "src/registry/json_diff.h"

namespace viand::registry {
namespace {

arrow::Result<int64_t> IntegerOf(const nlohmann::json& value) {
  if (value.is_number_integer()) return value.get<int64_t>();
  return MakeError(ErrorKind::kInput,
                   "the registry's record of a grid is damaged: expected whole microseconds");
}

std::string CutoffsText(const ResolvedGrid& grid) {
  if (grid.cutoffs_us.empty()) return "0";
  return fmt::format("{} ({} to {})", grid.cutoffs_us.size(),
                     FormatTimestamp(grid.cutoffs_us.front()),
                     FormatTimestamp(grid.cutoffs_us.back()));
}

FieldChange CutoffsChange(const ResolvedGrid& before, const ResolvedGrid& after) {
  const size_t old_count = before.cutoffs_us.size(), new_count = after.cutoffs_us.size();
  if (old_count != new_count)
    return {"cutoffs", std::to_string(old_count), std::to_string(new_count)};
  return {"cutoffs", CutoffsText(before),
          fmt::format("{}, {} of them other times than before", CutoffsText(after),
                      LostCutoffs(before, after).size())};
}

}  // namespace

std::string SnapshotsContent(const std::string& definition, const ResolvedGrid* grid) {
  if (grid == nullptr) return fmt::format("{{\"definition\":{}}}", definition);
  return fmt::format("{{\"cutoffs_us\":[{}],\"definition\":{},\"end_us\":{},\"start_us\":{}}}",
                     fmt::join(grid->cutoffs_us, ","), definition, grid->end_us, grid->start_us);
}

arrow::Result<std::optional<ResolvedGrid>> GridOf(const std::string& content) {
  VIAND_ASSIGN_OR_RETURN(const nlohmann::json tree, ParseJson(content));
  if (!tree.contains("cutoffs_us")) return std::nullopt;
  ResolvedGrid grid;
  VIAND_ASSIGN_OR_RETURN(grid.start_us, IntegerOf(tree.value("start_us", nlohmann::json())));
  VIAND_ASSIGN_OR_RETURN(grid.end_us, IntegerOf(tree.value("end_us", nlohmann::json())));
  for (const auto& cutoff : tree["cutoffs_us"]) {
    VIAND_ASSIGN_OR_RETURN(const int64_t cutoff_us, IntegerOf(cutoff));
    grid.cutoffs_us.push_back(cutoff_us);
  }
  return grid;
}

std::vector<int64_t> LostCutoffs(const ResolvedGrid& before, const ResolvedGrid& after) {
  std::vector<int64_t> lost;
  std::set_difference(before.cutoffs_us.begin(), before.cutoffs_us.end(), after.cutoffs_us.begin(),
                      after.cutoffs_us.end(), std::back_inserter(lost));
  return lost;
}

std::vector<FieldChange> DiffGrids(const ResolvedGrid* before, const ResolvedGrid* after) {
  std::vector<FieldChange> changes;
  const auto report = [&](const char* path, auto text_of) {
    std::string old_text = before == nullptr ? "" : text_of(*before);
    std::string new_text = after == nullptr ? "" : text_of(*after);
    if (old_text != new_text) changes.push_back({path, std::move(old_text), std::move(new_text)});
  };
  report("start", [](const ResolvedGrid& grid) { return FormatTimestamp(grid.start_us); });
  report("end", [](const ResolvedGrid& grid) { return FormatTimestamp(grid.end_us); });
  if (before == nullptr || after == nullptr) {
    report("cutoffs", CutoffsText);
  } else if (before->cutoffs_us != after->cutoffs_us) {
    changes.push_back(CutoffsChange(*before, *after));
  }
  return changes;
}

}  // namespace viand::registry
