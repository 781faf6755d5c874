#include "src/offline/range_spine.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "src/common/time.h"
#include "src/engine/key_rows.h"

namespace viand::offline {
namespace {

/// Feast's, of views without a ttl.
constexpr int64_t kDefaultRangeUs = 30 * kMicrosPerDay;

arrow::Result<int64_t> TimeOfOption(const std::string& text, const std::string& option) {
  auto time = ParseTimestampUs(text);
  if (time.ok()) return *time;
  return MakeError(ErrorKind::kUsage, fmt::format("{} \"{}\" is not a time", option, text),
                   "write it as 2011-03-01 or 2011-03-01 08:26:00");
}

arrow::Result<engine::TimeRange> TimesOf(const std::vector<engine::Lookup>& lookups,
                                         const SpineRange& range) {
  int64_t end_us = NowUs();
  if (!range.end.empty()) {
    ARROW_ASSIGN_OR_RAISE(end_us, TimeOfOption(range.end, "--end"));
  }
  int64_t longest_ttl_us = 0;
  for (const engine::Lookup& lookup : lookups) {
    const auto* view = std::get_if<engine::AsOfView>(&lookup.view);
    if (view != nullptr) longest_ttl_us = std::max(longest_ttl_us, view->ttl_us);
  }
  int64_t start_us = end_us - (longest_ttl_us > 0 ? longest_ttl_us : kDefaultRangeUs);
  if (!range.start.empty()) {
    ARROW_ASSIGN_OR_RAISE(start_us, TimeOfOption(range.start, "--start"));
  }
  if (start_us > end_us) {
    return MakeError(ErrorKind::kUsage,
                     fmt::format("the range is empty: --start {} is after --end {}",
                                 FormatTimestamp(start_us), FormatTimestamp(end_us)),
                     "both bounds are inclusive; without --end it is now");
  }
  return engine::TimeRange{.min_us = start_us, .max_us = end_us};
}

/// The lookups that have every key.
arrow::Result<std::vector<const engine::Lookup*>> WidestOf(
    const std::vector<engine::Lookup>& lookups) {
  std::vector<std::string> all;
  for (const engine::Lookup& lookup : lookups) {
    for (const std::string& key : lookup.spine_keys) {
      if (std::find(all.begin(), all.end(), key) == all.end()) all.push_back(key);
    }
  }
  std::vector<const engine::Lookup*> widest;
  for (const engine::Lookup& lookup : lookups) {
    if (lookup.spine_keys.size() == all.size()) widest.push_back(&lookup);
  }
  if (!widest.empty()) return widest;
  return MakeError(
      ErrorKind::kUsage,
      fmt::format("without a spine one of the feature views must have all keys: {}",
                  fmt::join(all, ", ")),
      "no view tells which of them belong together: give a --spine, or ask for the views apart");
}

}  // namespace

arrow::Result<engine::Scan> SpineOfRange(const RepoContext& context,
                                         const std::vector<engine::Lookup>& lookups,
                                         const SpineRange& range,
                                         const std::string& timestamp_column) {
  ARROW_ASSIGN_OR_RAISE(const engine::TimeRange times, TimesOf(lookups, range));
  ARROW_ASSIGN_OR_RAISE(const auto widest, WidestOf(lookups));
  engine::Scan scan;
  ARROW_ASSIGN_OR_RAISE(scan.held, engine::RowsOfKeys({.lookups = widest,
                                                       .range = times,
                                                       .every_row = range.every_row,
                                                       .time = timestamp_column},
                                                      context.execute));
  scan.described_as = fmt::format("the rows from {} to {}", FormatTimestamp(*times.min_us),
                                  FormatTimestamp(*times.max_us));
  return scan;
}

}  // namespace viand::offline
