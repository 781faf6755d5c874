#include "src/registry/postgres_storage.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "src/registry/plan.h"
#include "src/registry/testing/test_backend.h"

namespace viand::registry {
namespace {

class PostgresStorageTest : public testing::Test {
 protected:
  PostgresStorageTest() : backend_(BackendKind::kPostgres), repo_(backend_.repo) {}

  PostgresServer& server() { return TestBackend::Server(); }

  arrow::Status Apply(Registry* registry) {
    VIAND_ASSIGN_OR_RETURN(const auto snapshot, registry->Read());
    VIAND_ASSIGN_OR_RETURN(const Plan plan, repo_.MakePlan(*snapshot));
    return registry->Apply(plan);
  }

  std::string Hashes(Registry* registry) {
    std::string text;
    for (const auto& [key, object] : (*registry->Read())->objects) text += object.sha256;
    return text;
  }

  TestBackend backend_;
  SmallRepo& repo_;
};

TEST_F(PostgresStorageTest, ConnectionsLostBetweenCallsAreMadeAgain) {
  const auto registry = backend_.Open();
  ASSERT_TRUE(Apply(registry.get()).ok());
  const std::string before = Hashes(registry.get());
  for (const int signal : {SIGINT, SIGQUIT}) {
    server().Stop(signal);
    server().Start();
    EXPECT_EQ(Hashes(registry.get()), before);
  }
}

TEST_F(PostgresStorageTest, ServerThatComesBackInTimeIsWaitedFor) {
  const auto registry = backend_.Open();
  ASSERT_TRUE(Apply(registry.get()).ok());
  server().Stop(SIGINT);
  repo_.definitions->models.clear();
  arrow::Status status;
  std::thread apply([&] { status = Apply(registry.get()); });
  usleep(700'000);
  server().Start();
  apply.join();
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(PostgresStorageTest, StoppedInTheMiddleOfAWriteAppliesNothing) {
  const auto registry = backend_.Open();
  ASSERT_TRUE(Apply(registry.get()).ok());
  const std::string before = Hashes(registry.get());
  const auto status = backend_.Storage()->Write([&](SqlConnection* connection) {
    auto written = connection->Execute("delete from feature_views");
    if (!written.ok()) return written;
    server().Stop(SIGQUIT);
    return connection->Execute("delete from entities");
  });
  EXPECT_EQ(KindOf(status), ErrorKind::kRegistry);
  EXPECT_TRUE(status.message().starts_with("nothing was applied: registry postgresql ")) << status;
  EXPECT_NE(status.message().find("nothing answers there"), std::string::npos) << status;
  server().Start();
  EXPECT_EQ(Hashes(registry.get()), before);
  repo_.definitions->models[0].num_boost_round += 1;
  EXPECT_TRUE(Apply(registry.get()).ok());
}

TEST_F(PostgresStorageTest, ManyStatementsWithoutAnswersAreSentAhead) {
  const auto storage = backend_.Storage();
  const auto status = storage->Write([&](SqlConnection* connection) -> arrow::Status {
    for (int i = 0; i < 1000; ++i) {
      VIAND_ASSIGN_OR_RETURN(
          SqlStatement * statement,
          connection->Prepare("insert into feast_metadata values (?, 'k', ?, ?)"));
      VIAND_RETURN_NOT_OK(statement->Bind(1, "p" + std::to_string(i)));
      VIAND_RETURN_NOT_OK(statement->Bind(2, "it''s ?"));
      VIAND_RETURN_NOT_OK(statement->Bind(3, int64_t{i}));
      VIAND_RETURN_NOT_OK(statement->Run());
    }
    return arrow::Status::OK();
  });
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(backend_.Query("select cast(sum(last_updated_timestamp) as text) from feast_metadata "
                           "where metadata_value <> 'what?'"),
            std::vector<std::string>{"499500"});
}

TEST_F(PostgresStorageTest, ErrorOfAStatementSentAheadRollsBack) {
  ASSERT_TRUE(Apply(backend_.Open().get()).ok());
  const auto storage = backend_.Storage();
  const auto status = storage->Write([&](SqlConnection* connection) -> arrow::Status {
    for (int i = 0; i < 3; ++i) {
      VIAND_ASSIGN_OR_RETURN(
          SqlStatement * statement,
          connection->Prepare("insert into feast_metadata values ('p', ?, 'v', 1)"));
      VIAND_RETURN_NOT_OK(statement->Bind(1, std::string(i == 1 ? 60 : i + 1, 'k')));
      VIAND_RETURN_NOT_OK(statement->Run());
    }
    return arrow::Status::OK();
  });
  EXPECT_NE(status.message().find("value too long for type character varying(50)"),
            std::string::npos)
      << status;
  EXPECT_TRUE(
      backend_.Query("select project_id from feast_metadata where project_id = 'p'").empty());
}

TEST_F(PostgresStorageTest, LockedTablesAreAClearError) {
  const auto registry = backend_.Open();
  ASSERT_TRUE(Apply(registry.get()).ok());
  const auto status = backend_.Storage()->Write([&](SqlConnection*) {
    return PostgresStorage(*ParsePostgresUrl(repo_.config.registry_path), 100)
        .Write([](SqlConnection*) { return arrow::Status::OK(); });
  });
  EXPECT_NE(status.message().find("locked by another process"), std::string::npos) << status;
}

TEST_F(PostgresStorageTest, PoolServesManyThreads) {
  const auto registry = backend_.Open();
  ASSERT_TRUE(Apply(registry.get()).ok());
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 16; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < 5; ++round) good += registry->Read().ok() ? 1 : 0;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 80);
}

}  // namespace
}  // namespace viand::registry
