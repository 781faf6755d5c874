// The constants of a file of a scan: what its folders spell, and nulls for what it lacks.
#pragma once

#include <string>

#include "src/engine/open_scan.h"

namespace viand::engine {

/// Sets the file's constants and adds them to its schema. `partitions` has the columns that the
/// folders of the scan's files spell, by name in the files; a column of the scan decides its type.
/// `scan.fill_missing`: columns of the scan that the file lacks become null.
arrow::Status AddConstants(const Scan& scan, const arrow::Schema& partitions,
                           const OpenedScan& opened, OpenedFile* file);

/// A column may be in a file and in the name of its folder if its statistics show that every row
/// has the folder's value; else kInput, naming both.
arrow::Status CheckAgreement(const std::string& name_in_file, const OpenedFile& file,
                             const std::string& described_as);

}  // namespace viand::engine
