#include "src/common/path_pattern.h"

#include <gtest/gtest.h>

namespace viand {
namespace {

bool Fits(std::string_view path, std::string_view pattern) {
  return FitsPath(NamesOfPath(path), NamesOfPath(pattern));
}

TEST(PathPattern, StarsAndQuestionMarksStayWithinAName) {
  EXPECT_TRUE(FitsName("part-0.parquet", "*.parquet"));
  EXPECT_TRUE(FitsName("part-0.parquet", "p*-?.par*"));
  EXPECT_TRUE(FitsName("abcabc", "*abc"));
  EXPECT_FALSE(FitsName("abcab", "*abc"));
  EXPECT_FALSE(FitsName("part-10.parquet", "part-?.parquet"));
  EXPECT_TRUE(FitsName("", "*"));
  EXPECT_TRUE(Fits("a/b.parquet", "a/*.parquet"));
  EXPECT_FALSE(Fits("a/c/b.parquet", "a/*.parquet"));
}

TEST(PathPattern, ClassesAreOneCharacterOfSome) {
  EXPECT_TRUE(FitsName("2011-03", "2011-0[1-6]"));
  EXPECT_FALSE(FitsName("2011-07", "2011-0[1-6]"));
  EXPECT_TRUE(FitsName("b", "[!a]"));
  EXPECT_FALSE(FitsName("a", "[!a]"));
  EXPECT_TRUE(FitsName("]", "[]]"));
  EXPECT_TRUE(FitsName("-", "[a-]"));
  EXPECT_TRUE(FitsName("a[b", "a[b")) << "nothing closes it";
}

TEST(PathPattern, TwoStarsAreAnyFolders) {
  EXPECT_TRUE(Fits("x.parquet", "**/*.parquet"));
  EXPECT_TRUE(Fits("a/b/x.parquet", "**/*.parquet"));
  EXPECT_TRUE(Fits("a/b/c/x", "a/**/x"));
  EXPECT_TRUE(Fits("a/x", "a/**/x"));
  EXPECT_FALSE(Fits("b/x", "a/**/x"));
  EXPECT_TRUE(Fits("a/b/x", "a/**"));
}

TEST(PathPattern, BracesAreOneOfSomeTexts) {
  using Paths = std::vector<std::string>;
  EXPECT_EQ(ExpandBraces("a/{x,y}/b{1,2}"), (Paths{"a/x/b1", "a/x/b2", "a/y/b1", "a/y/b2"}));
  EXPECT_EQ(ExpandBraces("{a,b{c,}}"), (Paths{"a", "bc", "b"}));
  EXPECT_EQ(ExpandBraces("{a}{,b"), (Paths{"{a}{,b"}));
  EXPECT_EQ(ExpandBraces("{a}{b,c}"), (Paths{"{a}b", "{a}c"}));
}

TEST(PathPattern, HiddenNamesFitOnlyWhatSaysSo) {
  EXPECT_FALSE(FitsName("_SUCCESS", "*"));
  EXPECT_FALSE(FitsName(".x.parquet", "*.parquet"));
  EXPECT_TRUE(FitsName("_delta", "_*"));
  EXPECT_FALSE(Fits("a/_temporary/x", "a/**/x"));
}

}  // namespace
}  // namespace viand
