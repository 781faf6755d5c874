#include "src/engine/execute_fragment.h"

#include <arrow/compute/initialize.h>

#include "src/engine/execute_arrange.h"
#include "src/engine/execute_as_of.h"
#include "src/engine/execute_broadcast.h"
#include "src/engine/execute_chain.h"
#include "src/engine/execute_gather.h"
#include "src/engine/execute_map.h"
#include "src/engine/execute_snapshot.h"
#include "src/engine/execute_window.h"
#include "src/engine/execute_write.h"
#include "src/engine/kept_scans.h"

namespace viand::engine {

namespace {

arrow::Result<Tables> ExecuteScan(const MapFragment& map, const Tables& inputs,
                                  const FragmentContext& context) {
  const auto read = [&] { return ExecuteMap(map, inputs, context); };
  if (context.kept == nullptr || context.counters != nullptr || !inputs.empty()) return read();
  return context.kept->Run(map, read);
}

arrow::Result<Tables> Execute(const Fragment& fragment, const Tables& inputs,
                              const FragmentContext& context) {
  if (const auto* map = std::get_if<MapFragment>(&fragment))
    return ExecuteScan(*map, inputs, context);
  if (const auto* join = std::get_if<AsOfFragment>(&fragment))
    return ExecuteAsOf(*join, inputs, context);
  if (const auto* gather = std::get_if<GatherFragment>(&fragment))
    return ExecuteGather(*gather, inputs, context);
  if (const auto* write = std::get_if<WriteFragment>(&fragment))
    return ExecuteWrite(*write, inputs, context);
  if (const auto* snapshot = std::get_if<SnapshotFragment>(&fragment))
    return ExecuteSnapshot(*snapshot, inputs);
  if (const auto* broadcast = std::get_if<BroadcastFragment>(&fragment))
    return ExecuteBroadcast(*broadcast, inputs, context);
  if (const auto* chain = std::get_if<ChainFragment>(&fragment))
    return ExecuteChain(*chain, inputs, context);
  if (const auto* arrange = std::get_if<ArrangeFragment>(&fragment))
    return ExecuteArrange(*arrange, inputs, context);
  return ExecuteWindow(std::get<WindowFragment>(fragment), inputs, context);
}

}  // namespace

arrow::Result<Tables> ExecuteFragment(const Fragment& fragment, const Tables& inputs,
                                      const FragmentContext& context) {
  static const arrow::Status initialized = arrow::compute::Initialize();
  VIAND_RETURN_NOT_OK(initialized);
  if (context.counters == nullptr) return Execute(fragment, inputs, context);
  const int64_t start_us = SteadyNowUs();
  VIAND_ASSIGN_OR_RETURN(auto outputs, Execute(fragment, inputs, context));
  context.counters->run_us = SteadyNowUs() - start_us;
  VIAND_RETURN_NOT_OK(CountTables(fragment, inputs, outputs, context.counters));
  return outputs;
}

}  // namespace viand::engine
