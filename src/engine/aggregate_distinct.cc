// count(distinct), exact and approximate.
#include <arrow/array/array_binary.h>
#include <arrow/builder.h>
#include <arrow/type.h>

#include <algorithm>

#include "src/engine/aggregate_function.h"
#include "src/engine/hyperloglog.h"
#include "src/engine/key_hash.h"

namespace viand::engine {
namespace {

using ArrayResult = arrow::Result<std::shared_ptr<arrow::Array>>;

}  // namespace

arrow::Result<PoolVector<HyperLogLogMark>> HyperLogLogMarksOf(AggregateValues* values) {
  VIAND_ASSIGN_OR_RETURN(const PoolVector<int32_t>* codes, values->Codes());
  const arrow::Array& array = *values->array();
  PoolVector<HyperLogLogMark> marks(values->code_count());
  const bool is_text = arrow::is_base_binary_like(array.type_id());
  const int64_t* keys = nullptr;
  if (!is_text) {
    VIAND_ASSIGN_OR_RETURN(keys, values->OrderKeys());
  }
  for (int64_t row = 0; row < array.length(); ++row) {
    const int32_t code = (*codes)[row];
    if (code < 0) continue;
    uint64_t hash;
    if (!is_text) {
      // -0.0 and 0.0 have one code, and neighbouring keys.
      const bool minus_zero = arrow::is_floating(array.type_id()) && keys[row] == -1;
      hash = HashWord(static_cast<uint64_t>(minus_zero ? 0 : keys[row]));
    } else if (arrow::is_large_binary_like(array.type_id())) {
      hash = HashBytes(static_cast<const arrow::LargeBinaryArray&>(array).GetView(row));
    } else {
      hash = HashBytes(static_cast<const arrow::BinaryArray&>(array).GetView(row));
    }
    marks[code] = HyperLogLogMarkOf(hash);
  }
  return marks;
}

ArrayResult CountDistinctOfSets(AggregateValues* values, const Members& members, const Sets& sets,
                                const AggregateContext& context) {
  VIAND_ASSIGN_OR_RETURN(const PoolVector<int32_t>* codes, values->Codes());
  // Members come by `enter`: each extends the run of sets that its value covers already, if at all.
  PoolVector<int32_t> covered_until(values->code_count(), 0);
  PoolVector<int64_t> counts(sets.size() + 1, 0);
  for (int64_t i = 0; i < members.size(); ++i) {
    int32_t& covered = covered_until[(*codes)[members[i].value]];
    const int32_t from = std::max(members[i].enter, covered);
    if (from >= members[i].leave) continue;
    ++counts[from];
    --counts[members[i].leave];
    covered = members[i].leave;
  }
  for (int64_t set = 1; set <= sets.size(); ++set) counts[set] += counts[set - 1];
  counts.resize(sets.size());
  arrow::Int64Builder out(context.pool);
  VIAND_RETURN_NOT_OK(out.AppendValues(counts.data(), sets.size()));
  return out.Finish();
}

ArrayResult ApproxDistinctOfSets(AggregateValues* values, const Members& members, const Sets& sets,
                                 const AggregateContext& context) {
  VIAND_ASSIGN_OR_RETURN(const PoolVector<HyperLogLogMark> marks, HyperLogLogMarksOf(values));
  VIAND_ASSIGN_OR_RETURN(const PoolVector<int32_t>* codes, values->Codes());
  arrow::Int64Builder out(context.pool);
  VIAND_RETURN_NOT_OK(out.Reserve(sets.size()));
  SlidingHyperLogLog sketch;
  PoolVector<int64_t> scratch;
  for (int64_t segment = 0; segment < sets.segments(); ++segment) {
    const auto mark_of = [&](int64_t i) { return marks[(*codes)[members[i].value]]; };
    Sweep(
        members, sets, segment, &scratch, [&](int64_t i, int64_t) { sketch.Add(mark_of(i)); },
        [&](int64_t i, int64_t) { sketch.Remove(mark_of(i)); },
        [&](int64_t) { out.UnsafeAppend(sketch.Estimate()); });
  }
  return out.Finish();
}

}  // namespace viand::engine
