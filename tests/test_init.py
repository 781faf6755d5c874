"""viand init: the offer to fetch the example's data, at a terminal and away from one."""

import os
import pty
import select
import subprocess
import time

import pytest


@pytest.fixture
def fetches(tmp_path):
    """A python3 in front of the path that notes how it is called, and fetches nothing."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "python3"
    script.write_text(f'#!/bin/sh\necho "$@" >> "{tmp_path}/calls"\necho fetching\nexit ${{FETCH_CODE:-0}}\n')
    script.chmod(0o755)

    def calls():
        path = tmp_path / "calls"
        return path.read_text().splitlines() if path.exists() else []

    calls.path = f"{folder}:{os.environ['PATH']}"
    return calls


def run(viand, folder, fetches, *arguments, code=0, **environment):
    done = subprocess.run([viand.program, "init", *arguments], cwd=folder, text=True, capture_output=True, timeout=60,
                          stdin=subprocess.DEVNULL, env={**os.environ, "NO_COLOR": "1", "PATH": fetches.path, **environment})
    assert done.returncode == code, done.stdout + done.stderr
    return done


def at_terminal(viand, folder, fetches, answer, *arguments):
    """Runs with a terminal as all three streams; returns what was on it."""
    terminal, inside = pty.openpty()
    process = subprocess.Popen([viand.program, "init", *arguments], cwd=folder, stdin=inside, stdout=inside, stderr=inside,
                               env={**os.environ, "NO_COLOR": "1", "PATH": fetches.path})
    os.close(inside)
    seen, answered, deadline = "", False, time.monotonic() + 60
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                seen += os.read(terminal, 4096).decode()
            except OSError:  # the other end is closed
                break
        if "[Y/n]" in seen and not answered:
            os.write(terminal, answer.encode())
            answered = True
    os.close(terminal)
    assert process.wait(timeout=60) == 0, seen
    assert answered, seen
    return seen.replace("\r\n", "\n")


def test_away_from_a_terminal_nothing_is_asked(viand, tmp_path, fetches):
    done = run(viand, tmp_path, fetches, "shop")
    assert done.stdout == ("made shop from the template retail\nnext:\n"
                           "  python3 shop/get_data.py   fetch the data, or generate it\n"
                           "  viand run -C shop   from raw data to the end\n")
    assert done.stderr == "" and fetches() == []


def test_yes_fetches(viand, tmp_path, fetches):
    done = run(viand, tmp_path, fetches, "shop", "--yes")
    assert fetches() == ["shop/get_data.py"]
    assert done.stdout == "made shop from the template retail\nnext:\n  viand run -C shop   from raw data to the end\n"
    assert done.stderr == "fetching\n"
    assert run(viand, tmp_path, fetches, "other", "--yes", "--json").stdout == (
        '{\n  "data_fetched": true,\n  "folder": "other",\n  "template": "retail"\n}\n')


def test_a_copy_of_the_data(viand, tmp_path, fetches):
    (tmp_path / "mine.xlsx").write_text("workbook")
    run(viand, tmp_path, fetches, "shop", "--data", "mine.xlsx")
    assert fetches() == ["shop/get_data.py --data mine.xlsx"]


def test_data_that_is_not_there_makes_nothing(viand, tmp_path, fetches):
    done = run(viand, tmp_path, fetches, "shop", "--data", "nope.xlsx", code=2)
    assert done.stderr == ("error: --data: there is no file nope.xlsx\n"
                           "  hint: name an .xlsx of UCI Online Retail, or leave --data out\n")
    done = run(viand, tmp_path, fetches, "shop", "--template", "minimal", "--data", "nope.xlsx", code=2)
    assert done.stderr == "error: the template minimal takes no --data: its data is in it\n"
    assert not (tmp_path / "shop").exists()


def test_a_fetch_that_fails(viand, tmp_path, fetches):
    done = run(viand, tmp_path, fetches, "shop", "--yes", code=1, FETCH_CODE="3")
    assert done.stderr.endswith("error: made shop, but fetching its data failed\n"
                                "  hint: run it again: python3 shop/get_data.py\n")


@pytest.mark.parametrize("answer, fetched", [("\n", True), ("y\n", True), ("n\n", False), ("\x04", False)])
def test_at_a_terminal_it_offers(viand, tmp_path, fetches, answer, fetched):
    seen = at_terminal(viand, tmp_path, fetches, answer, "shop")
    assert "fetch its data now (a download, or generated where there is no network)? [Y/n]" in seen
    assert (fetches() == ["shop/get_data.py"]) is fetched
    assert ("python3 shop/get_data.py   fetch the data" in seen) is not fetched
