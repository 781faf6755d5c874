#include "src/common/bounded_pool.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <random>
#include <vector>

#include "src/common/block_pool.h"

namespace viand {
namespace {

constexpr int64_t kLarge = BoundedPool::kLeastDiskBytes;

class BoundedPoolTest : public ::testing::Test {
 protected:
  BoundedPoolTest() : folder_(::testing::TempDir() + "/bounded_pool") {
    std::filesystem::create_directories(folder_);
  }
  /// With room for so much beside what the process has.
  BoundedPool* PoolOf(int64_t bytes) const {
    ProcessPool()->ReleaseUnused();
    return BoundedPool::In(folder_, ProcessPool()->resident_bytes() + bytes);
  }
  int64_t OnDisk() const { return DiskPool::In(folder_)->bytes_allocated(); }

  const std::string folder_;
};

TEST_F(BoundedPoolTest, LargeBlocksThatFindNoRoomLieOnDisk) {
  BoundedPool* const pool = PoolOf(kLarge);
  uint8_t *first = nullptr, *second = nullptr, *small = nullptr;
  ASSERT_TRUE(pool->Allocate(kLarge, &first).ok());
  EXPECT_EQ(OnDisk(), 0);
  ASSERT_TRUE(pool->Allocate(kLarge, &second).ok());
  EXPECT_EQ(OnDisk(), kLarge);
  ASSERT_TRUE(pool->Allocate(1000, &small).ok());
  EXPECT_EQ(OnDisk(), kLarge) << "small ones do not";
  pool->Free(small, 1000);
  pool->Free(second, kLarge);
  pool->Free(first, kLarge);
  EXPECT_EQ(OnDisk(), 0);
}

TEST_F(BoundedPoolTest, WhatIsKeptFreeGivesWay) {
  BoundedPool* const pool = PoolOf(8 * kLarge);
  uint8_t *large = nullptr, *small = nullptr;
  ASSERT_TRUE(pool->Allocate(8 * kLarge, &large).ok());
  pool->Free(large, 8 * kLarge);
  ASSERT_TRUE(pool->Allocate(kLarge, &small).ok());  // too small for the block
  EXPECT_EQ(OnDisk(), 0);
  ASSERT_TRUE(pool->Allocate(7 * kLarge, &large).ok());
  EXPECT_EQ(OnDisk(), 0);
  pool->Free(large, 7 * kLarge);
  pool->Free(small, kLarge);
}

TEST_F(BoundedPoolTest, BlocksKeepTheirBytesWhereverTheyGo) {
  const int64_t before = ProcessPool()->bytes_allocated();
  BoundedPool* const pool = PoolOf(3 * kLarge);
  struct Block {
    uint8_t* bytes;
    int64_t size;
    uint8_t fill;
  };
  std::vector<Block> blocks;
  std::mt19937 random(5);
  for (int step = 0; step < 400; ++step) {
    const auto fill = static_cast<uint8_t>(random());
    const int64_t size = random() % 3 == 0 ? random() % (3 * kLarge) : random() % 5000;
    if (blocks.size() < 3 || random() % 3 == 0) {
      uint8_t* bytes = nullptr;
      ASSERT_TRUE(pool->Allocate(size, &bytes).ok());
      blocks.push_back({bytes, size, fill});
    } else {
      std::swap(blocks[random() % blocks.size()], blocks.back());
      Block& block = blocks.back();
      ASSERT_TRUE(std::all_of(block.bytes, block.bytes + block.size,
                              [&](uint8_t byte) { return byte == block.fill; }));
      if (random() % 2 == 0) {
        pool->Free(block.bytes, block.size);
        blocks.pop_back();
        continue;
      }
      ASSERT_TRUE(pool->Reallocate(block.size, size, &block.bytes).ok());
      ASSERT_TRUE(std::all_of(block.bytes, block.bytes + std::min(size, block.size),
                              [&](uint8_t byte) { return byte == block.fill; }));
      block.size = size;
      block.fill = fill;
    }
    std::memset(blocks.back().bytes, blocks.back().fill, static_cast<size_t>(blocks.back().size));
  }
  for (const Block& block : blocks) pool->Free(block.bytes, block.size);
  EXPECT_EQ(ProcessPool()->bytes_allocated(), before);
  EXPECT_EQ(OnDisk(), 0);
}

TEST_F(BoundedPoolTest, AFullDiskIsTold) {
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit limit{1000, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &limit);
  BoundedPool* const pool = PoolOf(0);
  uint8_t* block = nullptr;
  const bool taken = pool->Allocate(50 << 20, &block).ok();
  setrlimit(RLIMIT_FSIZE, &before);
  ASSERT_TRUE(taken) << "ordinary memory helps out";
  std::memset(block, 1, 50 << 20);
  pool->Free(block, 50 << 20);
  EXPECT_EQ(KindOf(pool->TakeFailure()), ErrorKind::kEnvironment);
  EXPECT_TRUE(pool->TakeFailure().ok());
}

}  // namespace
}  // namespace viand
