#include "src/ingest/cell_table.h"

namespace viand::ingest {

void CellTable::AddColumn() {
  std::vector<RawCell> wider((columns_ + 1) * rows());
  for (int64_t row = 0; row < rows(); ++row) {
    for (int column = 0; column < columns_; ++column)
      wider[row * (columns_ + 1) + column] = At(row, column);
  }
  cells = std::move(wider);
  ++columns_;
}

}  // namespace viand::ingest
