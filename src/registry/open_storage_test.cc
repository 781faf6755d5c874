#include "src/registry/open_storage.h"

#include <gtest/gtest.h>

#include "src/registry/registry.h"

namespace viand::registry {
namespace {

TEST(RegistryOpen, OtherBackendsAreClearErrors) {
  const auto message = [](const std::string& type, const std::string& path) {
    definition::RepoConfig config;
    config.registry_type = type;
    config.registry_path = path;
    const auto registry = Registry::Open(config);
    EXPECT_EQ(KindOf(registry.status()), ErrorKind::kDefinition);
    return RenderError(registry.status());
  };
  const auto mysql = message("sql", "mysql+pymysql://feast:secret@db/feast");
  EXPECT_NE(mysql.find("no registry can be at \"mysql+pymysql://...\""), std::string::npos);
  EXPECT_EQ(mysql.find("secret"), std::string::npos);
  EXPECT_NE(message("file", "s3://bucket/registry.db").find("cannot be at \"s3://...\""),
            std::string::npos);
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
  config.registry_type = "file";
  config.registry_path = "data/r.db";
  EXPECT_EQ((*Registry::Open(config))->Describe(), "file data/r.db");
}

TEST(RegistryOpen, PostgresIsNamedWithoutThePassword) {
  definition::RepoConfig config;
  config.registry_type = "sql";
  config.registry_path = "postgresql+psycopg2://feast:s3cret@db.example.com:5433/features";
  EXPECT_EQ((*Registry::Open(config))->Describe(), "postgresql feast@db.example.com:5433/features");
}

}  // namespace
}  // namespace viand::registry
