// What a view or labels aggregate: the rows of a source or of another view.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/definition/error_list.h"
#include "src/definition/validation.h"

namespace viand::definition {

struct BaseRows {
  std::shared_ptr<arrow::Schema>
      schema;         ///< after field_mapping; null: not known before ingest, or broken
  Foreseen foreseen;  ///< after field_mapping, where `schema` is null
  std::string timestamp_field;
  std::string created_column;  ///< empty: none
  std::string described_as;    ///< "source transactions"

  /// The columns to check names and types against; null: none is known.
  const std::shared_ptr<arrow::Schema>& Columns() const {
    return schema != nullptr ? schema : foreseen.columns;
  }
  bool MayHaveMore() const { return schema == nullptr && foreseen.open; }
};

/// Finds the base rows that references name. Checks each source once.
class BaseRowsFinder {
 public:
  /// Keeps the pointers. `bound` has its datasets; its views are filled by the caller in order of
  /// their dependencies.
  BaseRowsFinder(const BoundDefinitions* bound, const FilesOnDisk* files)
      : bound_(*bound), definitions_(*bound->definitions), files_(*files) {}

  /// Types every source; errors are added, and the rows of a broken source have no schema.
  void BindSources(ErrorList* errors);

  /// Fails where the name is unknown, a label's, or that of a view without stored rows.
  arrow::Result<BaseRows> Find(const Reference& reference) const;

 private:
  arrow::Result<BaseRows> OfSource(const Source& source) const;
  arrow::Result<std::shared_ptr<arrow::Schema>> FileSchema(const Source& source) const;
  Foreseen ForeseenOf(const Source& source) const;
  arrow::Result<BaseRows> OfView(const FeatureView& view, const Reference& reference) const;

  const BoundDefinitions& bound_;
  const Definitions& definitions_;
  const FilesOnDisk& files_;
  std::vector<BaseRows> sources_;  ///< in the order of the definitions
};

/// Name of the time column of every view's rows.
inline constexpr const char* kEventTimestamp = "event_timestamp";

}  // namespace viand::definition
