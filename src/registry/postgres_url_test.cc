#include "src/registry/postgres_url.h"

#include <gtest/gtest.h>

namespace viand::registry {
namespace {

using Parameters = std::map<std::string, std::string>;

Parameters Parsed(std::string_view url) {
  const auto address = ParsePostgresUrl(url);
  EXPECT_TRUE(address.ok()) << address.status();
  return address.ok() ? address->parameters : Parameters();
}

TEST(PostgresUrl, EverySchemeOfLibpqAndSqlalchemy) {
  for (const char* scheme :
       {"postgresql", "postgres", "postgresql+psycopg2", "postgresql+psycopg"}) {
    EXPECT_EQ(
        Parsed(std::string(scheme) + "://u:p@h:1/d"),
        (Parameters{
            {"user", "u"}, {"password", "p"}, {"host", "h"}, {"port", "1"}, {"dbname", "d"}}));
  }
  EXPECT_FALSE(IsPostgresUrl("sqlite:///x"));
  EXPECT_FALSE(IsPostgresUrl("postgresql+asyncpg://h/d"));
}

TEST(PostgresUrl, PartsMayBeAbsent) {
  EXPECT_EQ(Parsed("postgresql://"), Parameters{});
  EXPECT_EQ(Parsed("postgresql:///d"), (Parameters{{"dbname", "d"}}));
  EXPECT_EQ(Parsed("postgresql://h"), (Parameters{{"host", "h"}}));
  EXPECT_EQ(Parsed("postgresql://u@h/d"),
            (Parameters{{"user", "u"}, {"host", "h"}, {"dbname", "d"}}));
  EXPECT_EQ(Parsed("postgresql://u@/d?host=/run/pg&port=7"),
            (Parameters{{"user", "u"}, {"dbname", "d"}, {"host", "/run/pg"}, {"port", "7"}}));
}

TEST(PostgresUrl, PartsArePercentDecoded) {
  const auto parameters =
      Parsed("postgresql://a%40b:p%40s%2Fs%25:x/y?z@%2Frun%2Fpg/my%20db?options=-csearch_path%3Dx");
  EXPECT_EQ(parameters.at("user"), "a@b");
  EXPECT_EQ(parameters.at("password"), "p@s/s%:x/y?z");
  EXPECT_EQ(parameters.at("host"), "/run/pg");
  EXPECT_EQ(parameters.at("dbname"), "my db");
  EXPECT_EQ(parameters.at("options"), "-csearch_path=x");
}

TEST(PostgresUrl, SeveralHostsAsLibpqAndAsSqlalchemy) {
  for (const char* url :
       {"postgresql://a:1,b:2/d", "postgresql://a,b/d", "postgresql:///d?host=a:1&host=b:2"}) {
    const auto parameters = Parsed(url);
    EXPECT_EQ(parameters.at("host"), "a,b") << url;
    if (std::string_view(url).find(":1") != std::string_view::npos) {
      EXPECT_EQ(parameters.at("port"), "1,2") << url;
    }
  }
  EXPECT_EQ(Parsed("postgresql://[::1]:5/d"),
            (Parameters{{"host", "::1"}, {"port", "5"}, {"dbname", "d"}}));
}

TEST(PostgresUrl, ErrorsShowNoPartThatMayBeThePassword) {
  for (const char* url : {"postgresql://u:sec@ret@host/d", "postgresql://u:x@h:secret/d",
                          "postgresql://u:secret@h:5x/d"}) {
    const auto address = ParsePostgresUrl(url);
    ASSERT_FALSE(address.ok()) << url;
    EXPECT_EQ(KindOf(address.status()), ErrorKind::kDefinition);
    const std::string text = RenderError(address.status());
    for (const char* secret : {"secret", "sec@ret", "ret@"})
      EXPECT_EQ(text.find(secret), std::string::npos) << text;
    EXPECT_NE(text.find("expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE"),
              std::string::npos)
        << text;
  }
}

TEST(PostgresUrl, ShownWithoutPasswordAndQuery) {
  EXPECT_EQ(ParsePostgresUrl("postgresql://u:secret@h:5/d?password=secret&sslmode=require")->shown,
            "u@h:5/d");
  EXPECT_EQ(ParsePostgresUrl("postgresql:///d?host=/run/pg")->shown, "/run/pg/d");
}

}  // namespace
}  // namespace viand::registry
