#include "src/common/atomic_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "src/common/sha256.h"

namespace viand {
namespace {

namespace fs = std::filesystem;

class AtomicFileTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("viand-atomic-" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string Path(const std::string& name) const { return (folder_ / name).string(); }
  int64_t Entries() const { return std::distance(fs::directory_iterator(folder_), {}); }

  fs::path folder_;
};

TEST_F(AtomicFileTest, ReplacesWholeContent) {
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "one").ok());
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "two").ok());
  EXPECT_EQ(*ReadWholeFile(Path("a")), "two");
  EXPECT_EQ(Entries(), 1);
}

TEST_F(AtomicFileTest, LeavesNothingWithoutCommit) {
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "old").ok());
  {
    auto file = *AtomicFile::Create(Path("a"));
    std::ofstream(file.temporary_path()) << "half";
  }
  EXPECT_EQ(*ReadWholeFile(Path("a")), "old");
  EXPECT_EQ(Entries(), 1);
}

TEST_F(AtomicFileTest, RemovesTemporariesOfTheDeadOnly) {
  std::ofstream(Path("a.tmp.999999999.0")) << "left by a killed process";
  std::ofstream(Path("a.tmp." + std::to_string(getppid()) + ".0")) << "its process lives";
  std::ofstream(Path("report.tmp.old")) << "the user's own";
  ASSERT_TRUE(RemoveStaleTemporaries(folder_.string()).ok());
  EXPECT_EQ(Entries(), 2);
  EXPECT_FALSE(fs::exists(Path("a.tmp.999999999.0")));
}

TEST_F(AtomicFileTest, SwapsLinks) {
  ASSERT_TRUE(SwapSymlink(Path("current"), "one").ok());
  ASSERT_TRUE(SwapSymlink(Path("current"), "two").ok());
  EXPECT_EQ(fs::read_symlink(Path("current")), "two");
}

TEST_F(AtomicFileTest, NamesWhatCannotBeWrittenOrRead) {
  std::ofstream(Path("file")) << "x";
  EXPECT_NE(WriteFileAtomically(Path("file/below"), "x").message().find(Path("file")),
            std::string::npos);
  EXPECT_NE(ReadWholeFile(Path("missing")).status().message().find("missing"), std::string::npos);
  EXPECT_FALSE(ReadWholeFile(Path("file"), 0).ok());
}

TEST(Sha256Test, KnownDigests) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 one, two;
  one.UpdateField("ab"), one.UpdateField("c");
  two.UpdateField("a"), two.UpdateField("bc");
  EXPECT_NE(one.HexDigest(), two.HexDigest());
}

}  // namespace
}  // namespace viand
