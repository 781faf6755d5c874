"""What arguments of definitions may be: each check gives the value back or raises a DefinitionError at the user's line."""

from __future__ import annotations

import functools
import inspect
import warnings
from datetime import timedelta
from typing import TypeVar

from viand.durations import EXAMPLES, duration_text, time_text, window_text
from viand.expressions import described, nearest, wrong
from viand.places import call_site

Made = TypeVar("Made")


def definition(cls: type[Made]) -> type[Made]:
    """Makes __init__ remember its call (`_site`) and tell unknown, missing and unnamed arguments in viand's words."""
    init = cls.__init__
    names = [name for name in inspect.signature(init).parameters if name != "self"]
    needed = [name for name, parameter in inspect.signature(init).parameters.items()
              if name != "self" and parameter.default is inspect.Parameter.empty]

    @functools.wraps(init)
    def checked(self, *unnamed, **arguments):
        self._site = call_site()
        if unnamed:
            raise wrong(f"{cls.__name__} takes named arguments, got {described(unnamed[0])}",
                        f"write {cls.__name__}({names[0]}=..., ...)")
        for name in arguments:
            if name not in names:
                raise wrong(f"{cls.__name__} has no argument {name!r}",
                            nearest(name, names).removeprefix(": ") or "its arguments are " + ", ".join(names))
        for name in needed:
            if name not in arguments:
                raise wrong(f"{cls.__name__} needs the argument {name!r}")
        init(self, **arguments)

    cls.__init__ = checked  # type: ignore[method-assign]
    return cls


def text(value, what: str) -> str:
    if not isinstance(value, str):
        raise wrong(f"expected a text as {what}, got {described(value)}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise wrong(f"{what} is no Unicode text: {value!a}") from None
    return value


def optional_text(value, what: str) -> str:
    return "" if value is None else text(value, what)


def name(value, what: str) -> str:
    if not text(value, what):
        raise wrong(f"expected a name as {what}, got an empty text")
    return value


def texts(values, what: str) -> list[str]:
    """A list of texts; a single text is most likely a forgotten bracket."""
    if isinstance(values, str) or not isinstance(values, (list, tuple)):
        raise wrong(f"expected a list of texts as {what}, got {described(values)}")
    return [text(each, what) for each in values]


def text_map(values, what: str) -> dict[str, str]:
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise wrong(f"expected a dict of texts as {what}, got {described(values)}")
    return {text(key, f"a key of {what}"): text(each, f"{what} {key!r}") for key, each in values.items()}


def flag(value, what: str) -> bool:
    if not isinstance(value, bool):
        raise wrong(f"expected True or False as {what}, got {described(value)}")
    return value


def integer(value, what: str) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise wrong(f"expected a whole number as {what}, got {described(value)}")
    return value.__index__()


def duration(value, what: str):
    """A timedelta as it is, or a text such as "90d"."""
    if duration_text(value) is None:
        negative = isinstance(value, timedelta) and value < timedelta(0)
        raise wrong(f"expected a duration as {what}, got {described(value)}" + (", which is negative" if negative else ""),
                    EXAMPLES)
    return value


def window(value, what: str):
    if window_text(value) is None:
        raise wrong(f"{described(value)} is no window as {what}",
                    'write timedelta(days=90), "90d" or "unbounded"; labels look after their time: "30d following"')
    return value


def time(value, what: str):
    if time_text(value) is None:
        raise wrong(f"expected a time as {what}, got {described(value)}", 'write a datetime or "2026-01-01 08:26"')
    return value


def reference(value, kinds, what: str):
    """An object of one of the kinds, or the name of one."""
    if isinstance(value, kinds):
        return value
    if isinstance(value, str) and value:
        return value
    raise wrong(f"expected {what} or its name, got {described(value)}")


def name_of(value) -> str:
    return value if isinstance(value, str) else value.name


def unique(names, what: str):
    seen = set()
    for each in names:
        if each in seen:
            raise wrong(f"{what} {each!r} stands twice")
        seen.add(each)


def ignored(cls, **arguments):
    """Warns that arguments of Feast's say nothing here."""
    given = [name for name, (value, default) in arguments.items() if value != default]
    if given:
        place = call_site().place()
        warnings.warn_explicit(f"viand does not use {', '.join(given)} of a {cls}", UserWarning, place.file, place.line)


def refused(cls, hint, **arguments):
    for argument, (value, default) in arguments.items():
        if value != default:
            raise wrong(f"viand has no {argument!r} of a {cls}", hint)


def take_words(made, kind, given_name, description, tags, owner):
    """What every object has."""
    made.name = name(given_name, f"the name of {kind}")
    made.description = optional_text(description, f"the description of {kind}")
    made.owner = optional_text(owner, f"the owner of {kind}")
    made.tags = text_map(tags, f"the tags of {kind}")


def of_section(value, section, what):
    """A definition of a section, or the name of one."""
    if getattr(value, "section", None) == section:
        return value
    return reference(value, (), what)
