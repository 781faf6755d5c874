#include "src/common/data_location.h"

#include <arrow/filesystem/filesystem.h>
#include <gtest/gtest.h>

#include "src/common/s3_store.h"

namespace viand {
namespace {

TEST(DataLocation, CutsAnAddress) {
  const DataAddress address =
      ParseAddress("s3://b/day=1/a b?.parquet?region=eu&endpoint_override=h:1");
  EXPECT_EQ(address.scheme, "s3");
  EXPECT_EQ(address.path, "b/day=1/a b?.parquet");
  EXPECT_EQ(address.options, "region=eu&endpoint_override=h:1");
  EXPECT_EQ(address.TextOf("b/c"), "s3://b/c?region=eu&endpoint_override=h:1");
}

TEST(DataLocation, LocalPathsAreLeftAlone) {
  for (const char* path : {"/a/b?region=x", "data/x.parquet", "/a/x=http://b"}) {
    EXPECT_FALSE(IsRemotePath(path)) << path;
    EXPECT_EQ(ParseAddress(path).path, path);
  }
  EXPECT_EQ(ParseAddress("file:///a/b").path, "/a/b");
  EXPECT_FALSE(IsRemotePath("file:///a/b"));
}

TEST(DataLocation, OptionsAreNotShown) {
  EXPECT_EQ(DisplayPath("s3://b/k?endpoint_override=h"), "s3://b/k");
  EXPECT_EQ(DisplayPath("/a/b"), "/a/b");
}

TEST(DataLocation, AnEndpointIsAddedOnce) {
  const std::string text = WithEndpoint("s3://b/k", "http://h:9000");
  EXPECT_EQ(S3SettingsOf(ParseAddress(text).options)->endpoint, "http://h:9000");
  EXPECT_EQ(WithEndpoint(text, "other"), text);
  EXPECT_EQ(WithEndpoint("/a", "http://h"), "/a");
  EXPECT_EQ(WithEndpoint("s3://b/k", ""), "s3://b/k");
}

TEST(DataLocation, RefusesWhatNoStoreHas) {
  const auto message = [](const char* text) { return RenderError(CheckAddress(text)); };
  EXPECT_EQ(message("s4://b/k"),
            "unknown kind of store \"s4://\" in s4://b/k\n  hint: did you mean \"s3\"?");
  EXPECT_EQ(message("s3:///k"), "s3:// names no bucket\n  hint: write s3://BUCKET/KEY");
  EXPECT_EQ(message("s3://id:secret@b/k"),
            "credentials do not belong into a path: s3://...@b\n"
            "  hint: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead");
  EXPECT_TRUE(CheckAddress("abfs://container@account.dfs.core.windows.net/x").ok());
}

TEST(DataLocation, FindsTheLocalFileSystem) {
  const auto found = LocateData("/tmp").ValueOrDie();
  EXPECT_EQ(found.filesystem->type_name(), "local");
  EXPECT_EQ(found.path, "/tmp");
}

TEST(S3Settings, AddressesSayMoreThanTheEnvironment) {
  setenv("AWS_ENDPOINT_URL", "http://everyone", 1);
  setenv("AWS_REGION", "eu-west-1", 1);
  EXPECT_EQ(S3SettingsOf("")->endpoint, "http://everyone");
  setenv("AWS_ENDPOINT_URL_S3", "http://s3", 1);
  EXPECT_EQ(S3SettingsOf("")->endpoint, "http://s3");
  const auto settings =
      *S3SettingsOf("endpoint_override=h%3A1&scheme=http&region=x&anonymous=true");
  EXPECT_EQ(settings, (S3Settings{"http://h:1", "x", true}));
  EXPECT_EQ(S3SettingsOf("")->region, "eu-west-1");
  EXPECT_FALSE(S3SettingsOf("regoin=x").ok());
  for (const char* name : {"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION"}) unsetenv(name);
}

}  // namespace
}  // namespace viand
