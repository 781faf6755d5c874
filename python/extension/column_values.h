// Arrow columns as what Python without pyarrow understands: memory for numpy, or objects.
#pragma once

#include <nanobind/nanobind.h>

#include "python/extension/shared_array.h"

namespace viand::python {

namespace nb = nanobind;

class Rows;

/// What a column is made of, a tuple a batch: (values, nulls). Of fixed-width numbers and times
/// `values` is memory that numpy.frombuffer takes without a copy (booleans: a byte each), else a
/// list of objects. `nulls` is memory of a byte a row, 1 where it is null, or None where nothing
/// is.
nb::list ColumnParts(const Rows& rows, int64_t column);

/// Rows [begin, end) as Python's objects; times as datetime, null as None.
nb::list Cells(const Rows& rows, int64_t column, int64_t begin, int64_t end);

/// (nulls, least, greatest); the two are None where there is no value, or the type has no order
/// here.
nb::tuple FactsOf(const Rows& rows, int64_t column);

/// Adds viand._viand.Memory, which numpy.frombuffer takes.
void AddMemory(nb::module_& module);

}  // namespace viand::python
