#include "src/engine/open_scan.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/io/file.h>
#include <arrow/json/from_string.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

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

TEST_F(OpenScanTest, EmptyCellsOfTextAreNull) {
  const std::string text = "code,word,n\n007,,1\n,NA,\n7,\"\",3\n";
  std::ofstream(folder_ + "/t.csv") << text;
  Scan file{.files = {folder_ + "/t.csv"}, .format = FileFormat::kCsv};
  Scan memory{.format = FileFormat::kCsv, .csv_text = arrow::Buffer::FromString(text)};
  for (Scan* scan : {&file, &memory}) {
    scan->csv_types = {{"code", arrow::utf8()}};
    const auto table = OpenScan(*scan).ValueOrDie().table;
    const auto column = [&](const char* name) {
      return table->GetColumnByName(name)->chunk(0)->ToString();
    };
    const auto json = [](const char* values) {
      return arrow::json::ArrayFromJSONString(arrow::utf8(), values).ValueOrDie()->ToString();
    };
    EXPECT_EQ(column("code"), json(R"(["007", null, "7"])"));
    EXPECT_EQ(column("word"), json(R"([null, "NA", ""])")) << "only an empty cell is null";
    EXPECT_EQ(table->GetColumnByName("n")->null_count(), 1);
  }
}

}  // namespace
}  // namespace viand::engine
