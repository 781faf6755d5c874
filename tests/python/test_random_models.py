"""Random repos: what Python's objects say is what the program reads, from their files, from their YAML, and from a tree written without viand."""

import json
import os

import pytest

import viand as package
from definitions_fixture import exported, make_repo, python_of_the_program  # noqa: F401
from random_models import Random

SEEDS = range(200 if os.environ.get("VIAND_LONG") else 25)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_repo_is_read_as_it_was_built(viand, tmp_path, monkeypatch, seed):
    built = Random(seed).build()
    monkeypatch.setenv("PYTHONPATH", os.environ["PYTHONPATH"] + os.pathsep + os.path.dirname(os.path.abspath(__file__)))
    source = f"import viand\nfrom random_models import objects_of\nobjects = objects_of({seed})\n"
    in_python = exported(viand, make_repo(tmp_path / "python", definitions_py=source))
    in_yaml = exported(viand, make_repo(tmp_path / "yaml", definitions_yaml=package.to_yaml(built.objects)))
    by_hand = exported(viand, make_repo(tmp_path / "hand", definitions_yaml=json.dumps(built.trees, ensure_ascii=False)))
    assert in_python == in_yaml == by_hand
    assert in_yaml == exported(viand, make_repo(tmp_path / "again", definitions_yaml=in_yaml))
