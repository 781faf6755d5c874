#include "src/registry/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "src/registry/testing/small_repo.h"

namespace viand::registry {
namespace {

class PlanTest : public testing::Test {
 protected:
  PlanTest() : repo_(folder_.path()), registry_(*Registry::Open(repo_.config)) {}

  Plan MakePlan() {
    const auto snapshot = registry_->Read();
    EXPECT_TRUE(snapshot.ok()) << snapshot.status();
    auto plan = repo_.MakePlan(**snapshot);
    EXPECT_TRUE(plan.ok()) << plan.status();
    return plan.ok() ? *plan : Plan();
  }

  void Apply() {
    const auto status = registry_->Apply(MakePlan());
    ASSERT_TRUE(status.ok()) << status;
  }

  /// "action kind name: path: before -> after; ..." of every change with an effect.
  static std::vector<std::string> Text(const Plan& plan) {
    static constexpr const char* kActions[] = {"add", "change", "remove", "unchanged", "drift"};
    std::vector<std::string> lines;
    for (const Change& change : plan.changes) {
      if (change.action == ChangeAction::kUnchanged) continue;
      std::string line = std::string(kActions[static_cast<int>(change.action)]) + " " +
                         KindName(change.kind) + " " + change.name;
      for (const FieldChange& field : change.fields)
        line += "; " + field.path + ": " + field.before + " -> " + field.after;
      lines.push_back(line);
    }
    return lines;
  }

  static const Change& Find(const Plan& plan, const std::string& name, ObjectKind kind) {
    const auto found = std::find_if(plan.changes.begin(), plan.changes.end(), [&](const Change& c) {
      return c.name == name && c.kind == kind;
    });
    EXPECT_NE(found, plan.changes.end()) << name;
    return *found;
  }

  static bool HasWarning(const Plan& plan, const std::string& part) {
    return std::any_of(plan.warnings.begin(), plan.warnings.end(), [&](const std::string& warning) {
      return warning.find(part) != std::string::npos;
    });
  }

  using Lines = std::vector<std::string>;
  ScratchFolder folder_;
  SmallRepo repo_;
  std::unique_ptr<Registry> registry_;
};

TEST_F(PlanTest, FirstPlanAddsEverythingInOrderAndCreatesNothing) {
  const Plan plan = MakePlan();
  EXPECT_EQ(Text(plan), (Lines{"add project shops", "add entity shop", "add data source sales",
                               "add feature view shop_facts", "add feature view shop_sales",
                               "add feature service for_closing", "add dataset sales",
                               "add snapshots weekly", "add labels closes", "add model closing"}));
  EXPECT_FALSE(plan.HasRemoval() || plan.HasBreaking());
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/data"));
}

TEST_F(PlanTest, AppliedPlanLeavesNothingToDo) {
  Apply();
  const Plan again = MakePlan();
  EXPECT_EQ(Text(again), Lines{});
  EXPECT_EQ(again.changes.size(), 10u);
  EXPECT_FALSE(again.HasEffect());
}

TEST_F(PlanTest, ChangedExpressionIsSaidOnceInTheDefinitionsWords) {
  Apply();
  repo_.view("shop_sales")->features[0].expr.text = "sum(price where price > 0)";
  const Plan plan = MakePlan();
  EXPECT_EQ(Text(plan), (Lines{"change feature view shop_sales; features.total.expr: sum(price) -> "
                               "sum(price where price > 0)"}));
  EXPECT_FALSE(plan.HasBreaking());
  EXPECT_EQ(Find(plan, "shop_sales", ObjectKind::kFeatureView).dependants,
            (Lines{"labels closes", "feature service for_closing", "model closing"}));
}

TEST_F(PlanTest, ChangedTypeIsBreaking) {
  Apply();
  repo_.types["total"] = arrow::int64();
  const Plan plan = MakePlan();
  EXPECT_TRUE(plan.HasBreaking());
  EXPECT_EQ(Text(plan).front(),
            "change feature view shop_sales; features.total.value_type: DOUBLE -> INT64");
  EXPECT_EQ(Find(plan, "shop_sales", ObjectKind::kFeatureView).why_breaking,
            "the type of feature \"total\" changes from DOUBLE to INT64");
}

TEST_F(PlanTest, RemovedFeatureIsBreakingForViewAndService) {
  Apply();
  repo_.view("shop_sales")->features.pop_back();
  const Plan plan = MakePlan();
  EXPECT_EQ(Find(plan, "shop_sales", ObjectKind::kFeatureView).why_breaking,
            "feature \"items\" is removed");
  EXPECT_EQ(Find(plan, "for_closing", ObjectKind::kFeatureService).why_breaking,
            "feature \"shop_sales:items\" is removed");
}

TEST_F(PlanTest, AddedFeatureIsNotBreaking) {
  Apply();
  repo_.view("shop_sales")->features.push_back(SmallRepo::Computed("largest", "max(price)"));
  const Plan plan = MakePlan();
  EXPECT_FALSE(plan.HasBreaking());
  EXPECT_EQ(Text(plan).size(), 2u);  // the view, and the service that has all of its features
}

TEST_F(PlanTest, OtherEntityTypeAndJoinKeyAreBreaking) {
  Apply();
  repo_.definitions->entities[0].value_types = {"STRING"};
  EXPECT_EQ(Find(MakePlan(), "shop", ObjectKind::kEntity).why_breaking,
            "the type of the entity changes from INT64 to STRING");
  repo_.definitions->entities[0].join_keys = {"branch"};
  EXPECT_EQ(Find(MakePlan(), "shop", ObjectKind::kEntity).why_breaking,
            "the join key changes from shop_id to branch; the type of the entity changes from "
            "INT64 to STRING");
  EXPECT_EQ(Find(MakePlan(), "shop_sales", ObjectKind::kFeatureView).why_breaking,
            "the join keys change from shop_id to branch");
}

TEST_F(PlanTest, LaterGridEndAddsCutoffs) {
  Apply();
  repo_.grids["weekly"] = SmallRepo::WeeklyGrid(10);
  const Plan plan = MakePlan();
  EXPECT_EQ(Text(plan), (Lines{"change snapshots weekly; end: 1970-03-12 00:00:00 -> 1970-03-19 "
                               "00:00:00; cutoffs: 9 -> 10"}));
  EXPECT_FALSE(plan.HasBreaking());
}

TEST_F(PlanTest, ShiftedGridIsBreaking) {
  Apply();
  for (int64_t& cutoff_us : repo_.grids["weekly"].cutoffs_us) cutoff_us += kMicrosPerDay;
  const Plan plan = MakePlan();
  EXPECT_EQ(Find(plan, "weekly", ObjectKind::kSnapshots).why_breaking,
            "9 of 9 recorded cutoffs are dropped or shifted, the first 1970-01-08 00:00:00");
}

TEST_F(PlanTest, UnknownGridKeepsTheRecordedOne) {
  Apply();
  repo_.grids.clear();
  EXPECT_FALSE(MakePlan().HasEffect());
  const auto grids = RecordedGrids(**registry_->Read());
  ASSERT_TRUE(grids.ok());
  EXPECT_EQ(grids->at("weekly").cutoffs_us, SmallRepo::WeeklyGrid(9).cutoffs_us);
  EXPECT_EQ(grids->at("weekly").end_us, SmallRepo::WeeklyGrid(9).end_us);
}

TEST_F(PlanTest, RemovedObjectsAreRemovals) {
  Apply();
  repo_.definitions->models.clear();
  repo_.definitions->feature_services.clear();
  const Plan plan = MakePlan();
  EXPECT_EQ(Text(plan), (Lines{"remove feature service for_closing", "remove model closing"}));
  EXPECT_TRUE(plan.HasRemoval());
  EXPECT_FALSE(plan.HasBreaking());
  Apply();
  EXPECT_FALSE(MakePlan().HasEffect());
}

TEST_F(PlanTest, TypesUnknownBeforeIngestChangeNothingThatIsStored) {
  repo_.before_ingest = true;
  EXPECT_TRUE(HasWarning(MakePlan(), "known only after ingest"));
  Apply();
  repo_.before_ingest = false;
  const Plan typed = MakePlan();
  EXPECT_TRUE(typed.HasEffect());
  EXPECT_FALSE(typed.HasBreaking());
  Apply();
  repo_.before_ingest = true;
  EXPECT_FALSE(MakePlan().HasEffect());
}

TEST_F(PlanTest, WarnsAsValidationDoesAndOfViewsThatFeastCannotRead) {
  EXPECT_TRUE(MakePlan().warnings.empty());
  repo_.warnings = {"a warning of validation"};
  EXPECT_TRUE(HasWarning(MakePlan(), "a warning of validation"));
  repo_.view("shop_sales")->snapshots.reset();
  EXPECT_TRUE(HasWarning(MakePlan(), "computed at retrieval by viand alone"));
}

TEST_F(PlanTest, DocumentationIsAChangeOfItsOwn) {
  Apply();
  repo_.view("shop_sales")->description = "What a shop sells";
  repo_.view("shop_sales")->features[0].expr.text = "max(price)";
  repo_.definitions->models[0].description = "Will it close?";
  EXPECT_EQ(Text(MakePlan()),
            (Lines{"change feature view shop_sales; features.total.expr: sum(price) -> max(price); "
                   "description:  -> What a shop sells",
                   "change model closing; description:  -> Will it close?"}));
}

TEST_F(PlanTest, SeveralJoinKeysMakeSeveralFeastEntities) {
  repo_.definitions->entities[0].join_keys = {"shop_id", "country"};
  repo_.definitions->entities[0].value_types = {"INT64", "STRING"};
  const auto lines = Text(MakePlan());
  EXPECT_NE(std::find(lines.begin(), lines.end(), "add entity shop__country"), lines.end());
}

TEST_F(PlanTest, TooLongNameIsRefused) {
  repo_.definitions->models[0].name = std::string(256, 'm');
  const auto plan = repo_.MakePlan(**registry_->Read());
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(KindOf(plan.status()), ErrorKind::kDefinition);
  EXPECT_NE(plan.status().message().find("256 bytes; the registry holds at most 255"),
            std::string::npos);
}

}  // namespace
}  // namespace viand::registry
