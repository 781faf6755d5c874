#include "src/offline/part_store.h"

#include <arrow/array/builder_primitive.h>
#include <arrow/table.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "src/offline/parquet_file.h"

namespace viand::offline {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<arrow::Table> Rows(int64_t count) {
  arrow::Int64Builder keys;
  for (int64_t i = 0; i < count; ++i) EXPECT_TRUE(keys.Append(i).ok());
  return arrow::Table::Make(arrow::schema({arrow::field("key", arrow::int64())}), {*keys.Finish()});
}

arrow::Status Write(const PartStore& store, Part* part, const std::shared_ptr<arrow::Table>& rows) {
  arrow::TableBatchReader reader(*rows);
  ARROW_ASSIGN_OR_RAISE(const auto prepared, store.Prepare(part, &reader));
  return PartStore::Keep(prepared.get());
}

class PartStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = (fs::temp_directory_path() / ("viand-parts-" + std::to_string(getpid()))).string();
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  /// Stores parts of the given row counts at cutoffs 0, 1, ... and publishes them.
  void Publish(const std::string& definition, const std::vector<int64_t>& counts) {
    auto store = *PartStore::Open(folder_);
    std::vector<Part> parts;
    for (size_t i = 0; i < counts.size(); ++i) {
      parts.push_back({static_cast<int64_t>(i), definition + std::to_string(counts[i]), 0});
      if (*store->Find(&parts.back())) continue;
      ASSERT_TRUE(Write(*store, &parts.back(), Rows(counts[i])).ok());
      ++written_;
    }
    ASSERT_TRUE(store->Publish(definition, parts).ok());
  }

  std::string folder_;
  int written_ = 0;
};

TEST_F(PartStoreTest, NothingBeforeTheFirstPublish) {
  EXPECT_EQ(ReadCurrentGeneration(folder_)->number, 0);
  auto store = *PartStore::Open(folder_);
  Part part{5, "f", 0};
  ASSERT_TRUE(Write(*store, &part, Rows(3)).ok());
  EXPECT_EQ(ReadCurrentGeneration(folder_)->number, 0);
  Part again{5, "f", 0};
  EXPECT_TRUE(*store->Find(&again));
  EXPECT_EQ(again.rows, 3);
}

TEST_F(PartStoreTest, ReadersSeeTheGenerationThatTheyResolved) {
  Publish("a", {1, 2});
  const auto first = *ReadCurrentGeneration(folder_);
  Publish("a", {1, 2, 3});
  const auto second = *ReadCurrentGeneration(folder_);
  EXPECT_EQ(written_, 3) << "parts that are there are not written again";
  EXPECT_EQ(second.number, first.number + 1);
  ASSERT_EQ(first.Files().size(), 2U);
  EXPECT_EQ(*ParquetRowCount(first.Files()[1]), 2);
  EXPECT_EQ(*ParquetRowCount(second.Files()[2]), 3);
}

TEST_F(PartStoreTest, AnEqualStateMakesNoGeneration) {
  Publish("a", {1, 2});
  Publish("a", {1, 2});
  EXPECT_EQ(ReadCurrentGeneration(folder_)->number, 1);
}

TEST_F(PartStoreTest, DropsWhatNobodyUses) {
  Publish("a", {1, 2});
  Publish("b", {7});
  Publish("c", {8});
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ + "/generations"), {}), 2);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ + "/parts"), {}), 1);
}

TEST_F(PartStoreTest, OneWriterAtATime) {
  auto store = *PartStore::Open(folder_);
  const auto second = PartStore::Open(folder_);
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.status().message().find("another process is writing"), std::string::npos);
}

TEST_F(PartStoreTest, ADamagedPartIsNoPart) {
  Publish("a", {1});
  fs::resize_file(folder_ + "/parts/0.a1.parquet", 10);
  auto store = *PartStore::Open(folder_);
  Part part{0, "a1", 0};
  EXPECT_FALSE(*store->Find(&part));
}

TEST_F(PartStoreTest, RemovesWhatAKilledProcessLeft) {
  fs::create_directories(folder_ + "/generations/00000001.tmp.999999999.0");
  fs::create_directories(folder_ + "/parts");
  auto store = *PartStore::Open(folder_);
  EXPECT_FALSE(fs::exists(folder_ + "/generations/00000001.tmp.999999999.0"));
}

}  // namespace
}  // namespace viand::offline
