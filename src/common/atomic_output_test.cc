#include "src/common/atomic_output.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/io/file.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <random>

#include "src/common/parquet_output.h"

namespace viand {
namespace {

namespace fs = std::filesystem;

/// Bounds the size of files while it lives: a write beyond fails as on a full disk.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) : handler_(signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_ = {};
  void (*const handler_)(int);
};

class AtomicOutputTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("viand-output-" + std::to_string(getpid()));
    fs::create_directories(folder_);
    path_ = (folder_ / "rows").string();
  }
  void TearDown() override { fs::remove_all(folder_); }
  int64_t Entries() const { return std::distance(fs::directory_iterator(folder_), {}); }
  std::string TooLarge() const {
    return "cannot write " + path_ +
           ": File too large\n  hint: a limit bounds the size of files (ulimit -f, or the file "
           "system's): raise it, then run the command again; nothing was half-written";
  }

  fs::path folder_;
  std::string path_;
};

TEST_F(AtomicOutputTest, AppearsWholeAtCommit) {
  const auto output = *AtomicOutput::Open(path_);
  ASSERT_TRUE(output->Write("one ", 4).ok());
  ASSERT_TRUE(output->Write("two", 3).ok());
  EXPECT_EQ(*output->Tell(), 7);
  EXPECT_FALSE(fs::exists(path_));
  EXPECT_EQ(*output->Commit(), 7);
  EXPECT_TRUE(output->closed());
  EXPECT_EQ(*ReadWholeFile(path_), "one two");
  EXPECT_EQ(Entries(), 1);
}

TEST_F(AtomicOutputTest, WhatItReplacesStaysWholeUntilThenAndForWhoeverReadsIt) {
  constexpr int64_t kBytes = 20 << 20;
  const std::string old(kBytes, 'o'), other(kBytes, 'n');
  ASSERT_TRUE(WriteFileAtomically(path_, old).ok());
  const auto reader = *arrow::io::ReadableFile::Open(path_);
  const auto write = [&] {
    auto output = *AtomicOutput::Open(path_);
    for (int64_t at = 0; at < kBytes; at += 1 << 20)
      EXPECT_TRUE(output->Write(other.data() + at, 1 << 20).ok());
    return output;
  };
  write().reset();
  EXPECT_EQ(*ReadWholeFile(path_), old);
  ASSERT_TRUE(write()->Commit().ok());
  EXPECT_EQ(*ReadWholeFile(path_), other);
  EXPECT_EQ(std::string_view(**reader->Read(kBytes)), old);
  EXPECT_EQ(Entries(), 1);
}

TEST_F(AtomicOutputTest, TheFirstFailureStaysAndIsExplained) {
  const FileLimit limit(1000);
  {
    const auto output = *AtomicOutput::Open(path_);
    const std::string bytes(5000, 'x');
    EXPECT_EQ(RenderError(output->Write(bytes.data(), 5000)), TooLarge());
    EXPECT_EQ(RenderError(output->Write("x", 1)), TooLarge());
    EXPECT_EQ(RenderError(output->Check(arrow::Status::OK())), TooLarge());
    EXPECT_EQ(RenderError(output->Check(arrow::Status::IOError("some writer failed"))), TooLarge());
    EXPECT_EQ(RenderError(output->Commit().status()), TooLarge());
  }
  EXPECT_EQ(Entries(), 0);
}

TEST_F(AtomicOutputTest, ChecksOfWritersNameTheFile) {
  const auto output = *AtomicOutput::Open(path_);
  EXPECT_TRUE(output->Check(arrow::Status::OK()).ok());
  const auto other = output->Check(arrow::Status::Invalid("no such type"));
  EXPECT_EQ(RenderError(other), "cannot write " + path_ + ": no such type");
  const auto own = MakeError(ErrorKind::kConflict, "as it is");
  EXPECT_TRUE(output->Check(own).Equals(own));
}

TEST_F(AtomicOutputTest, EveryReasonHasItsHint) {
  const auto error = [](int number) { return RenderError(WriteError("a/b", number)); };
  EXPECT_EQ(error(ENOSPC),
            "cannot write a/b: No space left on device\n  hint: free some disk space, then run the "
            "command again; nothing was half-written");
  EXPECT_EQ(error(EROFS),
            "cannot write a/b: Read-only file system\n  hint: check that the folder is writable");
  EXPECT_EQ(error(EIO),
            "cannot write a/b: Input/output error\n  hint: the disk failed; its kernel log (dmesg) "
            "says more, and nothing was half-written");
  EXPECT_EQ(error(EISDIR), "cannot write a/b: Is a directory");
}

std::shared_ptr<arrow::Table> Numbers(int64_t rows) {
  std::mt19937_64 random(1);
  arrow::Int64Builder builder;
  for (int64_t row = 0; row < rows; ++row)
    EXPECT_TRUE(builder.Append(static_cast<int64_t>(random())).ok());
  return arrow::Table::Make(arrow::schema({arrow::field("n", arrow::int64())}),
                            {*builder.Finish()});
}

TEST_F(AtomicOutputTest, ParquetIsReadBackAsItWas) {
  const auto table = Numbers(1000);
  ASSERT_TRUE(WriteParquet(table, path_).ok());
  auto reader = *parquet::arrow::OpenFile(*arrow::io::ReadableFile::Open(path_),
                                          arrow::default_memory_pool());
  EXPECT_TRUE((*reader->ReadTable())->Equals(*table));
  EXPECT_EQ(Entries(), 1);
}

TEST_F(AtomicOutputTest, ParquetThatDoesNotFitSaysWhyAndLeavesNothing) {
  ASSERT_TRUE(WriteParquet(Numbers(10), path_).ok());
  const auto before = fs::file_size(path_);
  const FileLimit limit(10'000);
  EXPECT_EQ(RenderError(WriteParquet(Numbers(100'000), path_)), TooLarge());
  EXPECT_EQ(fs::file_size(path_), before);
  EXPECT_EQ(Entries(), 1);
  // What is buffered until the file's end fails there.
  EXPECT_EQ(RenderError(WriteParquet(Numbers(2'000), path_)), TooLarge());
  EXPECT_EQ(Entries(), 1);
}

}  // namespace
}  // namespace viand
