// A table that is held: batches under one schema, given away any number of times without a copy.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>
#include <vector>

#include "python/extension/shared_array.h"
#include "viand/table.h"

namespace viand::python {

namespace nb = nanobind;

class Rows {
 public:
  Rows(SharedSchema schema, std::vector<SharedArray> batches);

  /// Reads a table to its end. Needs no GIL.
  static Result<std::shared_ptr<Rows>> Read(Table table);

  int64_t length() const { return length_; }
  int64_t columns() const { return schema_->n_children; }
  const ArrowSchema& column_schema(int64_t column) const { return *schema_->children[column]; }

  /// The column's arrays, one a batch.
  std::vector<SharedArray> Column(int64_t column) const;

  /// A stream over them.
  Table Stream() const;
  SharedSchema schema() const { return schema_; }

 private:
  SharedSchema schema_;
  std::vector<SharedArray> batches_;
  int64_t length_ = 0;
};

/// Adds viand._viand.Rows.
void AddRows(nb::module_& module);

}  // namespace viand::python
