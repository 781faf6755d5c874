#include "src/common/child_output.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace viand {
namespace {

ChildOutput Shell(const std::string& text, double timeout_seconds = 60, size_t limit = 1 << 20) {
  auto said = RunForOutput({{"sh", "-c", text}, timeout_seconds, limit});
  EXPECT_TRUE(said.ok()) << said.status();
  return said.ValueOr(ChildOutput{});
}

TEST(ChildOutput, KeepsWhatIsSaidAndHowItEnds) {
  const ChildOutput said = Shell("cat; echo out; echo error >&2; exit 3");
  EXPECT_EQ(said.standard_output, "out\n");
  EXPECT_EQ(said.standard_error, "error\n");
  EXPECT_EQ(said.exit_code, 3);
}

TEST(ChildOutput, TellsASignalAndAProgramThatIsNotThere) {
  EXPECT_EQ(Shell("kill -9 $$").signal, 9);
  const auto said = RunForOutput({{"no-such-program-of-viand"}});
  ASSERT_TRUE(said.ok());
  EXPECT_EQ(said->start_error, ENOENT);
}

TEST(ChildOutput, EndsWhatTakesTooLong) {
  // The grandchild holds the stream open, too.
  const ChildOutput said = Shell("echo begun; sleep 1000 & sleep 1000", 0.3);
  EXPECT_TRUE(said.timed_out);
  EXPECT_EQ(said.standard_output, "begun\n");
}

TEST(ChildOutput, DoesNotWaitForWhatTheChildLeavesRunning) {
  const ChildOutput said = Shell("echo answer; exec >&-; sleep 20 & exit 4");
  EXPECT_FALSE(said.timed_out);
  EXPECT_EQ(said.standard_output, "answer\n");
  EXPECT_EQ(said.exit_code, 4);
}

TEST(ChildOutput, EndsWhatSaysTooMuch) {
  EXPECT_TRUE(Shell("while true; do echo 0123456789abcdef; done", 60, 100'000).beyond_limit);
}

TEST(ChildOutput, KeepsTheEndOfLongErrors) {
  const ChildOutput said =
      Shell("i=0; while [ $i -lt 30000 ]; do echo 0123456789 >&2; i=$((i+1)); done; echo end >&2");
  EXPECT_LE(said.standard_error.size(), size_t{128} << 10);
  EXPECT_TRUE(said.standard_error.ends_with("end\n"));
}

}  // namespace
}  // namespace viand
