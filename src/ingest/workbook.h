// What a workbook says about its sheets: where they lie, which styles show dates, its date system,
// its strings.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/common/error.h"
#include "src/ingest/shared_strings.h"
#include "src/ingest/zip_archive.h"

namespace viand::ingest {

/// What cells of any sheet refer to. Immutable.
struct WorkbookContext {
  SharedStrings strings;
  std::vector<bool> date_styles;  ///< by the s of a cell
  bool date1904 = false;
};

/// One sheet, ready to be read. `context` stays valid while it is held.
struct Sheet {
  std::string name;
  std::string path;  ///< of the workbook
  std::shared_ptr<const WorkbookContext> context;
  std::unique_ptr<ByteStream> xml;
  int64_t compressed_bytes = 0;
};

/// Opens a sheet by name, by index from 0 (hidden ones count), or the first. Errors, all kInput:
/// the file is missing, an encrypted workbook or old .xls, no zip, cut off, no workbook in the zip;
/// no such sheet (with the nearest name).
arrow::Result<Sheet> OpenSheet(const std::string& path, const std::optional<std::string>& name,
                               std::optional<int> index);

}  // namespace viand::ingest
