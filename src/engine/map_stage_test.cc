#include "src/engine/map_stage.h"

#include <gtest/gtest.h>

namespace viand::engine {
namespace {

/// Says where its fragments run, and runs none.
class NamedExecutor : public Executor {
 public:
  NamedExecutor(int cpus, int64_t memory, std::string storage)
      : cpus_(cpus), memory_(memory), storage_(std::move(storage)) {}
  int Parallelism() const override { return cpus_; }
  int64_t MemoryBytes() const override { return memory_; }
  std::string StoragePath() const override { return storage_; }
  arrow::Result<TableReference> Put(std::shared_ptr<arrow::Table>) override {
    return arrow::Status::NotImplemented("");
  }
  arrow::Result<std::vector<std::vector<TableReference>>> RunStage(std::string_view,
                                                                   std::vector<FragmentCall>,
                                                                   Progress*,
                                                                   StageCounters*) override {
    return arrow::Status::NotImplemented("");
  }
  arrow::Result<std::shared_ptr<arrow::Table>> Fetch(const TableReference&) override {
    return arrow::Status::NotImplemented("");
  }

 private:
  const int cpus_;
  const int64_t memory_;
  const std::string storage_;
};

int PartitionCount(int64_t rows, int cpus, int64_t memory, const std::string& storage) {
  NamedExecutor executor(cpus, memory, storage);
  ExecuteOptions options;
  options.executor = &executor;
  return ChoosePartitionCount({.rows = rows, .bytes = rows * 20}, options);
}

constexpr int64_t kGiB = int64_t{1} << 30;

TEST(ChoosePartitionCount, IsOfACacheHereAndOfFewTablesElsewhere) {
  EXPECT_EQ(PartitionCount(20'000'000, 2, 0, ""), 77);
  EXPECT_EQ(PartitionCount(20'000'000, 2, 0, "/shared"), 5);
  EXPECT_EQ(PartitionCount(1'000'000'000, 80, 0, ""), 1024);
  EXPECT_EQ(PartitionCount(1'000'000'000, 80, 0, "/shared"), 239);
  EXPECT_EQ(PartitionCount(1'000'000'000, 800, 0, "/shared"), 239);
  EXPECT_EQ(PartitionCount(1'000'000, 800, 0, "/shared"), 16);
  EXPECT_EQ(PartitionCount(400'000, 2, 0, "/shared"), 2);
  EXPECT_EQ(PartitionCount(1'000, 80, 0, "/shared"), 1);
}

TEST(ChoosePartitionCount, FitsTheMemoryOfTheFragmentsThatRunAtATime) {
  // 20 GB four times, of which 80 fragments may hold a quarter of 40 GiB.
  EXPECT_EQ(PartitionCount(1'000'000'000, 80, 40 * kGiB, "/shared"), 597);
}

}  // namespace
}  // namespace viand::engine
