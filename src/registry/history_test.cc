#include "src/registry/history.h"

#include <gtest/gtest.h>

#include "feast/core/feature_view.pb.h"
#include "src/registry/plan.h"
#include "src/registry/registry.h"
#include "src/registry/testing/test_backend.h"
#include "src/registry/view_version.h"

namespace viand::registry {
namespace {

// What was applied is kept alike on every backend.
class HistoryTest : public testing::TestWithParam<BackendKind> {
 protected:
  HistoryTest() : backend_(GetParam()), repo_(backend_.repo), registry_(backend_.Open()) {}

  void Apply() {
    const auto snapshot = registry_->Read();
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
    const auto plan = repo_.MakePlan(**snapshot);
    ASSERT_TRUE(plan.ok()) << plan.status();
    const auto status = registry_->Apply(*plan);
    ASSERT_TRUE(status.ok()) << status;
  }

  static std::string RowsOf(const std::string& content) {
    feast::core::FeatureView view;
    EXPECT_TRUE(view.ParseFromString(content));
    return view.spec().batch_source().file_options().uri();
  }

  TestBackend backend_;
  SmallRepo& repo_;
  std::unique_ptr<Registry> registry_;
};

INSTANTIATE_TEST_SUITE_P(Backends, HistoryTest, AllBackends(), BackendName);

TEST_P(HistoryTest, NothingWasAppliedYet) {
  EXPECT_TRUE(registry_->Revisions(ObjectKind::kModel, "closing").ValueOrDie().empty());
  EXPECT_TRUE(registry_->ViewVersions("shop_sales").ValueOrDie().empty());
}

TEST_P(HistoryTest, EachVersionIsKeptAndOldOnesHaveRowsOfTheirOwn) {
  Apply();
  repo_.view("shop_sales")->features[0].expr.text = "max(price)";
  Apply();
  repo_.view("shop_sales")->description = "Words make no version";
  Apply();
  repo_.view("shop_sales")->features[0].expr.text = "min(price)";
  Apply();
  const auto versions = registry_->ViewVersions("shop_sales").ValueOrDie();
  ASSERT_EQ(versions.size(), 3u);
  const std::string folder = repo_.config.root + "/data/offline/shop_sales";
  EXPECT_EQ(RowsOf(versions[0].content), folder + "@v0/current/*.parquet");
  EXPECT_EQ(RowsOf(versions[1].content), folder + "@v1/current/*.parquet");
  EXPECT_EQ(RowsOf(versions[2].content), folder + "/current/*.parquet");
  // A version ends as it was last: with the words that it got meanwhile.
  feast::core::FeatureView ended;
  ASSERT_TRUE(ended.ParseFromString(versions[1].content));
  EXPECT_EQ(ended.spec().description(), "Words make no version");
  const auto revisions = registry_->Revisions(ObjectKind::kFeatureView, "shop_sales").ValueOrDie();
  ASSERT_EQ(revisions.size(), 4u);
  for (size_t i = 0; i < revisions.size(); ++i) EXPECT_EQ(revisions[i].number, static_cast<int>(i));
  EXPECT_EQ(VersionOf("shop_sales", *revisions[2].content).ValueOrDie(), 1);
  EXPECT_EQ(VersionOf("shop_sales", *revisions[3].content).ValueOrDie(), 2);
}

TEST_P(HistoryTest, RemovedObjectsKeepTheirRevisions) {
  Apply();
  repo_.definitions->models.clear();
  Apply();
  const auto revisions = registry_->Revisions(ObjectKind::kModel, "closing").ValueOrDie();
  ASSERT_EQ(revisions.size(), 2u);
  EXPECT_TRUE(revisions[0].content.has_value());
  EXPECT_FALSE(revisions[1].content.has_value());
  EXPECT_GE(revisions[1].applied_us, revisions[0].applied_us);
}

}  // namespace
}  // namespace viand::registry
