// One object in words: a line for `list`, facts for `describe`.
#pragma once

#include <string>

#include "src/store/repo_session.h"

namespace viand::store {

std::string Summarize(const definition::Entity& entity);
std::string Summarize(const definition::Dataset& dataset);
std::string Summarize(const definition::Source& source);
std::string Summarize(const definition::Snapshots& snapshots);
std::string Summarize(const definition::FeatureView& view);
std::string Summarize(const definition::Labels& labels);
std::string Summarize(const definition::FeatureService& service);
std::string Summarize(const definition::Model& model);

ObjectFacts FactsOf(const RepoSession& session, const definition::Entity& entity);
ObjectFacts FactsOf(const RepoSession& session, const definition::Dataset& dataset);
ObjectFacts FactsOf(const RepoSession& session, const definition::Source& source);
ObjectFacts FactsOf(const RepoSession& session, const definition::Snapshots& snapshots);
ObjectFacts FactsOf(const RepoSession& session, const definition::FeatureView& view);
ObjectFacts FactsOf(const RepoSession& session, const definition::Labels& labels);
ObjectFacts FactsOf(const RepoSession& session, const definition::FeatureService& service);
ObjectFacts FactsOf(const RepoSession& session, const definition::Model& model);

}  // namespace viand::store
