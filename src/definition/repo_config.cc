#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "src/common/atomic_file.h"
#include "src/common/sha256.h"
#include "src/definition/environment_variables.h"
#include "src/definition/object_name.h"
#include "src/definition/yaml_mapping.h"
#include "src/definition/yaml_reader.h"

namespace viand::definition {
namespace {

constexpr const char* kFile = "feature_store.yaml";

/// Returns the value of a top-level key, or null where it is absent or nothing.
const YamlNode* FindValue(const YamlNode& mapping, std::string_view key) {
  const YamlNode* node = mapping.Find(key);
  return node == nullptr || node->kind == YamlKind::kNothing ? nullptr : node;
}

arrow::Result<const YamlNode*> GetValue(const YamlNode& mapping, std::string_view key,
                                        std::string_view what) {
  const YamlNode* node = FindValue(mapping, key);
  if (node != nullptr) return node;
  std::vector<std::string> keys;
  for (const YamlEntry& entry : mapping.entries) keys.push_back(entry.key);
  const auto near = std::find_if(keys.begin(), keys.end(), [&](const std::string& other) {
    return !DidYouMean(other, {std::string(key)}).empty() && other != key;
  });
  return ErrorAt(mapping.where, ErrorKind::kDefinition,
                 fmt::format("{} lacks the key \"{}\"", what, key),
                 near == keys.end() ? "" : fmt::format("there is \"{}\"", *near));
}

/// Reads a text that may be absent.
arrow::Status ReadOptional(const YamlNode& mapping, std::string_view key, std::string* text) {
  const YamlNode* node = FindValue(mapping, key);
  if (node == nullptr) return arrow::Status::OK();
  return ReadText(*node, fmt::format("a text as \"{}\"", key)).Value(text);
}

/// `registry: path` is Feast's file registry, a mapping says which.
arrow::Status ReadRegistry(const YamlNode& node, RepoConfig* config) {
  config->registry_type = "file";
  if (node.kind == YamlKind::kText) {
    config->registry_path = node.text;
  } else if (node.kind == YamlKind::kMapping) {
    VIAND_RETURN_NOT_OK(ReadOptional(node, "registry_type", &config->registry_type));
    VIAND_ASSIGN_OR_RETURN(const YamlNode* path, GetValue(node, "path", "the registry"));
    VIAND_ASSIGN_OR_RETURN(config->registry_path, ReadText(*path, "a text as \"path\""));
    if (const YamlNode* ttl = FindValue(node, "cache_ttl_seconds")) {
      VIAND_ASSIGN_OR_RETURN(config->registry_cache_ttl_seconds,
                             ReadInteger(*ttl, "\"cache_ttl_seconds\""));
    }
  } else {
    return WrongKind(node, "a path or a mapping as \"registry\"");
  }
  if (!config->registry_path.empty()) return arrow::Status::OK();
  return ErrorAt(node.where, ErrorKind::kDefinition, "the path of the registry is empty");
}

/// Returns the `type` of a store given as a mapping or by its type alone, or `otherwise` where it
/// is absent.
arrow::Result<std::string> StoreType(const YamlNode& root, std::string_view key,
                                     std::string otherwise) {
  const YamlNode* node = FindValue(root, key);
  if (node == nullptr) return otherwise;
  if (node->kind == YamlKind::kText) return node->text;
  if (node->kind != YamlKind::kMapping) {
    return WrongKind(*node, fmt::format("a type or a mapping as \"{}\"", key));
  }
  VIAND_RETURN_NOT_OK(ReadOptional(*node, "type", &otherwise));
  return otherwise;
}

/// Feast's keys, of which viand has a use for two; what nearly is one of these is a mistake.
arrow::Status ReadRayStore(const YamlNode& store, RepoConfig* config) {
  if (store.kind != YamlKind::kMapping) return arrow::Status::OK();
  const YamlNode* address = FindValue(store, "ray_address");
  if (address != nullptr && address->kind != YamlKind::kNothing) {
    VIAND_ASSIGN_OR_RETURN(config->ray_address, ReadText(*address, "HOST:PORT as \"ray_address\""));
  }
  static const std::vector<std::string> kKeys = {"ray_address", "storage_path"};
  for (const YamlEntry& entry : store.entries) {
    if (std::find(kKeys.begin(), kKeys.end(), entry.key) != kKeys.end()) continue;
    std::string hint = DidYouMean(entry.key, kKeys);
    if (hint.empty()) continue;
    return ErrorAt(entry.where, ErrorKind::kDefinition,
                   fmt::format("unknown key \"{}\" of an offline store of type ray", entry.key),
                   std::move(hint));
  }
  const YamlNode* storage = FindValue(store, "storage_path");
  if (storage == nullptr || storage->kind == YamlKind::kNothing) return arrow::Status::OK();
  return ReadText(*storage, "a folder or an address as \"storage_path\"")
      .Value(&config->storage_path);
}

/// Feast's single-machine types and ours all mean viand's engine (DESIGN section 6).
arrow::Status ReadOfflineStore(const YamlNode& root, RepoConfig* config) {
  static const std::vector<std::string> kTypes = {"viand", "file", "dask", "duckdb", "ray"};
  VIAND_ASSIGN_OR_RETURN(config->offline_store_type, StoreType(root, "offline_store", "viand"));
  const std::string& type = config->offline_store_type;
  if (type == "ray") return ReadRayStore(*root.Find("offline_store"), config);
  if (std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end()) return arrow::Status::OK();
  return ErrorAt(root.Find("offline_store")->where, ErrorKind::kDefinition,
                 fmt::format("the offline store type \"{}\" is not supported, expected one of {}",
                             type, fmt::join(kTypes, ", ")),
                 DidYouMean(type, kTypes));
}

/// Feast makes a SQLite table a view, named by the project, and refuses a '-' there; SQLite is its
/// default.
arrow::Status CheckOnlineStore(const YamlNode& root, const RepoConfig& config) {
  VIAND_ASSIGN_OR_RETURN(const std::string type, StoreType(root, "online_store", "sqlite"));
  const YamlNode* node = root.Find("online_store");
  const bool none = node != nullptr && node->kind == YamlKind::kNothing;
  if (none || type != "sqlite" || config.project.find('-') == std::string::npos) {
    return arrow::Status::OK();
  }
  return ErrorAt(
      root.Find("project")->where, ErrorKind::kDefinition,
      fmt::format("the project \"{}\" holds a \"-\", which Feast refuses with its sqlite "
                  "online store (the default)",
                  config.project),
      "write \"_\", or name another online_store (null for none)");
}

/// Feast's files have keys that viand does not read; one that nearly is a key is a mistake.
arrow::Status CheckKeys(const YamlNode& root) {
  static const std::vector<std::string> kKeys = {
      "project",  "project_description", "repo",         "registry",
      "provider", "offline_store",       "online_store", "batch_engine",
      "flags",    "feature_server",      "auth",         "entity_key_serialization_version"};
  for (const YamlEntry& entry : root.entries) {
    if (std::find(kKeys.begin(), kKeys.end(), entry.key) != kKeys.end()) continue;
    std::string hint = DidYouMean(entry.key, kKeys);
    if (hint.empty()) continue;
    return ErrorAt(entry.where, ErrorKind::kDefinition,
                   fmt::format("unknown key \"{}\" of {}", entry.key, kFile), std::move(hint));
  }
  return arrow::Status::OK();
}

arrow::Result<RepoConfig> ParseConfig(const std::string& text) {
  VIAND_ASSIGN_OR_RETURN(const YamlDocument document,
                         LoadYaml(ExpandEnvironmentVariables(text), kFile));
  const YamlNode& root = *document.root;
  if (root.kind != YamlKind::kMapping) {
    return WrongKind(root, "a mapping with the keys project and registry");
  }
  RepoConfig config;
  VIAND_ASSIGN_OR_RETURN(const YamlNode* project, GetValue(root, "project", kFile));
  VIAND_ASSIGN_OR_RETURN(config.project, ReadText(*project, "a text as \"project\""));
  VIAND_RETURN_NOT_OK(CheckProjectName(config.project, project->where));
  VIAND_RETURN_NOT_OK(ReadOptional(root, "project_description", &config.description));
  VIAND_RETURN_NOT_OK(ReadOptional(root, "repo", &config.repo));
  VIAND_ASSIGN_OR_RETURN(const YamlNode* registry, GetValue(root, "registry", kFile));
  VIAND_RETURN_NOT_OK(ReadRegistry(*registry, &config));
  VIAND_RETURN_NOT_OK(ReadOfflineStore(root, &config));
  VIAND_RETURN_NOT_OK(CheckOnlineStore(root, config));
  VIAND_RETURN_NOT_OK(CheckKeys(root));
  return config;
}

}  // namespace

arrow::Result<RepoConfig> ReadRepoConfig(const std::string& root) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path folder = fs::weakly_canonical(fs::path(root.empty() ? "." : root), error);
  if (error) {
    return MakeError(ErrorKind::kEnvironment,
                     fmt::format("cannot open {}: {}", root, error.message()));
  }
  if (!fs::exists(folder / kFile, error)) {
    return MakeError(ErrorKind::kUsage, fmt::format("no {} in {}", kFile, folder.string()),
                     "name the repo with -C DIR, or make one with viand init DIR");
  }
  VIAND_ASSIGN_OR_RETURN(const std::string text,
                         ReadWholeFile((folder / kFile).string(), kMaxYamlBytes));
  VIAND_ASSIGN_OR_RETURN(RepoConfig config, ParseConfig(text));
  config.root = folder.string();
  if (config.repo.empty()) config.repo = config.root;
  config.content_hash = Sha256Hex(text);
  return config;
}

}  // namespace viand::definition
