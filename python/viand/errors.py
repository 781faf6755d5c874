"""What viand raises: a small family under `Error`, with the text that the command line prints.

=================  ===========================================================================
`UsageError`       a call used wrongly: options that exclude each other, a wrong argument
`NotFound`         a name that is not there (with the nearest that is)
`DefinitionError`  a definition (YAML, Python, an expression) is wrong; says file:line:column
`InputError`       the data is wrong: a missing column, a type that does not fit
`Conflict`         somebody else changed the registry meanwhile
`RegistryError`    the registry cannot be read or written
`EnvironmentProblem`  disk full, a permission, a missing file, library or server
`MissingPackage`   a Python package is needed that is not installed; says which
`NotYet`           a method of Feast's that viand does not have yet
`Interrupted`      the work was stopped from elsewhere; ctrl-C itself is KeyboardInterrupt
=================  ===========================================================================
"""

from __future__ import annotations

import re


class Error(Exception):
    """A failure of viand; `str()` is what the command line prints.

    Attributes:
        message: what is wrong, and what was expected.
        hint: what to do about it; may be empty.
        file, line, column: the place in a definition; line and column count from 1, 0 is unknown.
    """

    def __init__(self, message: str, hint: str = "", file: str = "", line: int = 0, column: int = 0) -> None:
        super().__init__(message, hint, file, line, column)
        self.message, self.hint = message, hint
        self.file, self.line, self.column = file, line, column

    def __str__(self) -> str:
        place = self.file
        if self.line > 0:
            place += f":{self.line}" if place else f"line {self.line}"
            place += f":{self.column}" if self.column > 0 else ""
        text = f"{place}: {self.message}" if place else self.message
        return f"{text}\n  hint: {self.hint}" if self.hint else text


class UsageError(Error, ValueError):
    """A call was used wrongly."""


class NotFound(UsageError, LookupError):
    """A name that is not there."""


class DefinitionError(Error, ValueError):
    """A definition is wrong."""


class InputError(Error, ValueError):
    """The user's data is wrong."""


class Conflict(Error):
    """Somebody else changed the registry meanwhile."""


class EnvironmentProblem(Error, OSError):
    """Disk full, a permission, a missing file, library or server."""

    def __init__(self, message: str, hint: str = "", file: str = "", line: int = 0, column: int = 0) -> None:
        Error.__init__(self, message, hint, file, line, column)

    # OSError has a __new__ and a __str__ of its own, for (errno, text).
    def __new__(cls, *arguments: object, **_: object) -> "EnvironmentProblem":
        return OSError.__new__(cls)

    __str__ = Error.__str__


class RegistryError(EnvironmentProblem):
    """The registry cannot be read or written."""


class MissingPackage(Error, ImportError):
    """A Python package is needed that is not installed."""

    __str__ = Error.__str__


class NotYet(Error, NotImplementedError):
    """viand does not have this yet."""


class Interrupted(Error):
    """The work was asked to stop, not by ctrl-C in this thread; nothing is half-written."""


# What a text names on the command line, and what it is here; the first that fits.
_IN_PYTHON = {"-C DIR": "repo_path=DIR", "`viand init DIR`": "viand.init(DIR)", "viand init DIR": "viand.init(DIR)", "add --yes": "give yes=True",
              "add --force": "give force=True", "`viand plan`": "plan()", "--full-feature-names names": "full_feature_names=True names",
              "--features view:feature,...": 'features=["view:feature", ...]', "--service NAME": "a feature service",
              "--start T --end T": "start_date and end_date", "a --spine": "an entity_df", "--spine PATH": "an entity_df", "--spine ": "entity_df "}
# Its options by name.
_ARGUMENTS = {"start": "start_date", "end": "end_date", "every-row": "every_row", "as-of": "as_of", "memory": "memory", "threads": "threads",
              "kind": "kind", "timestamp-column": "timestamp_column", "temporary-folder": "temporary_folder", "features": "features",
              "service": "service", "spine": "entity_df", "yes": "yes=True", "force": "force=True"}
_OPTION = re.compile(rf"(?<![\w-])--({'|'.join(_ARGUMENTS)})(?![\w-])")

# By the kinds of include/viand/status.h.
_CLASSES: dict[int, type[Error]] = {
    1: UsageError,
    2: DefinitionError,
    3: InputError,
    4: Conflict,
    5: Interrupted,
    6: EnvironmentProblem,
    7: NotFound,
    8: RegistryError,
}


def from_status(code: int, message: str, hint: str, file: str, line: int, column: int) -> Error:
    """Makes the exception of a failed status of the C++ API; where it named options of the command line it names arguments.

    >>> print(repr(from_status(7, 'unknown entity "custmer"', 'did you mean "customer"?', "", 0, 0).hint))
    'did you mean "customer"?'
    """
    return _CLASSES.get(code, EnvironmentProblem)(_in_python(message), _in_python(hint), file, line, column)


def _in_python(text: str) -> str:
    """
    >>> _in_python('--start "yesterday" is not a time'), _in_python("a--start and --starts")
    ('start_date "yesterday" is not a time', 'a--start and --starts')
    """
    for option, argument in _IN_PYTHON.items():
        text = text.replace(option, argument)
    return _OPTION.sub(lambda found: _ARGUMENTS[found[1]], text)
