#include "src/common/memory_size.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace viand {
namespace {

constexpr int64_t kGib = int64_t{1} << 30;

TEST(MemorySize, ReadsWhatPeopleWrite) {
  const auto bytes = [](std::string_view text) { return *ParseMemorySize(text, 10 * kGib); };
  EXPECT_EQ(bytes("512MB"), 512000000);
  EXPECT_EQ(bytes("512mib"), 512 << 20);
  EXPECT_EQ(bytes("2GiB"), 2 * kGib);
  EXPECT_EQ(bytes(" 2 G "), 2 * kGib);
  EXPECT_EQ(bytes("1.5GiB"), kGib * 3 / 2);
  EXPECT_EQ(bytes("1073741824"), kGib);
  EXPECT_EQ(bytes("50%"), 5 * kGib);
  EXPECT_EQ(bytes(""), 6 * kGib);
  EXPECT_EQ(*ParseMemorySize("", 1 << 20), kLeastMemoryBytes);
}

TEST(MemorySize, RefusesWhatIsNone) {
  for (const char* text : {"much", "12XB", "-1GiB", "101%", "1e99", "nan", "inf", "1 2GB", "%"}) {
    const auto parsed = ParseMemorySize(text, kGib);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(KindOf(parsed.status()), ErrorKind::kUsage);
  }
  EXPECT_EQ(RenderError(ParseMemorySize("12XB", kGib).status()),
            "--memory \"12XB\" is no amount of memory\n"
            "  hint: write 512MB, 2GiB, 60% (of the memory that there is) or a number of bytes");
  EXPECT_EQ(RenderError(ParseMemorySize("10MB", kGib).status()),
            "--memory 10MB is 10000000 bytes: too little to work with\n"
            "  hint: give at least 256MB");
}

class FakeRoot {
 public:
  FakeRoot() : path_(::testing::TempDir() + "memory_size_root") {
    std::filesystem::remove_all(path_);
  }
  ~FakeRoot() { std::filesystem::remove_all(path_); }
  void Write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(path_ + file).parent_path());
    std::ofstream(path_ + file) << text;
  }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

TEST(MemorySize, FindsTheLimitOfACgroup) {
  const FakeRoot root;
  root.Write("/proc/meminfo", "MemTotal:       4194304 kB\nMemFree: 1 kB\n");
  EXPECT_EQ(AvailableMemoryBytes(root.path()), 4 * kGib);
  root.Write("/proc/self/cgroup", "0::/a/b\n");
  root.Write("/sys/fs/cgroup/a/b/memory.max", "max\n");
  EXPECT_EQ(AvailableMemoryBytes(root.path()), 4 * kGib);
  root.Write("/sys/fs/cgroup/a/memory.max", "2147483648\n");
  EXPECT_EQ(AvailableMemoryBytes(root.path()), 2 * kGib);
  // Within a container the group is the root of what one sees.
  root.Write("/sys/fs/cgroup/memory.max", "1073741824\n");
  EXPECT_EQ(AvailableMemoryBytes(root.path()), kGib);
  root.Write("/proc/self/cgroup", "5:cpu,memory:/job\n1:pids:/\n");
  EXPECT_EQ(AvailableMemoryBytes(root.path()), 4 * kGib);
  root.Write("/sys/fs/cgroup/memory/job/memory.limit_in_bytes", "3221225472\n");
  EXPECT_EQ(AvailableMemoryBytes(root.path()), 3 * kGib);
}

TEST(MemorySize, KnowsThisMachine) { EXPECT_GT(AvailableMemoryBytes(), kLeastMemoryBytes); }

}  // namespace
}  // namespace viand
