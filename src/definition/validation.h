// Definitions resolved and typed: unknown names, types, clashes, cycles, labels used as features
// are found here, before anything runs.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "src/definition/model.h"
#include "src/expression/aggregation.h"
#include "src/expression/expression.h"

namespace arrow {
class DataType;
class Field;
class Schema;
}  // namespace arrow

namespace viand::definition {

using expression::ExpressionPtr;

/// Columns as far as they are known before the data is there: what definitions declare, and the
/// headers of files tell. Expressions over them are checked, not evaluated.
struct Foreseen {
  std::shared_ptr<arrow::Schema> columns;  ///< expression::UnknownType where only cells tell
  bool open = true;                        ///< there may be more columns
};

struct BoundDataset {
  const Dataset* dataset = nullptr;
  std::shared_ptr<arrow::Schema>
      raw;  ///< raw columns that are read, typed; null while types must be inferred
  ExpressionPtr filter;
  std::vector<std::pair<std::string, ExpressionPtr>> columns;
  std::shared_ptr<arrow::Schema> output;  ///< null while `raw` is
  Foreseen foreseen;                      ///< the output while it is null
};

struct BoundFeature {
  const Feature* feature = nullptr;
  ExpressionPtr expression;  ///< typed, aggregates inside; null for a ready column and a function
  std::vector<std::string> function_columns;  ///< what its function takes, all where it named none
  Window window;                              ///< the feature's or the view's
  std::shared_ptr<arrow::DataType> type;      ///< null while the source's are not known
  std::shared_ptr<arrow::DataType> foreseen;  ///< what the type will be, where that is known
  std::shared_ptr<arrow::Scalar> default_value;  ///< of `type`; null: none
};

/// A view, or labels: the rows of `source`, aggregated.
struct BoundView {
  const FeatureView* view = nullptr;   ///< null in labels
  const Labels* labels = nullptr;      ///< null in views
  std::vector<std::string> join_keys;  ///< of all entities, in their order
  std::shared_ptr<arrow::Schema>
      source;  ///< columns of the source after field_mapping; null: not known before ingest
  std::string timestamp_field;  ///< of the source
  std::string created_column;   ///< of the source; empty: none
  ExpressionPtr filter, having;
  std::vector<BoundFeature> features;
  std::shared_ptr<arrow::Schema> output;  ///< join keys, then features; null while `source` is
  int64_t ttl_us = 0;  ///< resolved: one step of the grid where the view said nothing; 0: none
};

/// The whole repo. Pointers go into `definitions`, which must stay alive and in place.
struct BoundDefinitions {
  std::shared_ptr<const Definitions> definitions;
  std::vector<BoundDataset> datasets;
  std::vector<BoundView> views;
  std::vector<BoundView> labels;
  bool complete = true;               ///< false: some view or labels are typed only after ingest
  std::vector<std::string> warnings;  ///< what is allowed and probably not meant, for plan to print

  const BoundView* FindView(const std::string& name) const;
  const BoundView* FindLabels(const std::string& name) const;
};

using SchemaResult = arrow::Result<std::shared_ptr<arrow::Schema>>;

/// What validation asks of the files that are there. Paths are relative to the repo; each returns
/// null where there is no file yet.
struct FilesOnDisk {
  /// The columns of all files of a source, before field_mapping; those that its folders spell are
  /// marked by MarkPartitions.
  std::function<SchemaResult(const Source& source)> source;
  /// The schema of the Parquet file that a dataset writes.
  std::function<SchemaResult(const std::string& path)> parquet;
  /// The columns of a spine file of any format; a CSV's are of expression::UnknownType.
  std::function<SchemaResult(const std::string& path)> spine;
  /// The columns of a dataset's raw files, where a header tells them: of their own types, or of
  /// expression::UnknownType. Null too where only reading the whole file would tell.
  std::function<SchemaResult(const Dataset& dataset)> raw;
};

/// Marks the columns of a source's schema that folders named key=value spell: `partitions`. Their
/// types are inferred; an entity's value type or a dtype overrides them.
std::shared_ptr<arrow::Schema> MarkPartitions(const arrow::Schema& schema,
                                              const arrow::Schema& partitions);

/// Checks everything and types what can be typed. A source that a dataset writes has the dataset's
/// declared types; where they are undeclared, what is on disk counts. Expressions over columns that
/// are not known yet are checked as far as that goes: names of functions, numbers of arguments,
/// places of aggregates, types that do not depend on the data.
arrow::Result<BoundDefinitions> Validate(const std::shared_ptr<const Definitions>& definitions,
                                         const FilesOnDisk& files);

/// Binds a dataset to the raw columns of its files (ingest::InferRawSchema); declared types
/// override those of `raw`. Fails on a declared or used column that the files lack, naming the
/// nearest.
arrow::Result<BoundDataset> BindDataset(const Dataset& dataset,
                                        const std::shared_ptr<arrow::Schema>& raw);

enum class CanonicalScope {
  kMeaning,           ///< what computes: no description, owner or tags
  kWithDocumentation  ///< these too
};

/// One line of JSON a definition, keys sorted, no place or comment in it, expressions in
/// SqlNormalForm: equal text where definitions differ in layout only, another text for another
/// meaning. Its SHA-256 is the object's definition hash; it is what tags["viand.definition"] holds.
std::string CanonicalText(const Entity&, CanonicalScope scope = CanonicalScope::kMeaning);
std::string CanonicalText(const Dataset&, CanonicalScope scope = CanonicalScope::kMeaning);
std::string CanonicalText(const Source&, CanonicalScope scope = CanonicalScope::kMeaning);
std::string CanonicalText(const Snapshots&, CanonicalScope scope = CanonicalScope::kMeaning);
std::string CanonicalText(const FeatureView&, CanonicalScope scope = CanonicalScope::kMeaning);
std::string CanonicalText(const Labels&, CanonicalScope scope = CanonicalScope::kMeaning);
std::string CanonicalText(const FeatureService&, CanonicalScope scope = CanonicalScope::kMeaning);
std::string CanonicalText(const Model&, CanonicalScope scope = CanonicalScope::kMeaning);

/// Reads back a view's canonical text (from a registry that somebody else's repo wrote).
arrow::Result<FeatureView> ViewFromCanonicalText(const std::string& text);

/// Feast's ValueType name (INT64, DOUBLE, STRING, ...) of an Arrow type and back; errors name the
/// type.
arrow::Result<std::string> FeastTypeOf(const arrow::DataType& type);
arrow::Result<std::shared_ptr<arrow::DataType>> TypeFromFeast(const std::string& name);

/// A type by Feast's name or SQL's.
arrow::Result<std::shared_ptr<arrow::DataType>> TypeFromName(const std::string& name);

/// Types that Feast tells apart and files do not (JSON in a text, a set in a list), or that have
/// parameters of the file's own (DECIMAL, MAP, STRUCT): the ValueType name of either of its names;
/// nothing for another type's. Columns of them pass through as the file has them.
std::optional<std::string> LogicalFeastType(const std::string& name);
/// Whether a column whose type FeastTypeOf calls `held_as` can be one of such a type.
bool CanHoldLogicalType(const std::string& logical, const std::string& held_as);
/// Whether Feast has keys of a type: no decimals, maps, lists of lists.
bool IsFeastKeyType(const arrow::DataType& type);

}  // namespace viand::definition
