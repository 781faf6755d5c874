// Manifests beside results, and results out of manifests: `historical --like`.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "src/store/retrieval_manifest.h"

namespace viand::store {

/// The member of a manifest whose rows `historical` did not write: made again they are the same
/// rows in other bytes.
inline constexpr char kExportedBy[] = "exported_by";

/// `<output>.manifest.json`.
std::string ManifestPathOf(const std::string& output);

/// Writes the manifest of a file that was just written: what it was made from (`description` is
/// DescribeRetrieval's, from before, with all hashes), and the file itself. Returns its path.
arrow::Result<std::string> WriteManifest(const RepoSession& session,
                                         const nlohmann::json& description,
                                         const std::string& output, const WrittenTable& written,
                                         ManifestHashes hashes);

/// A manifest read back.
struct Manifest {
  nlohmann::json description;  ///< as DescribeRetrieval gave it
  nlohmann::json output;       ///< null: a model's
  std::string viand_version;
  ManifestHashes hashes = ManifestHashes::kContent;
};

/// Reads one of a result, or of a model (its training set). kInput where it is neither.
arrow::Result<Manifest> ReadManifest(const std::string& path);

/// What of `then` is not so `now`, item by item: definitions field by field, inputs that are read
/// file by file and cutoff by cutoff.
arrow::Result<std::vector<std::string>> ChangesSince(const nlohmann::json& then,
                                                     const nlohmann::json& now);

/// Whether a file is the manifest's, byte for byte; nothing where it has another format.
arrow::Result<std::optional<bool>> IsSameOutput(const Manifest& manifest,
                                                const std::string& output);

}  // namespace viand::store
