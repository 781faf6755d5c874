#include "src/store/retrieval_manifest.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "src/common/content_identity.h"
#include "src/common/data_files.h"
#include "src/common/data_location.h"
#include "src/common/sha256.h"
#include "src/common/time.h"
#include "src/definition/versioned_name.h"
#include "src/offline/dataset_manifest.h"
#include "src/offline/historical.h"
#include "src/offline/parquet_file.h"
#include "src/offline/part_store.h"
#include "src/offline/repo_layout.h"
#include "src/offline/spine.h"
#include "src/offline/view_source.h"
#include "src/registry/view_version.h"
#include "src/store/content_hashes.h"
#include "src/store/written_file.h"

namespace viand::store {
namespace {

using nlohmann::json;

constexpr size_t kMostFooters = 1000;

// The member of a file that waits for its hash: its path. No manifest is written with it.
constexpr const char* kToHash = "to_hash";

/// Calls `visit` with every file of a description.
template <typename Json, typename Visit>
void VisitFiles(Json& description, const Visit& visit) {
  for (auto& input : description["inputs"]) {
    const auto files = input.find("files");
    if (files == input.end()) continue;
    for (auto& file : *files) visit(file);
  }
}

class Description {
 public:
  Description(RepoSession* session, ManifestHashes hashes) : session_(*session), hashes_(hashes) {}

  arrow::Status AddService(const std::string& name) {
    if (name.empty()) return arrow::Status::OK();
    const auto& all = session_.definitions();
    AddDefinition(all.feature_services, name, "feature service");
    ARROW_ASSIGN_OR_RAISE(const auto requests,
                          offline::RequestsOfService(session_.context(), name));
    for (const auto& request : requests) ARROW_RETURN_NOT_OK(AddView(*request.view));
    return arrow::Status::OK();
  }

  arrow::Status AddReferences(const std::vector<std::string>& references) {
    for (const std::string& reference : references) {
      ARROW_ASSIGN_OR_RAISE(const auto name, definition::ParseVersionedName(
                                                 reference.substr(0, reference.find(':'))));
      if (const auto* view = session_.bound().FindView(name.Text()))
        ARROW_RETURN_NOT_OK(AddView(*view));
    }
    return arrow::Status::OK();
  }

  arrow::Status AddSpine(const std::string& spine) {
    if (spine.empty() || spine == "-") return arrow::Status::OK();
    if (spine.starts_with("labels:")) return AddLabels(spine.substr(7));
    ARROW_ASSIGN_OR_RAISE(const auto found, offline::FindSpineFiles(spine));
    return AddFiles("spine", found.paths, -1);
  }

  json Take() { return {{"definitions", std::move(definitions_)}, {"inputs", std::move(inputs_)}}; }

 private:
  template <typename ObjectType>
  void AddDefinition(const std::vector<ObjectType>& objects, const std::string& name,
                     const char* kind) {
    const auto* object = offline::FindObject(objects, name);
    if (object == nullptr) return;
    const std::string text = definition::CanonicalText(*object);
    definitions_[fmt::format("{} {}", kind, name)] = {{"sha256", Sha256Hex(text)},
                                                      {"text", json::parse(text, nullptr, false)}};
  }

  arrow::Status AddVersion(const definition::FeatureView& view) {
    json& entry = definitions_["feature view " + view.name];
    if (view.version) {
      entry["version"] = fmt::format("v{}", *view.version);
      return arrow::Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(const auto snapshot, session_.registry()->ReadCached());
    const auto* stored = snapshot->Find(registry::ObjectKind::kFeatureView, view.name);
    if (stored == nullptr) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(const int64_t version, registry::VersionOf(view.name, stored->content));
    entry["version"] = fmt::format("v{}", version);
    return arrow::Status::OK();
  }

  arrow::Status AddView(const definition::BoundView& view) {
    const definition::FeatureView& definition = *view.view;
    if (!seen_.insert(definition.name).second) return arrow::Status::OK();
    const auto& all = session_.definitions();
    AddDefinition(all.feature_views, definition.name, "feature view");
    ARROW_RETURN_NOT_OK(AddVersion(definition));
    for (const auto& entity : definition.entities)
      AddDefinition(all.entities, entity.name, "entity");
    const bool stored = definition.computed && definition.snapshots;
    if (stored) {
      AddDefinition(all.snapshots, definition.snapshots->name, "snapshots");
      ARROW_RETURN_NOT_OK(AddStoredRows(definition));
    }
    return AddSource(definition.source.name, /*is_read=*/!stored);
  }

  arrow::Status AddStoredRows(const definition::FeatureView& view) {
    ARROW_ASSIGN_OR_RAISE(const auto generation, offline::ReadCurrentGeneration(
                                                     offline::RowsFolder(session_.root(), view)));
    json parts = json::array();
    int64_t rows = 0;
    for (const auto& part : generation.parts) {
      rows += part.rows;
      parts.push_back({{"cutoff", FormatTimestamp(part.cutoff_us)},
                       {"rows", part.rows},
                       {"fingerprint", part.fingerprint}});
    }
    inputs_["stored rows of feature view " + view.name] = {
        {"read", true}, {"rows", rows}, {"cutoffs", std::move(parts)}};
    return arrow::Status::OK();
  }

  /// `is_read`: by the retrieval itself; else by what computed the stored rows before it.
  arrow::Status AddSource(const std::string& name, bool is_read) {
    const auto& all = session_.definitions();
    const auto* source = offline::FindObject(all.sources, name);
    if (source == nullptr) {
      const auto* upstream = session_.bound().FindView(name);
      return upstream == nullptr ? arrow::Status::OK() : AddView(*upstream);
    }
    AddDefinition(all.sources, name, "source");
    const std::string path = offline::PathOfSource(session_.root(), *source);
    if (const auto* dataset = offline::DatasetWriting(session_.context(), source->path)) {
      AddDefinition(all.datasets, dataset->dataset->name, "dataset");
      ARROW_ASSIGN_OR_RAISE(const auto manifest, offline::ReadDatasetManifest(path));
      if (manifest) return AddDataset(name, path, *manifest, is_read);
    }
    ARROW_ASSIGN_OR_RAISE(const engine::Scan scan, offline::ScanOfFiles(session_.root(), *source));
    // Opening the footers of very many files would take longer than reading their rows.
    int64_t rows = scan.files.size() > kMostFooters ? -1 : 0;
    for (const std::string& file : scan.files) {
      if (rows < 0) break;
      const auto count =
          IsRemotePath(file) ? arrow::Result<int64_t>(-1) : offline::ParquetRowCount(file);
      rows = rows < 0 || !count.ok() || *count < 0 ? -1 : rows + *count;
    }
    return AddFiles("source " + name, scan.files, rows, is_read);
  }

  arrow::Status AddDataset(const std::string& source, const std::string& path,
                           const offline::DatasetManifest& manifest, bool is_read) {
    json raw = json::array();
    for (const auto& file : manifest.inputs)
      raw.push_back({{"path", file.path}, {"bytes", file.bytes}, {"sha256", file.sha256}});
    std::error_code error;
    inputs_["source " + source] = {
        {"read", is_read},
        {"rows", manifest.content.rows},
        {"files", json::array({{{"path", offline::RelativePath(session_.root(), path)},
                                {"bytes", std::filesystem::file_size(path, error)},
                                {"sha256", manifest.output_sha256}}})},
        {"made_from", std::move(raw)}};
    return arrow::Status::OK();
  }

  arrow::Status AddLabels(const std::string& name) {
    const auto* labels = session_.bound().FindLabels(name);
    if (labels == nullptr) return arrow::Status::OK();  // told by who opens the spine
    AddDefinition(session_.definitions().labels, name, "labels");
    ARROW_RETURN_NOT_OK(AddSource(labels->labels->source.name, true));
    const std::string& population = labels->labels->population.name;
    if (const auto* view = session_.bound().FindView(population)) return AddView(*view);
    return AddSpine(offline::AbsolutePath(session_.root(), labels->labels->spine_path));
  }

  arrow::Status AddFiles(const std::string& what, const std::vector<std::string>& files,
                         int64_t rows, bool is_read = true) {
    std::vector<std::string> remote;
    for (const std::string& file : files)
      if (IsRemotePath(file)) remote.push_back(file);
    ARROW_ASSIGN_OR_RAISE(const auto etags, ContentIdentities(remote));
    size_t next_etag = 0;
    json list = json::array();
    for (const std::string& file : files) {
      ARROW_ASSIGN_OR_RAISE(const ListedFile listed, KnownDataFile(file, what));
      json entry = {{"path", offline::RelativePath(session_.root(), DisplayPath(file))},
                    {"bytes", listed.size_bytes}};
      if (IsRemotePath(file)) {
        entry["etag_sha256"] = etags[next_etag++];
      } else if (hashes_ != ManifestHashes::kFooters) {
        entry[kToHash] = file;
      } else {
        ARROW_ASSIGN_OR_RAISE(const auto content, WrittenFile::Open(file));
        ARROW_ASSIGN_OR_RAISE(entry["footer_sha256"], content.HashOfFooter());
      }
      list.push_back(std::move(entry));
    }
    json& input = inputs_[what];
    const bool read_before = input.is_object() && input.value("read", false);
    input = {{"read", is_read || read_before}, {"files", std::move(list)}};
    if (rows >= 0) input["rows"] = rows;
    return arrow::Status::OK();
  }

  RepoSession& session_;
  const ManifestHashes hashes_;
  std::set<std::string> seen_;
  json definitions_ = json::object();
  json inputs_ = json::object();
};

json RequestJson(const RepoSession& session, const RetrievalAsked& asked) {
  const HistoricalOptions& options = asked.options;
  json request = {{"features", options.features},
                  {"service", options.service},
                  {"timestamp_column", options.timestamp_column},
                  {"full_feature_names", options.full_feature_names},
                  {"created_not_after", options.created_not_after}};
  if (asked.spine.empty()) {
    // A range without an end ends now: now is written down.
    request["start"] = options.start;
    request["end"] = options.end;
    request["every_row"] = options.every_row;
    return request;
  }
  const bool names_file =
      asked.spine != "-" && !asked.spine.starts_with("labels:") && !IsRemotePath(asked.spine);
  request["spine"] =
      names_file
          ? offline::RelativePath(
                session.root(), std::filesystem::absolute(asked.spine).lexically_normal().string())
          : asked.spine;
  return request;
}

}  // namespace

arrow::Result<ManifestHashes> ManifestHashesOf(const std::string& word) {
  for (const auto hashes :
       {ManifestHashes::kContent, ManifestHashes::kFooters, ManifestHashes::kAll})
    if (word == WordOf(hashes)) return hashes;
  return MakeError(ErrorKind::kUsage, fmt::format("unknown kind \"{}\" of a manifest", word),
                   "it is auto, footers, full or none");
}

const char* WordOf(ManifestHashes hashes) {
  constexpr const char* kWords[] = {"auto", "footers", "full"};
  return kWords[static_cast<int>(hashes)];
}

std::vector<std::string> FilesToHash(const json& description) {
  std::vector<std::string> paths;
  if (!description.contains("inputs")) return paths;
  VisitFiles(description, [&](const json& file) {
    if (file.contains(kToHash)) paths.push_back(file[kToHash].get<std::string>());
  });
  return paths;
}

void SetHashes(const std::map<std::string, std::string>& sha256_of, json* description) {
  VisitFiles(*description, [&](json& file) {
    if (!file.contains(kToHash)) return;
    file["sha256"] = sha256_of.at(file[kToHash].get<std::string>());
    file.erase(kToHash);
  });
}

arrow::Result<json> DescribeAndHash(RepoSession* session, const RetrievalAsked& asked,
                                    ManifestHashes hashes) {
  ARROW_ASSIGN_OR_RAISE(json description, DescribeRetrieval(session, asked, hashes));
  ContentHashes content(session->root(), FilesToHash(description));
  ARROW_ASSIGN_OR_RAISE(const auto sha256_of, content.Finish());
  SetHashes(sha256_of, &description);
  return description;
}

arrow::Result<json> DescribeRetrieval(RepoSession* session, const RetrievalAsked& asked,
                                      ManifestHashes hashes) {
  Description description(session, hashes);
  ARROW_RETURN_NOT_OK(description.AddService(asked.options.service));
  ARROW_RETURN_NOT_OK(description.AddReferences(asked.options.features));
  ARROW_RETURN_NOT_OK(description.AddSpine(asked.spine));
  json document = description.Take();
  document["request"] = RequestJson(*session, asked);
  return document;
}

RetrievalAsked TrainingSetOf(const RepoSession& session, const definition::Model& model) {
  RetrievalAsked asked;
  asked.options.service = model.features.name;
  if (model.labels.name.empty()) {
    asked.spine = offline::AbsolutePath(session.root(), model.spine_path);
    asked.options.timestamp_column = model.spine_timestamp_column;
    return asked;
  }
  asked.spine = "labels:" + model.labels.name;
  const auto* labels = offline::FindObject(session.definitions().labels, model.labels.name);
  if (labels != nullptr && labels->population.name.empty())
    asked.options.timestamp_column = labels->spine_timestamp_column;
  return asked;
}

arrow::Result<RetrievalAsked> RequestOf(const json& description) {
  RetrievalAsked asked;
  try {
    const json& request = description.at("request");
    HistoricalOptions& options = asked.options;
    options.features = request.at("features").get<std::vector<std::string>>();
    options.service = request.at("service");
    options.timestamp_column = request.at("timestamp_column");
    options.full_feature_names = request.at("full_feature_names");
    options.created_not_after = request.at("created_not_after");
    asked.spine = request.value("spine", "");
    options.start = request.value("start", "");
    options.end = request.value("end", "");
    options.every_row = request.value("every_row", false);
  } catch (const json::exception& error) {
    return MakeError(ErrorKind::kInput, fmt::format("the manifest is damaged: {}", error.what()));
  }
  return asked;
}

}  // namespace viand::store
