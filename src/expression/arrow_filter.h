// Pushdown: the part of a predicate that Arrow's scanner can decide, from statistics and while
// decoding.
#pragma once

#include <optional>

#include "src/expression/expression.h"

namespace arrow::compute {
class Expression;
}

namespace viand::expression {

/// Returns an Arrow expression implied by `predicate` (every row that the predicate keeps, it
/// keeps), or a literal true where nothing can be pushed. The caller still evaluates the predicate.
arrow::compute::Expression ToArrowFilter(const Expression& predicate);

}  // namespace viand::expression
