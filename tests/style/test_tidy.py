"""tidy.py finds a planted defect, and cannot pass by having looked at nothing."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).resolve().parent)]

import tidy  # noqa: E402

SOUND = '#include "src/a/a.h"\n\nint Twice(int number) { return 2 * number; }\n'
DEFECT = """#include <string>
#include <utility>

std::string Taken(std::string text) {
  std::string other = std::move(text);
  return text + other;
}
"""


@pytest.fixture
def tree(tmp_path):
    """A tree of one room with the real .clang-tidy: a.cc, a.h, and as many sound sources as go past the limit."""
    root = tmp_path / "tree"
    (root / "src/a").mkdir(parents=True)
    (root / "build/tidy").mkdir(parents=True)
    shutil.copy(tidy.ROOT / ".clang-tidy", root)
    (root / "src/a/a.h").write_text("#pragma once\nint Twice(int number);\n")
    for name in ("a", *(f"more{number}" for number in range(tidy.LIMIT))):
        (root / f"src/a/{name}.cc").write_text(SOUND)
    list_commands(root)
    return tidy.Tree(root, root / "build/tidy")


def list_commands(root):
    sources = sorted((root / "src").rglob("*.cc"))
    (root / "build/tidy/compile_commands.json").write_text(json.dumps(
        [{"directory": str(root), "file": str(source), "command": f"clang++ -std=c++20 -I{root} -c {source}"} for source in sources]))


def git(tree, *arguments):
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments], cwd=tree.root, check=True,
                   capture_output=True)


def commit_all(tree, message):
    git(tree, "add", "src")
    git(tree, "commit", "-q", "-m", message)


def test_a_planted_defect_is_found(tree, capsys):
    (tree.root / "src/a/a.cc").write_text(DEFECT)
    assert tidy.check(tree, everything=True, jobs=2) == 1
    printed = capsys.readouterr().out
    assert "src/a/a.cc:6:10: error: 'text' used after it was moved [bugprone-use-after-move" in printed
    assert f"{tidy.LIMIT + 1} of {tidy.LIMIT + 1} files: {tidy.LIMIT + 1} checked" in printed
    assert tidy.check(tree, everything=True, jobs=2) == 1, "what failed is looked at again"
    assert f": 1 checked, {tidy.LIMIT} as when they passed" in capsys.readouterr().out


def test_a_defect_in_a_header_is_found(tree, capsys):
    (tree.root / "src/a/a.h").write_text("#pragma once\nint Twice(int number);\n"
                                         "struct Base { virtual void Run(); };\nstruct Derived : Base { virtual void Run(); };\n")
    assert tidy.check(tree, everything=True, jobs=2) > 0
    assert "src/a/a.h:4:" in capsys.readouterr().out


def test_a_source_that_no_target_compiles_is_a_finding(tree, capsys):
    (tree.root / "src/a/late.cc").write_text(SOUND)
    assert tidy.check(tree, everything=False, jobs=2) == 1
    assert "src/a/late.cc: no target of build/tidy compiles this file\n" in capsys.readouterr().out


def test_a_tree_without_sources_fails(tree, capsys):
    shutil.rmtree(tree.root / "src")
    list_commands(tree.root)
    assert tidy.check(tree, everything=True, jobs=1) == 1
    assert "there is no source" in capsys.readouterr().out


def test_without_history_a_bounded_number_is_checked(tree, capsys):
    assert tidy.check(tree, everything=False, jobs=2) == 0
    assert f"{tidy.LIMIT} of {tidy.LIMIT + 1} files: {tidy.LIMIT} checked" in capsys.readouterr().out


def test_changed_sources_come_first(tree):
    git(tree, "init", "-q", "-b", "main")
    commit_all(tree, "one")
    (tree.root / "src/a/more5.cc").write_text(SOUND + "// changed\n")
    (tree.root / "src/a/lonely.h").write_text("#pragma once\n")
    (tree.root / "src/a/more6.cc").write_text('#include "src/a/lonely.h"\n' + SOUND)
    commit_all(tree, "two")
    (tree.root / "src/a/lonely.h").write_text("#pragma once\n// changed\n")
    commit_all(tree, "three")
    (tree.root / "src/a/more3.cc").write_text(SOUND + "// changed, not committed\n")
    sources, _ = tree.sources()

    def chosen(limit):
        files, over = tree.choose(sources, limit)
        return {source.name for source in files}, over

    assert chosen(2) == ({"more3.cc", "more6.cc"}, 0)
    assert chosen(1) == ({"more3.cc"}, 1)
    git(tree, "checkout", "-q", "-b", "side", "HEAD~2")
    assert chosen(1)[0] == {"more3.cc"}
    everything, over = chosen(tidy.LIMIT + 1)
    assert len(everything) == tidy.LIMIT + 1 and over == 0


def test_other_commits_choose_other_sources(tree):
    git(tree, "init", "-q", "-b", "main")
    commit_all(tree, "one")
    sources, _ = tree.sources()
    seen = set()
    # A commit's hash has its time in it, so which sources 40 commits choose is chance; of 400, one in 10^19 misses a source.
    for number in range(400):
        git(tree, "commit", "-q", "--allow-empty", "-m", f"empty {number}")
        files, _ = tree.choose(sources, 1)
        seen |= set(files)
        if seen == set(sources):
            return
    assert seen == set(sources)
