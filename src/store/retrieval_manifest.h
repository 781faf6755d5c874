// What a retrieval's result was made from: `<output>.manifest.json`, and the training set of a
// model's manifest (docs/formats/offline.md).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "src/store/repo_session.h"

namespace viand::store {

/// Written to disk: never change its meaning.
inline constexpr int kRetrievalManifestFormat = 1;

/// Files of more bytes than this, all of a source together, are known by size and footer: reading
/// them again would cost what the retrieval itself does.
inline constexpr int64_t kHashedBytes = int64_t{256} << 20;

/// A retrieval as a person asked for it.
struct RetrievalAsked {
  std::string spine;  ///< as given; empty: a range of time
  HistoricalOptions options;
};

/// {"request", "definitions", "inputs"}: names with definitions (hash, version, text), and every
/// file and stored cutoff that it reads, with rows. Names are resolved as the retrieval does;
/// `hash_all` hashes files of any size. A spine from standard input has no content.
arrow::Result<nlohmann::json> DescribeRetrieval(RepoSession* session, const RetrievalAsked& asked,
                                                bool hash_all);

/// How a model's training set would be asked for.
RetrievalAsked TrainingSetOf(const RepoSession& session, const definition::Model& model);

/// What a file that is too large to hash is known by: the hash of its footer, which has the sizes
/// and statistics of everything in it.
arrow::Result<std::string> HashOfFooter(const std::string& path, int64_t bytes);

/// The request of such a description, to ask for it again.
arrow::Result<RetrievalAsked> RequestOf(const nlohmann::json& description);

}  // namespace viand::store
