// viand's border: what the rooms say in Arrow's terms, in those of the public API. Thread-safe.
//
//   arrow::Result<std::shared_ptr<arrow::Table>> joined = ...;
//   if (!joined.ok()) return ToPublic(joined.status());
//   return ToPublic(ToPublicTable(*joined));
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <utility>

#include "src/common/error.h"
#include "viand/status.h"
#include "viand/table.h"

namespace viand::store {

/// Carries a status over: kind (of any status: KindOf), message, hint and place.
Status ToPublic(const arrow::Status& status);

/// Carries a value or its failure over.
template <typename T>
Result<T> ToPublic(arrow::Result<T> result) {
  if (!result.ok()) return ToPublic(result.status());
  return std::move(result).MoveValueUnsafe();
}

/// Makes a public table that reads from `reader`, batch by batch as it is asked. A failure of the
/// reader becomes that of the stream: its text, with the hint, stays, its kind does not.
arrow::Result<Table> ToPublicTable(std::shared_ptr<arrow::RecordBatchReader> reader);

/// Makes a public table of the rows of `table`, which it shares.
arrow::Result<Table> ToPublicTable(std::shared_ptr<arrow::Table> table);

/// Takes a public table's stream over. kUsage where it has none; kInput where its schema cannot be
/// had or is not one of record batches.
arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> ToReader(Table table);

/// Reads a public table to its end into memory; kInput where its producer fails on the way.
arrow::Result<std::shared_ptr<arrow::Table>> ToArrowTable(Table table);

}  // namespace viand::store
