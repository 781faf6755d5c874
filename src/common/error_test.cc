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

}  // namespace
}  // namespace viand
