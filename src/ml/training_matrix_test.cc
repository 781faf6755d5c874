#include "src/ml/training_matrix.h"

#include <arrow/array/builder_decimal.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/compute/cast.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "src/ml/testing/tables.h"

namespace viand::ml {
namespace {

using testing::Doubles;
using testing::Integers;
using testing::TableOf;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::vector<float> Features(const arrow::Table& table, const std::vector<std::string>& columns,
                            const std::vector<int64_t>& rows, std::optional<double> fill = {}) {
  return ReadFeatures(table, columns, rows, fill).ValueOrDie().values;
}

arrow::Status FeatureError(const arrow::Table& table, const std::string& column) {
  return ReadFeatures(table, {column}, AllRows(table.num_rows()), std::nullopt).status();
}

std::string LabelError(const std::shared_ptr<arrow::Array>& labels, Task task) {
  const auto table = TableOf({{"bought", labels}});
  return ReadLabels(*table, "bought", AllRows(table->num_rows()), task).status().message();
}

TEST(ReadFeatures, TakesRowsAndColumnsInOrder) {
  const auto table = TableOf({{"a", Integers({1, 2, 3})}, {"b", Doubles({0.5, 1.5, 2.5})}});
  EXPECT_EQ(Features(*table, {"b", "a"}, {0, 2}), (std::vector<float>{0.5f, 1, 2.5f, 3}));
}

TEST(ReadFeatures, WalksChunks) {
  const auto part = TableOf({{"a", Integers({1, 2, 3})}});
  const auto table = arrow::ConcatenateTables({part, part->Slice(0, 0), part}).ValueOrDie();
  EXPECT_EQ(Features(*table, {"a"}, {1, 2, 3, 5}), (std::vector<float>{2, 3, 1, 3}));
}

TEST(ReadFeatures, NullsAndNaNAreMissingOrFilled) {
  const auto table = TableOf({{"a", Integers({1, std::nullopt})}, {"b", Doubles({kNaN, 2.0})}});
  const std::vector<float> missing = Features(*table, {"a", "b"}, {0, 1});
  EXPECT_TRUE(std::isnan(missing[1]) && std::isnan(missing[2]));
  EXPECT_EQ(Features(*table, {"a", "b"}, {0, 1}, -7), (std::vector<float>{1, -7, -7, 2}));
}

TEST(ReadFeatures, ReadsEveryNumericType) {
  const auto source = Integers({0, 1, std::nullopt});
  for (const auto& type :
       {arrow::int8(), arrow::int16(), arrow::int32(), arrow::uint8(), arrow::uint16(),
        arrow::uint32(), arrow::uint64(), arrow::float32(), arrow::float64(), arrow::boolean()}) {
    const auto array = arrow::compute::Cast(*source, type).ValueOrDie();
    EXPECT_EQ(Features(*TableOf({{"a", array}}), {"a"}, {0, 1, 2}, 9),
              (std::vector<float>{0, 1, 9}))
        << type->ToString();
  }
  EXPECT_EQ(Features(*TableOf({{"a", arrow::MakeArrayOfNull(arrow::null(), 1).ValueOrDie()}}),
                     {"a"}, {0}, 9),
            std::vector<float>{9});
}

TEST(ReadFeatures, ReadsHalfFloatsAndDecimals) {
  arrow::HalfFloatBuilder halves;
  ASSERT_TRUE(halves.Append(uint16_t{0x3E00}).ok());  // 1.5
  arrow::Decimal128Builder decimals(arrow::decimal128(9, 2));
  ASSERT_TRUE(decimals.Append(arrow::Decimal128(1234)).ok());
  const auto table = TableOf(
      {{"half", halves.Finish().ValueOrDie()}, {"decimal", decimals.Finish().ValueOrDie()}});
  EXPECT_EQ(Features(*table, {"half", "decimal"}, {0}), (std::vector<float>{1.5f, 12.34f}));
}

TEST(ReadFeatures, LargeIntegersAreRoundedOnce) {
  // 2^24 + 1 lies between two floats; 2^53 + 2^29 + 1 rounds up as an integer, but by way of double
  // it would not.
  const int64_t twice = (int64_t{1} << 53) + (int64_t{1} << 29) + 1;
  const auto table = TableOf({{"a", Integers({16'777'217, twice})}});
  EXPECT_EQ(Features(*table, {"a"}, {0, 1}),
            (std::vector<float>{16'777'216.0f, static_cast<float>(twice)}));
  EXPECT_NE(static_cast<float>(twice), static_cast<float>(static_cast<double>(twice)));
}

TEST(ReadFeatures, Errors) {
  const auto table = TableOf({{"spend", Doubles({1.0, kInfinity, 1e300})},
                              {"far", Doubles({1.0, -1.0, -1e300})},
                              {"name", testing::Texts({"x", "y", "z"})}});
  const arrow::Status infinite = FeatureError(*table, "spend");
  EXPECT_EQ(infinite.message(),
            "feature column \"spend\" holds inf in row 2: expected null or a number that float32, "
            "XGBoost's type, can hold");
  EXPECT_EQ(DetailOf(infinite)->hint,
            "make it null in the feature's expression (nullif, case), or filter the row");
  EXPECT_EQ(
      FeatureError(*table, "far").message(),
      "feature column \"far\" holds -1e+300 in row 3: expected null or a number that float32, "
      "XGBoost's type, can hold");
  EXPECT_EQ(FeatureError(*table, "name").message(),
            "feature column \"name\" has the type string: expected a number or a boolean");
  const arrow::Status unknown = FeatureError(*table, "spent");
  EXPECT_EQ(unknown.message(), "there is no feature column \"spent\"");
  EXPECT_EQ(DetailOf(unknown)->hint, "did you mean \"spend\"?");
  const auto doubled = TableOf({{"a", Integers({1})}, {"a", Integers({2})}});
  EXPECT_EQ(FeatureError(*doubled, "a").message(), "feature column \"a\" is there 2 times");
}

TEST(ReadLabels, TakesZeroAndOneOfAnyType) {
  const auto integers = Integers({0, 1, 1});
  for (const auto& type : {arrow::boolean(), arrow::int64(), arrow::float64()}) {
    const auto table = TableOf({{"y", arrow::compute::Cast(*integers, type).ValueOrDie()}});
    EXPECT_EQ(ReadLabels(*table, "y", AllRows(3), Task::kBinary).ValueOrDie(),
              (std::vector<float>{0, 1, 1}));
  }
}

TEST(ReadLabels, Errors) {
  EXPECT_EQ(LabelError(Integers({0, 1, 2}), Task::kBinary),
            "label column \"bought\" holds 2 in row 3: expected 0 or 1 (or false, true)");
  EXPECT_EQ(LabelError(Doubles({0.0, 0.5}), Task::kBinary),
            "label column \"bought\" holds 0.5 in row 2: expected 0 or 1 (or false, true)");
  EXPECT_EQ(LabelError(Doubles({kNaN}), Task::kBinary),
            "label column \"bought\" holds nan in row 1: expected 0 or 1 (or false, true)");
  EXPECT_EQ(LabelError(Integers({1, std::nullopt}), Task::kBinary),
            "label column \"bought\" is null in row 2: expected 0 or 1 (or false, true)");
  EXPECT_EQ(LabelError(Doubles({1.0, std::nullopt}), Task::kRegression),
            "label column \"bought\" is null in row 2: expected a finite number");
  EXPECT_EQ(LabelError(Doubles({kInfinity}), Task::kRegression),
            "label column \"bought\" holds inf in row 1: expected a finite number");
  EXPECT_EQ(LabelError(testing::Texts({"yes"}), Task::kBinary),
            "label column \"bought\" has the type string: expected a number or a boolean");
}

TEST(FeatureTypeOf, NamesXgboostsTypes) {
  EXPECT_EQ(FeatureTypeOf(*arrow::boolean()), "i");
  EXPECT_EQ(FeatureTypeOf(*arrow::uint8()), "int");
  EXPECT_EQ(FeatureTypeOf(*arrow::float64()), "float");
  EXPECT_EQ(FeatureTypeOf(*arrow::decimal128(9, 2)), "float");
  EXPECT_EQ(FeatureTypeOf(*arrow::utf8()), "");
  EXPECT_EQ(FeatureTypeOf(*arrow::timestamp(arrow::TimeUnit::MICRO)), "");
}

}  // namespace
}  // namespace viand::ml
