#include "src/offline/grid.h"

#include <gtest/gtest.h>

#include "src/common/time.h"

namespace viand::offline {
namespace {

using definition::GridBound;

definition::Snapshots Monthly() {
  definition::Snapshots snapshots;
  snapshots.name = "monthly";
  snapshots.source.name = "events";
  snapshots.first = {GridBound::Anchor::kStart, 90 * kMicrosPerDay, "start + 90d"};
  snapshots.last = {GridBound::Anchor::kEnd, -30 * kMicrosPerDay, "end - 30d"};
  snapshots.every_us = 30 * kMicrosPerDay;
  return snapshots;
}

TEST(Grid, KeepsTheTimeOfDayAndIncludesTheLast) {
  const int64_t start = *ParseTimestampUs("2010-12-01 08:26");
  const auto grid = *ResolveGrid(Monthly(), start, *ParseTimestampUs("2011-12-09 12:50"));
  ASSERT_EQ(grid.cutoffs_us.size(), 9U);
  EXPECT_EQ(FormatTimestamp(grid.cutoffs_us.front()), "2011-03-01 08:26:00");
  EXPECT_EQ(FormatTimestamp(grid.cutoffs_us.back()), "2011-10-27 08:26:00");
  const int64_t end_at_last = grid.cutoffs_us.back() + 30 * kMicrosPerDay;
  EXPECT_EQ(ResolveGrid(Monthly(), start, end_at_last)->cutoffs_us.size(), 9U);
  EXPECT_EQ(ResolveGrid(Monthly(), start, end_at_last - 1)->cutoffs_us.size(), 8U);
}

TEST(Grid, LiteralBoundsIgnoreTheData) {
  auto snapshots = Monthly();
  snapshots.first = {GridBound::Anchor::kLiteral, 0, "1970-01-01"};
  snapshots.last = {GridBound::Anchor::kLiteral, 60 * kMicrosPerDay, "1970-03-02"};
  EXPECT_EQ(ResolveGrid(snapshots, 5, 6)->cutoffs_us,
            (std::vector<int64_t>{0, 30 * kMicrosPerDay, 60 * kMicrosPerDay}));
}

TEST(Grid, WithoutACutoffSaysWhy) {
  const auto grid = ResolveGrid(Monthly(), 0, 10 * kMicrosPerDay);
  ASSERT_FALSE(grid.ok());
  EXPECT_EQ(grid.status().message(),
            "snapshots \"monthly\" have no cutoff: first (start + 90d) is 1970-04-01 00:00:00, "
            "last (end - 30d) is "
            "1969-12-12 00:00:00");
}

TEST(Grid, LimitsItsSize) {
  auto snapshots = Monthly();
  snapshots.every_us = 1;
  EXPECT_FALSE(ResolveGrid(snapshots, 0, 365 * kMicrosPerDay).ok());
}

}  // namespace
}  // namespace viand::offline
