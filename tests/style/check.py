#!/usr/bin/env python3
"""The house style as a test: what clang-format and clang-tidy do not see. Prints FILE:LINE: RULE: what, and fails.

Rules are functions over one file or over the tree, listed in FILE_RULES and TREE_RULES. Standard library only.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CPP = (".h", ".cc")
TEXT = CPP + (".py", ".cmake", ".txt", ".md", ".yaml", ".json", ".proto", ".fbs", ".test", ".sh", ".cfg", ".toml")
MAX_FUNCTION_LINES = 80
MAX_FILE_LINES = 600
MAX_TEST_FILE_LINES = 800

# Which rooms a room's sources may include; tests of a room may include nothing more. The order is that of the
# dependencies, and docs/ARCHITECTURE.md gives the reasons.
ROOMS = {
    "common": set(),
    "expression": {"common"},
    "engine": {"common", "expression"},
    "distributed": {"common", "expression", "engine"},
    "definition": {"common", "expression"},
    "registry": {"common", "expression", "definition"},
    "ingest": {"common", "expression", "definition"},
    "offline": {"common", "expression", "engine", "distributed", "definition", "registry"},
    "ml": {"common", "expression", "definition"},
    "store": {"common", "expression", "engine", "distributed", "definition", "registry", "ingest", "offline", "ml"},
    "cli": {"common", "distributed", "store"},  # distributed: its hidden command runs one fragment in a fresh process
    "library": set(),
}
# Split in two so that this file passes its own rules.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b|GTEST_" r"SKIP|DISABLED" r"_")
MACHINE_PATH = re.compile(r"(?<![\w.$}/])/(wo" r"rk|ro" r"ot|ho" r"me/\w+|Us" r"ers)/")
REGISTRY_HOST = re.compile(r"(py" r"pi|files\.python" r"hosted|deb\.deb" r"ian|security\.deb" r"ian|snapshot\.deb" r"ian|registry\.np" r"mjs)\.(org|com)")
VAGUE_NAME = re.compile(r"(^|[_\-.])(utils?|helpers?|managers?|misc|common_\w+)([_\-.]|$)", re.IGNORECASE)
RETAIL_NAMES = re.compile(
    r"\b(Invoice" r"No|Stock" r"Code|Customer" r"ID|Unit" r"Price|Invoice" r"Date|customer" r"_id|invoice" r"_no|stock" r"_code|"
    r"invoice" r"_date|is_cancel" r"lation|recency" r"_days|tenure" r"_days)\b")
TEST_NAME = re.compile(r"_(test|fuzz|benchmark|fixture)(_|$)")
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]((?:src|include|viand)/[^">]+)[">]')
# Comments, strings and character literals, in which a brace means nothing; and what opens a brace but no function.
CPP_QUIET = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)
CPP_NOT_FUNCTION = re.compile(r"^\s*(template\s*<[^{]*>\s*)?(class|struct|union|enum|namespace|extern)\b|[=,(]\s*$")


def tracked_files():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True,
                            capture_output=True, text=True)
    return [Path(name) for name in sorted(set(listed.stdout.splitlines())) if (ROOT / name).is_file()]


def is_test(path):
    return path.parts[0] == "tests" or "testing" in path.parts or bool(TEST_NAME.search(path.stem))


def is_text(path):
    command = path.suffix == "" and path.parts[0] == "bench"
    return path.suffix in TEXT or command or path.name in ("dev", "run", "CMakeLists.txt")


# ---- rules over one file: (path, lines) -> (line number, message) ---------------------------------------------

def blanks(path, lines):
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            yield number, "trailing blank"
        if "\t" in line:
            yield number, "tab"
    if lines and not lines[-1]:
        yield len(lines), "blank line at the end"


def unfinished(path, lines):
    for number, line in enumerate(lines, 1):
        if found := UNFINISHED.search(line):
            yield number, f"{found[0]}: finish it, or open an issue"


def machine_paths(path, lines):
    for number, line in enumerate(lines, 1):
        if found := MACHINE_PATH.search(line):
            yield number, f"{found[0]} is a path of one machine"
        if found := REGISTRY_HOST.search(line):
            yield number, f"{found[0]} is a package registry; name the package alone"


def file_length(path, lines):
    limit = MAX_TEST_FILE_LINES if is_test(path) else MAX_FILE_LINES
    if path.suffix in CPP + (".py",) and len(lines) > limit:
        yield limit, f"the file has {len(lines)} lines, more than {limit}"


def cpp_function_length(path, lines):
    """Follows the braces; what opens one is a function when it has a parameter list and is no type or namespace."""
    if path.suffix not in CPP:
        return
    code = CPP_QUIET.sub(lambda quiet: "\n" * quiet[0].count("\n") or '""', "\n".join(lines))
    number, opener, depth, function = 1, "", 0, None
    for token in re.split(r"([{};\n])", code):
        if token == "{":
            if function is None and "(" in opener and not CPP_NOT_FUNCTION.search(opener):
                function = (depth, number)
            depth += 1
        elif token == "}":
            depth -= 1
            if function and function[0] == depth:
                if number - function[1] + 1 > MAX_FUNCTION_LINES:
                    yield function[1], f"a function of {number - function[1] + 1} lines, more than {MAX_FUNCTION_LINES}"
                function = None
        number += token == "\n"
        opener = "" if token in ("{", "}", ";") else opener + token


def python_function_length(path, lines):
    if path.suffix != ".py":
        return
    import ast

    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno + 1 > MAX_FUNCTION_LINES:
            yield node.lineno, f"{node.name} has {node.end_lineno - node.lineno + 1} lines, more than {MAX_FUNCTION_LINES}"


def vague_names(path, lines):
    if any(VAGUE_NAME.search(part) for part in path.parts):
        yield 1, "the name says nothing of what is inside"


def room_of(path):
    return path.parts[1] if len(path.parts) > 2 and path.parts[0] == "src" else None


def room_directions(path, lines):
    room = room_of(path)
    if room is None or path.suffix not in CPP:
        return
    if room not in ROOMS:
        yield 1, f"room {room} is not in ROOMS of tests/style/check.py"
        return
    for number, line in enumerate(lines, 1):
        included = INCLUDE.match(line)
        target = room_of(Path(included[1])) if included else None
        if target and target != room and target not in ROOMS[room]:
            yield number, f"{room} must not include {target}"


def example_names(path, lines):
    """No C++ file knows the retail example; unit tests may use any names."""
    if path.suffix not in CPP or path.parts[0] not in ("src", "include") or is_test(path):
        return
    for number, line in enumerate(lines, 1):
        if found := RETAIL_NAMES.search(line):
            yield number, f"{found[0]} belongs to examples/retail"


def skipped_tests(path, lines):
    for number, line in enumerate(lines, 1):
        if path.suffix == ".py" and re.search(r"pytest\.mark\.(skip|skipif|xfail)\b", line):
            yield number, "a test that is skipped; delete it or make it pass"


# ---- rules over the tree: files -> (path, line number, message) -----------------------------------------------

def dead_headers(files):
    """A header that nothing includes; the public ones are included by whoever installs them."""
    included = set()
    for path, lines in files.items():
        if path.suffix in CPP:
            included |= {found[1] for line in lines if (found := INCLUDE.match(line))}
    for path in files:
        if path.suffix == ".h" and path.parts[0] == "src" and str(path) not in included:
            yield path, 1, "no file includes this header"


def dead_scripts(files):
    """A Python or shell file under tests/ or bench/ that pytest does not collect and nothing names."""
    everything = "\n".join("\n".join(lines) for lines in files.values())
    for path in files:
        if path.suffix not in (".py", ".sh", ".cmake") or path.parts[0] not in ("tests", "bench", "cmake"):
            continue
        collected = path.name.startswith("test_") or path.name == "conftest.py"
        if not collected and not re.search(rf"\b{re.escape(path.stem.removeprefix('Find'))}\b", everything):
            yield path, 1, "nothing uses this file"


def rooms_without_cmake(files):
    rooms = {path.parts[1] for path in files if room_of(path)}
    for room in sorted(rooms):
        if Path("src", room, "CMakeLists.txt") not in files:
            yield Path("src", room), 1, "the room has no CMakeLists.txt, so nothing builds it"


FILE_RULES = [blanks, unfinished, machine_paths, file_length, cpp_function_length, python_function_length, vague_names,
              room_directions, example_names, skipped_tests]
TREE_RULES = [dead_headers, dead_scripts, rooms_without_cmake]


def violations(files):
    for rule in FILE_RULES:
        for path, lines in files.items():
            for number, message in rule(path, lines):
                yield path, number, rule.__name__, message
    for rule in TREE_RULES:
        for path, number, message in rule(files):
            yield path, number, rule.__name__, message


def main():
    files = {path: (ROOT / path).read_text(encoding="utf-8").splitlines() for path in tracked_files() if is_text(path)}
    found = list(violations(files))
    for path, number, rule, message in found:
        print(f"{path}:{number}: {rule}: {message}")
    print(f"style: {len(files)} files, {len(FILE_RULES) + len(TREE_RULES)} rules, {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
