#include "src/engine/open_scan.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/io/file.h>
#include <arrow/json/from_string.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>
#include <parquet/metadata.h>
#include <parquet/statistics.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "src/engine/column_chunk.h"
#include "src/engine/parquet_footer.h"
#include "src/engine/prune_groups.h"
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
    PruneGroups({.filter = bound, .time_column = "ts", .range = range}, &scan);
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

TEST_F(OpenScanTest, DamagedFootersAreErrorsOrLeaveEveryGroup) {
  std::ifstream whole(scan_.files[0], std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(whole), {}};
  int refused = 0, contradictory = 0;
  for (size_t at = bytes.size() - 1200; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    scan_.files = {fmt::format("{}/{}.parquet", folder_, at)};
    std::ofstream(scan_.files[0], std::ios::binary) << damaged;
    auto scan = OpenScan(scan_);
    std::filesystem::remove(scan_.files[0]);
    if (!scan.ok()) {
      ++refused;
      continue;
    }
    PruneGroups({.time_column = "ts", .range = {.min_us = 3000, .max_us = 4000}}, &*scan);
    for (const RowGroup& group : scan->files[0].groups) {
      const auto metadata = scan->files[0].parquet->RowGroup(group.index);
      if (ChunkOf(*metadata, 0) == nullptr) {
        ++contradictory;
        EXPECT_EQ(StatisticsOf(*metadata, 0), nullptr);
        EXPECT_EQ(TextBytes(*metadata, {"x"}), 0);
      }
    }
  }
  EXPECT_GT(refused, 100);
  EXPECT_GT(contradictory, 0);
}

TEST_F(OpenScanTest, TellsWhetherAFileWasWrittenAnew) {
  const OpenedScan scan = OpenScan(scan_).ValueOrDie();
  EXPECT_TRUE(CheckUnchanged(scan).ok());
  const std::string path = folder_ + "/t.parquet";
  // Of the same size, by rename, as everybody should write.
  std::filesystem::copy_file(path, path + ".new");
  std::filesystem::last_write_time(
      path + ".new", std::filesystem::last_write_time(path) + std::chrono::microseconds(1));
  std::filesystem::rename(path + ".new", path);
  EXPECT_EQ(CheckUnchanged(scan).message(),
            "source s: " + path + " was written anew while it was read");
  EXPECT_TRUE(CheckUnchanged(OpenScan(scan_).ValueOrDie()).ok());
  std::filesystem::remove(path);
  EXPECT_FALSE(CheckUnchanged(scan).ok());
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

/// Files below the test's folder, each of one column of int32 or another type.
class OpenManyTest : public OpenScanTest {
 protected:
  void Write(const std::string& name, const std::string& column,
             const std::shared_ptr<arrow::DataType>& type, const std::string& json) {
    const std::filesystem::path path = folder_ + "/many/" + name;
    std::filesystem::create_directories(path.parent_path());
    const auto values = arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
    const auto table =
        arrow::Table::Make(arrow::schema({arrow::field(column, type)}), arrow::ArrayVector{values});
    auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
    ASSERT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), file, 2).ok());
    ASSERT_TRUE(file->Close().ok());
    many_.files.push_back(path);
    many_.described_as = "source m";
    many_.hive_partitions = true;
  }

  std::string ErrorOf(const std::string& column) {
    const auto opened = OpenScan(many_);
    if (!opened.ok()) return opened.status().message();
    std::string message = SelectColumns(*opened, {column}).status().message();
    for (size_t at; (at = message.find(folder_)) != std::string::npos;)
      message.erase(at, folder_.size());
    return message;
  }

  Scan many_;
};

TEST_F(OpenManyTest, TheWidestTypeCounts) {
  Write("a.parquet", "x", arrow::int32(), "[1]");
  Write("b.parquet", "x", arrow::int64(), "[1]");
  EXPECT_TRUE(OpenScan(many_).ValueOrDie().schema->field(0)->type()->Equals(arrow::int64()));
  EXPECT_EQ(ErrorOf("x"), "");
  Write("c.parquet", "x", arrow::utf8(), R"(["a"])");
  EXPECT_EQ(ErrorOf("x"),
            "column \"x\" of source m, file /many/c.parquet is string, expected int64");
}

TEST_F(OpenManyTest, AColumnThatAFileLacksIsNullWhereTheSourceSaysSo) {
  Write("a.parquet", "x", arrow::int32(), "[1]");
  Write("b.parquet", "y", arrow::utf8(), R"(["a"])");
  EXPECT_EQ(ErrorOf("x"), "no column \"x\" in source m, file /many/b.parquet");
  EXPECT_EQ(ErrorOf("y"), "no column \"y\" in source m, file /many/a.parquet");
  many_.fill_missing = true;
  EXPECT_EQ(ErrorOf("x") + ErrorOf("y"), "");
  EXPECT_EQ(ErrorOf("z"), "no column \"z\" in source m");
  const OpenedScan scan = OpenScan(many_).ValueOrDie();
  EXPECT_EQ(scan.files[1].constants->schema()->field_names(), std::vector<std::string>{"x"});
}

TEST_F(OpenManyTest, FoldersPruneTheirFiles) {
  Write("k=1/a.parquet", "x", arrow::int32(), "[1, 2, 3]");
  Write("k=2/a.parquet", "x", arrow::int32(), "[1, 2, 3]");
  Write("k=__HIVE_DEFAULT_PARTITION__/a.parquet", "x", arrow::int32(), "[1, 2, 3]");
  OpenedScan scan = OpenScan(many_).ValueOrDie();
  const auto filter =
      expression::ParseAndBind("k > 1 and x = 3", {.columns = scan.schema}).ValueOrDie();
  PruneGroups({.filter = filter}, &scan);
  EXPECT_EQ(scan.found.files, 3);
  EXPECT_EQ(scan.found.groups, 6);
  EXPECT_EQ(scan.found.rows, 9);
  EXPECT_EQ(scan.left.files, 1);
  EXPECT_EQ(scan.left.groups, 1);
  EXPECT_EQ(scan.left.rows, 1);
  EXPECT_LT(scan.left.bytes, scan.found.bytes);
  EXPECT_TRUE(scan.files[0].groups.empty());
  EXPECT_EQ(scan.files[1].groups[0].index, 1);
}

/// Row groups of two that keys of these leave, of all files.
class KeyBoundsTest : public OpenManyTest {
 protected:
  int64_t GroupsFor(const std::shared_ptr<arrow::DataType>& type, const std::string& keys,
                    const std::string& column = "x") {
    OpenedScan scan = OpenScan(many_).ValueOrDie();
    const auto array = arrow::json::ArrayFromJSONString(type, keys).ValueOrDie();
    const KeySample sample{array->length(), std::make_shared<arrow::ChunkedArray>(array)};
    ScanBounds bounds;
    if (auto bound = KeyBoundOf(sample, scan, column)) bounds.keys.push_back(*std::move(bound));
    PruneGroups(bounds, &scan);
    return scan.left.groups;
  }
};

TEST_F(KeyBoundsTest, IntegersOfAnyWidth) {
  Write("a.parquet", "x", arrow::int32(), "[-5, 1, 2, 3, 7, 9]");
  EXPECT_EQ(GroupsFor(arrow::int64(), "[2, 3]"), 1);
  EXPECT_EQ(GroupsFor(arrow::int8(), "[1, 9]"), 2) << "few keys are looked for one by one";
  EXPECT_EQ(GroupsFor(arrow::int64(), "[4, 6]"), 0);
  EXPECT_EQ(GroupsFor(arrow::int64(), "[-9000000000, 9000000000]"), 3);
  EXPECT_EQ(GroupsFor(arrow::int64(), "[9000000000]"), 0);
  EXPECT_EQ(GroupsFor(arrow::uint64(), "[2, 18446744073709551615]"), 3) << "beyond int64: not told";
  EXPECT_EQ(GroupsFor(arrow::uint64(), "[2]"), 1);
  EXPECT_EQ(GroupsFor(arrow::int64(), "[null, null]"), 0);
  EXPECT_EQ(GroupsFor(arrow::int64(), "[]"), 0);
  EXPECT_EQ(GroupsFor(arrow::decimal128(5, 0), R"(["2"])"), 3) << "not told";
}

TEST_F(KeyBoundsTest, TextsBytesAndTimes) {
  Write("a.parquet", "x", arrow::utf8(), R"(["a", "b", "c", "d", "é", "z", null, null])");
  EXPECT_EQ(GroupsFor(arrow::utf8(), R"(["b", null])"), 1);
  EXPECT_EQ(GroupsFor(arrow::large_utf8(), R"(["c", "cc"])"), 1);
  EXPECT_EQ(GroupsFor(arrow::utf8(), R"(["a", "é"])"), 2);
  many_.files.clear();
  Write("t.parquet", "t", arrow::timestamp(arrow::TimeUnit::MILLI), "[0, 1, 1000, 2000]");
  EXPECT_EQ(GroupsFor(arrow::timestamp(arrow::TimeUnit::NANO), "[1000000]", "t"), 1);
  EXPECT_EQ(GroupsFor(arrow::timestamp(arrow::TimeUnit::SECOND), "[1]", "t"), 1);
}

TEST_F(KeyBoundsTest, FoldersAndFilesThatDiffer) {
  Write("x=1/a.parquet", "y", arrow::int32(), "[1]");
  Write("x=2/a.parquet", "y", arrow::int64(), "[1]");
  Write("x=__HIVE_DEFAULT_PARTITION__/a.parquet", "y", arrow::int64(), "[1]");
  EXPECT_EQ(GroupsFor(arrow::int64(), "[2, 7]"), 1);
  EXPECT_EQ(GroupsFor(arrow::int64(), "[1]", "y"), 3);
  EXPECT_EQ(GroupsFor(arrow::int64(), "[8]", "y"), 0);
}

TEST_F(OpenManyTest, AColumnInFileAndFolderMustAgree) {
  Write("k=1/a.parquet", "k", arrow::int32(), "[1, 1, 1]");
  EXPECT_EQ(ErrorOf("k"), "");
  Write("k=2/a.parquet", "k", arrow::int32(), "[2, 3, 2]");
  EXPECT_EQ(
      ErrorOf("k"),
      "source m, file /many/k=2/a.parquet: the column \"k\" is in the file and in the name of "
      "its folder (k=2), and nothing shows that they agree");
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
