#include "src/store/object_history.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "src/common/time.h"
#include "src/registry/breaking.h"
#include "src/registry/content_diff.h"
#include "src/registry/view_version.h"

namespace viand::store {
namespace {

using definition::VersionedName;
using registry::ObjectKind;

const std::vector<ObjectKind>& VersionedKinds() {
  static const std::vector<ObjectKind> kinds = {
      ObjectKind::kEntity,         ObjectKind::kDataSource, ObjectKind::kFeatureView,
      ObjectKind::kFeatureService, ObjectKind::kDataset,    ObjectKind::kSnapshots,
      ObjectKind::kLabels,         ObjectKind::kModel};
  return kinds;
}

/// "feature-views" and "feature_view" are the kind "feature view"; "sources" is "data source".
bool NamesKind(std::string text, ObjectKind kind) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '-' || c == '_'; }, ' ');
  const std::string name = registry::KindName(kind);
  if (text == name || text == name + "s") return true;
  if (kind == ObjectKind::kEntity) return text == "entities";
  return kind == ObjectKind::kDataSource && (text == "source" || text == "sources");
}

arrow::Result<std::vector<ObjectKind>> KindsNamed(const std::string& text) {
  if (text.empty()) return VersionedKinds();
  std::vector<std::string> names;
  for (const ObjectKind kind : VersionedKinds()) {
    if (NamesKind(text, kind)) return std::vector<ObjectKind>{kind};
    names.push_back(registry::KindName(kind));
  }
  return MakeError(ErrorKind::kUsage, fmt::format("unknown kind \"{}\"", text),
                   NearestOrAll(text, names, "the kinds are "));
}

/// One content of an object and when it came to be.
struct Moment {
  std::string label;
  std::optional<std::string> content;
  int64_t time_us = 0;
  bool by_viand = true;
};

/// Views count versions as Feast does, and what others wrote is among them; other objects count
/// what was applied.
arrow::Result<std::vector<Moment>> MomentsOf(RepoSession* session, ObjectKind kind,
                                             const std::string& name) {
  ARROW_ASSIGN_OR_RAISE(auto revisions, session->registry()->Revisions(kind, name));
  std::vector<Moment> moments;
  std::set<int64_t> seen;
  for (registry::Revision& revision : revisions) {
    int64_t number = revision.number;
    if (kind == ObjectKind::kFeatureView) {
      number = -1;
      if (revision.content) {
        ARROW_ASSIGN_OR_RAISE(number, registry::VersionOf(name, *revision.content));
        seen.insert(number);
      }
    }
    moments.push_back({number < 0 ? "" : fmt::format("v{}", number), std::move(revision.content),
                       revision.applied_us});
  }
  if (kind != ObjectKind::kFeatureView) return moments;
  ARROW_ASSIGN_OR_RAISE(auto versions, session->registry()->ViewVersions(name));
  for (registry::ViewVersion& version : versions) {
    if (seen.contains(version.number)) continue;
    moments.push_back({fmt::format("v{}", version.number), std::move(version.content),
                       version.created_us, /*by_viand=*/false});
  }
  std::stable_sort(moments.begin(), moments.end(),
                   [](const Moment& a, const Moment& b) { return a.time_us < b.time_us; });
  return moments;
}

arrow::Result<std::vector<FieldDifference>> FieldsBetween(ObjectKind kind, const std::string& name,
                                                          const std::string& before,
                                                          const std::string& after) {
  ARROW_ASSIGN_OR_RAISE(const auto changes, registry::DiffContents(kind, name, before, after));
  std::vector<FieldDifference> fields;
  for (const auto& change : changes) fields.push_back({change.path, change.before, change.after});
  return fields;
}

arrow::Status AddEntries(ObjectKind kind, const std::string& name,
                         const std::vector<Moment>& moments, bool stored,
                         std::vector<HistoryEntry>* entries) {
  const Moment* before = nullptr;
  for (const Moment& moment : moments) {
    HistoryEntry entry{.kind = registry::KindName(kind),
                       .name = name,
                       .version = moment.label,
                       .applied_at = FormatTimestamp(moment.time_us)};
    const bool had = before != nullptr && before->content;
    entry.action = !moment.content ? "remove" : had ? "change" : "add";
    if (!moment.by_viand) entry.action = "feast";
    if (had && moment.content) {
      ARROW_ASSIGN_OR_RAISE(entry.fields,
                            FieldsBetween(kind, name, *before->content, *moment.content));
    }
    entry.current = stored && &moment == &moments.back();
    entries->push_back(std::move(entry));
    before = &moment;
  }
  return arrow::Status::OK();
}

arrow::Status NeverApplied(const RepoSession& session, const registry::RegistrySnapshot& snapshot,
                           const std::string& name) {
  std::vector<std::string> names;
  for (const auto& [key, object] : snapshot.objects) names.push_back(key.second);
  return MakeError(ErrorKind::kNotFound,
                   fmt::format("project \"{}\" of the registry has never had \"{}\"",
                               session.config().project, name),
                   NearestOrAll(name, names, "it has "));
}

/// The version of one kind, or nothing.
arrow::Result<std::optional<ObjectVersion>> VersionIn(RepoSession* session,
                                                      const registry::RegistrySnapshot& snapshot,
                                                      ObjectKind kind, const VersionedName& name) {
  const auto* stored = snapshot.Find(kind, name.name);
  if (!name.version) {
    if (stored == nullptr) return std::nullopt;
    return ObjectVersion{kind, name.name, "now", stored->content};
  }
  const std::string label = fmt::format("v{}", *name.version);
  if (kind == ObjectKind::kFeatureView) {
    ARROW_ASSIGN_OR_RAISE(const auto versions, session->registry()->ViewVersions(name.name));
    for (const auto& version : versions)
      if (version.number == *name.version)
        return ObjectVersion{kind, name.name, label, version.content};
    return std::nullopt;
  }
  ARROW_ASSIGN_OR_RAISE(const auto revisions, session->registry()->Revisions(kind, name.name));
  for (const auto& revision : revisions)
    if (revision.number == *name.version && revision.content)
      return ObjectVersion{kind, name.name, label, *revision.content};
  return std::nullopt;
}

}  // namespace

arrow::Result<std::vector<HistoryEntry>> HistoryOf(RepoSession* session, const std::string& name,
                                                   const std::string& kind) {
  ARROW_ASSIGN_OR_RAISE(const auto kinds, KindsNamed(kind));
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, session->ReadRegistry());
  std::vector<HistoryEntry> entries;
  for (const ObjectKind one : kinds) {
    ARROW_ASSIGN_OR_RAISE(const auto moments, MomentsOf(session, one, name));
    const bool stored = snapshot->Find(one, name) != nullptr;
    ARROW_RETURN_NOT_OK(AddEntries(one, name, moments, stored, &entries));
  }
  if (entries.empty()) return NeverApplied(*session, *snapshot, name);
  return entries;
}

arrow::Result<ObjectVersion> FindVersion(RepoSession* session, const std::string& text,
                                         const std::string& kind) {
  ARROW_ASSIGN_OR_RAISE(const VersionedName name, definition::ParseVersionedName(text));
  ARROW_ASSIGN_OR_RAISE(const auto kinds, KindsNamed(kind));
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, session->ReadRegistry());
  std::vector<ObjectVersion> found;
  std::set<std::string> known;
  for (const ObjectKind one : kinds) {
    ARROW_ASSIGN_OR_RAISE(auto version, VersionIn(session, *snapshot, one, name));
    if (version) found.push_back(std::move(*version));
    ARROW_ASSIGN_OR_RAISE(const auto moments, MomentsOf(session, one, name.name));
    for (const Moment& moment : moments)
      if (moment.content) known.insert(moment.label);
  }
  if (found.size() == 1) return std::move(found[0]);
  if (found.size() > 1) {
    std::vector<std::string> names;
    for (const auto& version : found) names.push_back(registry::KindName(version.kind));
    return MakeError(ErrorKind::kUsage,
                     fmt::format("\"{}\" is a {}", text, fmt::join(names, " and a ")),
                     fmt::format("say which: --kind \"{}\"", names[0]));
  }
  if (known.empty()) return NeverApplied(*session, *snapshot, name.name);
  return MakeError(ErrorKind::kNotFound, fmt::format("there is no \"{}\"", text),
                   fmt::format("\"{}\" has {}; `viand history {}` tells them", name.name,
                               fmt::join(known, ", "), name.name));
}

arrow::Result<VersionDifference> DiffVersions(RepoSession* session, const std::string& before,
                                              const std::string& after, const std::string& kind) {
  ARROW_ASSIGN_OR_RAISE(const ObjectVersion left, FindVersion(session, before, kind));
  ARROW_ASSIGN_OR_RAISE(const ObjectVersion right, FindVersion(session, after, kind));
  if (left.kind != right.kind)
    return MakeError(
        ErrorKind::kUsage,
        fmt::format("\"{}\" is a {} and \"{}\" a {}: they have no fields in common", before,
                    registry::KindName(left.kind), after, registry::KindName(right.kind)));
  VersionDifference difference{.kind = registry::KindName(left.kind),
                               .name = left.name,
                               .before = left.label,
                               .after = right.label};
  if (right.name != left.name) {
    difference.before = fmt::format("{} {}", left.name, left.label);
    difference.after = fmt::format("{} {}", right.name, right.label);
  }
  ARROW_ASSIGN_OR_RAISE(difference.fields,
                        FieldsBetween(left.kind, left.name, left.content, right.content));
  ARROW_ASSIGN_OR_RAISE(difference.why_breaking,
                        registry::WhyBreaking(left.kind, left.name, left.content, right.content));
  return difference;
}

}  // namespace viand::store
