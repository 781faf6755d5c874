#include "src/engine/cutoff_groups.h"

#include <arrow/builder.h>
#include <arrow/io/file.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace viand::engine {
namespace {

constexpr int64_t kRows = 200'000;

/// A file of kRows rows, ts = 0, 1, ..., in row groups of a tenth.
class CutoffGroupsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "viand_test.XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    arrow::TimestampBuilder ts(arrow::timestamp(arrow::TimeUnit::MICRO),
                               arrow::default_memory_pool());
    for (int64_t row = 0; row < kRows; ++row) ASSERT_TRUE(ts.Append(row).ok());
    const auto column = ts.Finish().ValueOrDie();
    const auto table = arrow::Table::Make(arrow::schema({arrow::field("ts", column->type())}),
                                          arrow::ArrayVector{column});
    auto file = arrow::io::FileOutputStream::Open(folder_ + "/t.parquet").ValueOrDie();
    ASSERT_TRUE(
        parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), file, kRows / 10).ok());
    ASSERT_TRUE(file->Close().ok());
    view_.source = {.files = {folder_ + "/t.parquet"}, .described_as = "source s"};
    view_.timestamp_column = "ts";
    view_.existence = {.length_us = kRows / 10};
    source_ = OpenScan(view_.source).ValueOrDie();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::vector<int64_t> Last(const std::vector<std::vector<int64_t>>& cutoffs_us, size_t most) {
    std::vector<BackfillPlan> plans;
    for (const auto& some : cutoffs_us) plans.push_back({view_, some});
    return LastOfGroups(plans, source_, most);
  }

  std::string folder_;
  WindowView view_;
  OpenedScan source_;
};

TEST_F(CutoffGroupsTest, RowsAreThoseOfRowGroupsWithinTheRange) {
  EXPECT_EQ(RowsWithin(source_, "ts", {}), kRows);
  EXPECT_EQ(RowsWithin(source_, "ts", {.min_us = kRows / 2, .max_us = {}}), kRows / 2);
  EXPECT_EQ(RowsWithin(source_, "ts", {.min_us = 5, .max_us = 7}), kRows / 10);
  EXPECT_EQ(RowsWithin(source_, "ts", NoTimes()), 0);
}

TEST_F(CutoffGroupsTest, CutsWhereTheWorkIsHalved) {
  // Windows of two row groups at most, wherever they are.
  const std::vector<int64_t> even = {30'000, 70'000, 110'000, 150'000, 190'000, 199'999};
  EXPECT_EQ(Last({even}, 2), (std::vector<int64_t>{110'000, 199'999}));
  EXPECT_EQ(Last({even}, 1), (std::vector<int64_t>{199'999}));
  EXPECT_EQ(Last({{30'000, 110'000}, {70'000, 150'000, 190'000, 199'999}}, 2),
            (std::vector<int64_t>{110'000, 199'999}));
  // The later read all rows before them.
  view_.features = {{"n", "count(*)", {.unbounded = true}, ""}};
  const auto last = Last({even}, 2);
  ASSERT_EQ(last.size(), 2);
  EXPECT_GT(last[0], 110'000);
}

TEST_F(CutoffGroupsTest, LittleWorkIsOneGroup) {
  EXPECT_EQ(Last({{5, 10'000}}, 8), (std::vector<int64_t>{10'000}));
  EXPECT_EQ(Last({{-1'000'000, -500'000}}, 8), (std::vector<int64_t>{-500'000}));
  EXPECT_EQ(Last({{}, {7}}, 8), (std::vector<int64_t>{7}));
}

TEST_F(CutoffGroupsTest, NoMoreGroupsThanCutoffs) {
  std::vector<int64_t> cutoffs_us;
  for (int64_t at = 10'000; at < kRows; at += 10'000) cutoffs_us.push_back(at);
  view_.existence = {.unbounded = true};
  for (size_t most = 1; most < 8; ++most) {
    const auto last = Last({cutoffs_us}, most);
    EXPECT_LE(last.size(), most);
    EXPECT_EQ(last.back(), cutoffs_us.back());
    EXPECT_TRUE(std::is_sorted(last.begin(), last.end()));
  }
  EXPECT_EQ(Last({{100'000, kRows - 1}}, 8).size(), 2);
}

}  // namespace
}  // namespace viand::engine
