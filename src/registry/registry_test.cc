#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include <fstream>
#include <random>

#include "feast/core/feature_view.pb.h"
#include "src/registry/plan.h"
#include "src/registry/sqlite_storage.h"
#include "src/registry/testing/small_repo.h"

namespace viand::registry {
namespace {

class RegistryTest : public testing::Test {
 protected:
  RegistryTest()
      : repo_(folder_.path()),
        path_(folder_.path() + "/data/registry.db"),
        registry_("shops", std::make_unique<SqliteStorage>(path_, "data/registry.db", 50), 600) {}

  Plan MakePlan() {
    const auto snapshot = registry_.Read();
    EXPECT_TRUE(snapshot.ok()) << snapshot.status();
    auto plan = repo_.MakePlan(**snapshot);
    EXPECT_TRUE(plan.ok()) << plan.status();
    return plan.ok() ? *plan : Plan();
  }

  void Apply() {
    const auto status = registry_.Apply(MakePlan());
    ASSERT_TRUE(status.ok()) << status;
  }

  /// The rows of a query, columns joined by '|'.
  std::vector<std::string> Query(const std::string& sql) {
    std::vector<std::string> rows;
    sqlite3* database = nullptr;
    sqlite3_open(path_.c_str(), &database);
    const auto add_row = [](void* out, int count, char** values, char**) {
      std::string row;
      for (int i = 0; i < count; ++i)
        row += (i > 0 ? "|" : "") + std::string(values[i] == nullptr ? "" : values[i]);
      static_cast<std::vector<std::string>*>(out)->push_back(row);
      return 0;
    };
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), add_row, &rows, &error), SQLITE_OK)
        << (error == nullptr ? "" : error);
    sqlite3_free(error);
    sqlite3_close(database);
    return rows;
  }

  feast::core::FeatureView StoredView(const std::string& name) {
    feast::core::FeatureView view;
    EXPECT_TRUE(
        view.ParseFromString((*registry_.Read())->Find(ObjectKind::kFeatureView, name)->content));
    return view;
  }

  /// Stores a view as another client would.
  void StoreView(const std::string& name, const std::string& bytes) {
    sqlite3* database = nullptr;
    sqlite3_stmt* statement = nullptr;
    sqlite3_open(path_.c_str(), &database);
    sqlite3_prepare_v2(database,
                       "insert into feature_views (feature_view_name, project_id, "
                       "last_updated_timestamp, feature_view_proto) values (?, 'shops', 1, ?) "
                       "on conflict do update set feature_view_proto = excluded.feature_view_proto",
                       -1, &statement, nullptr);
    sqlite3_bind_text(statement, 1, name.c_str(), -1, SQLITE_TRANSIENT);
    sqlite3_bind_blob(statement, 2, bytes.data(), static_cast<int>(bytes.size()), SQLITE_TRANSIENT);
    EXPECT_EQ(sqlite3_step(statement), SQLITE_DONE);
    sqlite3_finalize(statement);
    sqlite3_close(database);
  }

  using Rows = std::vector<std::string>;
  ScratchFolder folder_;
  SmallRepo repo_;
  const std::string path_;
  Registry registry_;
};

TEST_F(RegistryTest, MissingFileReadsAsEmpty) {
  const auto snapshot = registry_.Read();
  ASSERT_TRUE(snapshot.ok());
  EXPECT_FALSE((*snapshot)->exists);
  EXPECT_EQ(registry_.Describe(), "sqlite data/registry.db");
}

TEST_F(RegistryTest, ViewsAreStoredAsPlainFeastViews) {
  Apply();
  const auto view = StoredView("shop_sales");
  EXPECT_EQ(view.spec().project(), "shops");
  EXPECT_EQ(view.spec().batch_source().file_options().uri(),
            folder_.path() + "/data/offline/shop_sales/current/*.parquet");
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
            folder_.path() + "/data/sales.parquet");
  EXPECT_EQ(facts.spec().batch_source().timestamp_field(), "sold_at");
}

TEST_F(RegistryTest, VersionsCountAsInFeast) {
  const std::string versions =
      "select version_number from feature_view_version_history where feature_view_name = "
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

TEST_F(RegistryTest, KeepsHistoryLogAndMetadata) {
  Apply();
  repo_.definitions->models[0].target = "closes";
  Apply();
  repo_.definitions->models.clear();
  Apply();
  EXPECT_EQ(Query("select revision, content is null from viand_object_history where name = "
                  "'closing' order by 1"),
            (Rows{"0|0", "1|0", "2|1"}));
  EXPECT_EQ(Query("select count(*) from viand_apply_log"), Rows{"3"});
  EXPECT_EQ(Query("select metadata_key, length(metadata_value) from feast_metadata order by 1"),
            (Rows{"last_updated_timestamp|10", "project_uuid|36"}));
  EXPECT_EQ(Query("select count(*) from viand_objects where name = 'closing'"), Rows{"0"});
}

TEST_F(RegistryTest, CreatedTimeStaysOnChange) {
  Apply();
  auto view = StoredView("shop_sales");
  view.mutable_meta()->mutable_created_timestamp()->set_seconds(5);
  StoreView("shop_sales", view.SerializeAsString());
  repo_.view("shop_sales")->features[0].expr.text = "max(price)";
  Apply();
  EXPECT_EQ(StoredView("shop_sales").meta().created_timestamp().seconds(), 5);
  EXPECT_GT(StoredView("shop_sales").meta().last_updated_timestamp().seconds(), 5);
}

TEST_F(RegistryTest, ConflictNamesTheObjectAndAppliesNothing) {
  Apply();
  repo_.view("shop_sales")->features[0].expr.text = "max(price)";
  const Plan stale = MakePlan();
  SmallRepo other(folder_.path());
  other.view("shop_sales")->features[0].expr.text = "min(price)";
  Registry other_registry("shops", std::make_unique<SqliteStorage>(path_, "data/registry.db", 50),
                          600);
  ASSERT_TRUE(other_registry.Apply(*other.MakePlan(**other_registry.Read())).ok());
  const auto before = registry_.Read();
  const auto status = registry_.Apply(stale);
  EXPECT_EQ(KindOf(status), ErrorKind::kConflict);
  EXPECT_NE(status.message().find("feature view \"shop_sales\" was changed in the registry"),
            std::string::npos)
      << status;
  EXPECT_EQ((*registry_.Read())->Find(ObjectKind::kFeatureView, "shop_sales")->sha256,
            (*before)->Find(ObjectKind::kFeatureView, "shop_sales")->sha256);
}

TEST_F(RegistryTest, TwoFirstAppliesConflict) {
  const Plan first = MakePlan(), second = MakePlan();
  ASSERT_TRUE(registry_.Apply(first).ok());
  const auto status = registry_.Apply(second);
  EXPECT_EQ(KindOf(status), ErrorKind::kConflict);
  EXPECT_NE(status.message().find("was added"), std::string::npos) << status;
}

TEST_F(RegistryTest, ForeignObjectsAreNeverRemoved) {
  Apply();
  feast::core::FeatureView foreign;
  foreign.mutable_spec()->set_name("theirs");
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

TEST_F(RegistryTest, DroppedTagIsDriftAndComesBack) {
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
  EXPECT_EQ(Query("select max(version_number) from feature_view_version_history"), Rows{"0"});
}

// What viand does not define, known to its messages or not, is somebody else's and stays.
TEST_F(RegistryTest, UnknownFieldsAndIntervalsSurvive) {
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

TEST_F(RegistryTest, FileThatIsNoDatabaseIsAClearError) {
  std::filesystem::create_directories(folder_.path() + "/data");
  std::ofstream(path_) << std::string(5000, 'x');
  const auto snapshot = registry_.Read();
  EXPECT_EQ(KindOf(snapshot.status()), ErrorKind::kEnvironment);
  EXPECT_NE(snapshot.status().message().find(path_ + ": the file is not an SQLite database"),
            std::string::npos)
      << snapshot.status();
}

TEST_F(RegistryTest, DamagedPagesAndBytesAreClearErrors) {
  Apply();
  StoreView("shop_sales", "\xff\xff not a message");
  const auto plan = repo_.MakePlan(**registry_.Read());
  EXPECT_NE(plan.status().message().find("feature view \"shop_sales\" is damaged"),
            std::string::npos)
      << plan.status();
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    const std::string noise(std::filesystem::file_size(path_) - 100, '\x5a');
    file.seekp(100);
    file << noise;
  }
  const auto snapshot = registry_.Read();
  EXPECT_NE(snapshot.status().message().find(path_ + ": damaged"), std::string::npos)
      << snapshot.status();
}

TEST_F(RegistryTest, FolderThatCannotBeMadeIsAClearError) {
  std::ofstream(folder_.path() + "/data") << "a file where the folder should be";
  const auto status = registry_.Apply(*repo_.MakePlan({}));
  EXPECT_EQ(KindOf(status), ErrorKind::kEnvironment);
  EXPECT_NE(status.message().find(folder_.path() + "/data"), std::string::npos) << status;
}

// Runs as another user where the test itself is root, whom permissions do not stop.
TEST_F(RegistryTest, ReadOnlyFolderIsAClearError) {
  Apply();
  namespace fs = std::filesystem;
  fs::permissions(path_, fs::perms(0444));
  fs::permissions(folder_.path() + "/data", fs::perms(0555));
  repo_.definitions->models.clear();
  const pid_t child = fork();
  if (child == 0) {
    if (geteuid() == 0 && setuid(65534) != 0) _exit(2);
    const auto plan = repo_.MakePlan(**registry_.Read());
    const auto status = registry_.Apply(*plan);
    const bool clear = status.message().find(path_ + ": not writable") != std::string::npos;
    _exit(clear && KindOf(status) == ErrorKind::kEnvironment ? 0 : 1);
  }
  int exit_status = 0;
  waitpid(child, &exit_status, 0);
  fs::permissions(folder_.path() + "/data", fs::perms::owner_all);
  ASSERT_TRUE(WIFEXITED(exit_status));
  EXPECT_EQ(WEXITSTATUS(exit_status), 0);
}

TEST_F(RegistryTest, LockedFileIsAClearError) {
  Apply();
  sqlite3* holder = nullptr;
  sqlite3_open(path_.c_str(), &holder);
  sqlite3_exec(holder, "begin exclusive", nullptr, nullptr, nullptr);
  const auto snapshot = registry_.Read();
  EXPECT_NE(snapshot.status().message().find("locked by another process"), std::string::npos)
      << snapshot.status();
  sqlite3_close(holder);
  EXPECT_TRUE(registry_.Read().ok());
}

TEST_F(RegistryTest, KilledApplyLeavesTheOldRegistryOrTheNew) {
  for (int i = 0; i < 20; ++i)
    repo_.view("shop_sales")
        ->features.push_back(SmallRepo::Computed("f" + std::to_string(i), "sum(price)"));
  Apply();
  std::mt19937 random(7);
  int old_count = 0, new_count = 0;
  for (int round = 0; round < 20; ++round) {
    const std::string expr = "max(price) + " + std::to_string(round);
    for (auto& feature : repo_.view("shop_sales")->features) feature.expr.text = expr;
    repo_.definitions->models[0].num_boost_round = 1000 + round;
    const Plan plan = MakePlan();
    const pid_t child = fork();
    if (child == 0) _exit(registry_.Apply(plan).ok() ? 0 : 1);
    usleep(random() % 15000);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    ASSERT_EQ(Query("pragma integrity_check"), Rows{"ok"});
    const auto effects = [&] {
      const Plan after = MakePlan();
      return std::count_if(after.changes.begin(), after.changes.end(), [](const Change& change) {
        return change.action != ChangeAction::kUnchanged;
      });
    }();
    ASSERT_TRUE(effects == 0 || effects == 2) << effects << " changes left: a half-applied plan";
    ++(effects == 0 ? new_count : old_count);
    if (effects != 0) Apply();
  }
  EXPECT_EQ(old_count + new_count, 20);
}

TEST(RegistryOpen, OtherBackendsAreClearErrors) {
  const auto message = [](const std::string& type, const std::string& path) {
    definition::RepoConfig config;
    config.registry_type = type;
    config.registry_path = path;
    const auto registry = Registry::Open(config);
    EXPECT_EQ(KindOf(registry.status()), ErrorKind::kDefinition);
    return RenderError(registry.status());
  };
  EXPECT_NE(
      message("sql", "postgresql://db/feast").find("PostgreSQL registries are not in this version"),
      std::string::npos);
  EXPECT_NE(message("file", "registry.db").find("file registries"), std::string::npos);
  EXPECT_NE(message("snowflake.registry", "x").find("unknown registry_type"), std::string::npos);
  EXPECT_NE(message("sql", "sqlite://").find("sqlite:///data/registry.db"), std::string::npos);
}

TEST(RegistryOpen, PathsAreRelativeToTheRepoOrAbsolute) {
  definition::RepoConfig config;
  config.root = "/repo";
  config.registry_type = "sql";
  config.registry_path = "sqlite:///data/r.db";
  EXPECT_EQ((*Registry::Open(config))->Describe(), "sqlite data/r.db");
  config.registry_path = "sqlite:////elsewhere/r.db";
  EXPECT_EQ((*Registry::Open(config))->Describe(), "sqlite /elsewhere/r.db");
}

}  // namespace
}  // namespace viand::registry
