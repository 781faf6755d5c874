// An as-of join whose features come a part at a time. What a spine row finds is the greatest of all
// rows that match, and a greatest may be found among some and then among the others: memory needs
// to hold the spine's rows and one part.
//
//   AsOfFold fold(spine, options, pool);
//   VIAND_RETURN_NOT_OK(fold.Add(features, positions, /*first_part=*/3, part_ends));  // ...
//   PartOf(fold.found()[i])
#pragma once

#include <arrow/type_fwd.h>

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "src/common/pool_vector.h"
#include "src/engine/as_of_join.h"

namespace viand::engine {

/// Where a feature row is, as one number: those of later rows are greater.
constexpr int64_t PlaceOf(int32_t part, int32_t position) { return int64_t{part} << 32 | position; }
/// -1 of no place.
constexpr int32_t PartOf(int64_t place) { return static_cast<int32_t>(place >> 32); }
/// In what the part's map fragment read.
constexpr int32_t PositionOf(int64_t place) { return static_cast<int32_t>(place & 0xffffffff); }

class AsOfFold {
 public:
  /// `spine` and `options` must outlive it. `one_part`: Add will be called once.
  AsOfFold(const AsOfSide& spine, const AsOfOptions& options, bool one_part,
           arrow::MemoryPool* pool);

  /// Joins some parts that follow one another, in row order; each part once. `positions` is int32,
  /// parallel to the features; part_ends[i] is where part first_part + i ends among these rows.
  /// Any order of calls gives the same; fewest rows are looked at where the latest times come
  /// first.
  arrow::Status Add(const AsOfSide& features, const arrow::Array& positions, int first_part,
                    const std::vector<int64_t>& part_ends);

  /// The place of the feature row of each spine row, -1 where nothing matches.
  const PoolVector<int64_t>& found() const { return found_; }

 private:
  /// What a feature row is compared by.
  struct Rank {
    int64_t time = 0;
    bool has_created = false;
    int64_t created = 0;
    int64_t place = -1;

    auto operator<=>(const Rank&) const = default;  // NOLINT: there is no 0
  };

  arrow::Result<std::shared_ptr<arrow::Int64Array>> Match(const AsOfSide& features,
                                                          const PoolVector<int32_t>& rows) const;
  /// The rows of the spine that these features may change; all of them: none is listed.
  std::optional<PoolVector<int32_t>> RowsToJoin(const AsOfSide& features) const;
  void Keep(int64_t row, const Rank& rank);

  const AsOfSide& spine_;
  const AsOfOptions& options_;
  const bool one_part_;
  arrow::MemoryPool* const pool_;
  PoolVector<int64_t> found_;
  // Of what was found, as the features' types have them: count where there is a place and more may
  // come.
  PoolVector<int64_t> time_, created_;
  PoolVector<uint8_t> has_created_;
};

}  // namespace viand::engine
