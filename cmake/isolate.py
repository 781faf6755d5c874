#!/usr/bin/env python3
"""Gives the Arrow libraries that viand installs names of their own, so that they can share a process with another Arrow.

Two libarrow in one process interpose each other in two ways: a library whose SONAME is already loaded is not loaded
again, and equal symbols resolve to whichever came first. New SONAMEs end the first; libviand.so opens the
implementation with RTLD_LOCAL | RTLD_DEEPBIND, which ends the second for all symbols but the "unique" ones (binding
STB_GNU_UNIQUE: statics of inline functions and templates), which the dynamic linker shares across the whole process
whatever the flags. So those are made ordinary globals.

  isolate.py copy --to FOLDER ...   copies the libraries under their new names, with XGBoost beside them
  isolate.py use FILE...            makes programs that were linked against Arrow ask for the new names
  isolate.py bundle FILE...         copies what they need of this machine's other libraries, under new names, too: beside
                                    the last one, for a wheel
"""

import argparse
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

LIBRARIES = ("arrow", "arrow_compute", "arrow_acero", "parquet", "arrow_dataset", "arrow_s3")
# What a wheel may expect of every Linux machine, as the manylinux rules have it.
EVERYWHERE = re.compile(r"(ld-linux.*|lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+|z))\.so\.\d+$")
SHT_DYNSYM = 11
STB_GLOBAL, STB_GNU_UNIQUE = 1, 10


def patchelf(options, *arguments):
    # One change a call: patchelf 0.14 mixes the strings up when it renames and replaces at once.
    subprocess.run([options.patchelf, *map(str, arguments)], check=True)


def replace_needed(options, path):
    for name in LIBRARIES:
        old = f"lib{name}.so.{options.soversion}"
        patchelf(options, "--replace-needed", old, f"libviand_{old[3:]}", path)


def make_unique_symbols_global(path):
    """Rewrites the binding of the dynamic symbols in place; a 64-bit little-endian ELF file."""
    image = bytearray(path.read_bytes())
    sections_at, = struct.unpack_from("<Q", image, 0x28)
    section_size, section_count = struct.unpack_from("<HH", image, 0x3A)
    for i in range(section_count):
        header = sections_at + i * section_size
        kind, = struct.unpack_from("<I", image, header + 4)
        if kind != SHT_DYNSYM:
            continue
        begin, size = struct.unpack_from("<QQ", image, header + 24)
        for symbol in range(begin, begin + size, 24):
            info = image[symbol + 4]
            if info >> 4 == STB_GNU_UNIQUE:
                image[symbol + 4] = STB_GLOBAL << 4 | info & 0xF
    path.write_bytes(image)


def copy_arrow(options):
    for name in LIBRARIES:
        old = f"lib{name}.so.{options.soversion}"
        new = options.to / f"libviand_{old[3:]}"
        shutil.copy(options.arrow / old, new)
        replace_needed(options, new)
        patchelf(options, "--set-soname", new.name, new)
        patchelf(options, "--set-rpath", "$ORIGIN", new)
        make_unique_symbols_global(new)


def needed(options, path):
    listed = subprocess.run([options.patchelf, "--print-needed", path], check=True, capture_output=True, text=True)
    return listed.stdout.split()


def found_by_linker(path):
    """Library -> its file, of all that a program needs."""
    listed = subprocess.run(["ldd", path], check=True, capture_output=True, text=True)
    return dict(re.findall(r"^\s*(\S+) => (\S+)", listed.stdout, re.MULTILINE))


def bundle(options):
    folder = options.files[-1].parent
    found = {}
    for path in options.files:
        found |= found_by_linker(path)
    waiting, done = list(options.files), set()
    while waiting:
        path = waiting.pop()
        for old in needed(options, path):
            if EVERYWHERE.match(old) or old.startswith("libviand_"):
                continue
            new = folder / f"libviand_{old[3:]}"
            if new not in done:
                shutil.copy(found[old], new)
                patchelf(options, "--set-soname", new.name, new)
                patchelf(options, "--set-rpath", "$ORIGIN", new)
                make_unique_symbols_global(new)
                done.add(new)
                waiting.append(new)
            patchelf(options, "--replace-needed", old, new.name, path)


def copy_xgboost(options):
    target = options.to / "libxgboost.so"
    shutil.copy(options.xgboost, target)
    patchelf(options, "--set-rpath", "$ORIGIN", target)
    for library in (options.xgboost.parents[2] / "xgboost_cpu.libs").glob("*.so*"):
        shutil.copy(library, options.to)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("copy", "use", "bundle"):
        command = commands.add_parser(name)
        command.add_argument("--patchelf", required=True)
        command.add_argument("--soversion", required=True)
    commands.choices["copy"].add_argument("--to", type=Path, required=True)
    commands.choices["copy"].add_argument("--arrow", type=Path, required=True)
    commands.choices["copy"].add_argument("--xgboost", type=Path, required=True)
    for name in ("use", "bundle"):
        commands.choices[name].add_argument("files", nargs="+", type=Path)
    options = parser.parse_args()
    if not shutil.which(options.patchelf):
        sys.exit("isolate.py: installing viand needs patchelf (Debian: patchelf)")
    if options.command == "copy":
        options.to.mkdir(parents=True, exist_ok=True)
        copy_arrow(options)
        copy_xgboost(options)
    elif options.command == "bundle":
        bundle(options)
    else:
        for path in options.files:
            replace_needed(options, path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
