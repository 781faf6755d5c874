#include "src/common/block_pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <thread>
#include <vector>

namespace viand {
namespace {

struct Block {
  uint8_t* data;
  int64_t size;
  uint8_t mark;
};

/// Every block is aligned, keeps what is written into it, and overlaps no other.
void AllocateAtRandom(BlockPool* pool, int seed) {
  std::mt19937_64 random(seed);
  std::vector<Block> blocks;
  const auto size_of = [&] { return static_cast<int64_t>(random() % (1 << (random() % 22))); };
  const auto check = [](const Block& block) {
    for (int64_t i = 0; i < block.size; i += 997) ASSERT_EQ(block.data[i], block.mark);
    if (block.size > 0) ASSERT_EQ(block.data[block.size - 1], block.mark);
  };
  for (int step = 0; step < 3000; ++step) {
    const auto mark = static_cast<uint8_t>(step);
    if (blocks.empty() || random() % 3 == 0) {
      Block block{nullptr, size_of(), mark};
      ASSERT_TRUE(pool->Allocate(block.size, &block.data).ok());
      ASSERT_EQ(reinterpret_cast<uintptr_t>(block.data) % 64, 0U);
      std::memset(block.data, mark, block.size);
      blocks.push_back(block);
      continue;
    }
    Block& block = blocks[random() % blocks.size()];
    check(block);
    if (random() % 2 == 0) {
      const int64_t size = size_of();
      ASSERT_TRUE(pool->Reallocate(block.size, size, &block.data).ok());
      for (int64_t i = 0; i < std::min(size, block.size); i += 997)
        ASSERT_EQ(block.data[i], block.mark);
      block = {block.data, size, mark};
      std::memset(block.data, mark, size);
    } else {
      pool->Free(block.data, block.size);
      block = blocks.back();
      blocks.pop_back();
    }
    if (step % 500 == 0) pool->ReleaseUnused();
  }
  for (const Block& block : blocks) {
    check(block);
    pool->Free(block.data, block.size);
  }
}

TEST(BlockPool, KeepsWhatIsWritten) {
  BlockPool pool;
  AllocateAtRandom(&pool, 1);
  EXPECT_EQ(pool.bytes_allocated(), 0);
  EXPECT_GT(pool.max_memory(), 0);
}

TEST(BlockPool, ServesSeveralThreads) {
  BlockPool pool;
  pool.SetRetainedLimit(8 << 20);
  std::vector<std::thread> threads;
  for (int seed = 0; seed < 4; ++seed) threads.emplace_back(AllocateAtRandom, &pool, seed);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(pool.bytes_allocated(), 0);
  EXPECT_LE(pool.retained_bytes(), 8 << 20);
  pool.ReleaseUnused();
  EXPECT_EQ(pool.retained_bytes(), 0);
  EXPECT_EQ(pool.resident_bytes(), 0);
}

TEST(BlockPool, GivesAFreedBlockToTheNextWhoAsks) {
  if (!kBlocksAreKept) return;
  BlockPool pool;
  uint8_t* first = nullptr;
  ASSERT_TRUE(pool.Allocate(1 << 20, &first).ok());
  pool.Free(first, 1 << 20);
  EXPECT_GE(pool.retained_bytes(), 1 << 20);
  uint8_t* second = nullptr;
  ASSERT_TRUE(pool.Allocate(1000 * 1000, &second).ok());
  EXPECT_EQ(second, first);
  EXPECT_EQ(pool.retained_bytes(), 0);
  pool.Free(second, 1000 * 1000);
}

TEST(BlockPool, FreeBlocksAndWhatWasEverAskedOfOneAreResident) {
  if (!kBlocksAreKept) return;
  BlockPool pool;
  uint8_t *large = nullptr, *small = nullptr;
  ASSERT_TRUE(pool.Allocate(1 << 20, &large).ok());
  ASSERT_TRUE(pool.Allocate(1000, &small).ok());
  EXPECT_EQ(pool.resident_bytes(), (1 << 20) + 1000);
  pool.Free(large, 1 << 20);
  EXPECT_EQ(pool.resident_bytes(), (1 << 20) + 1000);
  ASSERT_TRUE(pool.Allocate(600'000, &large).ok());
  EXPECT_EQ(pool.resident_bytes(), (1 << 20) + 1000) << "the same block, all of it";
  pool.ReleaseDownTo(0);
  EXPECT_EQ(pool.resident_bytes(), (1 << 20) + 1000) << "nothing is free";
  pool.Free(large, 600'000);
  pool.ReleaseDownTo(2 << 20);
  EXPECT_GT(pool.retained_bytes(), 0);
  pool.ReleaseDownTo(1 << 20);
  EXPECT_EQ(pool.resident_bytes(), 1000);
  EXPECT_EQ(pool.retained_bytes(), 0);
  ASSERT_TRUE(pool.Allocate(900'000, &large).ok());
  EXPECT_EQ(pool.resident_bytes(), 901'000) << "fresh pages";
  pool.Free(large, 900'000);
  pool.Free(small, 1000);
}

TEST(BlockPool, RefusesWhatNoMachineHas) {
  BlockPool pool;
  uint8_t* data = nullptr;
  EXPECT_TRUE(pool.Allocate(int64_t{1} << 60, &data).IsOutOfMemory());
  EXPECT_EQ(pool.bytes_allocated(), 0);
}

}  // namespace
}  // namespace viand
