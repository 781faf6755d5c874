// The as-of join as a nested loop: what AsOfJoin must equal. Integer or text keys through Arrow's
// scalars.
#pragma once

#include <arrow/array.h>
#include <arrow/scalar.h>

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "src/engine/as_of_join.h"
#include "src/engine/exact_words.h"

namespace viand::engine {

/// A row's key as text; nothing where a part is null. Equal texts are equal keys: the test sees to
/// it.
using KeyTexts = std::vector<std::optional<std::string>>;

inline std::optional<__int128> NanosecondsAt(const arrow::Array& array, int64_t row) {
  if (array.IsNull(row)) return std::nullopt;
  const Words words = Words::Of(array.Slice(row, 1));
  return __int128{words[0]} * NanosecondsPerUnit(*array.type());
}

inline std::vector<std::optional<int64_t>> AsOfJoinOracle(const AsOfSide& spine,
                                                          const AsOfSide& features,
                                                          const AsOfOptions& options,
                                                          const KeyTexts& spine_keys,
                                                          const KeyTexts& feature_keys) {
  std::vector<std::optional<int64_t>> out(spine.time->length());
  for (int64_t i = 0; i < spine.time->length(); ++i) {
    const auto t = NanosecondsAt(*spine.time, i);
    if (!t) continue;
    std::optional<__int128> grid;
    for (const int64_t g : options.grid_us) {
      if (__int128{g} * 1000 <= *t) grid = __int128{g} * 1000;
    }
    std::optional<__int128> best_time, best_created;
    for (int64_t j = 0; j < features.time->length(); ++j) {
      const auto time = NanosecondsAt(*features.time, j);
      const auto created = features.created ? NanosecondsAt(*features.created, j) : std::nullopt;
      if (!spine_keys[i] || spine_keys[i] != feature_keys[j] || !time || *time > *t) continue;
      if (options.ttl_us != 0 && *time < *t - __int128{options.ttl_us} * 1000) continue;
      if (options.created_not_after && features.created && !(created && *created <= *t)) continue;
      if (grid && *time < *grid) continue;
      const auto rank = std::pair(time, created);  // an empty optional is the least
      if (!out[i] || rank >= std::pair(best_time, best_created)) {
        out[i] = j;
        std::tie(best_time, best_created) = rank;
      }
    }
  }
  return out;
}

}  // namespace viand::engine
