#include "src/common/disk_pool.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <random>
#include <thread>
#include <vector>

namespace viand {
namespace {

uint8_t* Taken(DiskPool* pool, int64_t bytes, int fill) {
  uint8_t* block = nullptr;
  EXPECT_TRUE(pool->Allocate(bytes, &block).ok());
  std::memset(block, fill, static_cast<size_t>(bytes));
  return block;
}

bool IsFilled(const uint8_t* block, int64_t bytes, int fill) {
  return std::all_of(block, block + bytes, [fill](uint8_t byte) { return byte == fill; });
}

class DiskPoolTest : public ::testing::Test {
 protected:
  DiskPoolTest() : folder_(::testing::TempDir() + "/disk_pool"), pool_(DiskPool::In(folder_)) {
    std::filesystem::create_directories(folder_);
  }
  const std::string folder_;
  DiskPool* const pool_;
};

TEST_F(DiskPoolTest, BlocksAreApartAndAligned) {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    struct Block {
      uint8_t* bytes;
      int64_t size;
      int fill;
    };
    std::vector<Block> blocks;
    for (int step = 0; step < 300; ++step) {
      if (random() % 3 != 0 || blocks.empty()) {
        // Some are larger than a slab.
        const int64_t size = random() % 200 == 0 ? (40 << 20) : 1 + random() % (1 << 18);
        const int fill = static_cast<int>(random() % 256);
        blocks.push_back({Taken(pool_, size, fill), size, fill});
        EXPECT_EQ(reinterpret_cast<uintptr_t>(blocks.back().bytes) % 64, 0U);
      } else {
        std::swap(blocks[random() % blocks.size()], blocks.back());
        Block& block = blocks.back();
        ASSERT_TRUE(IsFilled(block.bytes, block.size, block.fill));
        if (random() % 2 == 0) {
          const int64_t size = 1 + random() % (1 << 18);
          ASSERT_TRUE(pool_->Reallocate(block.size, size, &block.bytes).ok());
          ASSERT_TRUE(IsFilled(block.bytes, std::min(size, block.size), block.fill));
          std::memset(block.bytes, block.fill, static_cast<size_t>(size));
          block.size = size;
        } else {
          pool_->Free(block.bytes, block.size);
          blocks.pop_back();
        }
      }
    }
    for (const Block& block : blocks) {
      EXPECT_TRUE(IsFilled(block.bytes, block.size, block.fill));
      pool_->Free(block.bytes, block.size);
    }
    EXPECT_EQ(pool_->bytes_allocated(), 0);
  }
}

TEST_F(DiskPoolTest, LeavesNoNameInTheFolder) {
  uint8_t* block = Taken(pool_, 100, 1);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
  pool_->Free(block, 100);
}

TEST_F(DiskPoolTest, NothingIsABlock) {
  uint8_t* block = nullptr;
  ASSERT_TRUE(pool_->Allocate(0, &block).ok());
  ASSERT_NE(block, nullptr);
  ASSERT_TRUE(pool_->Reallocate(0, 10, &block).ok());
  pool_->Free(block, 10);
}

TEST_F(DiskPoolTest, AFullDiskIsAnErrorWithTheFolder) {
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit limit{1000, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &limit);
  uint8_t* block = Taken(pool_, 50 << 20, 3);
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_TRUE(IsFilled(block, 50 << 20, 3)) << "ordinary memory helps out";
  pool_->Free(block, 50 << 20);
  EXPECT_EQ(pool_->bytes_allocated(), 0);
  const auto status = TakeFailureOf(pool_);
  ASSERT_FALSE(status.ok());
  EXPECT_TRUE(TakeFailureOf(pool_).ok()) << "it is told once";
  EXPECT_EQ(KindOf(status), ErrorKind::kEnvironment);
  EXPECT_NE(status.message().find("temporary data in " + folder_), std::string::npos)
      << status.message();
}

TEST_F(DiskPoolTest, AFolderThatIsNotThereIsAnError) {
  DiskPool* const pool = DiskPool::In("/no such folder");
  uint8_t* block = Taken(pool, 10, 1);
  pool->Free(block, 10);
  const auto status = pool->TakeFailure();
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.message().find("cannot make a temporary file in /no such folder"),
            std::string::npos);
}

TEST_F(DiskPoolTest, AForkedChildTakesNothingFromItsParent) {
  uint8_t* block = Taken(pool_, 1 << 20, 7);
  const pid_t child = ::fork();
  if (child == 0) {
    const bool whole = IsFilled(block, 1 << 20, 7);
    uint8_t* own = nullptr;
    const bool taken = pool_->Allocate(1 << 20, &own).ok();
    if (taken) std::memset(own, 9, 1 << 20);
    pool_->Free(block, 1 << 20);
    ::_exit(whole && taken ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  uint8_t* another = Taken(pool_, 1 << 20, 8);
  EXPECT_TRUE(IsFilled(block, 1 << 20, 7));
  EXPECT_TRUE(IsFilled(another, 1 << 20, 8));
  pool_->Free(block, 1 << 20);
  pool_->Free(another, 1 << 20);
}

TEST_F(DiskPoolTest, ManyThreadsMayUseIt) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([this, thread] {
      for (int i = 0; i < 200; ++i) {
        uint8_t* block = Taken(pool_, 100'000, thread);
        EXPECT_TRUE(IsFilled(block, 100'000, thread));
        pool_->Free(block, 100'000);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(pool_->bytes_allocated(), 0);
}

}  // namespace
}  // namespace viand
