#!/usr/bin/env python3
"""Puts the example's workbook into data/online_retail.xlsx beside this file, and says where it came from.

The first that works: --data PATH, a copy in ../shared/data of the viand checkout, the download from the UCI site,
the generator. Standard library only.
"""

import argparse
import os
import shutil
import sys
import urllib.request
import zipfile
from pathlib import Path

from generate import REAL_ROWS, make_rows
from workbook import write_xlsx

HERE = Path(__file__).resolve().parent
URL = "https://archive.ics.uci.edu/static/public/352/online+retail.zip"
WORKBOOK = "Online Retail.xlsx"
CONNECT_TIMEOUT_SECONDS = 5


def shared_copy():
    """Looks for shared/data beside the checkout that holds this folder (examples/retail, or the demo's copy of it)."""
    for parent in HERE.parents[:3]:
        path = parent / "shared" / "data" / "online_retail.xlsx"
        if path.exists():
            return path
    return None


def download(target):
    """Fetches and unpacks the workbook; returns why not, or None when it is there."""
    packed = target.with_suffix(".zip.part")
    try:
        with urllib.request.urlopen(URL, timeout=CONNECT_TIMEOUT_SECONDS) as response, open(packed, "wb") as file:
            shutil.copyfileobj(response, file)
        with zipfile.ZipFile(packed) as package, package.open(WORKBOOK) as source:
            replace_with(target, lambda file: shutil.copyfileobj(source, file))
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        return str(error)
    finally:
        packed.unlink(missing_ok=True)
    return None


def replace_with(target, write):
    """Writes beside the target and renames, so that the target is whole or absent."""
    part = target.with_suffix(".part")
    with open(part, "wb") as file:
        write(file)
    os.replace(part, target)


def copy(source, target):
    if not source.is_file():
        sys.exit(f"get_data.py: {source}: no such file")
    with open(source, "rb") as file:
        replace_with(target, lambda out: shutil.copyfileobj(file, out))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path, help="an .xlsx of UCI Online Retail that you have")
    parser.add_argument("--generate", action="store_true", help="make the data instead of looking for it")
    options = parser.parse_args()
    target = HERE / "data" / "online_retail.xlsx"
    target.parent.mkdir(exist_ok=True)
    source = options.data or (None if options.generate else shared_copy())
    if source:
        copy(source, target)
        print(f"data: the workbook {os.path.relpath(source)}")
        return 0
    if not options.generate:
        print(f"data: downloading {URL}", flush=True)
        problem = download(target)
        if not problem:
            print("data: the workbook from the UCI site (CC BY 4.0, doi 10.24432/C5BW33)")
            return 0
        print(f"data: no download ({problem})")
    print("data: generating a workbook of the same shape and size", flush=True)
    rows = make_rows(REAL_ROWS, seed=42)
    replace_with(target, lambda file: write_xlsx(file, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
