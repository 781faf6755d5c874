#include "src/engine/window_slices.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

#include "src/common/test_rounds.h"

namespace viand::engine {
namespace {

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

bool Has(const TimeWindow& window, int64_t t, int64_t time) {
  if (window.following) return t <= time && time < t + window.length_us;
  return time < t && (window.unbounded || time >= t - window.length_us);
}

TEST(WindowSlices, TheEndsOfAWindowAreWholeAndTheMiddleIsSummarized) {
  const std::vector<EventSlice> slices{
      {kLeast, 9, 5}, {10, 19, 5}, {20, 29, 5}, {30, 39, 5}, {40, kMost, 5}};
  const std::vector<WindowReach> windows{{{.length_us = 25}}};
  const std::vector<SetSlice> sets = PlanSets(slices, windows, CutSets(slices, windows, 40, 44), 1);
  ASSERT_EQ(sets.size(), 1);
  EXPECT_EQ(sets[0].whole, (std::vector<int>{1, 4}));
  EXPECT_EQ(sets[0].summarized, (std::vector<SliceRun>{{2, 4}}));
  EXPECT_EQ(sets[0].bytes, 10);
}

TEST(WindowSlices, WhatDoesNotMergeIsWhole) {
  const std::vector<EventSlice> slices{{kLeast, 9, 5}, {10, 19, 5}, {20, 29, 5}, {30, kMost, 5}};
  const std::vector<WindowReach> windows{{{.unbounded = true}, true}, {{.length_us = 15}, false}};
  const std::vector<SetSlice> sets =
      PlanSets(slices, windows, {{.first_us = 30, .last_us = 31}}, 1);
  EXPECT_EQ(sets[0].whole, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(sets[0].summarized, (std::vector<SliceRun>{{0, 1}}));
}

using Wide = __int128;

bool HasWide(const TimeWindow& window, Wide t, Wide time) {
  if (window.following) return t <= time && time < t + window.length_us;
  return time < t && (window.unbounded || time >= t - window.length_us);
}

int64_t InMicroseconds(Wide time) {
  return static_cast<int64_t>(std::clamp<Wide>(time, kLeast, kMost));
}

// Slices and sets of times near an end of 64 bits, and beyond it, by brute force.
void CheckAround(Wide origin, std::mt19937_64* random) {
  const auto below = [&](int64_t end) { return static_cast<int64_t>((*random)() % end); };
  std::vector<EventSlice> slices{{kLeast, kMost, 1}};
  for (Wide at = origin - 25; at < origin + 25; at += 1 + below(9)) {
    if (at <= kLeast || at > kMost) continue;
    slices.back().last_us = static_cast<int64_t>(at - 1);
    slices.push_back({static_cast<int64_t>(at), kMost, 1});
  }
  std::vector<WindowReach> windows{{{.following = below(2) == 0, .length_us = 1 + below(40)}}};
  const int64_t first = InMicroseconds(origin - below(40)),
                last = InMicroseconds(origin + below(40));
  for (const SetSlice& set :
       PlanSets(slices, windows, CutSets(slices, windows, first, last), below(6))) {
    for (Wide t = origin - 80; t < origin + 80; ++t) {
      if (InMicroseconds(t) < set.first_us || InMicroseconds(t) > set.last_us) continue;
      std::vector<int> in(slices.size(), 0), all(slices.size(), 0);
      for (Wide time = origin - 200; time < origin + 200; ++time) {
        const auto slice = std::find_if(slices.begin(), slices.end(), [&](const EventSlice& each) {
          return InMicroseconds(time) <= each.last_us;
        });
        ++all[slice - slices.begin()];
        in[slice - slices.begin()] += HasWide(windows[0].window, t, time) ? 1 : 0;
      }
      for (size_t slice = 0; slice < slices.size(); ++slice) {
        const int at = static_cast<int>(slice);
        if (std::binary_search(set.whole.begin(), set.whole.end(), at)) continue;
        const auto run = std::find_if(set.summarized.begin(), set.summarized.end(),
                                      [at](const SliceRun& each) { return at < each.end; });
        if (run == set.summarized.end() || at < run->first)
          ASSERT_EQ(in[slice], 0);
        else
          ASSERT_TRUE(in[slice] == 0 || in[slice] == all[slice]);
      }
    }
  }
}

TEST(WindowSlices, TimesBeyond64BitsAreInTheOuterSlices) {
  std::mt19937_64 random(11);
  for (int trial = 0; trial < TestRounds(200); ++trial) {
    CheckAround(Wide{kMost} - 20 + static_cast<int64_t>(random() % 40), &random);
    CheckAround(Wide{kLeast} - 20 + static_cast<int64_t>(random() % 40), &random);
  }
}

struct RandomPlan {
  std::vector<EventSlice> slices;
  std::vector<WindowReach> windows;
  std::vector<SetSlice> sets;
};

RandomPlan MakeRandom(std::mt19937_64* random) {
  const auto below = [&](int64_t end) { return static_cast<int64_t>((*random)() % end); };
  RandomPlan plan;
  for (int64_t at = kLeast, end = 0; at < 60; at = end) {
    end = at == kLeast ? 0 : at + 1 + below(9);
    plan.slices.push_back(
        {at, end - 1, 1 + below(4), at != kLeast && end - at == 1 && below(3) > 0});
  }
  plan.slices.push_back({plan.slices.back().last_us + 1, kMost, 2});
  for (int64_t i = below(4); i >= 0; --i) {
    const int64_t kind = below(4);
    plan.windows.push_back(
        {{.unbounded = kind == 0, .following = kind == 1, .length_us = below(40)}, below(4) > 0});
  }
  std::vector<SetSlice> times;
  if (below(2) == 0) {
    times = CutSets(plan.slices, plan.windows, 0, 70);
  } else {
    for (int64_t cutoff = below(9); cutoff < 70; cutoff += 1 + below(9))
      times.push_back({.first_us = cutoff, .last_us = cutoff});
  }
  plan.sets = PlanSets(plan.slices, plan.windows, times, below(25));
  return plan;
}

// Of each slice a set has all rows, a summary that each window holds whole or not at all, or
// nothing, because no window holds any of it.
TEST(WindowSlices, EveryWindowHasWhatItNeeds) {
  std::mt19937_64 random(7);
  for (int trial = 0; trial < TestRounds(100); ++trial) {
    const RandomPlan plan = MakeRandom(&random);
    for (const SetSlice& set : plan.sets) {
      std::vector<int> run_of(plan.slices.size(), -1);
      for (size_t run = 0; run < set.summarized.size(); ++run) {
        for (int slice = set.summarized[run].first; slice < set.summarized[run].end; ++slice)
          run_of[slice] = static_cast<int>(run);
      }
      for (const WindowReach& window : plan.windows) {
        for (int64_t t = set.first_us; t <= set.last_us; ++t) {
          std::vector<std::vector<bool>> has(set.summarized.size());
          for (size_t slice = 0; slice < plan.slices.size(); ++slice) {
            const bool whole =
                std::binary_search(set.whole.begin(), set.whole.end(), static_cast<int>(slice));
            EXPECT_FALSE(whole && run_of[slice] >= 0);
            const int64_t first = std::max<int64_t>(plan.slices[slice].first_us, -50);
            for (int64_t time = first; time <= std::min<int64_t>(plan.slices[slice].last_us, 120);
                 ++time) {
              const bool in = Has(window.window, t, time);
              if (run_of[slice] >= 0) has[run_of[slice]].push_back(in);
              ASSERT_TRUE(whole || !in || (run_of[slice] >= 0 && window.merges))
                  << trial << ": " << t << " " << time;
            }
          }
          for (const auto& run : has)
            ASSERT_EQ(std::count(run.begin(), run.end(), true) % static_cast<int64_t>(run.size()),
                      0)
                << trial << ": " << t;
        }
      }
    }
  }
}

}  // namespace
}  // namespace viand::engine
