#include "src/engine/partition_blocks.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <random>

#include "src/common/block_pool.h"
#include "src/engine/partition_rows.h"

namespace viand::engine {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

constexpr int kPartitions = 3;
/// A share of it takes a block of the pool.
constexpr int64_t kRows = kPartitions * BlockPool::kLeastBlockBytes / 8;

std::shared_ptr<arrow::Schema> Columns() {
  return arrow::schema({arrow::field("a", arrow::int64(), false),
                        arrow::field("b", arrow::float32()), arrow::field("c", arrow::uint16())});
}

template <typename Builder>
std::shared_ptr<arrow::Array> Counted(int64_t first, int64_t rows) {
  Builder builder;
  for (int64_t i = first; i < first + rows; ++i)
    EXPECT_TRUE(builder.Append(static_cast<typename Builder::value_type>(i % 60000)).ok());
  return *builder.Finish();
}

BatchPtr RowsFrom(int64_t first, int64_t rows) {
  return arrow::RecordBatch::Make(Columns(), rows,
                                  arrow::ArrayVector{Counted<arrow::Int64Builder>(first, rows),
                                                     Counted<arrow::FloatBuilder>(first, rows),
                                                     Counted<arrow::UInt16Builder>(first, rows)});
}

TEST(PartitionBlocks, HaveTheRowsOfTheirPartitionsInOrder) {
  std::mt19937 random(5);
  for (const int most_likely : {0, 3}) {  // the second time a partition gets most rows
    PartitionBlocks blocks(Columns(), kPartitions, kRows, ProcessPool());
    PartitionBlocks::Parts parts(kPartitions), expected(kPartitions);
    for (int64_t first = 0; first < 2 * kRows; first += 1'000) {
      const BatchPtr batch = RowsFrom(first, 1'000);
      std::vector<int32_t> partitions(batch->num_rows());
      for (int32_t& partition : partitions)
        partition = std::min<int32_t>(static_cast<int32_t>(random() % (4 + most_likely)) - 1, 2);
      ASSERT_TRUE(blocks.Takes(*batch));
      ASSERT_TRUE(blocks.Add(*batch, partitions, &parts).ok());
      const auto split = *SplitRows(batch, partitions, kPartitions);
      for (int p = 0; p < kPartitions; ++p) expected[p].push_back(split[p]);
    }
    blocks.End(&parts);
    for (int p = 0; p < kPartitions; ++p) {
      const auto table = *arrow::Table::FromRecordBatches(parts[p]);
      EXPECT_TRUE(table->Equals(**arrow::Table::FromRecordBatches(expected[p])));
      EXPECT_LT(parts[p].size(), expected[p].size());
    }
  }
}

TEST(PartitionBlocks, WhatComesAfterTheEndIsBehind) {
  PartitionBlocks blocks(Columns(), kPartitions, kRows, ProcessPool());
  PartitionBlocks::Parts parts(kPartitions);
  ASSERT_TRUE(blocks.Add(*RowsFrom(7, 1), {2}, &parts).ok());
  EXPECT_TRUE(parts[2].empty());
  blocks.End(&parts);
  ASSERT_TRUE(blocks.Add(*RowsFrom(8, 2), {2, -1}, &parts).ok());
  blocks.End(&parts);
  EXPECT_TRUE(parts[0].empty());
  ASSERT_EQ(parts[2].size(), 2u);
  EXPECT_TRUE(parts[2][0]->Equals(*RowsFrom(7, 1)));
  EXPECT_TRUE(parts[2][1]->Equals(*RowsFrom(8, 1)));
}

TEST(PartitionBlocks, TakeNumbersOfWhichAShareIsABlock) {
  const BatchPtr batch = RowsFrom(0, 2);
  PartitionBlocks of_few(Columns(), kPartitions, kRows / 2, ProcessPool());
  EXPECT_FALSE(of_few.Takes(*batch));
  PartitionBlocks of_one(Columns(), 1, kRows, ProcessPool());
  EXPECT_FALSE(of_one.Takes(*batch));
  PartitionBlocks blocks(Columns(), kPartitions, kRows, ProcessPool());
  EXPECT_TRUE(blocks.Takes(*batch));
  const auto nulls = *arrow::MakeArrayOfNull(arrow::float32(), 2);
  EXPECT_FALSE(blocks.Takes(**batch->SetColumn(1, Columns()->field(1), nulls)));
}

}  // namespace
}  // namespace viand::engine
