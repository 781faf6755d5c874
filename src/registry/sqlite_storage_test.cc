#include "src/registry/sqlite_storage.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include <fstream>
#include <random>

#include "src/registry/plan.h"
#include "src/registry/testing/small_repo.h"

namespace viand::registry {
namespace {

class SqliteStorageTest : public testing::Test {
 protected:
  SqliteStorageTest()
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

  using Rows = std::vector<std::string>;
  ScratchFolder folder_;
  SmallRepo repo_;
  const std::string path_;
  Registry registry_;
};

TEST_F(SqliteStorageTest, FileThatIsNoDatabaseIsAClearError) {
  std::filesystem::create_directories(folder_.path() + "/data");
  std::ofstream(path_) << std::string(5000, 'x');
  const auto snapshot = registry_.Read();
  EXPECT_EQ(KindOf(snapshot.status()), ErrorKind::kRegistry);
  EXPECT_NE(snapshot.status().message().find(path_ + ": the file is not an SQLite database"),
            std::string::npos)
      << snapshot.status();
}

TEST_F(SqliteStorageTest, FolderThatCannotBeMadeIsAClearError) {
  std::ofstream(folder_.path() + "/data") << "a file where the folder should be";
  const auto status = registry_.Apply(*repo_.MakePlan({}));
  EXPECT_EQ(KindOf(status), ErrorKind::kEnvironment);
  EXPECT_NE(status.message().find(folder_.path() + "/data"), std::string::npos) << status;
}

// Runs as another user where the test itself is root, whom permissions do not stop.
TEST_F(SqliteStorageTest, ReadOnlyFolderIsAClearError) {
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
    _exit(clear && KindOf(status) == ErrorKind::kRegistry ? 0 : 1);
  }
  int exit_status = 0;
  waitpid(child, &exit_status, 0);
  fs::permissions(folder_.path() + "/data", fs::perms::owner_all);
  ASSERT_TRUE(WIFEXITED(exit_status));
  EXPECT_EQ(WEXITSTATUS(exit_status), 0);
}

TEST_F(SqliteStorageTest, LockedFileIsAClearError) {
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

TEST_F(SqliteStorageTest, KilledApplyLeavesTheOldRegistryOrTheNew) {
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

TEST_F(SqliteStorageTest, DamagedPagesAreAClearError) {
  Apply();
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

}  // namespace
}  // namespace viand::registry
