#include "src/engine/open_scan.h"

#include <arrow/array.h>
#include <arrow/io/file.h>
#include <arrow/json/from_string.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include <cstdlib>
#include <filesystem>

#include "src/expression/binder.h"

namespace viand::engine {
namespace {

/// A file of ten rows, ts = x = 0 ... 9, in row groups of two.
class OpenScanTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "viand_test.XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    const auto x =
        arrow::json::ArrayFromJSONString(arrow::int32(), "[0,1,2,3,4,5,6,7,8,9]").ValueOrDie();
    const auto ts = arrow::json::ArrayFromJSONString(arrow::timestamp(arrow::TimeUnit::MILLI),
                                                     "[0,1,2,3,4,5,6,7,8,9]")
                        .ValueOrDie();
    const auto table = arrow::Table::Make(
        arrow::schema({arrow::field("x", x->type()), arrow::field("ts", ts->type())}),
        arrow::ArrayVector{x, ts});
    auto file = arrow::io::FileOutputStream::Open(folder_ + "/t.parquet").ValueOrDie();
    ASSERT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), file, 2).ok());
    ASSERT_TRUE(file->Close().ok());
    scan_.files = {folder_ + "/t.parquet"};
    scan_.described_as = "source s";
    scan_.renames = {{"x", "value"}};
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::vector<int> GroupsLeft(const std::string& filter, const TimeRange& range) {
    OpenedScan scan = OpenScan(scan_).ValueOrDie();
    expression::ExpressionPtr bound;
    if (!filter.empty())
      bound = expression::ParseAndBind(filter, {.columns = scan.schema}).ValueOrDie();
    PruneGroups(&scan, bound, "ts", range);
    std::vector<int> groups;
    for (const RowGroup& group : scan.files[0].groups) groups.push_back(group.index);
    return groups;
  }

  std::string folder_;
  Scan scan_;
};

TEST_F(OpenScanTest, KnowsNamesAndRows) {
  const OpenedScan scan = OpenScan(scan_).ValueOrDie();
  EXPECT_EQ(scan.schema->field_names(), (std::vector<std::string>{"value", "ts"}));
  EXPECT_EQ(scan.NameInFile("value"), "x");
  EXPECT_EQ(scan.RowCount(), 10);
}

TEST_F(OpenScanTest, PrunesByTime) {
  EXPECT_EQ(GroupsLeft("", {}), (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_EQ(GroupsLeft("", {.min_us = 3000, .max_us = 5999}), (std::vector<int>{1, 2}));
  EXPECT_EQ(GroupsLeft("", {.min_us = 3001, .max_us = 6000}), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(GroupsLeft("", NoTimes()), std::vector<int>());
}

TEST_F(OpenScanTest, PrunesByFilterUnderTheNameInTheFile) {
  EXPECT_EQ(GroupsLeft("value > 5", {}), (std::vector<int>{3, 4}));
  EXPECT_EQ(GroupsLeft("value > 5", {.min_us = std::nullopt, .max_us = 7000}),
            (std::vector<int>{3}));
}

}  // namespace
}  // namespace viand::engine
