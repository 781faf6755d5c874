#include "src/registry/file_storage.h"

#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "feast/core/feature_view.pb.h"
#include "feast/core/registry.pb.h"
#include "src/common/test_rounds.h"
#include "src/registry/new_uuid.h"
#include "src/registry/plan.h"
#include "src/registry/testing/test_backend.h"

namespace viand::registry {
namespace {

namespace fs = std::filesystem;

class FileStorageTest : public testing::Test {
 protected:
  FileStorageTest()
      : backend_(BackendKind::kFile),
        repo_(backend_.repo),
        path_(repo_.config.root + "/data/registry.db"),
        registry_("shops", std::make_unique<FileStorage>(path_, "data/registry.db", 50), 600) {}

  Plan MakePlan() {
    const auto snapshot = registry_.Read();
    EXPECT_TRUE(snapshot.ok()) << snapshot.status();
    return snapshot.ok() ? *repo_.MakePlan(**snapshot) : Plan();
  }

  void Apply() {
    const auto status = registry_.Apply(MakePlan());
    ASSERT_TRUE(status.ok()) << status;
  }

  static std::string Bytes(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// Writes it a while ago: nobody is at it any more.
  static void Write(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::minutes(1));
  }

  feast::core::Registry Stored() {
    feast::core::Registry registry;
    EXPECT_TRUE(registry.ParseFromString(Bytes(path_)));
    return registry;
  }

  /// Writes the file as Feast does.
  void StoreAsFeast(feast::core::Registry registry) {
    registry.set_version_id(NewUuid());
    registry.mutable_last_updated()->set_seconds(registry.last_updated().seconds() + 1);
    Write(path_, registry.SerializeAsString());
  }

  std::string ReadError() {
    const auto snapshot = registry_.Read();
    if (snapshot.ok()) return "it was read";
    EXPECT_EQ(KindOf(snapshot.status()), ErrorKind::kRegistry);
    EXPECT_NE(snapshot.status().message().find(path_), std::string::npos) << snapshot.status();
    return snapshot.status().message();
  }

  int SideFiles() const {
    int count = 0;
    for (const auto& entry : fs::directory_iterator(fs::path(path_).parent_path()))
      count += entry.path().filename().string().size() > 64 ? 1 : 0;
    return count;
  }

  TestBackend backend_;
  SmallRepo& repo_;
  const std::string path_;
  Registry registry_;
};

TEST_F(FileStorageTest, LaidOutAsFeastDoes) {
  Apply();
  const auto registry = Stored();
  EXPECT_EQ(registry.registry_schema_version(), "1");
  EXPECT_EQ(registry.version_id().size(), 36u);
  EXPECT_GT(registry.last_updated().seconds(), 0);
  EXPECT_EQ(registry.feature_views_size(), 2);
  EXPECT_EQ(registry.projects_size(), 1);
  ASSERT_EQ(registry.project_metadata_size(), 1);
  EXPECT_EQ(registry.project_metadata(0).project(), "shops");
  EXPECT_EQ(registry.feature_view_version_history().records_size(), 2);
  EXPECT_EQ(SideFiles(), 1);
  EXPECT_FALSE(MakePlan().HasEffect());
}

TEST_F(FileStorageTest, WhatFeastWritesIsKeptByteForByte) {
  Apply();
  auto registry = Stored();
  feast::core::FeatureView theirs;
  theirs.mutable_spec()->set_name("theirs");
  theirs.mutable_spec()->set_project("others");
  theirs.GetReflection()->MutableUnknownFields(&theirs)->AddLengthDelimited(99, "kept");
  *registry.add_feature_views() = theirs.SerializeAsString();
  registry.add_project_metadata()->set_project("others");
  // A message without its map's keys in order, and fields that nobody here knows.
  *registry.add_label_views() = std::string("\x0a\x0b\x12\x06others\x0a\x01q\x7a\x01?", 16);
  registry.GetReflection()->MutableUnknownFields(&registry)->AddLengthDelimited(10, "infra");
  StoreAsFeast(registry);
  repo_.view("shop_sales")->features[0].expr.text = "max(price)";
  Apply();
  const auto after = Stored();
  EXPECT_EQ(after.feature_views(2), theirs.SerializeAsString());
  EXPECT_EQ(after.label_views(0), registry.label_views(0));
  const auto& unknown = after.GetReflection()->GetUnknownFields(after);
  ASSERT_EQ(unknown.field_count(), 1);
  EXPECT_EQ(unknown.field(0).length_delimited(), "infra");
  EXPECT_FALSE(MakePlan().HasEffect());
}

// viand's own objects outlive a write of Feast, which keeps no side file.
TEST_F(FileStorageTest, FeastMayWriteInBetween) {
  Apply();
  for (int round = 0; round < 3; ++round) {
    StoreAsFeast(Stored());
    EXPECT_FALSE(MakePlan().HasEffect());
    EXPECT_NE((*registry_.Read())->Find(ObjectKind::kModel, "closing"), nullptr);
    repo_.definitions->models[0].num_boost_round = 1000 + round;
    Apply();
    EXPECT_EQ(SideFiles(), 1);
  }
  auto without_mark = Stored();
  without_mark.clear_viand_sequence();
  StoreAsFeast(without_mark);
  EXPECT_FALSE(MakePlan().HasEffect());
}

// A write that was killed before it counted, and then Feast's: the image of the former is no one's.
TEST_F(FileStorageTest, ImageOfACutOffWriteIsNotTaken) {
  Apply();
  const std::string before = Bytes(path_);
  std::string old_side;
  for (const auto& entry : fs::directory_iterator(fs::path(path_).parent_path()))
    if (entry.path().filename().string().size() > 64) old_side = entry.path().string();
  const std::string old_image = Bytes(old_side);
  repo_.definitions->models[0].target = "closes";
  Apply();
  Write(old_side, old_image);
  Write(path_, before);
  EXPECT_TRUE(MakePlan().HasEffect());
  StoreAsFeast(Stored());
  EXPECT_TRUE(MakePlan().HasEffect());
  Apply();
  EXPECT_EQ(SideFiles(), 1);
}

TEST_F(FileStorageTest, AnyFlippedByteIsFound) {
  Apply();
  const std::string good = Bytes(path_);
  std::mt19937 random(11);
  const size_t step = TestRounds(1) == 1 ? 7 : 1;
  const size_t stamp = good.find(Stored().version_id());
  for (size_t at = 0; at < good.size();) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << random() % 8));
    Write(path_, bad);
    EXPECT_NE(ReadError().find("registry file "), std::string::npos) << at;
    at += at + 10 > stamp && at < stamp + 60 ? 1 : step;  // all bytes of what tells Feast's writes
  }
  Write(path_, good);
  EXPECT_TRUE(registry_.Read().ok());
}

TEST_F(FileStorageTest, FlippedByteBesideIsFound) {
  Apply();
  for (const auto& entry : fs::directory_iterator(fs::path(path_).parent_path())) {
    const std::string side = entry.path().string();
    if (entry.path().filename().string().size() <= 64) continue;
    const std::string good = Bytes(side);
    for (const size_t at : {size_t{3}, size_t{60}, good.size() / 2, good.size() - 1}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 4);
      Write(side, bad);
      EXPECT_NE(ReadError().find("is damaged"), std::string::npos) << at;
    }
    Write(side, good);
  }
  EXPECT_TRUE(registry_.Read().ok());
}

TEST_F(FileStorageTest, FilesThatAreNoRegistryAreNamed) {
  fs::create_directories(fs::path(path_).parent_path());
  Write(path_, "");
  EXPECT_NE(ReadError().find("the file is empty"), std::string::npos);
  Write(path_, std::string(5000, 'x'));
  EXPECT_NE(ReadError().find("is no registry, or was cut short"), std::string::npos);
  Write(path_, "SQLite format 3");
  EXPECT_NE(ReadError().find("is no registry, or was cut short"), std::string::npos);
  feast::core::Registry registry;
  registry.set_registry_schema_version("2");
  Write(path_, registry.SerializeAsString());
  EXPECT_NE(ReadError().find("written by a newer Feast: its schema is \"2\""), std::string::npos);
}

TEST_F(FileStorageTest, TruncatedFilesAreNamed) {
  Apply();
  const std::string whole = Bytes(path_);
  for (const auto& entry : fs::directory_iterator(fs::path(path_).parent_path()))
    if (entry.path() != path_) fs::remove(entry.path());
  EXPECT_TRUE(registry_.Read().ok());
  feast::core::Registry registry = Stored();
  registry.clear_projects();
  registry.clear_project_metadata();
  registry.clear_feature_view_version_history();
  Write(path_, registry.SerializeAsString());  // cut between two fields
  EXPECT_NE(ReadError().find("cut short: it has the"), std::string::npos);
  for (const double share : {0.1, 0.5, 0.9}) {
    Write(path_, whole.substr(0, static_cast<size_t>(static_cast<double>(whole.size()) * share)));
    EXPECT_NE(ReadError().find("cut short"), std::string::npos) << share;
  }
}

TEST_F(FileStorageTest, LockedFileIsAClearError) {
  Apply();
  const int holder = open((path_ + ".viand.lock").c_str(), O_RDWR);
  ASSERT_EQ(flock(holder, LOCK_EX), 0);
  repo_.definitions->models.clear();
  const auto status = registry_.Apply(MakePlan());
  EXPECT_NE(status.message().find("locked by another process"), std::string::npos) << status;
  close(holder);
  Apply();
}

TEST_F(FileStorageTest, FeastWritingDuringAnApplyIsSeen) {
  Apply();
  repo_.view("shop_sales")->features[0].expr.text = "max(price)";
  int runs = 0;
  const auto status =
      FileStorage(path_, "", 50).Write([&](SqlConnection* connection) -> arrow::Status {
        if (++runs == 1) StoreAsFeast(Stored());
        return connection->Execute("delete from viand_objects where name = 'closing'");
      });
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(runs, 2);
  EXPECT_EQ((*registry_.Read())->Find(ObjectKind::kModel, "closing"), nullptr);
}

TEST_F(FileStorageTest, PermissionsAndSymlinksStay) {
  Apply();
  fs::permissions(path_, fs::perms(0640));
  fs::rename(path_, repo_.config.root + "/elsewhere.db");
  for (const auto& entry : fs::directory_iterator(fs::path(path_).parent_path())) {
    const std::string name = entry.path().filename().string();
    if (name.size() > 64)
      fs::rename(entry.path(), repo_.config.root + "/elsewhere.db" + name.substr(11));
  }
  fs::create_symlink(repo_.config.root + "/elsewhere.db", path_);
  const auto registry = backend_.Open();
  repo_.definitions->models[0].num_boost_round = 7;
  ASSERT_TRUE(registry->Apply(*repo_.MakePlan(**registry->Read())).ok());
  EXPECT_TRUE(fs::is_symlink(path_));
  EXPECT_EQ(fs::status(path_).permissions(), fs::perms(0640));
}

}  // namespace
}  // namespace viand::registry
