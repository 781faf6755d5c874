// Arrow arrays that several owners share: each export is a structure of its own over the same
// buffers, so that a table can be given away any number of times without a copy. Thread-safe; needs
// no GIL.
//
//   SharedArray batch = Share(&array);          // takes it over
//   ArrowArray exported;
//   Export(batch, &exported);                   // whoever releases it releases a reference
#pragma once

#include <memory>
#include <vector>

#include "viand/table.h"

namespace viand::python {

using SharedArray = std::shared_ptr<const ArrowArray>;
using SharedSchema = std::shared_ptr<const ArrowSchema>;

/// Takes a structure over; `*array` is marked released.
SharedArray Share(ArrowArray* array);
SharedSchema Share(ArrowSchema* schema);

/// One array below another, which it keeps.
SharedArray ChildOf(const SharedArray& parent, int64_t index);

/// A structure over the same buffers; children can be moved out of it.
void Export(const SharedArray& array, ArrowArray* out);

/// A copy, metadata included; `name` instead of its own where it is not null.
void Export(const ArrowSchema& schema, ArrowSchema* out, const char* name = nullptr);

/// One array of a struct of columns, all of `length` rows.
void ExportStruct(const std::vector<SharedArray>& columns, int64_t length, ArrowArray* out);
void ExportStruct(const std::vector<SharedSchema>& columns, ArrowSchema* out);

/// A stream of batches of one schema ("+s").
void ExportStream(SharedSchema schema, std::vector<SharedArray> batches, ArrowArrayStream* out);

}  // namespace viand::python
