// What is no plain value as text, for formats that hold plain values only (CSV): lists, structs and
// maps as JSON, bytes in hexadecimal.
#pragma once

#include <memory>

#include "src/common/error.h"

namespace arrow {
class Table;
}

namespace viand::store {

/// Returns the table with each nested column as a column of JSON texts: a list [1,null,"a"], a
/// struct {"x":1}, a map its list of {"key":k,"value":v}. Times and dates are texts, NaN and the
/// infinities too, for JSON has none; bytes are in hexadecimal. A null stays null. Columns of
/// bytes, of extension types (by what they store), of runs and of views are texts likewise.
arrow::Result<std::shared_ptr<arrow::Table>> WithNestedAsJson(
    const std::shared_ptr<arrow::Table>& table);

}  // namespace viand::store
