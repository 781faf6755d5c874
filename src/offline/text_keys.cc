#include "src/offline/text_keys.h"

#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "src/engine/plain_array.h"

namespace viand::offline {
namespace {

using KeyTypes = std::map<std::string, std::shared_ptr<arrow::DataType>>;

/// Enters the types of a view's keys; null where two views disagree.
void AddKeys(const definition::BoundView& view,
             const std::map<std::string, std::string>& join_key_map, KeyTypes* types) {
  if (view.source == nullptr) return;
  for (const std::string& key : view.join_keys) {
    const auto field = view.source->GetFieldByName(key);
    if (field == nullptr) continue;
    const auto type = engine::PlainType(field->type());
    const bool is_text = arrow::is_base_binary_like(type->id());
    const auto mapped = join_key_map.find(key);
    const std::string& name = mapped == join_key_map.end() ? key : mapped->second;
    const auto [known, fresh] = types->emplace(name, is_text ? type : nullptr);
    if (!fresh && !is_text) known->second = nullptr;
  }
}

}  // namespace

KeyTypes TextKeys(const RepoContext& context) {
  KeyTypes types;
  for (const auto& view : context.bound->views) AddKeys(view, {}, &types);
  for (const auto& labels : context.bound->labels) AddKeys(labels, {}, &types);
  for (const auto& service : context.bound->definitions->feature_services) {
    for (const definition::FeatureReference& reference : service.features) {
      const auto* view = context.bound->FindView(reference.view.name);
      if (view != nullptr) AddKeys(*view, reference.join_key_map, &types);
    }
  }
  std::erase_if(types, [](const auto& entry) { return entry.second == nullptr; });
  return types;
}

}  // namespace viand::offline
