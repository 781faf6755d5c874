// Small tables and files for the tests of plans.
#pragma once

#include <arrow/table.h>
#include <arrow/type.h>

#include <memory>
#include <string>
#include <vector>

#include "src/engine/execute.h"
#include "src/engine/plan.h"

namespace viand::distributed::testing {

struct Column {
  std::string name;
  std::shared_ptr<arrow::DataType> type;
  std::string json;
};

/// Makes a table of columns given as JSON arrays. Aborts where they do not parse.
std::shared_ptr<arrow::Table> TableOf(const std::vector<Column>& columns);

/// timestamp[us, UTC].
std::shared_ptr<arrow::DataType> Micros();

/// Prints one column as text, values apart by blanks, null as "-".
std::string Show(const arrow::Table& table, const std::string& column);

/// A folder that is removed with the object.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  /// Writes a Parquet file and returns its path.
  std::string WriteParquet(const arrow::Table& table, const std::string& name,
                           int64_t row_group_rows = 1024) const;
  std::string WriteIpc(const arrow::Table& table, const std::string& name) const;
  std::string WriteText(const std::string& text, const std::string& name) const;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A scan of a table in memory.
engine::Scan ScanOf(std::shared_ptr<arrow::Table> table,
                    const std::string& described_as = "source s");

/// A lookup of columns of a table with key "k", time "ts": output names are the columns' names.
engine::Lookup LookupOf(engine::Scan source, std::vector<std::string> keys,
                        std::vector<std::string> columns);

}  // namespace viand::distributed::testing
