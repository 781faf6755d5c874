#include "src/registry/registry.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <iostream>

#include "feast/core/feature_view.pb.h"
#include "src/registry/plan.h"
#include "src/registry/testing/test_backend.h"

namespace viand::registry {
namespace {

// What holds on every backend.
class RegistryTest : public testing::TestWithParam<BackendKind> {
 protected:
  RegistryTest() : backend_(GetParam()), repo_(backend_.repo), registry_(backend_.Open()) {}

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

  feast::core::FeatureView StoredView(const std::string& name) {
    feast::core::FeatureView view;
    EXPECT_TRUE(
        view.ParseFromString((*registry_->Read())->Find(ObjectKind::kFeatureView, name)->content));
    return view;
  }

  std::vector<std::string> Query(const std::string& sql) { return backend_.Query(sql); }
  void StoreView(const std::string& name, const std::string& bytes) {
    backend_.StoreView(name, bytes);
  }

  using Rows = std::vector<std::string>;
  TestBackend backend_;
  SmallRepo& repo_;
  std::unique_ptr<Registry> registry_;
};

INSTANTIATE_TEST_SUITE_P(Backends, RegistryTest, AllBackends(), BackendName);

// Objects are rows of their own, so that one that is damaged spoils no other.
class SqlRegistryTest : public RegistryTest {};

INSTANTIATE_TEST_SUITE_P(Backends, SqlRegistryTest,
                         testing::Values(BackendKind::kSqlite, BackendKind::kPostgres),
                         BackendName);

// A view as Feast would store it, with nothing but its name.
std::string ForeignView(const std::string& name) {
  feast::core::FeatureView view;
  view.mutable_spec()->set_name(name);
  view.mutable_spec()->set_project("shops");
  return view.SerializeAsString();
}

TEST_P(RegistryTest, MissingRegistryReadsAsEmpty) {
  const auto snapshot = registry_->Read();
  ASSERT_TRUE(snapshot.ok());
  EXPECT_FALSE((*snapshot)->exists);
}

TEST_P(RegistryTest, ViewsAreStoredAsPlainFeastViews) {
  Apply();
  const auto view = StoredView("shop_sales");
  EXPECT_EQ(view.spec().project(), "shops");
  EXPECT_EQ(view.spec().batch_source().file_options().uri(),
            repo_.config.root + "/data/offline/shop_sales/current/*.parquet");
  EXPECT_EQ(view.spec().batch_source().timestamp_field(), "event_timestamp");
  EXPECT_EQ(view.spec().batch_source().name(), "shop_sales");
  EXPECT_EQ(view.spec().ttl().seconds(), 7 * 86400);
  ASSERT_EQ(view.spec().features_size(), 2);
  EXPECT_EQ(view.spec().features(0).name(), "total");
  EXPECT_EQ(view.spec().features(0).value_type(), feast::types::ValueType::DOUBLE);
  EXPECT_EQ(view.spec().entity_columns(0).value_type(), feast::types::ValueType::INT64);
  EXPECT_EQ(view.spec().tags().at("viand.repo"), "shops");
  EXPECT_NE(view.spec().tags().at("viand.definition").find("sum(price)"), std::string::npos);
  EXPECT_GT(view.meta().created_timestamp().seconds(), 0);
  const auto facts = StoredView("shop_facts");
  EXPECT_EQ(facts.spec().batch_source().file_options().uri(),
            repo_.config.root + "/data/sales.parquet");
  EXPECT_EQ(facts.spec().batch_source().timestamp_field(), "sold_at");
}

TEST_P(RegistryTest, VersionsCountAsInFeast) {
  const std::string versions =
      "select cast(version_number as text) from feature_view_version_history where "
      "feature_view_name = "
      "'shop_sales' order by 1";
  Apply();
  EXPECT_EQ(Query(versions), Rows{"0"});
  repo_.view("shop_sales")->ttl_us = 0;
  Apply();
  EXPECT_EQ(Query(versions), Rows{"0"});
  repo_.view("shop_sales")->features[0].expr.text = "max(price)";
  Apply();
  EXPECT_EQ(Query(versions), (Rows{"0", "1"}));
  EXPECT_EQ(StoredView("shop_sales").meta().current_version_number(), 1);
  repo_.view("shop_sales")->description = "documented";
  Apply();
  EXPECT_EQ(Query(versions), (Rows{"0", "1"}));
  EXPECT_EQ(StoredView("shop_sales").meta().current_version_number(), 1);
}

TEST_P(RegistryTest, KeepsHistoryLogAndMetadata) {
  Apply();
  repo_.definitions->models[0].target = "closes";
  Apply();
  repo_.definitions->models.clear();
  Apply();
  EXPECT_EQ(Query("select cast(revision as text) || case when content is null then ' gone' else '' "
                  "end from viand_object_history where name = 'closing' order by 1"),
            (Rows{"0", "1", "2 gone"}));
  EXPECT_EQ(Query("select cast(count(*) as text) from viand_apply_log"), Rows{"3"});
  EXPECT_EQ(Query("select metadata_key || ' ' || cast(length(metadata_value) as text) "
                  "from feast_metadata order by 1"),
            (Rows{"last_updated_timestamp 10", "project_uuid 36"}));
  EXPECT_EQ(Query("select cast(count(*) as text) from viand_objects where name = 'closing'"),
            Rows{"0"});
}

TEST_P(RegistryTest, CreatedTimeStaysOnChange) {
  Apply();
  auto view = StoredView("shop_sales");
  view.mutable_meta()->mutable_created_timestamp()->set_seconds(5);
  StoreView("shop_sales", view.SerializeAsString());
  repo_.view("shop_sales")->features[0].expr.text = "max(price)";
  Apply();
  EXPECT_EQ(StoredView("shop_sales").meta().created_timestamp().seconds(), 5);
  EXPECT_GT(StoredView("shop_sales").meta().last_updated_timestamp().seconds(), 5);
}

TEST_P(RegistryTest, ConflictNamesTheObjectAndAppliesNothing) {
  Apply();
  repo_.view("shop_sales")->features[0].expr.text = "max(price)";
  const Plan stale = MakePlan();
  SmallRepo other(repo_.config.root);
  other.view("shop_sales")->features[0].expr.text = "min(price)";
  const auto other_registry = backend_.Open();
  ASSERT_TRUE(other_registry->Apply(*other.MakePlan(**other_registry->Read())).ok());
  const auto before = registry_->Read();
  const auto status = registry_->Apply(stale);
  EXPECT_EQ(KindOf(status), ErrorKind::kConflict);
  EXPECT_NE(status.message().find("feature view \"shop_sales\" was changed in the registry"),
            std::string::npos)
      << status;
  EXPECT_EQ((*registry_->Read())->Find(ObjectKind::kFeatureView, "shop_sales")->sha256,
            (*before)->Find(ObjectKind::kFeatureView, "shop_sales")->sha256);
}

TEST_P(RegistryTest, TwoFirstAppliesConflict) {
  const Plan first = MakePlan(), second = MakePlan();
  ASSERT_TRUE(registry_->Apply(first).ok());
  const auto status = registry_->Apply(second);
  EXPECT_EQ(KindOf(status), ErrorKind::kConflict);
  EXPECT_NE(status.message().find("was added"), std::string::npos) << status;
}

TEST_P(RegistryTest, ForeignObjectsAreNeverRemoved) {
  Apply();
  feast::core::FeatureView foreign;
  foreign.mutable_spec()->set_name("theirs");
  foreign.mutable_spec()->set_project("shops");
  foreign.mutable_spec()->add_entities("shop");
  StoreView("theirs", foreign.SerializeAsString());
  EXPECT_FALSE(MakePlan().HasEffect());
  repo_.definitions->entities.clear();
  for (auto& view : repo_.definitions->feature_views) view.entities.clear();
  const Plan plan = MakePlan();
  ASSERT_TRUE(plan.HasRemoval());
  for (const Change& change : plan.changes) {
    EXPECT_NE(change.name, "theirs");
    if (change.action == ChangeAction::kRemove) {
      EXPECT_EQ(change.why_breaking, "it is still read by feature view theirs");
    }
  }
}

TEST_P(RegistryTest, DroppedTagIsDriftAndComesBack) {
  Apply();
  auto view = StoredView("shop_sales");
  view.mutable_spec()->mutable_tags()->clear();
  StoreView("shop_sales", view.SerializeAsString());
  const Plan plan = MakePlan();
  const auto change = std::find_if(plan.changes.begin(), plan.changes.end(), [](const Change& c) {
    return c.action != ChangeAction::kUnchanged;
  });
  ASSERT_NE(change, plan.changes.end());
  EXPECT_EQ(change->action, ChangeAction::kDrift);
  EXPECT_EQ(change->name, "shop_sales");
  ASSERT_EQ(plan.warnings.size(), 1u);
  EXPECT_NE(plan.warnings[0].find("has lost its tag viand.repo"), std::string::npos);
  Apply();
  EXPECT_FALSE(MakePlan().HasEffect());
  EXPECT_EQ(StoredView("shop_sales").spec().tags().at("viand.repo"), "shops");
  EXPECT_EQ(Query("select cast(max(version_number) as text) from feature_view_version_history"),
            Rows{"0"});
}

// What viand does not define, known to its messages or not, is somebody else's and stays.
TEST_P(RegistryTest, UnknownFieldsAndIntervalsSurvive) {
  Apply();
  auto view = StoredView("shop_sales");
  view.mutable_meta()->add_materialization_intervals()->mutable_start_time()->set_seconds(7);
  auto* spec = view.mutable_spec();
  spec->GetReflection()->MutableUnknownFields(spec)->AddLengthDelimited(1234, "kept");
  auto* column = spec->mutable_features(0);
  column->GetReflection()->MutableUnknownFields(column)->AddVarint(99, 42);
  column->set_vector_length(3);
  StoreView("shop_sales", view.SerializeAsString());
  for (const Change& change : MakePlan().changes)  // the service copies the view's columns
    EXPECT_EQ(change.action == ChangeAction::kUnchanged, change.name != "for_closing");
  repo_.view("shop_sales")->features[0].expr.text = "max(price)";
  Apply();
  const auto stored = StoredView("shop_sales");
  EXPECT_EQ(stored.meta().materialization_intervals(0).start_time().seconds(), 7);
  const auto& unknown = stored.spec().GetReflection()->GetUnknownFields(stored.spec());
  ASSERT_EQ(unknown.field_count(), 1);
  EXPECT_EQ(unknown.field(0).length_delimited(), "kept");
  const auto& feature = stored.spec().features(0);
  EXPECT_EQ(feature.GetReflection()->GetUnknownFields(feature).field(0).varint(), 42u);
  EXPECT_EQ(feature.vector_length(), 3);
}

TEST_P(SqlRegistryTest, DamagedMessageIsNamed) {
  Apply();
  StoreView("shop_sales", "\xff\xff not a message");
  const auto plan = repo_.MakePlan(**registry_->Read());
  EXPECT_NE(plan.status().message().find("feature view \"shop_sales\" is damaged"),
            std::string::npos)
      << plan.status();
}

TEST_P(SqlRegistryTest, EmptyAndBinaryContentsComeBackAsTheyWere) {
  Apply();
  std::string bytes(256, '\0');
  for (int i = 0; i < 256; ++i) bytes[i] = static_cast<char>(i);
  StoreView("binary", bytes);
  StoreView("empty", "");
  const auto snapshot = *registry_->Read();
  EXPECT_EQ(snapshot->Find(ObjectKind::kFeatureView, "binary")->content, bytes);
  EXPECT_EQ(snapshot->Find(ObjectKind::kFeatureView, "empty")->content, "");
}

TEST_P(RegistryTest, NewerSchemaIsRefused) {
  Apply();
  ASSERT_TRUE(backend_.Storage()
                  ->Write([](SqlConnection* connection) {
                    return connection->Execute("update viand_schema set version = 99");
                  })
                  .ok());
  const auto snapshot = registry_->Read();
  EXPECT_EQ(KindOf(snapshot.status()), ErrorKind::kRegistry);
  EXPECT_NE(snapshot.status().message().find("written by a newer viand: its schema is 99"),
            std::string::npos)
      << snapshot.status();
}

TEST_P(RegistryTest, CachedReadsSeeOthersOnlyAfterARefresh) {
  Apply();
  const auto before = *registry_->ReadCached();
  StoreView("theirs", ForeignView("theirs"));
  EXPECT_EQ(*registry_->ReadCached(), before);
  EXPECT_NE((*registry_->Read())->Find(ObjectKind::kFeatureView, "theirs"), nullptr);
  EXPECT_NE((*registry_->ReadCached())->Find(ObjectKind::kFeatureView, "theirs"), nullptr);
  repo_.definitions->models.clear();
  Apply();
  EXPECT_EQ((*registry_->ReadCached())->Find(ObjectKind::kModel, "closing"), nullptr);
}

TEST(RegistryCache, Expires) {
  const TestBackend backend(BackendKind::kSqlite);
  Registry brief("shops", backend.Storage(), 1);
  Registry forever("shops", backend.Storage(), 0);
  const auto first = *brief.ReadCached(), kept = *forever.ReadCached();
  backend.StoreView("theirs", ForeignView("theirs"));
  EXPECT_EQ(*brief.ReadCached(), first);
  usleep(1'100'000);
  EXPECT_NE(*brief.ReadCached(), first);
  EXPECT_EQ(*forever.ReadCached(), kept);
}

// Runs `body` in processes of their own, started at once; the exit codes.
std::vector<int> InProcesses(int count, const std::function<int(int)>& body) {
  int gate[2];
  EXPECT_EQ(pipe(gate), 0);
  std::vector<pid_t> children;
  for (int i = 0; i < count; ++i) {
    children.push_back(fork());
    if (children.back() != 0) continue;
    char byte;
    close(gate[1]);
    static_cast<void>(read(gate[0], &byte, 1));  // returns when the parent closes
    _exit(body(i));
  }
  close(gate[0]);
  close(gate[1]);
  std::vector<int> codes;
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    codes.push_back(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
  }
  return codes;
}

constexpr int kConflictCode = 3;

// Each process has a project of its own in the one registry.
TEST_P(RegistryTest, EightFirstAppliesAtOnceAllSurvive) {
  const auto project_of = [](int i) { return "shops" + std::to_string(i); };
  const auto codes = InProcesses(8, [&](int i) {
    SmallRepo repo(repo_.config.root);
    repo.config = repo_.config;
    repo.config.project = project_of(i);
    const auto registry = *Registry::Open(repo.config);
    const auto status = registry->Apply(*repo.MakePlan(**registry->Read()));
    if (!status.ok()) std::cerr << status << '\n';
    return status.ok() ? 0 : 1;
  });
  EXPECT_EQ(codes, std::vector<int>(8, 0));
  for (int i = 0; i < 8; ++i) {
    SmallRepo repo(repo_.config.root);
    repo.config = repo_.config;
    repo.config.project = project_of(i);
    EXPECT_FALSE(repo.MakePlan(**(*Registry::Open(repo.config))->Read())->HasEffect());
  }
}

// Each process adds a view of its own to the one project, from the same state.
TEST_P(RegistryTest, EightDisjointChangesAtOnceAllSurvive) {
  Apply();
  const auto snapshot = *registry_->Read();
  const auto codes = InProcesses(8, [&](int i) {
    SmallRepo repo(repo_.config.root);
    auto view = *repo.view("shop_facts");
    view.name = "facts_" + std::to_string(i);
    repo.definitions->feature_views.push_back(view);
    const auto status = backend_.Open()->Apply(*repo.MakePlan(*snapshot));
    if (!status.ok()) std::cerr << status << '\n';
    return status.ok() ? 0 : 1;
  });
  EXPECT_EQ(codes, std::vector<int>(8, 0));
  const auto after = *registry_->Read();
  for (int i = 0; i < 8; ++i)
    EXPECT_NE(after->Find(ObjectKind::kFeatureView, "facts_" + std::to_string(i)), nullptr) << i;
  EXPECT_EQ(after->objects.size(), snapshot->objects.size() + 8);
  EXPECT_EQ(Query("select cast(count(*) as text) from viand_apply_log"), Rows{"9"});
}

// Both change the same two objects; what is stored is one's alone.
TEST_P(RegistryTest, TwoAppliesOfTheSameGiveOneConflictAndNoMixture) {
  Apply();
  const auto snapshot = *registry_->Read();
  const std::vector<std::string> exprs = {"max(price)", "min(price)"};
  const auto change = [&](SmallRepo* repo, int i) {
    repo->view("shop_sales")->features[0].expr.text = exprs[i];
    repo->definitions->models[0].target = exprs[i];
  };
  auto codes = InProcesses(2, [&](int i) {
    SmallRepo repo(repo_.config.root);
    change(&repo, i);
    const auto status = backend_.Open()->Apply(*repo.MakePlan(*snapshot));
    return status.ok() ? 0 : KindOf(status) == ErrorKind::kConflict ? kConflictCode : 1;
  });
  const int winner = codes[0] == 0 ? 0 : 1;
  std::sort(codes.begin(), codes.end());
  EXPECT_EQ(codes, (std::vector<int>{0, kConflictCode}));
  change(&repo_, winner);
  EXPECT_FALSE(MakePlan().HasEffect());
}

}  // namespace
}  // namespace viand::registry
