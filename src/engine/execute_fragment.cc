#include "src/engine/execute_fragment.h"

#include <arrow/compute/initialize.h>

#include "src/engine/execute_gather.h"
#include "src/engine/execute_map.h"
#include "src/engine/execute_reduce.h"

namespace viand::engine {

arrow::Result<Tables> ExecuteFragment(const Fragment& fragment, const Tables& inputs,
                                      const FragmentContext& context) {
  static const arrow::Status initialized = arrow::compute::Initialize();
  VIAND_RETURN_NOT_OK(initialized);
  if (const auto* map = std::get_if<MapFragment>(&fragment))
    return ExecuteMap(*map, inputs, context);
  if (const auto* join = std::get_if<AsOfFragment>(&fragment))
    return ExecuteAsOf(*join, inputs, context);
  if (const auto* gather = std::get_if<GatherFragment>(&fragment))
    return ExecuteGather(*gather, inputs, context);
  return ExecuteWindow(std::get<WindowFragment>(fragment), inputs, context);
}

}  // namespace viand::engine
