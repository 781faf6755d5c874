#include "src/common/error.h"

#include <gtest/gtest.h>

namespace viand {
namespace {

TEST(Error, RendersPlaceMessageAndHint) {
  const auto status =
      ErrorAt({"a.yaml", 3, 7}, ErrorKind::kDefinition, "unknown entity \"custmer\"",
              DidYouMean("custmer", {"store", "customer"}));
  EXPECT_EQ(RenderError(status),
            "a.yaml:3:7: unknown entity \"custmer\"\n  hint: did you mean \"customer\"?");
  EXPECT_EQ(ExitCodeOf(status), 1);
}

TEST(Error, KindDecidesExitCode) {
  EXPECT_EQ(ExitCodeOf(arrow::Status::OK()), 0);
  EXPECT_EQ(ExitCodeOf(MakeError(ErrorKind::kUsage, "x")), 2);
  EXPECT_EQ(ExitCodeOf(MakeError(ErrorKind::kCancelled, "x")), 130);
  EXPECT_EQ(ExitCodeOf(arrow::Status::IOError("x")), 1);
  EXPECT_EQ(KindOf(arrow::Status::IOError("x")), ErrorKind::kEnvironment);
}

TEST(Error, ContextKeepsKindAndHint) {
  const auto status = WithContext(MakeError(ErrorKind::kConflict, "changed", "again"), "apply: ");
  EXPECT_EQ(RenderError(status), "apply: changed\n  hint: again");
  EXPECT_EQ(KindOf(status), ErrorKind::kConflict);
}

TEST(Error, SuggestsOnlyWhatIsNear) {
  EXPECT_EQ(DidYouMean("customer_rfm_feature", {"customer_rfm_features", "other"}),
            "did you mean \"customer_rfm_features\"?");
  EXPECT_EQ(DidYouMean("zebra", {"customer", "store"}), "");
  EXPECT_EQ(DidYouMean("SUM", {"sum"}), "did you mean \"sum\"?");
  EXPECT_EQ(DidYouMean("trian", {"run", "train"}), "did you mean \"train\"?");
}

TEST(Error, SuggestsThePlural) {
  EXPECT_EQ(DidYouMean("entity", {"name", "entities"}), "did you mean \"entities\"?");
  EXPECT_EQ(DidYouMean("entities", {"entity"}), "did you mean \"entity\"?");
}

TEST(Error, ListsNamesWhereNoneIsNear) {
  EXPECT_EQ(NearestOrAll("amuont", {"kind", "amount"}, "columns are "), "did you mean \"amount\"?");
  EXPECT_EQ(NearestOrAll("price", {"kind", "amount"}, "columns are "), "columns are kind, amount");
  EXPECT_EQ(NearestOrAll("price", {}, "columns are "), "there is none");
  std::vector<std::string> many(20, "c");
  EXPECT_EQ(NearestOrAll("price", many, ""), "c, c, c, c, c, c, c, c, c, c, c, c and 8 more");
  EXPECT_EQ(NearestOrAll("price", {"a\x1b[2J"}, ""), "a\\x1b[2J");
}

TEST(Error, PrintsNoControlCharacters) {
  EXPECT_EQ(Printable("plain, ü, 漢\n\tx"), "plain, ü, 漢\n\tx");
  EXPECT_EQ(Printable(std::string_view("\x1b[31m\x00\x7f\xff\xc3", 9)),
            "\\x1b[31m\\x00\\x7f\\xff\\xc3");
}

}  // namespace
}  // namespace viand
