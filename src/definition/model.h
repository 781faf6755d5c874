// The model of definitions: what the YAML files of a feature repo say, names resolved nowhere yet.
//
// Plain values in the order of the files. validation.h resolves and types them; yaml_reader.h makes
// them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/common/error.h"

namespace viand::definition {

/// A piece of SQL text and the place of its first character.
struct Sql {
  std::string text;
  SourceLocation where;
};

struct NamedSql {
  std::string name;
  Sql sql;
};

/// A reference by name, with its place.
struct Reference {
  std::string name;
  SourceLocation where;
};

using Tags = std::map<std::string, std::string>;

/// What every object has.
struct Object {
  std::string name;
  SourceLocation where;
  std::string description;
  std::string owner;
  Tags tags;
  /// Taken from the registry, where no file of the repo defines it: another version of a view, or
  /// what only Feast has applied. It can be read and is never planned.
  bool stored_only = false;
};

struct Entity : Object {
  std::vector<std::string> join_keys;  ///< default: {name}
  std::vector<std::string>
      value_types;  ///< Feast's names (INT64, STRING, ...), one a join key; UNKNOWN where not said
};

enum class OnError { kFail, kSkip, kNull };

/// The raw files of a dataset.
struct DatasetInput {
  std::vector<Reference>
      paths;  ///< files or globs, relative to the repo; expanded and sorted by name at ingest
  std::string
      format;  ///< xlsx, csv, json, parquet; empty: by extension (csv.gz, jsonl, ndjson too)
  std::optional<std::string> sheet_name;
  std::optional<int> sheet_index;  ///< from 0; default: the first sheet
  std::string delimiter = ",";
  std::vector<std::pair<std::string, std::string>>
      types;  ///< raw column -> SQL type name, in order
  std::map<std::string, SourceLocation> type_places;
};

/// Raw files -> a clean typed Parquet table.
struct Dataset : Object {
  DatasetInput from;
  OnError on_error = OnError::kFail;
  std::optional<Sql> filter;      ///< `where`
  std::vector<NamedSql> columns;  ///< empty: all raw columns as they are
  std::string to;                 ///< path of the Parquet output, relative to the repo
  std::string sort_by;  ///< output column to sort by; empty: the timestamp_field of the source that
                        ///< reads `to`
};

struct Source : Object {
  std::string type = "file";
  std::string path;  ///< file, folder or glob of Parquet; relative to the repo, or s3://...
  std::string s3_endpoint_override;  ///< of an s3:// path; empty: the environment's
  bool fill_missing_columns =
      false;  ///< a column that some files lack is null there; else an error
  std::string timestamp_field;
  std::string created_timestamp_column;              ///< empty: none
  std::map<std::string, std::string> field_mapping;  ///< source column -> name in the view
};

/// `start + 90d`, `end - 30d`, or a literal time.
struct GridBound {
  enum class Anchor { kStart, kEnd, kLiteral } anchor = Anchor::kLiteral;
  int64_t offset_us = 0;  ///< from start or end; or the literal time
  std::string text;       ///< as written
};

struct Snapshots : Object {
  Reference source;
  GridBound first, last;
  int64_t every_us = 0;
};

/// A window before t, [t - length, t); or `following`, [t, t + length).
struct Window {
  bool unbounded = false;
  bool following = false;
  int64_t length_us = 0;
  SourceLocation where;
};

/// A function of the user's in Python that makes values of the window's rows of many keys at once:
/// what the definition says, and what the function is (function_code.h).
struct PythonFunction {
  Reference name;                  ///< "features.rfm:monetary"; "monetary" where `source` is given
  std::vector<Reference> columns;  ///< of the source, in this order; empty: all of them
  std::string mode = "arrow";      ///< what it takes: "arrow" or "pandas"
  std::string output;              ///< which of its results; empty: it has one
  Sql returns;                     ///< the type of the value
  std::vector<std::string> packages;  ///< whose versions count beside those that it imports
  std::string source;                 ///< its text where it is in no file (a notebook's)

  /// Of Python and of the packages that it uses; the text of the function and of what it needs of
  /// its module, without comments; the texts of the repo's modules that it imports. Empty until
  /// ResolveFunctions has found them.
  std::string python;
  std::map<std::string, std::string> versions;
  std::string code;
  std::map<std::string, std::string> modules;
  /// Where the code stands in the user's files, as JSON; no part of the definition.
  std::string places;
};

struct Feature : Object {
  Sql expr;  ///< empty text in a view of ready columns, and of a function
  std::optional<PythonFunction> function;  ///< instead of `expr`
  std::optional<Window> window;            ///< overrides the view's
  std::optional<Sql> default_value;        ///< a literal
  std::string type;                        ///< `schema` views: Feast's or SQL's type name

  bool IsComputed() const { return !expr.text.empty() || function.has_value(); }
  /// Its expression, or its function and the columns that this takes: for people.
  std::string Computation() const;
};

struct FeatureView : Object {
  std::vector<Reference> entities;
  Reference source;  ///< a source or another view
  std::optional<Reference> snapshots;
  std::optional<Window> window;
  std::optional<Sql> filter;  ///< `where`
  std::optional<Sql> having;
  std::vector<Feature> features;  ///< computed (expr) or ready (type), never both
  bool computed = false;
  std::optional<int64_t>
      ttl_us;  ///< absent: one step of the grid where there is one; 0: no lower bound
  /// Whether Feast may materialize it. Without a word: ready columns yes, as in Feast; computed
  /// ones no, for Feast finds no rows of what is computed at retrieval.
  bool online = false;
  /// `version: v2`: the definition is meant to be that version; without it, plan counts.
  std::optional<int64_t> version;
  /// Of `NAME@vN` where that is NAME as it is now: the view whose stored rows it reads.
  std::string rows_of;
};

struct Labels : Object {
  Reference population;  ///< a snapshot view; empty name: a spine
  std::string spine_path;
  std::string spine_timestamp_column = "event_timestamp";
  std::vector<Reference> entities;  ///< with a spine; a population has its own
  Reference source;
  Window window;
  std::optional<Sql> filter;  ///< `where`
  std::vector<Feature> columns;
};

/// `view`, `view:feature`, or {view, features, alias, join_key_map}.
struct FeatureReference {
  Reference view;
  std::vector<std::string> features;  ///< empty: all
  std::string alias;
  std::map<std::string, std::string> join_key_map;  ///< the view's join key -> the spine's column
};

struct FeatureService : Object {
  std::vector<FeatureReference> features;
};

struct Split {
  enum class Kind { kLastSnapshot, kAfter, kFraction } kind = Kind::kLastSnapshot;
  int64_t after_us = 0;  ///< kAfter: rows later than it are the test set
  double fraction = 0;   ///< kFraction: the latest part of the rows by time
};

struct Model : Object {
  std::string type = "xgboost";
  Reference features;  ///< a feature service
  Reference labels;    ///< empty name: spine
  std::string spine_path;
  std::string spine_timestamp_column = "event_timestamp";
  std::string target;
  std::optional<double> fill_null;
  Split split;
  std::vector<std::pair<std::string, std::string>> params;  ///< as XGBoost takes them
  int num_boost_round = 100;
};

/// All objects of a feature repo.
struct Definitions {
  std::vector<Entity> entities;
  std::vector<Dataset> datasets;
  std::vector<Source> sources;
  std::vector<Snapshots> snapshots;
  std::vector<FeatureView> feature_views;
  std::vector<Labels> labels;
  std::vector<FeatureService> feature_services;
  std::vector<Model> models;
};

/// feature_store.yaml: Feast's keys (docs: FEAST's repo config).
struct RepoConfig {
  std::string root;  ///< absolute folder of the repo
  std::string project;
  std::string description;
  std::string repo;           ///< whose objects it applies: `repo` of the file, else its root
  std::string registry_type;  ///< file, sql
  std::string registry_path;  ///< as written, environment variables expanded
  int64_t registry_cache_ttl_seconds = 600;
  std::string offline_store_type = "viand";
  std::string ray_address;   ///< of an offline store of type ray; empty: none
  std::string storage_path;  ///< of it: where tasks put results; empty: the repo's data
  std::string content_hash;  ///< SHA-256 of the file
};

}  // namespace viand::definition
