// Python's columns -> Arrow, without pyarrow: memory of numpy's is shared, objects are copied.
// Needs the GIL.
#pragma once

#include <nanobind/nanobind.h>

namespace viand::python {

namespace nb = nanobind;

/// Adds viand._viand.Column and the functions that make one:
///
///   column_of_values(name, format, values, length, missing)   fixed width; `values` stays the
///   owner's memory.
///       `missing`: None, "nan", "nat", or memory of a byte a row, not 0 where there is none
///   column_of_booleans(name, values, missing)                 a byte each
///   column_of_objects(name, list)                             str, bytes, bool, int, float; None
///   and missing as null.
///       Gives the index of the first object of another kind, where there is one
///   column_of_codes(name, codes, words, ordered)              a dictionary
///   column_of_array(name, schema capsule, array capsule)      what another library made
///   column_of_stream(name, capsule)                           the only column of a table in one
///   piece stream_of_batch(schema capsule, array capsule)            a stream of one batch
///   stream_of_columns(columns, rows)                          a capsule of them all
void AddColumnMaker(nb::module_& module);

}  // namespace viand::python
