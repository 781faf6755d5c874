#include "src/engine/kept_scans.h"

#include <arrow/builder.h>
#include <arrow/io/file.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "src/engine/execute_fragment.h"

namespace viand::engine {
namespace {

namespace fs = std::filesystem;

/// Files of 1000 rows of one number.
class KeptScansTest : public ::testing::Test {
 protected:
  static constexpr int64_t kBytes = 1000 * 8;  // of a scan of one

  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "viand_test.XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    kept_.SetLimit(10 * kBytes);
  }
  void TearDown() override { fs::remove_all(folder_); }

  /// Changed so many seconds ago.
  std::string Write(const std::string& name, int64_t number, int seconds_ago) {
    std::string path = folder_ + "/" + name;
    arrow::Int64Builder x;
    for (int row = 0; row < 1000; ++row) EXPECT_TRUE(x.Append(number).ok());
    const auto table = arrow::Table::Make(arrow::schema({arrow::field("x", arrow::int64())}),
                                          arrow::ArrayVector{*x.Finish()});
    auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
    EXPECT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), file).ok());
    EXPECT_TRUE(file->Close().ok());
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::seconds(seconds_ago));
    return path;
  }

  static MapFragment Scan(const std::string& path) {
    MapFragment map;
    map.parts = {{.path = path, .groups = {0}}};
    map.columns = arrow::schema({arrow::field("x", arrow::int64())});
    map.file_columns = {"x"};
    map.outputs = {0};
    return map;
  }

  /// The number that is read, and whether it was kept.
  std::pair<int64_t, bool> Read(const MapFragment& map) {
    bool kept = true;
    const auto tables = kept_
                            .Run(map,
                                 [&] {
                                   kept = false;
                                   return ExecuteFragment(map, {});
                                 })
                            .ValueOrDie();
    const auto& column = static_cast<const arrow::Int64Array&>(*tables[0]->column(0)->chunk(0));
    return {column.Value(999), kept};
  }
  using Found = std::pair<int64_t, bool>;

  std::string folder_;
  KeptScans kept_;
};

TEST_F(KeptScansTest, TheSameScanOfTheSameFileIsReadOnce) {
  const MapFragment map = Scan(Write("a.parquet", 7, 60));
  EXPECT_EQ(Read(map), Found(7, false));
  EXPECT_EQ(Read(map), Found(7, true));
  EXPECT_GE(kept_.bytes(), kBytes);
  MapFragment filtered = map;
  filtered.filter = "x > 6";
  EXPECT_EQ(Read(filtered), Found(7, false));
  EXPECT_EQ(Read(filtered), Found(7, true));
  EXPECT_EQ(Read(map), Found(7, true));
}

TEST_F(KeptScansTest, AFileThatWasWrittenAnewIsReadAnew) {
  const MapFragment map = Scan(Write("a.parquet", 7, 60));
  EXPECT_EQ(Read(map), Found(7, false));
  Write("a.parquet", 8, 30);  // as long
  EXPECT_EQ(Read(map), Found(8, false));
  EXPECT_EQ(Read(map), Found(8, true));
}

TEST_F(KeptScansTest, AFileThatTakesTheTimeOfAnotherIsReadAnew) {
  const std::string path = Write("a.parquet", 7, 60);
  EXPECT_EQ(Read(Scan(path)), Found(7, false));
  EXPECT_EQ(Read(Scan(path)), Found(7, true));
  const std::string other = Write("b.parquet", 8, 60);  // as long
  fs::last_write_time(other, fs::last_write_time(path));
  fs::rename(other, path);
  EXPECT_EQ(Read(Scan(path)), Found(8, false));
}

TEST_F(KeptScansTest, WhatMayStillChangeUnseenIsNotKept) {
  const MapFragment map = Scan(Write("a.parquet", 7, 0));
  EXPECT_EQ(Read(map), Found(7, false));
  EXPECT_EQ(Read(map), Found(7, false));
  EXPECT_EQ(kept_.bytes(), 0);
}

TEST_F(KeptScansTest, WhatWasUsedLeastLatelyGoesFirst) {
  std::vector<MapFragment> maps;
  for (int i = 0; i < 3; ++i) maps.push_back(Scan(Write(fmt::format("{}.parquet", i), i, 60)));
  EXPECT_EQ(Read(maps[0]), Found(0, false));
  const int64_t one = kept_.bytes();
  kept_.SetLimit(2 * one);
  EXPECT_EQ(Read(maps[1]), Found(1, false));
  EXPECT_EQ(Read(maps[0]), Found(0, true));
  EXPECT_EQ(Read(maps[2]), Found(2, false));
  EXPECT_EQ(Read(maps[0]), Found(0, true));
  EXPECT_EQ(Read(maps[1]), Found(1, false));
  kept_.SetLimit(one - 1);
  EXPECT_EQ(kept_.bytes(), 0);
  EXPECT_EQ(Read(maps[2]), Found(2, false));
  EXPECT_EQ(kept_.bytes(), 0);
}

TEST_F(KeptScansTest, AFailureIsNotKept) {
  const std::string path = Write("a.parquet", 7, 60);
  MapFragment map = Scan(path);
  map.filter = "x / 0 > 1 and missing > 0";
  for (int i = 0; i < 2; ++i) {
    const auto read = kept_.Run(map, [&] { return ExecuteFragment(map, {}); });
    EXPECT_FALSE(read.ok());
  }
  EXPECT_EQ(kept_.bytes(), 0);
}

}  // namespace
}  // namespace viand::engine
