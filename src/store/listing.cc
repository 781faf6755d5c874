#include "src/store/listing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>
#include <sstream>
#include <type_traits>

#include "src/registry/stored_summaries.h"
#include "src/store/object_facts.h"

namespace viand::store {
namespace {

using definition::Definitions;

/// A list of everything leaves out the project that all of it is in.
const std::vector<std::string>& NamedKinds() {
  static const std::vector<std::string> kinds = [] {
    std::vector<std::string> named = ListedKinds();
    named.push_back("projects");
    return named;
  }();
  return kinds;
}

bool IsNamedKind(const std::string& kind) {
  return std::find(NamedKinds().begin(), NamedKinds().end(), kind) != NamedKinds().end();
}

/// "Feature_View" -> "feature-views": what people type for a kind.
std::string NormalKind(std::string kind) {
  std::transform(kind.begin(), kind.end(), kind.begin(),
                 [](unsigned char c) { return c == '_' || c == ' ' ? '-' : std::tolower(c); });
  for (const std::string& listed : NamedKinds()) {
    if (kind == listed || kind + "s" == listed) return listed;
  }
  return kind == "entity" ? "entities" : kind;
}

arrow::Status UnknownKind(const std::string& kind) {
  return MakeError(ErrorKind::kUsage, fmt::format("unknown kind \"{}\"", kind),
                   NearestOrAll(kind, NamedKinds(), "the kinds are "));
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

/// The kind of `list` that a kind of Feast's belongs to.
std::string ListedKindOf(registry::ObjectKind kind) {
  switch (kind) {
    case registry::ObjectKind::kEntity:
      return "entities";
    case registry::ObjectKind::kDataSource:
      return "sources";
    case registry::ObjectKind::kFeatureView:
      return "feature-views";
    case registry::ObjectKind::kFeatureService:
      return "feature-services";
    default: {
      std::string name = registry::KindName(kind) + "s";
      std::replace(name.begin(), name.end(), ' ', '-');
      return name;
    }
  }
}

/// Names of a kind that the repo's files define; an entity's further join keys are stored as
/// entities of their own.
std::set<std::string> DefinedNames(const Definitions& all, const std::string& kind) {
  std::set<std::string> names;
  VisitKind(all, kind, [&](const auto& objects) {
    for (const auto& object : objects)
      if (!object.stored_only) names.insert(object.name);
  });
  if (kind == "entities") {
    for (const definition::Entity& entity : all.entities)
      for (const std::string& key : entity.join_keys) names.insert(entity.name + "__" + key);
  }
  return names;
}

template <class Object>
ObjectSummary SummaryOf(const std::string& kind, const Object& object) {
  return {kind,
          object.name,
          Summarize(object),
          object.description,
          object.owner,
          {object.tags.begin(), object.tags.end()}};
}

ObjectSummary SummaryOf(const std::string& kind, const registry::StoredSummary& summary) {
  return {kind,
          summary.name,
          summary.summary,
          summary.description,
          summary.owner,
          {summary.tags.begin(), summary.tags.end()},
          /*in_repo=*/summary.kind == registry::ObjectKind::kProject};
}

/// "key=value", or "key" for any value.
bool HasTags(const ObjectSummary& summary, const std::vector<std::string>& tags) {
  return std::all_of(tags.begin(), tags.end(), [&](const std::string& wanted) {
    const size_t equals = wanted.find('=');
    return std::any_of(summary.tags.begin(), summary.tags.end(), [&](const auto& tag) {
      return tag.first == wanted.substr(0, equals) &&
             (equals == std::string::npos || tag.second == wanted.substr(equals + 1));
    });
  });
}

bool IsStoredView(const registry::RegistrySnapshot& snapshot, const std::string& name) {
  using enum registry::ObjectKind;
  for (const auto kind : {kFeatureView, kStreamFeatureView, kOnDemandFeatureView, kLabelView})
    if (snapshot.Find(kind, name) != nullptr) return true;
  return false;
}

ObjectFacts FactsOf(const registry::StoredSummary& summary) {
  ObjectFacts facts = {{"name", summary.name}};
  if (!summary.description.empty()) facts.emplace_back("description", summary.description);
  if (!summary.owner.empty()) facts.emplace_back("owner", summary.owner);
  for (const auto& [key, value] : summary.tags) facts.emplace_back("tag " + key, value);
  const bool project = summary.kind == registry::ObjectKind::kProject;
  facts.emplace_back("defined at", project ? "feature_store.yaml" : "the registry only");
  if (!summary.summary.empty()) facts.emplace_back("summary", summary.summary);
  for (const auto& [feature, type] : summary.features) facts.emplace_back("  " + feature, type);
  return facts;
}

/// A text of an object that a search reads, and how much a match in it weighs.
struct SearchedText {
  std::string where;
  std::string text;
  int64_t weight = 0;
};
constexpr int64_t kNameWeight = 50, kFeatureWeight = 30, kTagWeight = 20, kOwnerWeight = 15,
                  kDescriptionWeight = 10;

struct SearchedObject {
  ObjectSummary summary;
  std::vector<SearchedText> texts;
};

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::vector<std::string> WordsOf(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream stream(Lower(text));
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

SearchedObject CommonTexts(ObjectSummary summary) {
  SearchedObject object{std::move(summary), {}};
  const ObjectSummary& all = object.summary;
  object.texts = {{"name", all.name, kNameWeight},
                  {"owner", all.owner, kOwnerWeight},
                  {"description", all.description, kDescriptionWeight}};
  for (const auto& [key, value] : all.tags)
    object.texts.push_back({"tag " + key + "=" + value, key + "=" + value, kTagWeight});
  return object;
}

template <class Object>
SearchedObject TextsOf(const std::string& kind, const Object& object) {
  SearchedObject searched = CommonTexts(SummaryOf(kind, object));
  const auto add_features = [&](const auto& features) {
    for (const definition::Feature& feature : features) {
      searched.texts.push_back({"feature " + feature.name, feature.name, kFeatureWeight});
      searched.texts.push_back(
          {"description of " + feature.name, feature.description, kDescriptionWeight});
      for (const auto& [key, value] : feature.tags)
        searched.texts.push_back(
            {"tag " + key + "=" + value + " of " + feature.name, key + "=" + value, kTagWeight});
    }
  };
  if constexpr (std::is_same_v<Object, definition::FeatureView>) add_features(object.features);
  if constexpr (std::is_same_v<Object, definition::Labels>) add_features(object.columns);
  return searched;
}

SearchedObject TextsOf(const std::string& kind, const registry::StoredSummary& summary) {
  SearchedObject searched = CommonTexts(SummaryOf(kind, summary));
  for (const auto& [name, type] : summary.features)
    searched.texts.push_back({"feature " + name, name, kFeatureWeight});
  for (const auto& [name, description] : summary.feature_descriptions)
    searched.texts.push_back({"description of " + name, description, kDescriptionWeight});
  return searched;
}

/// Each word must be somewhere; a whole name counts twice, its beginning one and a half times.
std::optional<SearchHit> Match(const std::vector<std::string>& words,
                               const SearchedObject& object) {
  SearchHit hit{.kind = object.summary.kind,
                .name = object.summary.name,
                .description = object.summary.description};
  for (const std::string& word : words) {
    int64_t best = 0;
    for (const SearchedText& searched : object.texts) {
      const std::string text = Lower(searched.text);
      const size_t at = text.find(word);
      if (at == std::string::npos) continue;
      int64_t score = searched.weight;
      if (text == word) score *= 2;
      if (at == 0 && text != word) score += searched.weight / 2;
      best = std::max(best, score);
      if (std::find(hit.matched.begin(), hit.matched.end(), searched.where) == hit.matched.end())
        hit.matched.push_back(searched.where);
    }
    if (best == 0) return std::nullopt;
    hit.score += best;
  }
  return hit;
}

}  // namespace

const std::vector<std::string>& ListedKinds() {
  static const std::vector<std::string> kinds = {
      "entities", "datasets", "sources", "snapshots", "feature-views", "labels", "feature-services",
      "models",
      // Of Feast's alone:
      "stream-feature-views", "on-demand-feature-views", "label-views", "saved-datasets",
      "validation-references", "permissions"};
  return kinds;
}

arrow::Result<std::vector<ObjectSummary>> ListObjects(RepoSession* session, const std::string& kind,
                                                      const std::vector<std::string>& tags) {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, session->ReadRegistry());
  const auto stored = registry::SummariesOf(*snapshot);
  std::vector<ObjectSummary> summaries;
  std::vector<std::string> kinds = ListedKinds();
  if (!kind.empty()) kinds = {NormalKind(kind)};
  for (const std::string& one : kinds) {
    if (!IsNamedKind(one)) return UnknownKind(kind);
    const auto defined = DefinedNames(session->definitions(), one);
    VisitKind(session->definitions(), one, [&](const auto& objects) {
      for (const auto& object : objects)
        if (!object.stored_only) summaries.push_back(SummaryOf(one, object));
    });
    for (const registry::StoredSummary& summary : stored)
      if (ListedKindOf(summary.kind) == one && !defined.contains(summary.name))
        summaries.push_back(SummaryOf(one, summary));
  }
  std::erase_if(summaries, [&](const ObjectSummary& summary) { return !HasTags(summary, tags); });
  return summaries;
}

arrow::Result<std::vector<SearchHit>> SearchObjects(RepoSession* session, const std::string& text) {
  const std::vector<std::string> words = WordsOf(text);
  if (words.empty())
    return MakeError(ErrorKind::kUsage, "there is nothing to search for",
                     "give a part of a name, a description, a tag or an owner");
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, session->ReadRegistry());
  std::vector<SearchHit> hits;
  const auto add = [&](std::optional<SearchHit> hit) {
    if (hit) hits.push_back(*std::move(hit));
  };
  for (const std::string& kind : ListedKinds()) {
    VisitKind(session->definitions(), kind, [&](const auto& objects) {
      for (const auto& object : objects)
        if (!object.stored_only) add(Match(words, TextsOf(kind, object)));
    });
    const auto defined = DefinedNames(session->definitions(), kind);
    for (const registry::StoredSummary& summary : registry::SummariesOf(*snapshot))
      if (ListedKindOf(summary.kind) == kind && !defined.contains(summary.name))
        add(Match(words, TextsOf(kind, summary)));
  }
  std::stable_sort(hits.begin(), hits.end(),
                   [](const SearchHit& a, const SearchHit& b) { return a.score > b.score; });
  return hits;
}

arrow::Result<ObjectFacts> DescribeObject(RepoSession* session, const std::string& kind,
                                          const std::string& name) {
  ObjectFacts facts;
  std::vector<std::string> names;
  const std::string normal = NormalKind(kind);
  if (!IsNamedKind(normal)) return UnknownKind(kind);
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, session->ReadRegistry());
  if (normal == "feature-views" && (IsStoredView(*snapshot, name) || name.find('@') != name.npos))
    ARROW_RETURN_NOT_OK(session->RequireStored({.views = {name}}));
  VisitKind(session->definitions(), normal, [&](const auto& objects) {
    names = offline::NamesOf(objects);
    if (const auto* object = offline::FindObject(objects, name)) facts = FactsOf(*session, *object);
  });
  for (const registry::StoredSummary& summary : registry::SummariesOf(*snapshot)) {
    if (ListedKindOf(summary.kind) != normal) continue;
    if (std::find(names.begin(), names.end(), summary.name) == names.end())
      names.push_back(summary.name);
    if (facts.empty() && summary.name == name) facts = FactsOf(summary);
  }
  if (facts.empty()) {
    return MakeError(ErrorKind::kNotFound,
                     fmt::format("there is no \"{}\" among the {}", name, normal),
                     NearestOrAll(name, names, "there is: "));
  }
  return facts;
}

}  // namespace viand::store
