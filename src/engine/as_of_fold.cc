#include "src/engine/as_of_fold.h"

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/type.h>

#include <algorithm>

#include "src/engine/time_range.h"

namespace viand::engine {
namespace {

/// Times as their type has them: all parts of the features are of one type, so these compare.
class RawTimes {
 public:
  explicit RawTimes(const arrow::Array& times)
      : times_(times),
        days_(times.type_id() == arrow::Type::DATE32 ? times.data()->GetValues<int32_t>(1)
                                                     : nullptr),
        values_(days_ != nullptr ? nullptr : times.data()->GetValues<int64_t>(1)) {}

  bool IsValid(int64_t row) const { return times_.IsValid(row); }
  int64_t operator[](int64_t row) const { return days_ != nullptr ? days_[row] : values_[row]; }

  /// None where all are null.
  std::optional<int64_t> Latest() const {
    std::optional<int64_t> latest;
    for (int64_t row = 0; row < times_.length(); ++row) {
      if (IsValid(row) && (!latest || (*this)[row] > *latest)) latest = (*this)[row];
    }
    return latest;
  }

 private:
  const arrow::Array& times_;
  const int32_t* const days_;
  const int64_t* const values_;
};

/// Which part a row is of, where parts follow one another.
class PartsOfRows {
 public:
  PartsOfRows(const std::vector<int64_t>& ends, int64_t rows) : ends_(ends) {
    // The part of the first row of every block: that of a row is at most a few further.
    int32_t part = 0;
    for (int64_t first = 0; first < rows; first += 1 << kBlockBits) {
      while (ends[part] <= first) ++part;
      of_block_.push_back(part);
    }
  }
  int32_t Of(int64_t row) const {
    int32_t part = of_block_[row >> kBlockBits];
    while (ends_[part] <= row) ++part;
    return part;
  }

 private:
  static constexpr int kBlockBits = 8;
  const std::vector<int64_t>& ends_;
  PoolVector<int32_t> of_block_;
};

arrow::Result<std::shared_ptr<arrow::Array>> TakeRows(const std::shared_ptr<arrow::Array>& column,
                                                      const PoolVector<int32_t>& rows,
                                                      arrow::MemoryPool* pool) {
  const arrow::Int32Array indices(
      static_cast<int64_t>(rows.size()),
      std::make_shared<arrow::Buffer>(reinterpret_cast<const uint8_t*>(rows.data()),
                                      static_cast<int64_t>(rows.size() * sizeof(int32_t))));
  arrow::compute::ExecContext context(pool);
  context.set_use_threads(false);
  return arrow::compute::Take(*column, indices, arrow::compute::TakeOptions::NoBoundsCheck(),
                              &context);
}

}  // namespace

AsOfFold::AsOfFold(const AsOfSide& spine, const AsOfOptions& options, bool one_part,
                   arrow::MemoryPool* pool)
    : spine_(spine), options_(options), one_part_(one_part), pool_(pool) {
  const int64_t rows = spine.time->length();
  found_.assign(rows, -1);
  if (one_part) return;
  time_.assign(rows, 0);
  created_.assign(rows, 0);
  has_created_.assign(rows, 0);
}

arrow::Status AsOfFold::Add(const AsOfSide& features, const arrow::Array& positions, int first_part,
                            const std::vector<int64_t>& part_ends) {
  std::optional<PoolVector<int32_t>> rows;
  if (!one_part_) rows = RowsToJoin(features);
  if (rows && rows->empty()) return arrow::Status::OK();
  VIAND_ASSIGN_OR_RETURN(const auto matches, rows ? Match(features, *rows)
                                                  : AsOfJoin(spine_, features, options_, pool_));
  const PartsOfRows parts(part_ends, positions.length());
  const RawTimes time(*features.time);
  const RawTimes created(features.created != nullptr ? *features.created : *features.time);
  const auto* position = positions.data()->GetValues<int32_t>(1);
  const auto* found = matches->data()->GetValues<int64_t>(1);
  for (int64_t i = 0; i < matches->length(); ++i) {
    if (matches->IsNull(i)) continue;
    const int64_t match = found[i];
    Rank rank{.place = PlaceOf(first_part + parts.Of(match), position[match])};
    if (!one_part_) {
      rank.time = time[match];
      rank.has_created = features.created != nullptr && created.IsValid(match);
      if (rank.has_created) rank.created = created[match];
    }
    Keep(rows ? (*rows)[i] : i, rank);
  }
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::Int64Array>> AsOfFold::Match(
    const AsOfSide& features, const PoolVector<int32_t>& rows) const {
  AsOfSide some;
  for (const auto& key : spine_.keys) {
    VIAND_ASSIGN_OR_RETURN(some.keys.emplace_back(), TakeRows(key, rows, pool_));
  }
  VIAND_ASSIGN_OR_RETURN(some.time, TakeRows(spine_.time, rows, pool_));
  return AsOfJoin(some, features, options_, pool_);
}

std::optional<PoolVector<int32_t>> AsOfFold::RowsToJoin(const AsOfSide& features) const {
  PoolVector<int32_t> rows;
  const auto latest = RawTimes(*features.time).Latest();
  if (!latest) return rows;
  const int64_t count = spine_.time->length();
  const TimeRange times = RangeOf(arrow::ChunkedArray(arrow::ArrayVector{features.time}));
  std::vector<uint8_t> keep(count, 1);
  ClearOutside(*spine_.time, {.min_us = times.min_us}, &keep);
  for (int64_t row = 0; row < count; ++row) {
    const bool settled = found_[row] >= 0 && time_[row] > *latest;
    if (keep[row] != 0 && !settled) rows.push_back(static_cast<int32_t>(row));
  }
  // Most of them are not worth a copy.
  if (static_cast<int64_t>(rows.size()) > count / 4 * 3) return std::nullopt;
  return rows;
}

void AsOfFold::Keep(int64_t row, const Rank& rank) {
  if (!one_part_) {
    const Rank before{.time = time_[row],
                      .has_created = has_created_[row] != 0,
                      .created = created_[row],
                      .place = found_[row]};
    if (before.place >= 0 && rank < before) return;
    time_[row] = rank.time;
    created_[row] = rank.created;
    has_created_[row] = rank.has_created ? 1 : 0;
  }
  found_[row] = rank.place;
}

}  // namespace viand::engine
