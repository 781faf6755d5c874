// The engine's side of docs/formats/ray.md against a driver that runs tasks by itself.
#include "src/distributed/ray_executor.h"

#include <arrow/buffer.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "src/distributed/fragment_task.h"
#include "src/distributed/table_stream.h"
#include "src/distributed/testing/tables.h"

namespace viand::distributed {
namespace {

using engine::FragmentCall;
using engine::MapFragment;
using nlohmann::json;
using testing::TableOf;

class FakeDriver {
 public:
  FakeDriver() {
    std::array<int, 2> ends = {-1, -1};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    engine_end_ = ends[0];
    socket_ = std::make_unique<FrameSocket>(ends[1]);
    thread_ = std::thread([this] { Serve(); });
  }
  ~FakeDriver() {
    socket_->Shut();
    thread_.join();
  }

  std::unique_ptr<engine::Executor> MakeExecutor() { return MakeExecutorOf({this}); }

  /// It finds one driver after the other, whenever it connects.
  static std::unique_ptr<engine::Executor> MakeExecutorOf(const std::vector<FakeDriver*>& drivers) {
    const auto next = std::make_shared<size_t>(0);
    return MakeRayExecutor(
        {.driver = [=] { return drivers.at((*next)++)->engine_end_; }, .version = "1"});
  }

  json greeting = {{"cpus", 3}, {"memory", 900}, {"task_memory", 300}, {"shares_storage", true}};
  bool breaks_off = false;                 ///< at the first task
  std::atomic<bool> left = false;          ///< the program has another Ray than this one's
  bool waits = false;                      ///< says so of each task before it answers
  bool newest_first = false;               ///< answers tasks in twos, the later before the earlier
  std::map<std::string, json> failing;     ///< by a task's name
  std::atomic<int> tables{0}, started{0};  ///< that it holds; tasks

 private:
  void Serve() {
    while (true) {
      auto frame = socket_->Receive();
      if (!frame.ok() || !frame->has_value()) return;
      Answer((*frame)->header, (*frame)->payload);
    }
  }

  void Answer(const json& asked, const std::shared_ptr<arrow::Buffer>& payload) {
    json answer = {{"id", asked.value("id", 0)}};
    std::shared_ptr<arrow::Buffer> bytes;
    if (asked.contains("hello")) {
      EXPECT_EQ(asked["hello"], "viand.ray/1");
      answer.update(greeting);
    } else if (asked.contains("is_current")) {
      if (left) answer["error"] = {{"kind", "environment"}, {"message", "left"}, {"hint", ""}};
    } else if (asked.contains("put")) {
      held_[asked["put"]] = payload;
    } else if (asked.contains("fetch")) {
      bytes = held_.at(asked["fetch"]);
    } else if (asked.contains("release")) {
      for (const int64_t table : asked["release"]) held_.erase(table);
      return;
    } else if (asked.contains("run")) {
      ++started;
      if (waits) Send({{"id", asked["id"]}, {"waiting", "no CPU is free"}}, nullptr);
      if (breaks_off) return socket_->Shut();
      bytes = Run(asked, *payload, &answer);
    } else {
      return;  // cancel
    }
    if (newest_first && asked.contains("run") && !later_) {
      later_ = {answer, bytes};
      return;
    }
    tables = static_cast<int>(held_.size());
    Send(answer, bytes);
    if (later_) Send(later_->header, later_->payload);
    later_.reset();
  }

  /// Whether the engine still listens or not.
  void Send(const json& answer, const std::shared_ptr<arrow::Buffer>& bytes) {
    static_cast<void>(socket_->Send(answer, bytes.get()).ok());
  }

  std::shared_ptr<arrow::Buffer> Run(const json& asked, const arrow::Buffer& task, json* answer) {
    if (failing.contains(asked["run"])) {
      answer->update({{"error", failing[asked["run"]]}});
      return nullptr;
    }
    std::vector<std::shared_ptr<arrow::Buffer>> inputs;
    for (const int64_t table : asked["inputs"]) inputs.push_back(held_.at(table));
    FragmentOutcome outcome = RunFragmentTask(std::string_view(task), inputs);
    const int64_t first = asked["outputs"][0];
    for (int i = 0; i < outcome.table_count(); ++i) held_[first + i] = outcome.Take(i).ValueOrDie();
    answer->update({{"node", "n"}, {"attempt", 2}});
    return arrow::Buffer::FromString(outcome.Result());
  }

  int engine_end_ = -1;
  std::unique_ptr<FrameSocket> socket_;
  std::map<int64_t, std::shared_ptr<arrow::Buffer>> held_;
  std::optional<Frame> later_;
  std::thread thread_;
};

/// Each passes one number on; with `column` "y" it fails on tables of x.
FragmentCall Pass(engine::Executor* executor, int number, const std::string& column = "x") {
  MapFragment map;
  map.columns = arrow::schema({arrow::field(column, arrow::int64())});
  map.file_columns = {column};
  map.outputs = {0};
  map.described_as = "table " + std::to_string(number);
  auto table = TableOf({{"x", arrow::int64(), "[" + std::to_string(number) + "]"}});
  return {map, {executor->Put(std::move(table)).ValueOrDie()}};
}

TEST(RayExecutor, RunsTasksAndLetsTheirInputsGo) {
  FakeDriver driver;
  const auto executor = driver.MakeExecutor();
  EXPECT_EQ(executor->Parallelism(), 3);
  EXPECT_EQ(executor->MemoryBytes(), 900);
  std::vector<FragmentCall> calls;
  for (int i = 0; i < 20; ++i) calls.push_back(Pass(executor.get(), i));
  engine::StageCounters counters;
  {
    const auto outputs =
        executor->RunStage("pass", std::move(calls), Progress::Silent(), &counters).ValueOrDie();
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(outputs[i][0]->rows(), 1);
      EXPECT_EQ(testing::Show(*executor->Fetch(outputs[i][0]).ValueOrDie(), "x"),
                std::to_string(i));
    }
    EXPECT_EQ(driver.tables, 20);
  }
  EXPECT_EQ(counters.fragments[7].node, "n");
  EXPECT_EQ(counters.fragments[7].attempt, 2);
  EXPECT_EQ(counters.fragments[7].rows_out, 1);
  // With the next request the outputs have gone, too.
  const auto last = executor->Put(TableOf({{"x", arrow::int64(), "[1]"}})).ValueOrDie();
  ASSERT_TRUE(executor->Fetch(last).ok());
  EXPECT_EQ(driver.tables, 1);
}

class Stages final : public Progress {
 public:
  void Begin(std::string_view stage, int64_t total, std::string_view unit) override {
    seen += fmt::format("{}, {} {}\n", stage, total, unit);
    done = 0;
  }
  void Advance(int64_t count) override { done += count; }
  void End() override { seen += fmt::format("end at {}\n", done); }
  std::string seen;
  int64_t done = 0;
};

TEST(RayExecutor, SaysWhatTasksWaitFor) {
  FakeDriver driver;
  driver.waits = true;
  const auto executor = driver.MakeExecutor();
  Stages stages;
  std::vector<FragmentCall> calls = {Pass(executor.get(), 1)};
  EXPECT_TRUE(executor->RunStage("pass", std::move(calls), &stages, nullptr).ok());
  EXPECT_EQ(stages.seen,
            "pass, 1 fragments\n"
            "pass (waiting: no CPU is free), 1 fragments\n"
            "pass, 1 fragments\n"
            "end at 1\n");
}

TEST(RayExecutor, TellsTheFirstFailureWhateverOrderTasksEndIn) {
  FakeDriver driver;
  driver.newest_first = true;
  const auto executor = driver.MakeExecutor();
  std::vector<FragmentCall> calls;
  for (int i = 0; i < 40; ++i)
    calls.push_back(Pass(executor.get(), i, i == 2 || i == 3 ? "y" : "x"));
  const auto result = executor->RunStage("pass", std::move(calls), Progress::Silent(), nullptr);
  EXPECT_EQ(result.status().message(), "no column \"y\" in table 2");
  EXPECT_EQ(KindOf(result.status()), ErrorKind::kInput);
  EXPECT_LT(driver.started, 40);
}

TEST(RayExecutor, FailuresOfRayHaveTheDriversWords) {
  FakeDriver driver;
  driver.failing["pass 1/1"] = {
      {"kind", "environment"}, {"message", "no node"}, {"hint", "add one"}};
  const auto executor = driver.MakeExecutor();
  const auto result =
      executor->RunStage("pass", {Pass(executor.get(), 1)}, Progress::Silent(), nullptr);
  EXPECT_EQ(RenderError(result.status()), "no node\n  hint: add one");
  EXPECT_EQ(KindOf(result.status()), ErrorKind::kEnvironment);
}

TEST(RayExecutor, ADriverThatRefusesOrEndsIsAnError) {
  FakeDriver refusing;
  refusing.greeting = {{"error", {{"kind", "usage"}, {"message", "no"}, {"hint", "yes"}}}};
  const auto refused = refusing.MakeExecutor();
  EXPECT_EQ(refused->Parallelism(), 1);
  EXPECT_EQ(RenderError(refused->RunStage("pass", {}, Progress::Silent(), nullptr).status()),
            "no\n  hint: yes");
  FakeDriver ending;
  ending.breaks_off = true;
  const auto ended = ending.MakeExecutor();
  const auto result = ended->RunStage("pass", {Pass(ended.get(), 1)}, Progress::Silent(), nullptr);
  EXPECT_EQ(result.status().message(), "the driver of Ray ended");
}

arrow::Status PassOne(engine::Executor* executor) {
  return executor->RunStage("pass", {Pass(executor, 1)}, Progress::Silent(), nullptr).status();
}

TEST(RayExecutor, AsksAgainAfterAFailureWasTold) {
  FakeDriver refusing, ending, last;
  refusing.greeting = {{"error", {{"kind", "environment"}, {"message", "no"}, {"hint", ""}}}};
  ending.breaks_off = true;
  const auto executor = FakeDriver::MakeExecutorOf({&refusing, &ending, &last});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(executor->Parallelism(), 1);
  EXPECT_EQ(executor->RunStage("pass", {}, Progress::Silent(), nullptr).status().message(), "no");
  EXPECT_EQ(executor->Parallelism(), 3);
  EXPECT_EQ(PassOne(executor.get()).message(), "the driver of Ray ended");
  EXPECT_TRUE(PassOne(executor.get()).ok());
  EXPECT_EQ(last.started, 1);
}

TEST(RayExecutor, TablesOfAConnectionThatEndedAreNotTakenForOthers) {
  FakeDriver ending, next;
  ending.breaks_off = true;
  const auto executor = FakeDriver::MakeExecutorOf({&ending, &next});
  const auto table = executor->Put(TableOf({{"x", arrow::int64(), "[1]"}})).ValueOrDie();
  EXPECT_FALSE(PassOne(executor.get()).ok());
  const auto other = executor->Put(TableOf({{"x", arrow::int64(), "[2]"}})).ValueOrDie();
  EXPECT_EQ(RenderError(executor->Fetch(table).status()),
            "the connection to Ray ended, and the tables of this plan with it\n"
            "  hint: nothing is half-written; run the same again");
}

TEST(RayExecutor, LooksForTheRayThatAProgramHasJoinedSince) {
  FakeDriver first, second;
  second.greeting["cpus"] = 7;
  const auto executor = FakeDriver::MakeExecutorOf({&first, &second});
  EXPECT_TRUE(PassOne(executor.get()).ok());
  first.left = true;
  EXPECT_EQ(executor->Parallelism(), 7);
  EXPECT_TRUE(PassOne(executor.get()).ok());
  EXPECT_EQ(second.started, 1);
}

TEST(FrameSocket, RefusesWhatIsNoMessage) {
  std::array<int, 2> ends = {-1, -1};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  FrameSocket ours(ends[0]), theirs(ends[1]);
  const std::string text = "HTTP/1.1 400 Bad Request\r\n\r\n";
  ASSERT_EQ(send(ends[1], text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  EXPECT_EQ(ours.Receive().status().message(), "the cluster's driver sent what is no message");
}

}  // namespace
}  // namespace viand::distributed
