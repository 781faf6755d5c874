// Manifests beside results, and results out of manifests: `historical --like`.
#pragma once

#include <string>
#include <vector>

#include "src/store/retrieval_manifest.h"

namespace viand::store {

/// `<output>.manifest.json`.
std::string ManifestPathOf(const std::string& output);

/// Writes the manifest of a file that was just written: what it was made from (`description` is
/// DescribeRetrieval's, from before), and the file itself. Returns its path.
arrow::Result<std::string> WriteManifest(const RepoSession& session,
                                         const nlohmann::json& description,
                                         const std::string& output, const WrittenTable& written,
                                         bool hash_all);

/// A manifest read back.
struct Manifest {
  nlohmann::json description;  ///< as DescribeRetrieval gave it
  nlohmann::json output;       ///< null: a model's
  std::string viand_version;
  bool hash_all = false;  ///< whether its large files were hashed, too
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
