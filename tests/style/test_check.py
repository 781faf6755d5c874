"""Every rule of check.py finds what it is for, and lets pass what is fine."""

import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).resolve().parent)]

import check  # noqa: E402

LONG_BODY = ["  Step();"] * check.MAX_FUNCTION_LINES


def found(rule, path, *lines):
    return [number for number, _ in rule(Path(path), list(lines))]


@pytest.mark.parametrize("rule, path, lines, wrong", [
    (check.blanks, "src/a/b.cc", ["int a; ", "\tint b;", "int c;", ""], [1, 2, 4]),
    (check.unfinished, "src/a/b.cc", ["int a;", "// TO" "DO: more", "GTEST_" "SKIP();"], [2, 3]),
    (check.machine_paths, "a.md", ["see /wo" "rk/main", "a/wo" "rk/b and ${X}/ro" "ot/", "https://py" "pi.org"], [1, 3]),
    (check.file_length, "src/a/b.cc", [""] * 601, [600]),
    (check.file_length, "src/a/b_test.cc", [""] * 601, []),
    (check.vague_names, "src/a/string_utils.cc", [], [1]),
    (check.vague_names, "src/a/string_view.cc", [], []),
    (check.room_directions, "src/engine/a.cc", ['#include "src/common/x.h"', '#include "src/registry/x.h"'], [2]),
    (check.room_directions, "src/unheard_of/a.cc", [], [1]),
    (check.example_names, "src/engine/a.cc", ["// as customer" "_id does"], [1]),
    (check.example_names, "src/engine/a_test.cc", ["// as customer" "_id does"], []),
    (check.skipped_tests, "tests/test_a.py", ["@pytest.mark." "skip(reason='later')", "@pytest.mark." "skipif(True)"], [1, 2]),
])
def test_a_rule_finds_its_lines(rule, path, lines, wrong):
    assert found(rule, path, *lines) == wrong


@pytest.mark.parametrize("opening", [
    "void Run(int a) {", "TEST(Room, Case) {", "Foo::Foo(int a) : a_(a) {", "auto Make() -> std::vector<int> {",
    "  int Inside(const std::string& a) const override {"])
def test_long_cpp_functions_are_found(opening):
    lines = ["namespace a {", 'const char* kBrace = "{";  // and {', opening, *LONG_BODY, "}", "}"]
    assert len(found(check.cpp_function_length, "src/a/b.cc", *lines)) == 1
    assert not found(check.cpp_function_length, "src/a/b.cc", *lines[:3], *LONG_BODY[:-4], "}", "}")


@pytest.mark.parametrize("opening", ["class A : public B {", "const int kTable[] = {", "enum class A : int {", "namespace a::b {"])
def test_what_is_no_function_may_be_long(opening):
    assert not found(check.cpp_function_length, "src/a/b.cc", opening, *["  1,"] * 200, "};")


def test_a_lambda_counts_as_its_function():
    lines = ["void Run() {", "  auto f = [](int a) {", *LONG_BODY[:50], "  };", *LONG_BODY[:50], "}"]
    assert len(found(check.cpp_function_length, "src/a/b.cc", *lines)) == 1


def test_long_python_functions_are_found():
    assert found(check.python_function_length, "a.py", "def f():", *["    pass"] * 90) == [1]


def test_headers_that_nothing_includes_are_found():
    files = {Path("src/a/used.h"): [], Path("src/a/dead.h"): [], Path("src/a/a.cc"): ['#include "src/a/used.h"']}
    assert [str(path) for path, _, _ in check.dead_headers(files)] == ["src/a/dead.h"]


def test_scripts_and_rooms_that_nothing_uses_are_found():
    files = {Path("bench/lonely.py"): [], Path("tests/test_a.py"): [], Path("src/a/a.cc"): []}
    assert [str(path) for path, _, _ in check.dead_scripts(files)] == ["bench/lonely.py"]
    assert [str(path) for path, _, _ in check.rooms_without_cmake(files)] == ["src/a"]
