// What a retrieval's result was made from: `<output>.manifest.json`, and the training set of a
// model's manifest (docs/formats/offline.md).
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "src/store/repo_session.h"

namespace viand::store {

/// Written to disk: never change its meaning.
inline constexpr int kRetrievalManifestFormat = 1;

/// How much of what a manifest names is hashed.
enum class ManifestHashes {
  kContent,  ///< "auto": every file that was read; the result unless it is large
  kFooters,  ///< "footers": of files the footer alone
  kAll,      ///< "full": the result too, however large it is
};
/// The words of HistoricalOptions::manifest but "none"; kUsage for others.
arrow::Result<ManifestHashes> ManifestHashesOf(const std::string& word);
const char* WordOf(ManifestHashes hashes);

/// A retrieval as a person asked for it.
struct RetrievalAsked {
  std::string spine;  ///< as given; empty: a range of time
  HistoricalOptions options;
};

/// {"request", "definitions", "inputs"}: names with definitions (hash, version, text), and every
/// file and stored cutoff that it reads, with rows. Names are resolved as the retrieval does. A
/// spine from standard input has no content. Local files await their hash (FilesToHash).
arrow::Result<nlohmann::json> DescribeRetrieval(RepoSession* session, const RetrievalAsked& asked,
                                                ManifestHashes hashes);

/// The local files of a description whose content is not hashed yet.
std::vector<std::string> FilesToHash(const nlohmann::json& description);
/// Gives each of them its "sha256".
void SetHashes(const std::map<std::string, std::string>& sha256_of, nlohmann::json* description);

/// DescribeRetrieval with the hashes of all files.
arrow::Result<nlohmann::json> DescribeAndHash(RepoSession* session, const RetrievalAsked& asked,
                                              ManifestHashes hashes);

/// How a model's training set would be asked for.
RetrievalAsked TrainingSetOf(const RepoSession& session, const definition::Model& model);

/// The request of such a description, to ask for it again.
arrow::Result<RetrievalAsked> RequestOf(const nlohmann::json& description);

}  // namespace viand::store
