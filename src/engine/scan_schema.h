// One schema for the files of a scan: renames, drift between files, and the errors that name file
// and column.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "src/common/error.h"

namespace arrow {
class DataType;
class Schema;
}  // namespace arrow

namespace viand::engine {

using Renames =
    std::vector<std::pair<std::string, std::string>>;  ///< name in the file -> name here

/// Returns `schema` under the names here. A rename of a column that is not there is no error (the
/// plan may not need it); two columns with one name are.
arrow::Result<std::shared_ptr<arrow::Schema>> RenamedSchema(const arrow::Schema& schema,
                                                            const Renames& renames,
                                                            const std::string& described_as);

/// Returns the types of one file for `schema`, columns missing from it as they are: the wider type
/// of two that differ.
arrow::Result<std::shared_ptr<arrow::Schema>> WidenedSchema(
    const std::shared_ptr<arrow::Schema>& schema, const arrow::Schema& file,
    const std::string& path, const std::string& described_as);

/// Returns the columns of both, of the wider type where both have one. Types of which neither is
/// wider stay as `schema` has them: whoever reads such a column gets the error of CheckType.
std::shared_ptr<arrow::Schema> MergedSchema(const arrow::Schema& schema,
                                            const arrow::Schema& other);

/// The error of a column that is not in `schema`; `path` is empty for tables in memory.
arrow::Status MissingColumn(const std::string& name, const arrow::Schema& schema,
                            const std::string& path, const std::string& described_as);

/// Fails unless the file's type can become the one that the plan wants.
arrow::Status CheckType(const std::string& name, const std::shared_ptr<arrow::DataType>& from,
                        const std::shared_ptr<arrow::DataType>& to, const std::string& path,
                        const std::string& described_as);

}  // namespace viand::engine
