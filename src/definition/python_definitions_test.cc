#include "src/definition/python_definitions.h"

#include <gtest/gtest.h>

#include <string>

#include "src/definition/model.h"
#include "src/definition/object_readers.h"

namespace viand::definition {
namespace {

std::string ErrorOf(const std::string& said) {
  return RenderError(ParsePythonDefinitions(said, "/nowhere").status());
}

TEST(PythonDefinitions, ObjectsOfAFileAreADocument) {
  const auto python = ParsePythonDefinitions(
      "{\"reading\": \"a.py\"}\n"
      R"({"format": "viand.definitions/1", "files": ["a.py"], "projects": [{"name": "p", "file": "a.py", "line": 9}], )"
      R"("objects": [{"list": "entities", "file": 0, "node": {"map": [["name", {"text": "user", "file": 0, "at": [3, 8, 20]}]], )"
      R"("file": 0, "at": [3, 1, -1]}}]})"
      "\n",
      "/nowhere");
  ASSERT_TRUE(python.ok()) << python.status();
  ASSERT_EQ(python->files.size(), 1U);
  EXPECT_EQ(python->projects[0].first, "p");
  EXPECT_EQ(python->projects[0].second.ToString(), "a.py:9");
  const YamlNode* list = python->files[0].document.root->Find("entities");
  ASSERT_NE(list, nullptr);
  const auto entity = ReadEntity(python->files[0].document, list->items.at(0));
  ASSERT_TRUE(entity.ok()) << entity.status();
  EXPECT_EQ(entity->name, "user");
  // The text of the file is not to be had: the text stands at one place.
  EXPECT_EQ(list->items[0]->Find("name")->offset, kNoOffset);
}

TEST(PythonDefinitions, ErrorsHaveTheirPlaces) {
  EXPECT_EQ(
      ErrorOf(
          R"({"errors": [{"message": "no", "hint": "try", "file": "a.py", "line": 3, "column": 4}]})"),
      "a.py:3:4: no\n  hint: try");
}

TEST(PythonDefinitions, WhatIsNotTheFormatIsAnError) {
  for (const char* said : {"", "nothing", "[]", "{}", R"({"format": "viand.definitions/2"})"}) {
    EXPECT_NE(ErrorOf(said).find("is of another version: it does not say viand.definitions/1"),
              std::string::npos)
        << said;
  }
  const std::string head =
      R"({"format": "viand.definitions/1", "files": ["a"], "projects": [], "objects": )";
  for (const char* objects :
       {"3}", "[3]}", R"([{"list": "x"}]})", R"([{"list": "x", "file": 7, "node": {}}]})",
        R"([{"list": "x", "file": 0, "node": {"at": [1]}}]})",
        R"([{"list": 1, "file": 0, "node": 2}]})",
        R"([{"list": "x", "file": 0, "node": {"text": 3, "file": 0, "at": [1, 1, 0]}}]})",
        R"([{"list": "x", "file": 0, "node": {"text": "a", "file": 9, "at": [1, 1, 0]}}]})"}) {
    EXPECT_NE(ErrorOf(head + objects).find("said what is not viand.definitions/1"),
              std::string::npos)
        << objects;
  }
  EXPECT_NE(ErrorOf(R"({"errors": [3]})").find("said what is not"), std::string::npos);
}

}  // namespace
}  // namespace viand::definition
