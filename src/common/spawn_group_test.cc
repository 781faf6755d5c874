#include "src/common/spawn_group.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

namespace viand {
namespace {

TEST(SpawnGroup, GivesDescriptorsWhateverTheirNumbersHereAre) {
  std::array<int, 2> one{}, two{};
  ASSERT_EQ(pipe2(one.data(), O_CLOEXEC), 0);
  ASSERT_EQ(pipe2(two.data(), O_CLOEXEC), 0);
  // Each goes where the other is: giving one first must not take the other's place.
  pid_t pid = 0;
  ASSERT_EQ(SpawnGroup({"sh", "-c",
                        "echo to-two >/proc/self/fd/" + std::to_string(one[1]) +
                            "; echo to-one >/proc/self/fd/" + std::to_string(two[1])},
                       {{-1, 0}, {two[1], one[1]}, {one[1], two[1]}}, &pid),
            0);
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
  const auto said = [](int descriptor) {
    std::array<char, 64> text{};
    return std::string(text.data(),
                       std::max<ssize_t>(read(descriptor, text.data(), text.size()), 0));
  };
  EXPECT_EQ(said(one[0]), "to-one\n");
  EXPECT_EQ(said(two[0]), "to-two\n");
  for (const int end : {one[0], one[1], two[0], two[1]}) close(end);
}

TEST(SpawnGroup, IsAGroupThatEndsTogether) {
  pid_t pid = 0;
  ASSERT_EQ(SpawnGroup({"sh", "-c", "sleep 100 & wait"}, {{-1, 0}}, &pid), 0);
  EXPECT_EQ(getpgid(pid), pid);
  EXPECT_EQ(kill(-pid, SIGKILL), 0);
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFSIGNALED(status));
}

TEST(SpawnGroup, TellsWhyNothingStarted) {
  pid_t pid = 0;
  EXPECT_EQ(SpawnGroup({"no-such-program-of-viand"}, {}, &pid), ENOENT);
  EXPECT_EQ(SpawnGroup({"true"}, {{1 << 20, 3}}, &pid), EBADF);
}

}  // namespace
}  // namespace viand
