#include "src/engine/opened_lookup.h"

#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "src/engine/execute.h"
#include "src/engine/plain_array.h"
#include "src/engine/view_columns.h"

namespace viand::engine {
namespace {

using Names = std::vector<std::string>;

/// The time and the row number that are dealt out with the keys.
constexpr int64_t kTimeAndRowBytes = 16;

const Names& KeysOf(const Lookup& lookup) {
  return std::visit([](const auto& view) -> const Names& { return view.keys; }, lookup.view);
}

size_t OutputsOf(const Lookup& lookup) {
  if (const auto* view = std::get_if<AsOfView>(&lookup.view)) return view->columns.size();
  return std::get<WindowView>(lookup.view).features.size();
}

arrow::Result<OpenedLookup> OpenLookup(const Lookup& lookup, const Executor* executor) {
  const Names& keys = KeysOf(lookup);
  if (keys.size() != lookup.spine_keys.size() || lookup.output_names.size() != OutputsOf(lookup)) {
    return MakeError(
        ErrorKind::kDefinition,
        fmt::format("a lookup of {} has {} keys, {} spine columns, {} outputs, {} names",
                    SourceOf(lookup).described_as, keys.size(), lookup.spine_keys.size(),
                    OutputsOf(lookup), lookup.output_names.size()));
  }
  OpenedLookup opened;
  opened.lookup = &lookup;
  VIAND_ASSIGN_OR_RETURN(opened.source, OpenScan(SourceOf(lookup), {}, executor));
  VIAND_RETURN_NOT_OK(CheckTimeColumn(opened.source, TimeOf(lookup)));
  std::vector<size_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return lookup.spine_keys[a] < lookup.spine_keys[b]; });
  for (size_t i : order) {
    opened.spine_keys.push_back(lookup.spine_keys[i]);
    opened.view_keys.push_back(keys[i]);
  }
  return opened;
}

}  // namespace

arrow::Result<std::vector<OpenedLookup>> OpenLookups(const RetrievalPlan& plan,
                                                     const Executor* executor) {
  std::vector<OpenedLookup> lookups;
  for (const Lookup& lookup : plan.lookups) {
    VIAND_ASSIGN_OR_RETURN(auto opened, OpenLookup(lookup, executor));
    opened.index = static_cast<int>(lookups.size());
    lookups.push_back(std::move(opened));
  }
  return lookups;
}

std::vector<LookupPass> PassesOf(std::vector<OpenedLookup>* lookups) {
  std::vector<LookupPass> passes;
  for (OpenedLookup& opened : *lookups) {
    const auto* view = std::get_if<WindowView>(&opened.lookup->view);
    const auto same = std::find_if(passes.begin(), passes.end(), [&](const LookupPass& pass) {
      const auto* other = std::get_if<WindowView>(&pass[0]->lookup->view);
      return view != nullptr && other != nullptr && ShareAPass(*view, *other) &&
             opened.spine_keys == pass[0]->spine_keys && opened.view_keys == pass[0]->view_keys;
    });
    if (same != passes.end()) {
      same->push_back(&opened);
    } else {
      passes.push_back({&opened});
    }
  }
  return passes;
}

Names SpineKeysOf(const std::vector<OpenedLookup>& lookups) {
  std::set<std::string> keys;
  for (const OpenedLookup& opened : lookups)
    keys.insert(opened.spine_keys.begin(), opened.spine_keys.end());
  return Names(keys.begin(), keys.end());
}

std::map<std::string, std::shared_ptr<arrow::DataType>> CsvTypesOf(
    const std::vector<OpenedLookup>& lookups) {
  std::map<std::string, std::shared_ptr<arrow::DataType>> types;
  for (const OpenedLookup& opened : lookups) {
    for (size_t i = 0; i < opened.view_keys.size(); ++i) {
      const auto field = opened.source.schema->GetFieldByName(opened.view_keys[i]);
      if (field == nullptr) continue;
      const auto type = PlainType(field->type());
      if (arrow::is_base_binary_like(type->id())) types.emplace(opened.spine_keys[i], type);
    }
  }
  return types;
}

std::vector<KeyBound> KeyBoundsOf(const OpenedLookup& opened, const Spine& spine) {
  std::vector<KeyBound> bounds;
  for (size_t i = 0; i < opened.view_keys.size(); ++i) {
    const auto keys = spine.keys.find(opened.spine_keys[i]);
    if (keys == spine.keys.end()) continue;
    auto bound = KeyBoundOf(keys->second, opened.source, opened.view_keys[i]);
    if (bound) bounds.push_back(*std::move(bound));
  }
  return bounds;
}

arrow::Status RaiseSize(const OpenedLookup& opened, int64_t spine_rows, InputSize* most) {
  std::vector<std::string> columns = opened.view_keys;
  if (const auto* view = std::get_if<WindowView>(&opened.lookup->view)) {
    VIAND_ASSIGN_OR_RETURN(columns, ColumnsOfView(*view, opened.source));
  }
  VIAND_ASSIGN_OR_RETURN(const auto schema, SelectColumns(opened.source, columns));
  for (const int64_t rows : {spine_rows, opened.source.RowCount()}) {
    most->rows = std::max(most->rows, rows);
    most->bytes =
        std::max(most->bytes, rows * (RowBytesIn(opened.source, *schema) + kTimeAndRowBytes));
  }
  return arrow::Status::OK();
}

const Scan& SourceOf(const Lookup& lookup) {
  return std::visit([](const auto& view) -> const Scan& { return view.source; }, lookup.view);
}

const std::string& TimeOf(const Lookup& lookup) {
  return std::visit([](const auto& view) -> const std::string& { return view.timestamp_column; },
                    lookup.view);
}

const std::string& DescriptionOf(const Lookup& lookup) {
  const auto& name = std::visit(
      [](const auto& view) -> const std::string& { return view.described_as; }, lookup.view);
  return name.empty() ? SourceOf(lookup).described_as : name;
}

}  // namespace viand::engine
