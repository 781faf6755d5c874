#include "src/common/data_files.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace viand {
namespace {

class DataFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "viand_test.XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void Touch(const std::string& name) {
    const std::filesystem::path path = folder_ + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << "x";
  }

  /// Names below the folder.
  std::vector<std::string> Listed(const std::string& path) {
    std::vector<std::string> names;
    for (const ListedFile& file : ListDataFiles(folder_ + "/" + path).ValueOrDie())
      names.push_back(file.path.substr(folder_.size() + 1));
    return names;
  }

  std::string folder_;
};

using Names = std::vector<std::string>;

TEST_F(DataFilesTest, AFolderHasItsDataFilesInOrderOfTheirWholeNames) {
  for (const char* name : {"d/b.parquet", "d/a/z.parquet", "d/a.parquet", "d/x.csv", "d/_SUCCESS",
                           "d/_tmp/c.parquet", "d/.c.parquet", "d/k=1/e.pq"})
    Touch(name);
  EXPECT_EQ(Listed("d"), (Names{"d/a.parquet", "d/a/z.parquet", "d/b.parquet", "d/k=1/e.pq"}));
}

TEST_F(DataFilesTest, PatternsAndTheFoldersThatFitThem) {
  for (const char* name : {"y=1/a.parquet", "y=1/m/b.parquet", "y=2/c.parquet", "y=2/d.txt"})
    Touch(name);
  EXPECT_EQ(Listed("y=*"), (Names{"y=1/a.parquet", "y=1/m/b.parquet", "y=2/c.parquet"}));
  EXPECT_EQ(Listed("y=*/*"),
            (Names{"y=1/a.parquet", "y=1/m/b.parquet", "y=2/c.parquet", "y=2/d.txt"}));
  EXPECT_EQ(Listed("y=[2-9]/*.txt"), (Names{"y=2/d.txt"}));
  EXPECT_EQ(Listed("**/b.parquet"), (Names{"y=1/m/b.parquet"}));
}

TEST_F(DataFilesTest, EachOfTheTextsInBracesMustHaveFiles) {
  for (const char* name : {"2010/a.parquet", "2011/b.parquet", "2012/c.parquet"}) Touch(name);
  EXPECT_EQ(Listed("{2012,2010}"), (Names{"2010/a.parquet", "2012/c.parquet"}));
  EXPECT_EQ(Listed("{2011,2010}/*.parquet"), (Names{"2010/a.parquet", "2011/b.parquet"}));
  EXPECT_EQ(Listed("{2008,2009}"), Names());
  EXPECT_EQ(ListDataFiles(folder_ + "/{2009,2010}").status().message(),
            "there is nothing at " + folder_ + "/2009, one of " + folder_ + "/{2009,2010}");
}

TEST_F(DataFilesTest, ANameWithABracketIsANameFirst) {
  Touch("a[1].parquet");
  Touch("a1.parquet");
  EXPECT_EQ(Listed("a[1].parquet"), (Names{"a[1].parquet"}));
}

TEST_F(DataFilesTest, NothingThereIsNoError) {
  EXPECT_EQ(Listed("none"), Names());
  EXPECT_EQ(Listed("none/*/x"), Names());
  EXPECT_EQ(FindDataFile("/none/x", "source \"s\"").status().message(),
            "source \"s\": no such file: /none/x");
}

}  // namespace
}  // namespace viand
