#include <fmt/format.h>

#include "src/common/data_location.h"
#include "src/definition/object_readers.h"
#include "src/definition/window_text.h"
#include "src/definition/yaml_mapping.h"

namespace viand::definition {
namespace {

arrow::Status ReadBound(const YamlMapping& mapping, std::string_view key, GridBound* bound) {
  VIAND_ASSIGN_OR_RETURN(const YamlNodePtr node, mapping.Get(key));
  VIAND_ASSIGN_OR_RETURN(const std::string text, ReadText(*node, "a time such as start + 90d"));
  return ParseGridBound(text, node->where).Value(bound);
}

/// An address that can never be read is told where it stands.
arrow::Status CheckDataPath(const std::string& path, const SourceLocation& where) {
  arrow::Status checked = CheckAddress(path);
  if (checked.ok()) return checked;
  return ErrorAt(where, ErrorKind::kDefinition, checked.message(), DetailOf(checked)->hint);
}

/// Where the files are and how they fit together.
arrow::Status ReadStorage(const YamlMapping& mapping, Source* source) {
  VIAND_RETURN_NOT_OK(CheckDataPath(source->path, mapping.Find("path")->where));
  VIAND_RETURN_NOT_OK(mapping.Read("s3_endpoint_override", &source->s3_endpoint_override));
  if (!source->s3_endpoint_override.empty() && !source->path.starts_with("s3://")) {
    return ErrorAt(
        mapping.Find("s3_endpoint_override")->where, ErrorKind::kDefinition,
        fmt::format("source \"{}\" has an s3_endpoint_override, but its path {} is not on S3",
                    source->name, source->path),
        "write the path as s3://BUCKET/KEY");
  }
  std::string format = "parquet";
  VIAND_RETURN_NOT_OK(mapping.Read("file_format", &format));
  if (format != "parquet") {
    return ErrorAt(mapping.Find("file_format")->where, ErrorKind::kDefinition,
                   fmt::format("unknown file_format \"{}\", expected parquet", format),
                   "a dataset makes Parquet from other formats");
  }
  std::string missing = "error";
  VIAND_RETURN_NOT_OK(mapping.Read("missing_columns", &missing));
  if (missing != "error" && missing != "fill_null") {
    return ErrorAt(
        mapping.Find("missing_columns")->where, ErrorKind::kDefinition,
        fmt::format("unknown missing_columns \"{}\", expected error or fill_null", missing),
        "fill_null: a column that some files of the source lack is null in their rows");
  }
  source->fill_missing_columns = missing == "fill_null";
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<Source> ReadSource(const YamlDocument&, YamlNodePtr node) {
  Source source;
  VIAND_ASSIGN_OR_RETURN(
      const YamlMapping mapping,
      YamlMapping::Of(*node, "a source",
                      {"name", "type", "path", "s3_endpoint_override", "file_format",
                       "missing_columns", "timestamp_field", "created_timestamp_column",
                       "field_mapping", "description", "owner", "tags"}));
  VIAND_RETURN_NOT_OK(mapping.ReadObject(&source));
  VIAND_RETURN_NOT_OK(mapping.Read("type", &source.type));
  if (source.type != "file") {
    return ErrorAt(mapping.Find("type")->where, ErrorKind::kDefinition,
                   fmt::format("unknown source type \"{}\", expected file", source.type),
                   "viand reads Parquet files; a dataset makes them from other formats");
  }
  VIAND_RETURN_NOT_OK(mapping.Require("path", &source.path));
  VIAND_RETURN_NOT_OK(ReadStorage(mapping, &source));
  VIAND_RETURN_NOT_OK(mapping.Require("timestamp_field", &source.timestamp_field));
  VIAND_RETURN_NOT_OK(mapping.Read("created_timestamp_column", &source.created_timestamp_column));
  VIAND_RETURN_NOT_OK(mapping.Read("field_mapping", &source.field_mapping));
  return source;
}

arrow::Result<Snapshots> ReadSnapshots(const YamlDocument&, YamlNodePtr node) {
  Snapshots snapshots;
  VIAND_ASSIGN_OR_RETURN(const YamlMapping mapping,
                         YamlMapping::Of(*node, "snapshots",
                                         {"name", "source", "first", "last", "every", "description",
                                          "owner", "tags"}));
  VIAND_RETURN_NOT_OK(mapping.ReadObject(&snapshots));
  VIAND_RETURN_NOT_OK(mapping.Require("source", &snapshots.source));
  VIAND_RETURN_NOT_OK(ReadBound(mapping, "first", &snapshots.first));
  VIAND_RETURN_NOT_OK(ReadBound(mapping, "last", &snapshots.last));
  VIAND_ASSIGN_OR_RETURN(const YamlNodePtr every, mapping.Get("every"));
  VIAND_ASSIGN_OR_RETURN(snapshots.every_us, ReadDuration(*every, "a duration as \"every\""));
  if (snapshots.every_us <= 0) {
    return ErrorAt(every->where, ErrorKind::kDefinition,
                   "the step \"every\" of snapshots is zero, expected a duration above it");
  }
  const bool comparable = snapshots.first.anchor == snapshots.last.anchor;
  if (comparable && snapshots.first.offset_us > snapshots.last.offset_us) {
    return ErrorAt(
        mapping.Find("last")->where, ErrorKind::kDefinition,
        fmt::format("the grid is empty: its last cutoff \"{}\" is before its first \"{}\"",
                    snapshots.last.text, snapshots.first.text));
  }
  return snapshots;
}

}  // namespace viand::definition
