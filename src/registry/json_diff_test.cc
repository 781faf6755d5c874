#include "src/registry/json_diff.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace viand::registry {
namespace {

std::string Diff(const char* before, const char* after) {
  std::string text;
  for (const FieldChange& change : DiffJson(*ParseJson(before), *ParseJson(after)))
    text += change.path + ": " + change.before + " -> " + change.after + "\n";
  return text;
}

TEST(JsonDiff, NamesTheFieldsThatDiffer) {
  EXPECT_EQ(Diff(R"({"a":1,"b":{"c":"x"}})", R"({"a":1,"b":{"c":"x"}})"), "");
  EXPECT_EQ(Diff(R"({"a":1,"b":{"c":"x"}})", R"({"a":2,"b":{"c":"y"}})"),
            "a: 1 -> 2\nb.c: x -> y\n");
  EXPECT_EQ(Diff(R"({"a":1})", R"({"b":true})"), "b:  -> true\na: 1 -> \n");
}

TEST(JsonDiff, MatchesElementsByName) {
  EXPECT_EQ(
      Diff(R"({"f":[{"name":"x","e":1},{"name":"y","e":2}]})",
           R"({"f":[{"name":"y","e":3},{"name":"z","e":4}]})"),
      "f.y.e: 2 -> 3\nf.z:  -> {\"e\":4,\"name\":\"z\"}\nf.x: {\"e\":1,\"name\":\"x\"} -> \n");
  EXPECT_EQ(Diff(R"({"f":[{"name":"x"},{"name":"y"}]})", R"({"f":[{"name":"y"},{"name":"x"}]})"),
            "f: x, y -> y, x\n");
  EXPECT_EQ(Diff(R"({"f":[1,2]})", R"({"f":[1,2,3]})"), "f: [1,2] -> [1,2,3]\n");
}

TEST(JsonDiff, DamagedTextIsAnError) {
  EXPECT_EQ(KindOf(ParseJson("{\"a\":").status()), ErrorKind::kInput);
}

}  // namespace
}  // namespace viand::registry
