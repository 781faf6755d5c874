"""Where in the user's Python something was written: file, line, column.

An object remembers the call that made it; what that call's arguments say is looked up in the source only when it is
asked for, so that building definitions costs a look at a frame and no parsing.
"""

from __future__ import annotations

import ast
import functools
import linecache
import os
import sys
from dataclasses import dataclass
from itertools import accumulate, islice

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


@dataclass(frozen=True)
class Place:
    """A place in a Python file; line and column count from 1, 0 means unknown."""

    file: str = ""
    line: int = 0
    column: int = 0
    # Byte in the file of the quote that opens a text literal which stands there as it is; else -1.
    offset: int = -1

    def shown(self) -> dict:
        """What an error takes: file, line, column."""
        return {"file": shown_path(self.file), "line": self.line, "column": self.column}


def shown_path(file: str) -> str:
    """A path below the current folder as people write it, any other as it is."""
    if not os.path.isabs(file):
        return file
    relative = os.path.relpath(file)
    return file if relative.startswith("..") else relative


class Source:
    """The text of one file or notebook cell, with its syntax tree where it has one."""

    _known: dict = {}

    def __init__(self, file, lines):
        self.file = file
        self._lines = lines
        self._bytes = [line.encode() for line in lines]
        self._starts = [0, *accumulate(map(len, self._bytes))]

    @classmethod
    def of(cls, file: str) -> Source:
        """The source as linecache has it; read again when that has read it again."""
        lines = linecache.getlines(file)
        entry = linecache.cache.get(file)
        known = cls._known.get(file)
        if known is None or known[0] is not entry:
            known = cls._known[file] = (entry, cls(file, lines))
        return known[1]

    @functools.cached_property
    def calls(self):
        """Every call by its span: (line, end line, column, end column), columns in bytes from 0."""
        try:
            tree = ast.parse("".join(self._lines), self.file)
        except (SyntaxError, ValueError):
            return {}
        return {(node.lineno, node.end_lineno, node.col_offset, node.end_col_offset): node
                for node in ast.walk(tree) if isinstance(node, ast.Call)}

    def place(self, line: int, byte: int) -> Place:
        return Place(self.file, line, self._column(line, byte))

    def literal(self, node) -> Place | None:
        """Where the quote opens, if the file has the text's content as it is: without escapes, in one piece."""
        head = self._bytes[node.lineno - 1][node.col_offset:]
        prefix = len(head) - len(head.lstrip(b"rRuU"))
        triple = head[prefix:prefix + 3] in (b'"""', b"'''")
        quote = node.col_offset + prefix + (2 if triple else 0)
        offset = self._starts[node.lineno - 1] + quote
        content = node.value.encode(errors="surrogatepass")
        if self._text[offset + 1:offset + 1 + len(content)] != content:
            return None
        return Place(self.file, node.lineno, self._column(node.lineno, quote), offset)

    @functools.cached_property
    def _text(self):
        return b"".join(self._bytes)

    def _column(self, line, byte):
        if line > len(self._bytes):
            return byte + 1
        return len(self._bytes[line - 1][:byte].decode(errors="replace")) + 1


class CallSite:
    """One call in the user's code. Holds no frame, so it keeps nothing alive."""

    __slots__ = ("_code", "_instruction", "_line")

    def __init__(self, code, instruction, line):
        self._code = code
        self._instruction = instruction
        self._line = line

    def __reduce__(self):
        """In another process it is a place: the code is here."""
        return KnownSite, (self.place(),)

    @property
    def file(self) -> str:
        return self._code.co_filename

    def place(self) -> Place:
        line, _, byte, _ = self._span()
        return Place(self.file, line) if byte is None else Source.of(self.file).place(line, byte)

    def node(self):
        """The ast.Call of this call, or None where the source is not to be had."""
        return Source.of(self.file).calls.get(self._span())

    def _span(self):
        for line, end_line, byte, end_byte in islice(self._code.co_positions(), self._instruction // 2, None):
            if None not in (line, end_line, byte, end_byte):
                return (line, end_line, byte, end_byte)
            break
        return (self._line, self._line, None, None)


class KnownSite:
    """A call whose source is not at hand."""

    def __init__(self, place: Place) -> None:
        self._place = place

    @property
    def file(self) -> str:
        return self._place.file

    def place(self) -> Place:
        return self._place

    def node(self):
        return None


def call_site() -> CallSite:
    """The innermost call of the user's code: the first frame that is not this package's."""
    frame = sys._getframe(1)
    while _is_own(frame.f_code.co_filename) and frame.f_back is not None:
        frame = frame.f_back
    return CallSite(frame.f_code, frame.f_lasti, frame.f_lineno)


@functools.lru_cache(maxsize=None)
def _is_own(file: str) -> bool:
    return file.startswith(_PACKAGE) or file == functools.__file__


def place_of(node, file: str, inherited: Place) -> Place:
    """The place of a node of the syntax tree; that of a text literal is its opening quote."""
    if node is None:
        return inherited
    source = Source.of(file)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        quote = source.literal(node)
        if quote is not None:
            return quote
    return source.place(node.lineno, node.col_offset)
