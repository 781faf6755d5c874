"""Packages that viand uses where they are installed, and names where they are not."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

from .errors import MissingPackage


def needed(name: str, what_for: str, instead: str = "") -> ModuleType:
    """Imports a package, or raises MissingPackage with how to install it.

    >>> try:
    ...     needed("no_such_package", "to_frame()", "to_dict() needs none")
    ... except MissingPackage as error:
    ...     print(error)
    to_frame() needs the package no_such_package, which is not installed
      hint: pip install no_such_package; or to_dict() needs none
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        hint = f"pip install {name}" + (f"; or {instead}" if instead else "")
        raise MissingPackage(f"{what_for} needs the package {name}, which is not installed", hint) from None


def is_of(value: object, package: str, *names: str) -> bool:
    """Whether a value is of a class, or a subclass of one, of a package that may not be loaded."""
    if package not in sys.modules:
        return False
    return any(base.__name__ in names and base.__module__.partition(".")[0] in (package, f"_{package}")
               for base in type(value).__mro__)


def installed(name: str) -> ModuleType | None:
    """The package where it is installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None
