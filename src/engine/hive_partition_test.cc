#include "src/engine/hive_partition.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include "src/common/error.h"

namespace viand::engine {
namespace {

std::shared_ptr<arrow::DataType> TypeOf(const std::vector<std::string>& values) {
  std::vector<std::string> paths;
  for (const std::string& value : values) paths.push_back("/d/k=" + value + "/f.parquet");
  return PartitionSchema(paths).ValueOrDie()->field(0)->type();
}

TEST(HivePartition, FoldersAreColumns) {
  const auto values =
      PartitionValuesOf(
          "s3://b/year=2011/no/region=a%2Fb%20c/n=__HIVE_DEFAULT_PARTITION__/x=1.parquet")
          .ValueOrDie();
  ASSERT_EQ(values.size(), 3);
  EXPECT_EQ(values[0].key, "year");
  EXPECT_EQ(values[1].text, "a/b c");
  EXPECT_EQ(values[2].key, "n");
  EXPECT_FALSE(values[2].text.has_value());
}

TEST(HivePartition, TypesAreInferredOverAllFiles) {
  EXPECT_TRUE(TypeOf({"1", "-20", "03"})->Equals(arrow::int64()));
  EXPECT_TRUE(TypeOf({"1", "x"})->Equals(arrow::utf8()));
  EXPECT_TRUE(TypeOf({"0x10"})->Equals(arrow::utf8()));
  EXPECT_TRUE(TypeOf({"99999999999999999999"})->Equals(arrow::utf8()));
  EXPECT_TRUE(TypeOf({"2011-03-01", "__HIVE_DEFAULT_PARTITION__"})->Equals(arrow::date32()));
  EXPECT_TRUE(TypeOf({"2011-03-01", "2011-03-01 08%3A00%3A00"})
                  ->Equals(arrow::timestamp(arrow::TimeUnit::MICRO)));
  EXPECT_TRUE(TypeOf({"__HIVE_DEFAULT_PARTITION__"})->Equals(arrow::utf8()));
}

TEST(HivePartition, TwoValuesOfOneKeyAreAnError) {
  EXPECT_EQ(PartitionValuesOf("/k=1/k=2/f").status().message(),
            "/k=1/k=2/f: its folders give \"k\" two values, 1 and 2");
  EXPECT_EQ(PartitionValuesOf("/k=1/k=1/f").ValueOrDie().size(), 1);
}

TEST(HivePartition, AValueThatIsNotOfTheTypeIsNamed) {
  EXPECT_EQ(
      ParsePartitionValue({"k", "x"}, arrow::int64(), "/k=x/f", "source \"s\"").status().message(),
      "source \"s\": the folder k=x of /k=x/f is no int64");
  EXPECT_FALSE((*ParsePartitionValue({"k", std::nullopt}, arrow::int64(), "", "")).get()->is_valid);
}

}  // namespace
}  // namespace viand::engine
