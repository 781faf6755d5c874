#include "src/definition/function_code.h"

#include <gtest/gtest.h>

#include "src/common/sha256.h"
#include "src/definition/validation.h"
#include "src/definition/yaml_reader.h"
#include "src/definition/yaml_writer.h"

namespace viand::definition {
namespace {

/// A view whose feature `x` is what `feature` says.
arrow::Result<FeatureView> View(const std::string& feature) {
  Definitions definitions;
  VIAND_RETURN_NOT_OK(
      ReadDefinitionText("feature_views:\n  - name: v\n    entities: []\n    source: s\n    "
                         "window: 1d\n    features:\n"
                         "      x: " +
                             feature + "\n",
                         "r.yaml", &definitions));
  return definitions.feature_views.at(0);
}

/// As ResolveFunctions leaves it.
FeatureView Resolved(const std::string& feature) {
  FeatureView view = View(feature).ValueOrDie();
  PythonFunction& function = *view.features[0].function;
  function.python = "3.12";
  function.versions = {{"pandas", "2.3.3"}};
  function.code = "def f(rows):\n    return g(rows)";
  function.modules = {{"shared.__init__", "ONE = 1"}};
  function.places = R"({"file": "m.py"})";
  return view;
}

std::string Rejection(const std::string& feature) {
  const auto view = View(feature);
  return view.ok() ? "read" : RenderError(view.status());
}

TEST(FunctionReader, ReadsAllKeys) {
  const FeatureView view =
      View(
          "{function: \"m.n:f\", columns: [b, a], returns: double, mode: pandas, output: o, "
          "packages: [z, a], window: 2d, default: 0}")
          .ValueOrDie();
  EXPECT_TRUE(view.computed);
  const PythonFunction& function = *view.features[0].function;
  EXPECT_EQ(function.name.name, "m.n:f");
  EXPECT_EQ(function.name.where.ToString(), "r.yaml:7:21");
  EXPECT_EQ(function.columns.at(0).name + function.columns.at(1).name, "ba");
  EXPECT_EQ(function.returns.text, "double");
  EXPECT_EQ(function.mode, "pandas");
  EXPECT_EQ(function.output, "o");
  EXPECT_EQ(function.packages, (std::vector<std::string>{"a", "z"}));
  EXPECT_EQ(view.features[0].window->length_us, int64_t{2} * 86'400'000'000);
  EXPECT_EQ(view.features[0].Computation(), "m.n:f(b, a).o");
}

TEST(FunctionReader, RefusesWhatMakesNoSense) {
  const std::pair<const char*, const char*> kRefused[] = {
      {"{function: f, returns: double}", "\"f\" names no function: expected module:name"},
      {"{function: \"m:\", returns: double}", "names no function"},
      {"{function: \"m-n:f\", returns: double}", "names no function"},
      {"{function: \"m:f\"}", "lacks the key \"returns\""},
      {"{function: \"m:f\", returns: double, expr: sum(a)}", "not both"},
      {"{function: \"m:f\", returns: double, mode: numpy}", "unknown mode \"numpy\""},
      {"{function: \"m:f\", returns: double, columns: [a, a]}", "the column \"a\" stands twice"},
      {"{expr: sum(a), packages: [x]}", "\"packages\" needs a \"function\""},
      {"{window: 1d}", "lacks the key \"expr\""}};
  for (const auto& [feature, message] : kRefused)
    EXPECT_NE(Rejection(feature).find(message), std::string::npos) << Rejection(feature);
}

TEST(FunctionCode, IsInTheCanonicalTextAndReadsBack) {
  const FeatureView view = Resolved("{function: \"m:f\", columns: [a], returns: Float64}");
  const std::string code = Sha256Hex(view.features[0].function->code).substr(0, 16);
  const std::string shared = Sha256Hex("ONE = 1").substr(0, 16);
  const std::string text = CanonicalText(view);
  EXPECT_NE(text.find(R"("function":{"code":")" + code +
                      R"(","columns":["a"],"modules":{"shared.__init__":")" + shared +
                      R"("},"name":"m:f","python":"3.12","returns":"double",)"
                      R"("versions":{"pandas":"2.3.3"}})"),
            std::string::npos)
      << text;
  const FeatureView back = ViewFromCanonicalText(text).ValueOrDie();
  EXPECT_EQ(CanonicalText(back), text);
  EXPECT_TRUE(back.computed);
  EXPECT_EQ(back.features[0].function->modules, view.features[0].function->modules);
}

TEST(FunctionCode, TellsFunctionsApartAndNotTheirPlaces) {
  const FeatureView view = Resolved("{function: \"m:f\", returns: double}");
  FeatureView other = view;
  other.features[0].function->places = R"({"file": "n.py"})";
  EXPECT_EQ(CanonicalText(other), CanonicalText(view));
  for (const auto change : {+[](PythonFunction* function) { function->code += "\n"; },
                            +[](PythonFunction* function) { function->python = "3.13"; },
                            +[](PythonFunction* function) { function->versions["pandas"] = "3"; },
                            +[](PythonFunction* function) { function->modules.clear(); },
                            +[](PythonFunction* function) { function->mode = "pandas"; }}) {
    other = view;
    change(&*other.features[0].function);
    EXPECT_NE(CanonicalText(other), CanonicalText(view));
  }
}

TEST(FunctionCode, YamlNamesAFileAndQuotesATextOfNone) {
  Definitions in_file, in_none;
  in_file.feature_views = {Resolved("{function: \"m:f\", columns: [a], returns: double}")};
  EXPECT_NE(WriteYaml(in_file).ValueOrDie().find(
                "x: {function: \"m:f\", returns: double, columns: [a]}\n"),
            std::string::npos);
  in_none.feature_views = {Resolved("{function: f, returns: double, code: \"def f(rows): pass\"}")};
  EXPECT_NE(WriteYaml(in_none).ValueOrDie().find("x: {function: f, returns: double, "
                                                 "code: \"def f(rows):\\n    return g(rows)\"}\n"),
            std::string::npos);
}

}  // namespace
}  // namespace viand::definition
