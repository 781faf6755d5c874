#include "src/engine/broadcast_message.h"

#include <limits>
#include <utility>

#include "src/engine/fragment_message.h"
#include "src/engine/nested_message.h"

namespace viand::engine {
namespace {

template <typename Part>
arrow::Result<Part> ReadPart(const Bytes* bytes) {
  VIAND_ASSIGN_OR_RETURN(Fragment fragment, ReadNested(bytes));
  if (auto* part = std::get_if<Part>(&fragment)) return std::move(*part);
  return DamagedFragment("a part of another kind");
}

/// Fails unless it is a chunk of a spine that its scan can have.
arrow::Status CheckChunk(const BroadcastFragment& broadcast) {
  const MapFragment& spine = broadcast.spine;
  const bool whole = spine.partitions == 1 && spine.first_row && !spine.positions &&
                     spine.filter.empty() && spine.time_column == -1 && !spine.drop_null_keys;
  if (!whole) return DamagedFragment("the scan of its spine");
  if (broadcast.rows < 0 || broadcast.rows > kMaxGatheredRows || *spine.first_row < 0 ||
      broadcast.first_row < *spine.first_row ||
      broadcast.first_row > std::numeric_limits<int64_t>::max() - kMaxGatheredRows ||
      broadcast.spine_tables < 0)
    return DamagedFragment("rows of the spine");
  return arrow::Status::OK();
}

arrow::Status CheckJoin(const BroadcastFragment& broadcast, const BroadcastJoin& lookup) {
  const AsOfFragment& join = lookup.join;
  if (join.spine_parts != 1 || join.feature_parts != 1 ||
      join.first_rows != std::vector<int64_t>{0} || join.chunks.count != 1)
    return DamagedFragment("its join");
  if (lookup.features.partitions != 1 || !lookup.features.positions || lookup.features.first_row ||
      !lookup.features.parts.empty())
    return DamagedFragment("the keys of its features");
  const GatherFragment& gather = lookup.gather;
  if (!gather.parts.empty() || gather.chunks.count != 1 ||
      gather.first_row != broadcast.first_row || gather.rows != broadcast.rows)
    return DamagedFragment("the columns of its features");
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<flatbuffers::Offset<void>> Write(flatbuffers::FlatBufferBuilder* builder,
                                               const BroadcastFragment& broadcast) {
  flatbuffers::Offset<Bytes> features, join, gather, windows;
  VIAND_ASSIGN_OR_RETURN(const auto spine, WriteNested(builder, broadcast.spine));
  if (const auto* lookup = std::get_if<BroadcastJoin>(&broadcast.lookup)) {
    VIAND_ASSIGN_OR_RETURN(features, WriteNested(builder, lookup->features));
    VIAND_ASSIGN_OR_RETURN(join, WriteNested(builder, lookup->join));
    VIAND_ASSIGN_OR_RETURN(gather, WriteNested(builder, lookup->gather));
  } else {
    VIAND_ASSIGN_OR_RETURN(windows,
                           WriteNested(builder, std::get<WindowFragment>(broadcast.lookup)));
  }
  return message::CreateBroadcastFragment(*builder, spine, broadcast.first_row, broadcast.rows,
                                          features, join, gather, windows, broadcast.spine_tables)
      .Union();
}

arrow::Result<Fragment> Read(const message::BroadcastFragment& broadcast) {
  BroadcastFragment result;
  VIAND_ASSIGN_OR_RETURN(result.spine, ReadPart<MapFragment>(broadcast.spine()));
  result.first_row = broadcast.first_row();
  result.rows = broadcast.rows();
  result.spine_tables = broadcast.spine_tables();
  VIAND_RETURN_NOT_OK(CheckChunk(result));
  if (broadcast.windows() != nullptr) {
    VIAND_ASSIGN_OR_RETURN(WindowFragment windows, ReadPart<WindowFragment>(broadcast.windows()));
    if (!windows.at_spine || windows.spine_parts != 1 || windows.chunks.count != 1)
      return DamagedFragment("its windows");
    result.lookup = std::move(windows);
    return result;
  }
  BroadcastJoin lookup;
  VIAND_ASSIGN_OR_RETURN(lookup.features, ReadPart<MapFragment>(broadcast.features()));
  VIAND_ASSIGN_OR_RETURN(lookup.join, ReadPart<AsOfFragment>(broadcast.join()));
  VIAND_ASSIGN_OR_RETURN(lookup.gather, ReadPart<GatherFragment>(broadcast.gather()));
  VIAND_RETURN_NOT_OK(CheckJoin(result, lookup));
  result.lookup = std::move(lookup);
  return result;
}

}  // namespace viand::engine
