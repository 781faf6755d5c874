#include "src/engine/as_of_join.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/initialize.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "src/common/test_rounds.h"
#include "src/engine/as_of_join_oracle.h"
#include "src/engine/key_hash.h"

namespace viand::engine {
namespace {

using arrow::json::ArrayFromJSONString;
using Column = std::shared_ptr<arrow::Array>;

Column Make(const std::shared_ptr<arrow::DataType>& type, const std::string& json) {
  return *ArrayFromJSONString(type, json);
}

Column Micros(const std::string& json) {
  return Make(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), json);
}

std::string Join(const AsOfSide& spine, const AsOfSide& features, const AsOfOptions& options = {}) {
  const auto rows = AsOfJoin(spine, features, options);
  if (!rows.ok()) return rows.status().message();
  std::string out;
  for (int64_t i = 0; i < (*rows)->length(); ++i) {
    out += (i ? " " : "") + ((*rows)->IsNull(i) ? "-" : std::to_string((*rows)->Value(i)));
  }
  return out;
}

AsOfSide Side(const std::string& keys, const std::string& times, const std::string& created = "") {
  return {{Make(arrow::int64(), keys)}, Micros(times), created.empty() ? nullptr : Micros(created)};
}

TEST(AsOfJoin, TakesTheLatestRowNotLater) {
  EXPECT_EQ(Join(Side("[1, 1, 1, 2, 3, null]", "[9, 10, 99, 15, 15, 15]"),
                 Side("[1, 2, 1, null]", "[10, 15, 20, 1]")),
            "- 0 2 1 - -");
}

TEST(AsOfJoin, BoundsAreInclusive) {
  EXPECT_EQ(Join(Side("[1, 1, 1]", "[10, 15, 16]"), Side("[1]", "[10]"), {.ttl_us = 5}), "0 0 -");
}

TEST(AsOfJoin, TiesGoToCreatedThenToTheLastRow) {
  const AsOfSide spine = Side("[1]", "[10]");
  EXPECT_EQ(Join(spine, Side("[1, 1, 1]", "[5, 5, 5]", "[7, 9, 8]")), "1");
  EXPECT_EQ(Join(spine, Side("[1, 1, 1]", "[5, 5, 5]", "[9, 9, null]")), "1");
  EXPECT_EQ(Join(spine, Side("[1, 1]", "[5, 5]", "[null, null]")), "1");
  EXPECT_EQ(Join(spine, Side("[1, 1]", "[5, 5]")), "1");
}

TEST(AsOfJoin, CreatedNotAfterFallsBackToOlderRows) {
  const AsOfSide features = Side("[1, 1, 1, 1]", "[5, 6, 7, 8]", "[9, 30, 12, null]");
  EXPECT_EQ(Join(Side("[1, 1, 1, 1]", "[8, 9, 12, 30]"), features, {.created_not_after = true}),
            "- 0 2 2");
}

TEST(AsOfJoin, AKeyAbsentAtTheLastGridTimeIsAbsent) {
  const AsOfOptions options{.grid_us = {10, 20, 30}};
  EXPECT_EQ(
      Join(Side("[1, 1, 1, 1, 1]", "[9, 10, 19, 20, 35]"), Side("[1, 1]", "[10, 30]"), options),
      "- 0 0 - 1");
}

TEST(AsOfJoin, NullTimesNeverMatch) {
  EXPECT_EQ(Join(Side("[1, 1]", "[null, 9]"), Side("[1, 1]", "[null, 5]")), "- 1");
}

TEST(AsOfJoin, KeysOfOtherTypesCompareByValue) {
  const Column times = Micros("[1, 1, 1]");
  const AsOfSide features{{Make(arrow::int64(), "[-1, 5, 7]")}, times, nullptr};
  const AsOfSide wide{{Make(arrow::uint64(), "[18446744073709551615, 5, 6]")}, times, nullptr};
  EXPECT_EQ(Join(wide, features), "- 1 -");
  EXPECT_EQ(Join(features, wide), "- 1 -");
  const AsOfSide decimal{
      {Make(arrow::decimal128(10, 2), R"(["-1.00", "5.01", "7.00"])")}, times, nullptr};
  EXPECT_EQ(Join(decimal, features), "0 - 2");
  EXPECT_EQ(Join(features, decimal), "0 - 2");
  const AsOfSide text{{Make(arrow::utf8(), R"(["", "a", "b"])")}, times, nullptr};
  const auto dictionary = arrow::dictionary(arrow::int8(), arrow::utf8());
  const AsOfSide encoded{{Make(dictionary, R"(["b", null, ""])")}, times, nullptr};
  const AsOfSide large{{Make(arrow::large_utf8(), R"(["b", null, ""])")}, times, nullptr};
  EXPECT_EQ(Join(text, encoded), "2 - 0");
  EXPECT_EQ(Join(large, text), "2 - 0");
  const AsOfSide days{{Make(arrow::date32(), "[0, 1, 2]")}, times, nullptr};
  const AsOfSide seconds{
      {Make(arrow::timestamp(arrow::TimeUnit::SECOND), "[86400, 86401, 172800]")}, times, nullptr};
  EXPECT_EQ(Join(days, seconds), "- 0 2");
  EXPECT_EQ(Join(seconds, days), "1 - 2");
}

TEST(AsOfJoin, RefusesFloatsAndUnlikeTypes) {
  const Column time = Micros("[1]");
  const auto side = [&](Column key) { return AsOfSide{{std::move(key)}, time, nullptr}; };
  const auto integer = side(Make(arrow::int64(), "[1]"));
  EXPECT_EQ(Join(side(Make(arrow::float64(), "[1]")), integer), "a key cannot be of type double");
  EXPECT_EQ(Join(side(Make(arrow::utf8(), R"(["1"])")), integer),
            "keys of type int64 and string cannot be compared");
  const auto status = AsOfJoin(side(Make(arrow::boolean(), "[true]")), integer, {}).status();
  EXPECT_EQ(KindOf(status), ErrorKind::kInput);
  const AsOfSide bad_time{{Make(arrow::int64(), "[1]")}, Make(arrow::int64(), "[1]"), nullptr};
  EXPECT_EQ(Join(bad_time, integer),
            "the spine's timestamp is int64, expected a timestamp or a date");
}

TEST(AsOfJoin, TextKeysDoNotRunTogether) {
  const auto side = [](const std::string& a, const std::string& b) {
    return AsOfSide{{Make(arrow::utf8(), a), Make(arrow::utf8(), b)}, Micros("[1]"), nullptr};
  };
  EXPECT_EQ(Join(side(R"(["1"])", R"(["11"])"), side(R"(["11"])", R"(["1"])")), "-");
}

TEST(AsOfJoin, WithoutKeysAllRowsAreOneGroup) {
  EXPECT_EQ(Join({{}, Micros("[5, 1]"), nullptr}, {{}, Micros("[2, 4]"), nullptr}), "1 -");
  EXPECT_EQ(Join({{}, Micros("[5, 1]"), nullptr}, {{}, Micros("[]"), nullptr}), "- -");
}

TEST(AsOfJoin, UnitsCompareWithoutLossOrOverflow) {
  const auto seconds = arrow::timestamp(arrow::TimeUnit::SECOND);
  const auto nanos = arrow::timestamp(arrow::TimeUnit::NANO, "Asia/Tokyo");
  const Column key = Make(arrow::int64(), "[1, 1, 1]");
  EXPECT_EQ(Join({{key}, Make(nanos, "[4999999999, 5000000000, 5000000001]"), nullptr},
                 {{key}, Make(seconds, "[5, 4, 6]"), nullptr}),
            "1 0 0");
  const std::string far = std::to_string(std::numeric_limits<int64_t>::max());
  EXPECT_EQ(Join({{key}, Make(seconds, "[" + far + ", 0, 1]"), nullptr},
                 {{key}, Make(nanos, "[-" + far + ", " + far + ", 1]"), nullptr}, {.ttl_us = 10}),
            "- - -");
  EXPECT_EQ(Join({{key}, Make(seconds, "[" + far + ", 0, 1]"), nullptr},
                 {{key}, Make(nanos, "[-" + far + ", " + far + ", 1]"), nullptr}),
            "1 0 2");
}

struct Random {
  std::mt19937_64 bits;
  int64_t Below(int64_t n) { return static_cast<int64_t>(bits() % n); }

  Column Integers(const std::shared_ptr<arrow::DataType>& type, int64_t rows, int64_t range) {
    arrow::Int64Builder builder;
    for (int64_t i = 0; i < rows; ++i) {
      if (Below(10) == 0)
        EXPECT_TRUE(builder.AppendNull().ok());
      else
        EXPECT_TRUE(builder.Append(Below(range)).ok());
    }
    const Column out = *builder.Finish();
    if (type->id() == arrow::Type::TIMESTAMP) return *out->View(type);
    return arrow::compute::Cast(*out, type).ValueOrDie();
  }
  /// Microseconds of a few days, no null: sorted, their leading bits are not enough.
  Column Moments(int64_t rows) {
    arrow::Int64Builder builder;
    for (int64_t i = 0; i < rows; ++i)
      EXPECT_TRUE(builder.Append(Below(5) * 86'400'000'000 + Below(4)).ok());
    return *(*builder.Finish())->View(arrow::timestamp(arrow::TimeUnit::MICRO));
  }
  Column Times(int64_t rows) {
    if (Below(2) == 0) return Moments(rows);
    const auto unit = static_cast<arrow::TimeUnit::type>(2 + Below(2));
    return Integers(arrow::timestamp(unit), rows, unit == arrow::TimeUnit::MICRO ? 40 : 40000);
  }
  /// Seconds over all that 64 bits hold, few of them different: as microseconds they need 128.
  Column FarTimes(int64_t rows) {
    arrow::Int64Builder builder;
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t quarter = std::numeric_limits<int64_t>::max() / 4;
      EXPECT_TRUE(builder.Append((Below(8) - 4) * quarter + Below(3)).ok());
    }
    return *(*builder.Finish())->View(arrow::timestamp(arrow::TimeUnit::SECOND, "Asia/Tokyo"));
  }
  /// Words whose hashes share their low bits: in a small table they are all in each other's way.
  Column Colliding(int64_t rows) {
    std::vector<int64_t> words;
    for (int64_t word = 1; words.size() < 12; ++word) {
      if ((HashWord(static_cast<uint64_t>(word)) & 0x3ff) == 0) words.push_back(word);
    }
    arrow::Int64Builder builder;
    for (int64_t i = 0; i < rows; ++i) EXPECT_TRUE(builder.Append(words[Below(12)]).ok());
    return *builder.Finish();
  }
};

/// The side's rows in the order of their times, or of their keys and times.
AsOfSide Sorted(const AsOfSide& side, bool by_key) {
  arrow::ArrayVector columns = side.keys;
  columns.push_back(side.time);
  if (side.created) columns.push_back(side.created);
  std::vector<std::string> names;
  arrow::FieldVector fields;
  for (const Column& column : columns) {
    names.push_back(std::to_string(names.size()));
    fields.push_back(arrow::field(names.back(), column->type()));
  }
  const auto batch = arrow::RecordBatch::Make(arrow::schema(fields), side.time->length(), columns);
  std::vector<arrow::compute::SortKey> order;
  for (size_t i = 0; by_key && i < side.keys.size(); ++i) order.emplace_back(names[i]);
  order.emplace_back(names[side.keys.size()]);
  const auto places =
      arrow::compute::SortIndices(batch, arrow::compute::SortOptions(order)).ValueOrDie();
  const auto sorted = arrow::compute::Take(batch, places)->record_batch();
  AsOfSide out;
  for (size_t i = 0; i < side.keys.size(); ++i) out.keys.push_back(sorted->column(i));
  out.time = sorted->column(side.keys.size());
  if (side.created) out.created = sorted->columns().back();
  return out;
}

KeyTexts TextsOf(const AsOfSide& side) {
  KeyTexts out(side.time->length(), "");
  for (const Column& key : side.keys) {
    const auto text = *arrow::compute::Cast(*key, arrow::utf8());
    for (int64_t i = 0; i < text->length(); ++i) {
      if (text->IsNull(i))
        out[i].reset();
      else if (out[i])
        *out[i] += static_cast<const arrow::StringArray&>(*text).GetString(i) + "|";
    }
  }
  return out;
}

TEST(AsOfJoin, EqualsTheOracle) {
  ASSERT_TRUE(arrow::compute::Initialize().ok());
  Random random{std::mt19937_64(7)};
  const std::vector<std::shared_ptr<arrow::DataType>> types = {arrow::int64(), arrow::int8(),
                                                               arrow::uint64(), arrow::uint16()};
  for (int trial = 0; trial < TestRounds(200); ++trial) {
    const bool far = random.Below(8) == 0, collide = random.Below(3) == 0;
    const auto times = [&](int64_t rows) {
      return far ? random.FarTimes(rows) : random.Times(rows);
    };
    const auto side = [&](int64_t rows, bool created) {
      AsOfSide made{{}, times(rows), created ? times(rows) : nullptr};
      if (collide) {
        made.keys = {random.Colliding(rows)};
      } else {
        made.keys = {
            random.Integers(types[random.Below(4)], rows, 3),
            *arrow::compute::Cast(*random.Integers(arrow::int64(), rows, 3), arrow::utf8())};
      }
      const int64_t order = random.Below(4);
      return order < 2 ? made : Sorted(made, order == 2);
    };
    const AsOfSide spine = side(random.Below(40), false);
    const AsOfSide features = side(random.Below(60), random.Below(2) == 0);
    AsOfOptions options{.ttl_us = random.Below(2) * random.Below(30),
                        .created_not_after = random.Below(2) == 0};
    if (random.Below(3) == 0) options.grid_us = {3, 11, 11, 30};
    const auto expected =
        AsOfJoinOracle(spine, features, options, TextsOf(spine), TextsOf(features));
    const auto rows = AsOfJoin(spine, features, options).ValueOrDie();
    ASSERT_EQ(rows->length(), static_cast<int64_t>(expected.size()));
    for (int64_t i = 0; i < rows->length(); ++i) {
      ASSERT_EQ(rows->IsValid(i), expected[i].has_value()) << "trial " << trial << " row " << i;
      if (rows->IsValid(i)) ASSERT_EQ(rows->Value(i), *expected[i]) << "trial " << trial;
    }
  }
}

}  // namespace
}  // namespace viand::engine
