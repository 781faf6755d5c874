#include "src/store/listing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "src/store/object_facts.h"

namespace viand::store {
namespace {

using definition::Definitions;

/// "Feature_View" -> "feature-views": what people type for a kind.
std::string NormalKind(std::string kind) {
  std::transform(kind.begin(), kind.end(), kind.begin(),
                 [](unsigned char c) { return c == '_' || c == ' ' ? '-' : std::tolower(c); });
  for (const std::string& listed : ListedKinds()) {
    if (kind == listed || kind + "s" == listed) return listed;
  }
  return kind == "entity" ? "entities" : kind;
}

arrow::Status UnknownKind(const std::string& kind) {
  return MakeError(ErrorKind::kUsage, fmt::format("unknown kind \"{}\"", kind),
                   NearestOrAll(kind, ListedKinds(), "the kinds are "));
}

/// Calls `visit` with the objects of a kind; false for an unknown one.
template <typename Visit>
bool VisitKind(const Definitions& all, const std::string& kind, Visit visit) {
  if (kind == "entities") {
    visit(all.entities);
  } else if (kind == "datasets") {
    visit(all.datasets);
  } else if (kind == "sources") {
    visit(all.sources);
  } else if (kind == "snapshots") {
    visit(all.snapshots);
  } else if (kind == "feature-views") {
    visit(all.feature_views);
  } else if (kind == "labels") {
    visit(all.labels);
  } else if (kind == "feature-services") {
    visit(all.feature_services);
  } else if (kind == "models") {
    visit(all.models);
  } else {
    return false;
  }
  return true;
}

}  // namespace

const std::vector<std::string>& ListedKinds() {
  static const std::vector<std::string> kinds = {"entities",         "datasets",      "sources",
                                                 "snapshots",        "feature-views", "labels",
                                                 "feature-services", "models"};
  return kinds;
}

arrow::Result<std::vector<ObjectSummary>> ListObjects(const RepoSession& session,
                                                      const std::string& kind) {
  std::vector<ObjectSummary> summaries;
  std::vector<std::string> kinds = ListedKinds();
  if (!kind.empty()) kinds = {NormalKind(kind)};
  for (const std::string& one : kinds) {
    const bool known = VisitKind(session.definitions(), one, [&](const auto& objects) {
      for (const auto& object : objects)
        summaries.push_back({one, object.name, Summarize(object), object.description});
    });
    if (!known) return UnknownKind(kind);
  }
  return summaries;
}

arrow::Result<ObjectFacts> DescribeObject(RepoSession* session, const std::string& kind,
                                          const std::string& name) {
  ObjectFacts facts;
  std::vector<std::string> names;
  const std::string normal = NormalKind(kind);
  const bool known = VisitKind(session->definitions(), normal, [&](const auto& objects) {
    names = offline::NamesOf(objects);
    if (const auto* object = offline::FindObject(objects, name)) facts = FactsOf(*session, *object);
  });
  if (!known) return UnknownKind(kind);
  if (facts.empty()) {
    return MakeError(ErrorKind::kUsage,
                     fmt::format("there is no \"{}\" among the {}", name, normal),
                     NearestOrAll(name, names, "there is: "));
  }
  return facts;
}

}  // namespace viand::store
