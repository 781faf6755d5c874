#include "src/offline/dataset_manifest.h"

#include <arrow/table.h>

#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "src/common/atomic_file.h"
#include "src/common/sha256.h"
#include "src/offline/parquet_file.h"
#include "src/offline/repo_layout.h"

namespace viand::offline {
namespace {

using nlohmann::json;
constexpr int kDatasetManifestFormat = 2;  // written to disk: never change its meaning

json ToJson(const DatasetManifest& manifest) {
  json inputs = json::array();
  for (const InputFile& input : manifest.inputs)
    inputs.push_back({input.path, input.sha256, input.bytes});
  json pieces = json::array();
  for (const TimePiece& piece : manifest.content.pieces)
    pieces.push_back({piece.min_us, piece.max_us, piece.hash});
  return {{"format", kDatasetManifestFormat},
          {"definition_hash", manifest.definition_hash},
          {"inputs", std::move(inputs)},
          {"rows_read", manifest.rows_read},
          {"rows_filtered", manifest.rows_filtered},
          {"rows_skipped", manifest.rows_skipped},
          {"cells_nulled", manifest.cells_nulled},
          {"rows", manifest.content.rows},
          {"output_sha256", manifest.output_sha256},
          {"timestamp_column", manifest.timestamp_column},
          {"schema", manifest.content.schema},
          {"pieces", std::move(pieces)}};
}

/// A manifest that was damaged counts as none: the dataset is then simply made again.
std::optional<DatasetManifest> FromJson(const json& document) {
  if (!document.is_object() || document.value("format", 0) != kDatasetManifestFormat)
    return std::nullopt;
  DatasetManifest manifest;
  try {
    manifest.definition_hash = document.at("definition_hash");
    for (const json& input : document.at("inputs")) {
      manifest.inputs.push_back({input.at(0), input.at(1), input.at(2)});
    }
    manifest.rows_read = document.at("rows_read");
    manifest.rows_filtered = document.at("rows_filtered");
    manifest.rows_skipped = document.at("rows_skipped");
    manifest.cells_nulled = document.at("cells_nulled");
    manifest.content.rows = document.at("rows");
    manifest.output_sha256 = document.at("output_sha256");
    manifest.timestamp_column = document.at("timestamp_column");
    manifest.content.schema = document.at("schema");
    for (const json& piece : document.at("pieces")) {
      manifest.content.pieces.push_back({piece.at(0), piece.at(1), piece.at(2)});
    }
  } catch (const json::exception&) {
    return std::nullopt;
  }
  return manifest;
}

}  // namespace

arrow::Result<std::optional<DatasetManifest>> ReadDatasetManifest(const std::string& output_path) {
  const std::string path = DatasetManifestPath(output_path);
  if (!std::filesystem::exists(path) || !std::filesystem::exists(output_path)) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(const std::string text, ReadWholeFile(path));
  auto manifest = FromJson(json::parse(text, nullptr, false));
  if (!manifest) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(const std::string sha256, Sha256OfFile(output_path));
  if (sha256 != manifest->output_sha256) return std::nullopt;
  return manifest;
}

arrow::Status WriteDatasetManifest(const std::string& output_path, DatasetManifest* manifest) {
  ARROW_ASSIGN_OR_RAISE(manifest->output_sha256, Sha256OfFile(output_path));
  if (manifest->timestamp_column.empty()) {
    ARROW_ASSIGN_OR_RAISE(manifest->content.rows, ParquetRowCount(output_path));
    manifest->content.pieces = {{std::numeric_limits<int64_t>::min(),
                                 std::numeric_limits<int64_t>::max(), manifest->output_sha256}};
  } else {
    ARROW_ASSIGN_OR_RAISE(const auto table, ReadParquet(output_path));
    ARROW_ASSIGN_OR_RAISE(manifest->content, ContentOfTable(*table, manifest->timestamp_column));
  }
  return WriteFileAtomically(DatasetManifestPath(output_path), ToJson(*manifest).dump());
}

arrow::Result<std::vector<InputFile>> HashInputs(const std::string& root,
                                                 const std::vector<std::string>& files) {
  std::vector<InputFile> inputs;
  for (const std::string& file : files) {
    ARROW_ASSIGN_OR_RAISE(std::string sha256, Sha256OfFile(file));
    std::error_code error;
    const auto bytes = static_cast<int64_t>(std::filesystem::file_size(file, error));
    inputs.push_back({RelativePath(root, file), std::move(sha256), bytes});
  }
  return inputs;
}

}  // namespace viand::offline
