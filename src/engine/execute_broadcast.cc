#include "src/engine/execute_broadcast.h"

#include <arrow/table.h>

#include "src/engine/execute_as_of.h"
#include "src/engine/execute_gather.h"
#include "src/engine/execute_map.h"
#include "src/engine/execute_window.h"
#include "src/engine/partition_inputs.h"

namespace viand::engine {
namespace {

/// What is counted of the fragment are the spine's rows, which the scan counts, and its inputs.
FragmentContext Uncounted(FragmentContext context) {
  context.counters = nullptr;
  return context;
}

/// Keys, time and row number of the chunk's rows.
arrow::Result<std::shared_ptr<arrow::Table>> ChunkOf(const BroadcastFragment& broadcast,
                                                     const Tables& inputs,
                                                     const FragmentContext& context) {
  VIAND_ASSIGN_OR_RETURN(const Tables rows, ExecuteMap(broadcast.spine, inputs, context));
  const int64_t skipped = broadcast.first_row - *broadcast.spine.first_row;
  if (rows[0]->num_rows() - skipped < broadcast.rows) return InputsDoNotFit();
  return rows[0]->Slice(skipped, broadcast.rows);
}

arrow::Result<Tables> Join(const BroadcastJoin& lookup, const std::shared_ptr<arrow::Table>& spine,
                           const Tables& features, const FragmentContext& context) {
  if (features.empty()) return InputsDoNotFit();
  VIAND_ASSIGN_OR_RETURN(const auto whole, arrow::ConcatenateTables(features));
  VIAND_ASSIGN_OR_RETURN(const Tables keys, ExecuteMap(lookup.features, {whole}, context));
  VIAND_ASSIGN_OR_RETURN(const Tables found, ExecuteAsOf(lookup.join, {spine, keys[0]}, context));
  return ExecuteGather(lookup.gather, {whole, found[0]}, context);
}

}  // namespace

arrow::Result<Tables> ExecuteBroadcast(const BroadcastFragment& broadcast, const Tables& inputs,
                                       const FragmentContext& context) {
  const int of_spine = broadcast.spine.parts.empty() ? broadcast.spine_tables : 0;
  if (inputs.size() < static_cast<size_t>(of_spine)) return InputsDoNotFit();
  const auto first = inputs.begin() + of_spine;
  VIAND_ASSIGN_OR_RETURN(auto spine, ChunkOf(broadcast, Tables(inputs.begin(), first), context));
  Tables rest(first, inputs.end());
  if (const auto* lookup = std::get_if<BroadcastJoin>(&broadcast.lookup))
    return Join(*lookup, spine, rest, Uncounted(context));
  rest.insert(rest.begin(), std::move(spine));
  return ExecuteWindow(std::get<WindowFragment>(broadcast.lookup), rest, Uncounted(context));
}

}  // namespace viand::engine
