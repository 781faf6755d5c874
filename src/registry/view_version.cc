#include "src/registry/view_version.h"

#include <fmt/format.h>
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "feast/core/feature_view.pb.h"
#include "src/registry/feast_codec.h"
#include "src/registry/feast_messages.h"
#include "src/registry/json_diff.h"

namespace viand::registry {
namespace {

using feast::core::FeatureSpecV2;
using feast::core::FeatureView;
using google::protobuf::util::MessageDifferencer;

arrow::Result<FeatureView> ParseView(const std::string& name, const std::string& content) {
  VIAND_ASSIGN_OR_RETURN(const auto message, ParseMessage(ObjectKind::kFeatureView, name, content));
  return static_cast<const FeatureView&>(*message);
}

template <class List>
bool SameColumns(const List& before, const List& after) {
  const auto sorted = [](const List& list) {
    std::vector<const FeatureSpecV2*> columns;
    for (const auto& column : list) columns.push_back(&column);
    std::sort(columns.begin(), columns.end(),
              [](const auto* a, const auto* b) { return a->name() < b->name(); });
    return columns;
  };
  const auto old_columns = sorted(before), new_columns = sorted(after);
  return std::equal(
      old_columns.begin(), old_columns.end(), new_columns.begin(), new_columns.end(),
      [](const auto* a, const auto* b) { return MessageDifferencer::Equals(*a, *b); });
}

template <class List>
bool SameNames(List before, List after) {
  std::sort(before.begin(), before.end());
  std::sort(after.begin(), after.end());
  return std::equal(before.begin(), before.end(), after.begin(), after.end());
}

// The part of a definition that decides the values.
nlohmann::json Computation(const FeatureView& view) {
  const auto& tags = view.spec().tags();
  const auto tag = tags.find(kDefinitionTag);
  if (tag == tags.end()) return {};
  auto tree = ParseJson(tag->second);
  if (!tree.ok() || !tree->is_object()) return tag->second;
  for (const char* key : {"ttl", "online"}) tree->erase(key);
  return *tree;
}

}  // namespace

arrow::Result<bool> IsNewVersion(const std::string& name, const std::string& before,
                                 const std::string& after) {
  VIAND_ASSIGN_OR_RETURN(const FeatureView old_view, ParseView(name, before));
  VIAND_ASSIGN_OR_RETURN(const FeatureView new_view, ParseView(name, after));
  if (!SameColumns(old_view.spec().features(), new_view.spec().features())) return true;
  if (!SameColumns(old_view.spec().entity_columns(), new_view.spec().entity_columns())) return true;
  if (!SameNames(old_view.spec().entities(), new_view.spec().entities())) return true;
  // A tag that a Feast client dropped comes back without making a version.
  if (!old_view.spec().tags().contains(kDefinitionTag)) return false;
  return Computation(old_view) != Computation(new_view);
}

arrow::Result<int64_t> VersionOf(const std::string& name, const std::string& content) {
  VIAND_ASSIGN_OR_RETURN(const FeatureView view, ParseView(name, content));
  return view.meta().current_version_number();
}

arrow::Result<std::string> WithRowsOfVersion(const std::string& name, const std::string& content,
                                             int64_t version) {
  VIAND_ASSIGN_OR_RETURN(FeatureView view, ParseView(name, content));
  std::string* uri =
      view.mutable_spec()->mutable_batch_source()->mutable_file_options()->mutable_uri();
  const std::string folder = "/data/offline/" + name;
  const std::string rows = "/current/*.parquet";
  if (!uri->ends_with(folder + rows)) return content;
  uri->resize(uri->size() - rows.size());
  *uri += fmt::format("@v{}", version) + rows;
  return SerializeMessage(view);
}

void SetVersion(int64_t version, google::protobuf::Message* message) {
  static_cast<FeatureView*>(message)->mutable_meta()->set_current_version_number(
      static_cast<int32_t>(version));
}

}  // namespace viand::registry
