#include "src/store/rebuild.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "src/common/atomic_output.h"
#include "src/common/data_location.h"
#include "src/common/time.h"
#include "src/registry/json_diff.h"
#include "src/store/result_folder.h"
#include "src/store/written_file.h"

namespace viand::store {
namespace {

using nlohmann::json;

/// The format of a folder of parts.
constexpr char kPartsFormat[] = "parquet parts";
constexpr char kManifestEnding[] = ".manifest.json";

std::string FormatOf(const std::string& path) {
  if (IsResultFolder(path)) return kPartsFormat;
  std::string extension = std::filesystem::path(FileNameOf(path)).extension().string();
  return extension.empty() ? "" : extension.substr(1);
}

/// A result of more bytes is known by its footer, which has the sizes and statistics of everything
/// in it: nobody else has read it yet.
constexpr int64_t kHashedOutputBytes = int64_t{256} << 20;

bool IsHashed(int64_t output_bytes, ManifestHashes hashes) {
  return hashes == ManifestHashes::kAll || output_bytes <= kHashedOutputBytes;
}

arrow::Result<json> FileJson(const WrittenFile& file, const std::string& path, bool whole) {
  json document = {{"path", FileNameOf(path)}, {"bytes", file.bytes()}};
  if (whole) {
    ARROW_ASSIGN_OR_RAISE(document["sha256"], file.Sha256());
  } else {
    ARROW_ASSIGN_OR_RAISE(document["footer_sha256"], file.HashOfFooter());
  }
  return document;
}

/// The parts one by one, in order.
arrow::Result<json> FolderJson(const std::string& folder, ManifestHashes hashes) {
  std::vector<std::string> paths;
  int64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    paths.push_back(entry.path().string());
    bytes += static_cast<int64_t>(entry.file_size(error));
  }
  std::sort(paths.begin(), paths.end());
  json files = json::array();
  for (const std::string& path : paths) {
    ARROW_ASSIGN_OR_RAISE(const auto part, WrittenFile::Open(path));
    ARROW_ASSIGN_OR_RAISE(files.emplace_back(), FileJson(part, path, IsHashed(bytes, hashes)));
  }
  return json{{"path", std::filesystem::path(folder).filename().string() + "/"},
              {"format", kPartsFormat},
              {"bytes", bytes},
              {"files", std::move(files)}};
}

arrow::Result<json> OutputJson(const std::string& output, ManifestHashes hashes) {
  if (IsResultFolder(output)) return FolderJson(WithoutSlash(output), hashes);
  ARROW_ASSIGN_OR_RAISE(const auto file, WrittenFile::Open(output));
  ARROW_ASSIGN_OR_RAISE(json document, FileJson(file, output, IsHashed(file.bytes(), hashes)));
  document["format"] = FormatOf(output);
  return document;
}

std::string Shown(const std::string& value) { return value.empty() ? "(none)" : value; }

void CompareDefinition(const std::string& what, const json& then, const json& now,
                       std::vector<std::string>* changes) {
  if (then.value("sha256", "") == now.value("sha256", "")) return;
  const auto fields = registry::DiffJson(then.value("text", json()), now.value("text", json()));
  for (const auto& field : fields)
    changes->push_back(
        fmt::format("{}: {}: {} -> {}", what, field.path, Shown(field.before), Shown(field.after)));
  if (fields.empty()) changes->push_back(what + " is another definition");
}

/// What identifies a file, under whichever name both manifests have it.
std::string IdentityOf(const json& file) {
  for (const char* key : {"sha256", "etag_sha256", "footer_sha256"})
    if (file.contains(key)) return file[key].get<std::string>();
  return "";
}

std::map<std::string, json> ByMember(const json& list, const char* member) {
  std::map<std::string, json> entries;
  for (const json& entry : list) entries[entry.value(member, "")] = entry;
  return entries;
}

void CompareFiles(const std::string& what, const json& then, const json& now,
                  std::vector<std::string>* changes) {
  const auto before = ByMember(then, "path");
  const auto after = ByMember(now, "path");
  for (const auto& [path, file] : before) {
    const auto found = after.find(path);
    if (found == after.end()) {
      changes->push_back(fmt::format("{}: {} is gone", what, path));
    } else if (file.value("bytes", int64_t{0}) != found->second.value("bytes", int64_t{0})) {
      changes->push_back(fmt::format("{}: {} had {} bytes and has {}", what, path,
                                     file.value("bytes", int64_t{0}),
                                     found->second.value("bytes", int64_t{0})));
    } else if (IdentityOf(file) != IdentityOf(found->second)) {
      changes->push_back(fmt::format("{}: {} has other content", what, path));
    }
  }
  for (const auto& [path, file] : after)
    if (!before.contains(path)) changes->push_back(fmt::format("{}: {} is new", what, path));
}

void CompareCutoffs(const std::string& what, const json& then, const json& now,
                    std::vector<std::string>* changes) {
  const auto before = ByMember(then, "cutoff");
  const auto after = ByMember(now, "cutoff");
  int64_t gone = 0, added = 0, other = 0;
  for (const auto& [cutoff, part] : before) {
    const auto found = after.find(cutoff);
    if (found == after.end()) {
      ++gone;
    } else if (found->second.value("fingerprint", "") != part.value("fingerprint", "")) {
      ++other;
    }
  }
  for (const auto& [cutoff, part] : after) added += before.contains(cutoff) ? 0 : 1;
  const auto say = [&](int64_t count, const char* which) {
    if (count > 0)
      changes->push_back(fmt::format("{}: {} of {} cutoffs {}", what, count,
                                     std::max(before.size(), after.size()), which));
  };
  say(other, "were computed again from other data or another definition");
  say(gone, "are gone");
  say(added, "are new");
}

void CompareAll(const json& then, const json& now, std::vector<std::string>* changes) {
  for (const auto& [what, definition] : then.at("definitions").items()) {
    if (!now.at("definitions").contains(what)) {
      changes->push_back(what + " is no more part of it");
    } else {
      CompareDefinition(what, definition, now["definitions"][what], changes);
    }
  }
  for (const auto& [what, definition] : now.at("definitions").items())
    if (!then.at("definitions").contains(what)) changes->push_back(what + " is new in it");
  for (const auto& [what, input] : then.at("inputs").items()) {
    if (!input.value("read", false)) continue;
    const json current = now.at("inputs").value(what, json::object());
    CompareFiles(what, input.value("files", json::array()), current.value("files", json::array()),
                 changes);
    CompareCutoffs(what, input.value("cutoffs", json::array()),
                   current.value("cutoffs", json::array()), changes);
  }
}

}  // namespace

std::string ManifestPathOf(const std::string& output) {
  const DataAddress address = ParseAddress(output);
  if (address.IsRemote()) return address.TextOf(address.path + kManifestEnding);
  return WithoutSlash(output) + kManifestEnding;
}

arrow::Result<std::string> WriteManifest(const RepoSession& session, const json& description,
                                         const std::string& output, const WrittenTable& written,
                                         ManifestHashes hashes) {
  json document = description;
  document["format"] = kRetrievalManifestFormat;
  document["kind"] = "training_set";
  document["project"] = session.config().project;
  document["viand_version"] = Version();
  document["created_at"] = FormatTimestamp(NowUs());
  document["hashed"] = WordOf(hashes);
  ARROW_ASSIGN_OR_RAISE(document["output"], OutputJson(output, hashes));
  document["output"]["rows"] = written.rows;
  document["output"]["columns"] = written.columns;
  const std::string path = ManifestPathOf(output);
  ARROW_ASSIGN_OR_RAISE(auto file, AtomicOutput::Open(path));
  ARROW_RETURN_NOT_OK(file->Write(document.dump(1) + "\n"));
  ARROW_RETURN_NOT_OK(file->Commit().status());
  return path;
}

arrow::Result<Manifest> ReadManifest(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const auto file, WrittenFile::Open(path));
  ARROW_ASSIGN_OR_RAISE(const std::string text, file.Text());
  const auto is_none = [&path] {
    return MakeError(
        ErrorKind::kInput, fmt::format("{} is no manifest of a training set or a model", path),
        "`viand historical -o x.parquet` writes x.parquet.manifest.json, `viand train` "
        "data/models/MODEL.manifest.json");
  };
  try {
    const json document = json::parse(text);
    Manifest manifest;
    manifest.viand_version = document.at("viand_version");
    if (document.contains("training_set")) {
      manifest.description = document["training_set"];
    } else {
      if (document.at("kind") != "training_set" ||
          document.at("format") != kRetrievalManifestFormat)
        return is_none();
      manifest.description = document;
      manifest.output = document.at("output");
      const auto hashes = ManifestHashesOf(document.at("hashed").get<std::string>());
      if (!hashes.ok()) return is_none();
      manifest.hashes = *hashes;
    }
    const json& description = manifest.description;
    const bool complete = description.at("request").is_object() &&
                          description.at("definitions").is_object() &&
                          description.at("inputs").is_object();
    return complete ? arrow::Result<Manifest>(std::move(manifest)) : is_none();
  } catch (const json::exception&) {
    return is_none();
  }
}

arrow::Result<std::vector<std::string>> ChangesSince(const json& then, const json& now) {
  std::vector<std::string> changes;
  try {
    CompareAll(then, now, &changes);
  } catch (const json::exception& error) {
    return MakeError(ErrorKind::kInput, fmt::format("the manifest is damaged: {}", error.what()));
  }
  return changes;
}

arrow::Result<std::optional<bool>> IsSameOutput(const Manifest& manifest,
                                                const std::string& output) {
  if (manifest.description.contains(kExportedBy)) return std::nullopt;
  if (!manifest.output.is_object() || manifest.output.value("format", "") != FormatOf(output))
    return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(const json made, OutputJson(output, manifest.hashes));
  const auto files = [](const json& result) { return result.value("files", json()); };
  return std::optional(IdentityOf(made) == IdentityOf(manifest.output) &&
                       files(made) == files(manifest.output));
}

}  // namespace viand::store
