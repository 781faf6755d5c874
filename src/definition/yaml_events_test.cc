#include "src/definition/yaml_events.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "src/common/test_rounds.h"
#include "src/definition/testing/recorded_events.h"

namespace viand::definition {
namespace {

TEST(YamlEvents, AreThoseOfYamlCpp) {
  for (const char* text :
       {"a: 1\n", "a: [1, two, \"three: x\", 'it''s']\n", "- {a: b, c: {d: [e]}}\n- f\n",
        "a:\n- b\n- c: d\n  e: ~\n", "# nothing\n", "", "---\na: b\n", "a: plain text\nb: null\n",
        "\"quoted key\": 'v'  # comment\n", "? a\n: b\n", "a: count(* where not x)\nb: x #y\n",
        "a: {}\nb: []\n"}) {
    EXPECT_EQ(FastEvents(text), YamlCppEvents(text)) << text;
  }
}

TEST(YamlEvents, LeaveToYamlCppWhatTheTwoReadDifferently) {
  for (const char* text :
       {"a:\n", "a: !int 1\n", "%YAML 1.1\n---\na: 1\n", "a: \xc3\xa9\n", "a: 1\r\n", "a\t: 1\n",
        "a: 1\n---\nb: 2\n", "a: 1\n...\n", "a: *b\n", "b: &b {x: 1}\nc: *b\n", "- &ba:base: e\n",
        "a: [1\n", "a: \"open\n", "a: |\n  block\n", "a: two\n  lines\n", "{a: b?c}\n"}) {
    EXPECT_EQ(FastEvents(text), "unsure") << text;
  }
}

// Lines of definitions, cut and pasted at random: whatever libyaml is sure of, yaml-cpp reads so
// too.
TEST(YamlEvents, AgreeOnRandomTexts) {
  const std::vector<std::string> pieces = {"entities:",
                                           "  - name: user",
                                           "  - {name: a, join_keys: [b]}",
                                           "    join_keys: [user_id]",
                                           "- x",
                                           "-",
                                           "a: b",
                                           "  a: 'b c'",
                                           "[",
                                           "]",
                                           "{",
                                           "}",
                                           ", ",
                                           ": ",
                                           "\"q\"",
                                           " ",
                                           "\n",
                                           "\n  ",
                                           "\n    ",
                                           "# note",
                                           "&x ",
                                           "*x",
                                           "|",
                                           ">",
                                           "  text",
                                           "?",
                                           "null",
                                           "~",
                                           "!t ",
                                           "?",
                                           "k: |\n   t"};
  std::mt19937 random(5);
  int sure = 0;
  for (int round = 0; round < TestRounds(20000); ++round) {
    std::string text;
    for (int i = random() % 12; i >= 0; --i) {
      text += pieces[random() % pieces.size()];
      if (random() % 2 == 0) text += "\n";
    }
    const std::string fast = FastEvents(text);
    if (fast == "unsure") continue;
    ++sure;
    ASSERT_EQ(fast, YamlCppEvents(text)) << text;
  }
  EXPECT_GT(sure, 1000);
}

}  // namespace
}  // namespace viand::definition
