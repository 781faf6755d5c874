// What a dataset's output was made from and what it holds: `<output>.manifest.json`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/offline/source_content.h"

namespace viand::offline {

struct InputFile {
  std::string path;  ///< relative to the repo where it lies inside
  std::string sha256;
  int64_t bytes = 0;

  bool operator==(const InputFile&) const = default;
};

struct DatasetManifest {
  std::string definition_hash;
  std::vector<InputFile> inputs;
  int64_t rows_read = 0, rows_filtered = 0, rows_skipped = 0, cells_nulled = 0;
  std::string output_sha256;
  std::string timestamp_column;  ///< by which the content is cut into pieces; empty: it is not
  SourceContent content;
};

/// Reads the manifest beside `output_path`; nothing where there is none, it is of another version,
/// or the output is not the one that it describes (by content hash).
arrow::Result<std::optional<DatasetManifest>> ReadDatasetManifest(const std::string& output_path);

/// Completes the manifest from the output (hash, pieces of time) and writes it atomically.
arrow::Status WriteDatasetManifest(const std::string& output_path, DatasetManifest* manifest);

/// Hashes input files in order.
arrow::Result<std::vector<InputFile>> HashInputs(const std::string& root,
                                                 const std::vector<std::string>& files);

}  // namespace viand::offline
