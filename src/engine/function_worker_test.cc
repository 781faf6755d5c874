#include "src/engine/function_worker.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace viand::engine {
namespace {

/// Speaks a worker's side with Python's own modules alone; what it does to a call is told by the
/// call's code.
constexpr const char* kWorker = R"py(#!/usr/bin/env python3
import array, json, mmap, os, signal, socket, struct
connection = socket.socket(fileno=3)
def say(head, body=b""):
    text = json.dumps(head).encode()
    connection.sendall(struct.pack("=QQ", len(text), len(body)) + text + body)
say({"ready": True})
while True:
    sizes, control, _, _ = connection.recvmsg(8, socket.CMSG_SPACE(4))
    if not sizes:
        break
    head = json.loads(connection.recv(struct.unpack("=II", sizes)[0], socket.MSG_WAITALL))
    shared = mmap.mmap(array.array("i", control[0][2])[0], 0, prot=mmap.PROT_READ)
    if head["code"] == "echo":
        start, length = head["groups"]
        say({}, shared[start:start + length])
    elif head["code"] == "echo rows":
        start, length = head["rows"]
        say({}, shared[start:start + length])
    elif head["code"] == "no table":
        say({}, b"no table")
    elif head["code"] == "error":
        say({"error": {"message": "no", "hint": "do", "kind": "definition", "file": "f.py", "line": 3, "column": 5}})
    elif head["code"] == "nonsense":
        say([1])
    elif head["code"] == "end once" and not os.path.exists(head["function"]):
        open(head["function"], "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    elif head["code"] == "end once":
        start, length = head["groups"]
        say({}, shared[start:start + length])
    else:
        os.kill(os.getpid(), signal.SIGKILL)
)py";

class FunctionWorkerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("viand_worker_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / "worker") << kWorker;
    chmod((folder_ / "worker").c_str(), 0755);
    setenv("VIAND_PYTHON", (folder_ / "worker").c_str(), 1);
  }
  void TearDown() override {
    unsetenv("VIAND_PYTHON");
    std::filesystem::remove_all(folder_);
  }

  static std::shared_ptr<arrow::RecordBatch> Numbers(const char* name) {
    arrow::Int64Builder builder;
    EXPECT_TRUE(builder.AppendValues({7, 8, 9}).ok());
    const auto column = builder.Finish().ValueOrDie();
    return arrow::RecordBatch::Make(arrow::schema({arrow::field(name, arrow::int64())}), 3,
                                    {column});
  }
  /// A call whose groups have the schema of its results, so that they can be echoed.
  static FunctionBatch Call(const std::string& code) {
    const auto groups = Numbers("key");
    return {.function = "m:f",
            .code = code,
            .groups = groups,
            .rows = Numbers("group"),
            .results = groups->schema(),
            .where = {"views.yaml", 2, 1}};
  }
  static std::string Error(const std::string& code) {
    return RenderError(CallFunction(Call(code)).status());
  }

  std::filesystem::path folder_;
};

TEST_F(FunctionWorkerTest, TablesGoThereAndBack) {
  for (int i = 0; i < 3; ++i) {
    const auto result = CallFunction(Call("echo"));
    ASSERT_TRUE(result.ok()) << RenderError(result.status());
    EXPECT_TRUE((*result)->Equals(*Numbers("key")));
  }
}

TEST_F(FunctionWorkerTest, AKilledWorkerIsReplaced) {
  FunctionBatch call = Call("end once");
  call.function = (folder_ / "was_here").string();
  const auto result = CallFunction(call);
  ASSERT_TRUE(result.ok()) << RenderError(result.status());
  EXPECT_TRUE((*result)->Equals(*Numbers("key")));
}

TEST_F(FunctionWorkerTest, ErrorsSayWhatToDo) {
  EXPECT_EQ(Error("error"), "f.py:3:5: no\n  hint: do");
  EXPECT_EQ(
      Error("end"),
      "views.yaml:2:1: the process of the function m:f was killed by signal 9 (Killed), 3 "
      "times, over 3 rows of 3 groups from  on\n  hint: signal 9 is most often the system's, "
      "out of memory: use fewer threads, or less rows a call with $VIAND_FUNCTION_BATCH_ROWS");
  EXPECT_NE(Error("nonsense").find("its answer makes no sense"), std::string::npos);
  FunctionBatch other = Call("echo");
  other.results = arrow::schema({arrow::field("", arrow::float64())});
  EXPECT_NE(CallFunction(other).status().message().find("its answer does not fit the question"),
            std::string::npos);
  FunctionBatch shorter = Call("echo rows");
  shorter.rows = Numbers("key")->Slice(1);
  EXPECT_NE(CallFunction(shorter).status().message().find("its answer does not fit the question"),
            std::string::npos);
  EXPECT_FALSE(CallFunction(Call("no table")).ok());
  // A worker that answered nonsense is asked again for other calls.
  EXPECT_TRUE(CallFunction(Call("echo")).ok());
}

}  // namespace
}  // namespace viand::engine
