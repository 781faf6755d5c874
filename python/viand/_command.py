"""The command line: replaces this process by the program that the package carries."""

import os
import sys
from pathlib import Path


def main() -> None:
    program = Path(__file__).resolve().parent / "_native" / "bin" / "viand"
    # Definitions in Python are read by the Python that viand is installed in.
    os.environ.setdefault("VIAND_PYTHON", sys.executable)
    os.execv(program, ["viand", *sys.argv[1:]])
