// Arrange fragments: rows chosen, ordered, made distinct and cut.
#pragma once

#include "src/engine/execute_fragment.h"

namespace viand::engine {

arrow::Result<Tables> ExecuteArrange(const ArrangeFragment& arrange, const Tables& inputs,
                                     const FragmentContext& context);

}  // namespace viand::engine
