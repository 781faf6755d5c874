#include "src/store/nested_json.h"

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <cmath>

namespace viand::store {
namespace {

/// The texts of one column, joined.
std::string Texts(const std::shared_ptr<arrow::Array>& column) {
  const auto table = arrow::Table::Make(arrow::schema({arrow::field("x", column->type())}),
                                        {std::make_shared<arrow::ChunkedArray>(column)});
  const auto flat = WithNestedAsJson(table);
  if (!flat.ok()) return flat.status().ToString();
  const auto& texts = static_cast<const arrow::StringArray&>(*(*flat)->column(0)->chunk(0));
  std::string all;
  for (int64_t i = 0; i < texts.length(); ++i) {
    all += (i == 0 ? "" : " | ") + (texts.IsNull(i) ? std::string("NULL") : texts.GetString(i));
  }
  return all;
}

std::shared_ptr<arrow::Array> FromJson(const std::shared_ptr<arrow::DataType>& type,
                                       std::string_view text) {
  return arrow::json::ArrayFromJSONString(type, text).ValueOrDie();
}

TEST(NestedJson, OfLists) {
  const auto integers = FromJson(arrow::list(arrow::int64()), "[[1, null, -3], [], null, [7]]");
  EXPECT_EQ(Texts(integers), "[1,null,-3] | [] | NULL | [7]");
  EXPECT_EQ(Texts(integers->Slice(2)), "NULL | [7]");
  EXPECT_EQ(Texts(FromJson(arrow::large_list(arrow::utf8()), R"([["a\"b", "ü"]])")),
            R"(["a\"b","ü"])");
  EXPECT_EQ(Texts(FromJson(arrow::fixed_size_list(arrow::float64(), 3), "[[0.5, NaN, -Inf]]")),
            R"([0.5,"NaN","-Infinity"])");
  EXPECT_EQ(Texts(FromJson(arrow::list(arrow::boolean()), "[[true, false]]")), "[true,false]");
  EXPECT_EQ(Texts(FromJson(arrow::list(arrow::binary()), R"([["ab"]])")), R"(["6162"])");
  EXPECT_EQ(Texts(FromJson(arrow::list(arrow::timestamp(arrow::TimeUnit::SECOND)), "[[0, 90]]")),
            R"(["1970-01-01 00:00:00","1970-01-01 00:01:30"])");
  EXPECT_EQ(Texts(FromJson(arrow::list(arrow::date32()), "[[1]]")), R"(["1970-01-02"])");
}

TEST(NestedJson, OfStructsAndMaps) {
  const auto type = arrow::struct_(
      {arrow::field("x", arrow::int64()), arrow::field("y", arrow::list(arrow::utf8()))});
  EXPECT_EQ(Texts(FromJson(type, R"([{"x": 1, "y": ["a"]}, null, {"x": null, "y": null}])")),
            R"({"x":1,"y":["a"]} | NULL | {"x":null,"y":null})");
  EXPECT_EQ(Texts(FromJson(arrow::map(arrow::utf8(), arrow::int64()), R"([[["a", 1]]])")),
            R"([{"key":"a","value":1}])");
}

TEST(NestedJson, LeavesPlainColumnsAlone) {
  const auto column = FromJson(arrow::int64(), "[1, null]");
  const auto table = arrow::Table::Make(arrow::schema({arrow::field("x", column->type())}),
                                        {std::make_shared<arrow::ChunkedArray>(column)});
  EXPECT_EQ(WithNestedAsJson(table).ValueOrDie(), table);
}

}  // namespace
}  // namespace viand::store
