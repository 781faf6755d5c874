#include "src/distributed/process_executor.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "src/common/cancellation.h"
#include "src/common/run_parallel.h"
#include "src/distributed/local_executor.h"
#include "src/distributed/task_message.h"
#include "src/distributed/testing/tables.h"

namespace viand::distributed {
namespace {

using engine::FragmentCall;
using engine::MapFragment;
using testing::Folder;
using testing::TableOf;

MapFragment Pass() {
  MapFragment map;
  map.columns = arrow::schema({arrow::field("x", arrow::int64())});
  map.file_columns = {"x"};
  map.outputs = {0};
  return map;
}

TEST(TaskResult, KeepsKindPlaceAndHint) {
  for (ErrorKind kind : {ErrorKind::kUsage, ErrorKind::kDefinition, ErrorKind::kInput,
                         ErrorKind::kConflict, ErrorKind::kCancelled, ErrorKind::kEnvironment}) {
    const TaskResult result{.status = ErrorAt({"a.yaml", 3, 7}, kind, "wrong", "do it right"),
                            .outputs = {}};
    const TaskResult read = ParseResult(SerializeResult(result)).ValueOrDie();
    EXPECT_EQ(read.status.code(), result.status.code());
    EXPECT_EQ(KindOf(read.status), kind);
    EXPECT_EQ(RenderError(read.status), "a.yaml:3:7: wrong\n  hint: do it right");
  }
  const TaskResult read =
      ParseResult(SerializeResult({arrow::Status::OutOfMemory("much"), {}})).ValueOrDie();
  EXPECT_TRUE(read.status.IsOutOfMemory());
  EXPECT_FALSE(ParseResult("nonsense").ok());
  EXPECT_FALSE(ParseTask("nonsense").ok());
}

// An offset that is wrong by four can lead to 64-bit numbers that are not aligned as such.
TEST(TaskResult, SurvivesOffsetsWrongByFour) {
  const TaskResult result{.status = MakeError(ErrorKind::kInput, "wrong"),
                          .outputs = {{"", 7}, {"", 1}},
                          .counters = {.heaviest = {{"(1)", 5}}}};
  const std::string bytes = SerializeResult(result);
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] ^= 4;
    const auto read = ParseResult(damaged);
    if (!read.ok()) EXPECT_EQ(KindOf(read.status()), ErrorKind::kInput);
  }
}

TEST(ProcessExecutor, ReturnsTheErrorOfTheFragmentIntact) {
  const auto executor = MakeProcessExecutor({.command = {VIAND_FRAGMENT_PROGRAM}}).ValueOrDie();
  const auto input = executor->Put(TableOf({{"xx", arrow::int64(), "[1]"}})).ValueOrDie();
  MapFragment map = Pass();
  map.described_as = "source s";
  const auto result = executor->RunStage("map", {{map, {input}}}, Progress::Silent(), nullptr);
  EXPECT_EQ(RenderError(result.status()),
            "no column \"x\" in source s\n  hint: did you mean \"xx\"?");
  EXPECT_EQ(KindOf(result.status()), ErrorKind::kInput);
}

TEST(ProcessExecutor, LeavesNothingBehind) {
  const Folder folder;
  {
    const auto executor = MakeProcessExecutor({.command = {VIAND_FRAGMENT_PROGRAM},
                                               .temporary_folder = folder.path()})
                              .ValueOrDie();
    auto input = executor->Put(TableOf({{"x", arrow::int64(), "[1, 2]"}})).ValueOrDie();
    const auto outputs =
        executor->RunStage("map", {{Pass(), {std::move(input)}}}, Progress::Silent(), nullptr)
            .ValueOrDie();
    EXPECT_EQ(testing::Show(*executor->Fetch(outputs[0][0]).ValueOrDie(), "x"), "1 2");
    EXPECT_FALSE(std::filesystem::is_empty(folder.path()));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(ProcessExecutor, SaysHowAProcessEnded) {
  const auto run = [](std::vector<std::string> command) {
    const auto executor = MakeProcessExecutor({.command = std::move(command)}).ValueOrDie();
    auto input = executor->Put(TableOf({{"x", arrow::int64(), "[1]"}})).ValueOrDie();
    return executor->RunStage("map", {{Pass(), {input}}}, Progress::Silent(), nullptr).status();
  };
  EXPECT_TRUE(
      run({"/bin/false"}).message().starts_with("a fragment's process exited with 1: /bin/false "));
  EXPECT_TRUE(run({"/bin/sh", "-c", "kill -9 $$"})
                  .message()
                  .starts_with("a fragment's process was killed by signal 9"));
  EXPECT_TRUE(run({"/nowhere"}).message().starts_with("a fragment's process did not start"));
  EXPECT_EQ(KindOf(run({"/nowhere"})), ErrorKind::kEnvironment);
}

TEST(RunParallel, TheFirstErrorStopsTheRest) {
  int ran = 0;
  const auto status = RunParallel(
      10, 1,
      [&](size_t i) {
        ++ran;
        return i == 3 ? arrow::Status::Invalid("three") : arrow::Status::OK();
      },
      Progress::Silent());
  EXPECT_EQ(status.message(), "three");
  EXPECT_EQ(ran, 4);
}

TEST(RunParallel, StopsWhenTheUserCancels) {
  RequestCancellation();
  const auto status = RunParallel(
      3, 2, [](size_t) { return arrow::Status::OK(); }, Progress::Silent());
  ResetCancellation();
  EXPECT_EQ(KindOf(status), ErrorKind::kCancelled);
}

TEST(LocalExecutor, KeepsTheOrderOfTheCalls) {
  const auto executor = MakeLocalExecutor({.threads = 4});
  std::vector<FragmentCall> calls;
  for (int i = 0; i < 50; ++i) {
    calls.push_back({Pass(),
                     {executor->Put(TableOf({{"x", arrow::int64(), "[" + std::to_string(i) + "]"}}))
                          .ValueOrDie()}});
  }
  const auto outputs =
      executor->RunStage("map", std::move(calls), Progress::Silent(), nullptr).ValueOrDie();
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(testing::Show(*executor->Fetch(outputs[i][0]).ValueOrDie(), "x"), std::to_string(i));
  }
}

}  // namespace
}  // namespace viand::distributed
