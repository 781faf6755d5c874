#include "src/offline/source_content.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/json/from_string.h>
#include <arrow/table.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "src/common/time.h"
#include "src/offline/parquet_file.h"

namespace viand::offline {
namespace {

constexpr int64_t kHour = kMicrosPerDay / 24;

std::shared_ptr<arrow::Table> MakeTable(const std::vector<int64_t>& hours,
                                        const std::vector<std::string>& names) {
  arrow::TimestampBuilder times(arrow::timestamp(arrow::TimeUnit::MICRO),
                                arrow::default_memory_pool());
  arrow::StringBuilder texts;
  for (const int64_t hour : hours) EXPECT_TRUE(times.Append(hour * kHour).ok());
  for (const std::string& name : names) {
    EXPECT_TRUE((name == "null" ? texts.AppendNull() : texts.Append(name)).ok());
  }
  return arrow::Table::Make(
      arrow::schema({arrow::field("at", times.type()), arrow::field("name", arrow::utf8())}),
      {*times.Finish(), *texts.Finish()});
}

TEST(SourceContent, OnePieceADay) {
  const auto content = *ContentOfTable(*MakeTable({1, 5, 30, 49}, {"a", "b", "c", "d"}), "at");
  ASSERT_EQ(content.pieces.size(), 3U);
  EXPECT_EQ(content.pieces[0].min_us, kHour);
  EXPECT_EQ(content.pieces[0].max_us, 5 * kHour);
  EXPECT_EQ(content.start_us(), kHour);
  EXPECT_EQ(content.end_us(), 49 * kHour);
}

TEST(SourceContent, AChangeTouchesItsDayOnly) {
  const auto before = *ContentOfTable(*MakeTable({1, 5, 30, 49}, {"a", "b", "c", "d"}), "at");
  const auto after = *ContentOfTable(*MakeTable({1, 5, 30, 49}, {"a", "b", "x", "d"}), "at");
  EXPECT_EQ(before.HashOf(0, 24 * kHour), after.HashOf(0, 24 * kHour));
  EXPECT_NE(before.HashOf(24 * kHour, 48 * kHour), after.HashOf(24 * kHour, 48 * kHour));
  EXPECT_EQ(before.HashOf(48 * kHour, 72 * kHour), after.HashOf(48 * kHour, 72 * kHour));
  EXPECT_NE(before.HashOf(0, 72 * kHour), after.HashOf(0, 72 * kHour));
}

TEST(SourceContent, AppendedAndLateRowsTouchTheirDays) {
  const auto before = *ContentOfTable(*MakeTable({1, 5, 30}, {"a", "b", "c"}), "at");
  const auto appended = *ContentOfTable(*MakeTable({1, 5, 30, 80}, {"a", "b", "c", "d"}), "at");
  const auto late = *ContentOfTable(*MakeTable({1, 4, 5, 30}, {"a", "late", "b", "c"}), "at");
  EXPECT_EQ(before.HashOf(0, 48 * kHour), appended.HashOf(0, 48 * kHour));
  EXPECT_NE(before.HashOf(0, 24 * kHour), late.HashOf(0, 24 * kHour));
  EXPECT_EQ(before.HashOf(24 * kHour, 48 * kHour), late.HashOf(24 * kHour, 48 * kHour));
}

TEST(SourceContent, WindowsAreHalfOpen) {
  const auto content = *ContentOfTable(*MakeTable({24, 48}, {"a", "b"}), "at");
  EXPECT_EQ(content.HashOf(0, 24 * kHour), content.HashOf(-5, 0));
  EXPECT_NE(content.HashOf(0, 24 * kHour + 1), content.HashOf(0, 24 * kHour));
}

TEST(SourceContent, NullsAreNotEmptyTextsAndBordersAreKept) {
  const auto null = *ContentOfTable(*MakeTable({1, 2}, {"null", "a"}), "at");
  const auto empty = *ContentOfTable(*MakeTable({1, 2}, {"", "a"}), "at");
  const auto moved = *ContentOfTable(*MakeTable({1, 2}, {"a", ""}), "at");
  EXPECT_NE(null.pieces, empty.pieces);
  EXPECT_NE(empty.pieces, moved.pieces);
}

TEST(SourceContent, ChunksDoNotMatter) {
  const auto table = MakeTable({1, 5, 30, 49}, {"a", "b", "c", "d"});
  const auto chunked =
      *arrow::ConcatenateTables({table->Slice(0, 1), table->Slice(1, 2), table->Slice(3)});
  EXPECT_EQ(ContentOfTable(*table, "at")->pieces, ContentOfTable(*chunked, "at")->pieces);
}

TEST(SourceContent, UnsortedIsOnePieceFromItsFirstToItsLastTime) {
  const auto content = *ContentOfTable(*MakeTable({30, 1}, {"a", "b"}), "at");
  ASSERT_EQ(content.pieces.size(), 1U);
  EXPECT_EQ(content.pieces[0].min_us, kHour);
  EXPECT_EQ(content.pieces[0].max_us, 30 * kHour);
  EXPECT_EQ(content.start_us(), kHour);
}

/// What files of these tables hold.
SourceContent ContentOfWritten(const std::vector<std::shared_ptr<arrow::Table>>& tables) {
  std::vector<std::string> files;
  for (const auto& table : tables) {
    const std::string name = fmt::format("viand-content-{}-{}.parquet", getpid(), files.size());
    files.push_back((std::filesystem::temp_directory_path() / name).string());
    EXPECT_TRUE(WriteParquet(table, files.back()).ok());
  }
  const auto content = ContentOfFiles({.files = files}, "at");
  for (const std::string& file : files) std::filesystem::remove(file);
  EXPECT_TRUE(content.ok()) << content.status().ToString();
  return content.ValueOr(SourceContent{});
}

std::shared_ptr<arrow::Table> MakeTimes(const std::shared_ptr<arrow::DataType>& type,
                                        const std::string& json) {
  return arrow::Table::Make(arrow::schema({arrow::field("at", type)}),
                            {*arrow::json::ArrayFromJSONString(type, json)});
}

TEST(SourceContent, FilesHaveTheirStatisticsRange) {
  const auto content = ContentOfWritten({MakeTable({30, 1}, {"a", "b"})});
  ASSERT_EQ(content.pieces.size(), 1U);
  EXPECT_EQ(content.pieces[0].min_us, kHour);
  EXPECT_EQ(content.pieces[0].max_us, 30 * kHour);
  EXPECT_EQ(content.rows, 2);
}

TEST(SourceContent, NanosecondsAreRoundedDown) {
  const auto nanos = arrow::timestamp(arrow::TimeUnit::NANO, "UTC");
  const auto whole = ContentOfWritten({MakeTimes(nanos, "[1000, 3000]")});
  EXPECT_EQ(whole.start_us(), 1);
  EXPECT_EQ(whole.end_us(), 3);
  const auto parts = ContentOfWritten({MakeTimes(nanos, "[-1, null, 3001]")});
  EXPECT_EQ(parts.start_us(), -1);
  EXPECT_EQ(parts.end_us(), 3);
  EXPECT_EQ(ContentOfTable(*MakeTimes(nanos, "[-1, 3001, null]"), "at")->start_us(), -1);
}

TEST(SourceContent, AFileWithoutStatisticsOfItsTimesIsRead) {
  const auto content = ContentOfWritten({MakeTimes(arrow::date32(), "[3, null, -1]")});
  EXPECT_EQ(content.start_us(), -kMicrosPerDay);
  EXPECT_EQ(content.end_us(), 3 * kMicrosPerDay);
}

TEST(SourceContent, RowsWithoutATimeAreInNoPiece) {
  const auto micros = arrow::timestamp(arrow::TimeUnit::MICRO);
  const auto content =
      ContentOfWritten({MakeTimes(micros, "[null, null]"), MakeTimes(micros, "[7]")});
  ASSERT_EQ(content.pieces.size(), 1U);
  EXPECT_EQ(content.start_us(), 7);
  EXPECT_EQ(content.rows, 3);
  EXPECT_TRUE(ContentOfWritten({MakeTimes(micros, "[null]")}).empty());
}

TEST(SourceContent, TheOrderOfFilesCounts) {
  const auto early = MakeTable({1, 9}, {"a", "b"});
  const auto late = MakeTable({5, 9}, {"c", "d"});
  EXPECT_NE(ContentOfWritten({early, late}).HashOf(0, 24 * kHour),
            ContentOfWritten({late, early}).HashOf(0, 24 * kHour));
}

}  // namespace
}  // namespace viand::offline
