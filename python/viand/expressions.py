"""Features as expressions: operators and methods that write the SQL which a definition holds.

    from viand import as_of, col, count, floor_days

    floor_days(as_of - col("invoice_date").max())                        # floor_days(as_of - max(invoice_date))
    col("revenue").sum(where=~col("is_cancellation"), window="30d")      # sum(revenue where not is_cancellation)
    col("revenue").sum().per("invoice_no").avg()                         # avg(sum(revenue) per invoice_no)
    count(where=col("quantity") > 0) > 3                                 # count(* where quantity > 0) > 3

An expression is text and knows how tightly it binds, so parentheses stand where SQL needs them and nowhere else. Names
are quoted where they must be, values become literals of their type. Meaning is SQL's: comparisons with null are null,
`//` and `%` go toward zero, `==` writes `=`. Expressions are immutable. Errors are DefinitionError, at the user's line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from difflib import get_close_matches
from enum import IntEnum
from typing import Any, Union

from viand.aggregates import Aggregates
from viand.durations import Duration, window_text
from viand.errors import DefinitionError
from viand.functions import FUNCTIONS
from viand.literals import literal_text
from viand.places import CallSite, call_site

__all__ = ["Expression", "as_of", "col", "count", "floor_days", "function", "gap", "lit", "sql", "when"]


class Level(IntEnum):
    """How tightly a text binds, loosest first: the levels of the parser."""

    OR = 1
    AND = 2
    NOT = 3
    IS = 4
    COMPARISON = 5
    MEMBERSHIP = 6
    CONCATENATION = 7
    SUM = 8
    PRODUCT = 9
    SIGN = 11
    PRIMARY = 12


# Words that a bare name must not be; the lexer's list.
RESERVED = frozenset("""and as asc between case cast desc distinct else end escape false from group having ilike in is
like not null or order select then true try_cast when where as_of per date interval timestamp timestamptz""".split())

_BARE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_TYPE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*( [A-Za-z]+)*(\([0-9]+\))?", re.ASCII)
# What may stand in SQL text and hide a parenthesis: strings, quoted names, comments.
_SQL_QUIET = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)




# What operators take beside expressions.
Operand = Union["Expression", None, bool, int, float, str, date, timedelta, Decimal]


def wrong(message: str, hint: str = "") -> DefinitionError:
    """An error at the user's line."""
    return DefinitionError(message, hint=hint, **call_site().place().shown())


def quoted_name(name: str) -> str:
    """A column's name as SQL: bare where it can be."""
    if _BARE_NAME.fullmatch(name) and name.lower() not in RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


class Expression(Aggregates):
    """SQL text with its level of precedence. Made by col, lit, sql, count, ... and by operators on expressions."""

    __slots__ = ("_text", "_level", "_window", "_aggregated", "_site")
    # numpy's scalars and arrays leave operators to this class.
    __array_ufunc__ = None

    def __init__(self, text: str, level: int = Level.PRIMARY, parts: Iterable[Expression] = (),
                 window: str | None = None, aggregated: bool = False):
        self._text = text
        self._level = level
        self._site = call_site()
        self._aggregated = aggregated or any(part._aggregated for part in parts)
        windows = {part._window for part in parts if part._aggregated}
        if window is not None:
            # That of an aggregate over groups counts for what is inside, too.
            windows = windows - {None} | {window}
        if len(windows) > 1:
            shown = " and ".join(sorted(each or "the view's" for each in windows))
            raise wrong(f"one feature has two windows: {shown}", "a feature has one window: write two features")
        self._window = next(iter(windows), None)

    @property
    def sql(self) -> str:
        """The expression as SQL text."""
        return self._text

    @property
    def window(self) -> str | None:
        """The window that its aggregates were given; None: the view's."""
        return self._window

    @property
    def site(self) -> CallSite:
        """The call that made it (places.CallSite)."""
        return self._site

    def at(self, level: int) -> str:
        """The text in parentheses where it binds less tightly than `level`."""
        return self._text if self._level >= level else f"({self._text})"

    def __repr__(self) -> str:
        window = f", window={self._window!r}" if self._window else ""
        return f"Expression({self._text!r}{window})"

    def __str__(self) -> str:
        return self._text

    def __bool__(self) -> bool:
        raise wrong(f"an expression has no truth value in Python: {shortened(self._text)}",
                    "combine conditions with &, | and ~, each comparison in parentheses; a < x < b is x.between(a, b) "
                    "or (a < x) & (x < b)")

    __hash__ = object.__hash__

    def __getattr__(self, name: str) -> Callable[..., Expression]:
        if name in FUNCTIONS and not name.startswith("_"):
            return lambda *arguments: function(name, self, *arguments)
        raise AttributeError(f"an expression has no method {name!r}{nearest(name, [*FUNCTIONS, *dir(type(self))])}")

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *FUNCTIONS})

    # ---- arithmetic: SQL's rules, so // and % go toward zero and / of integers is a double

    def __add__(self, other: Operand) -> Expression:
        return _infix(self, "+", other, Level.SUM)

    def __radd__(self, other: Operand) -> Expression:
        return _infix(other, "+", self, Level.SUM)

    def __sub__(self, other: Operand) -> Expression:
        return _infix(self, "-", other, Level.SUM)

    def __rsub__(self, other: Operand) -> Expression:
        return _infix(other, "-", self, Level.SUM)

    def __mul__(self, other: Operand) -> Expression:
        return _infix(self, "*", other, Level.PRODUCT)

    def __rmul__(self, other: Operand) -> Expression:
        return _infix(other, "*", self, Level.PRODUCT)

    def __truediv__(self, other: Operand) -> Expression:
        return _infix(self, "/", other, Level.PRODUCT)

    def __rtruediv__(self, other: Operand) -> Expression:
        return _infix(other, "/", self, Level.PRODUCT)

    def __floordiv__(self, other: Operand) -> Expression:
        return _infix(self, "//", other, Level.PRODUCT)

    def __rfloordiv__(self, other: Operand) -> Expression:
        return _infix(other, "//", self, Level.PRODUCT)

    def __mod__(self, other: Operand) -> Expression:
        return _infix(self, "%", other, Level.PRODUCT)

    def __rmod__(self, other: Operand) -> Expression:
        return _infix(other, "%", self, Level.PRODUCT)

    def __pow__(self, other: Operand) -> Expression:
        return function("pow", self, other)

    def __rpow__(self, other: Operand) -> Expression:
        return function("pow", other, self)

    def __neg__(self) -> Expression:
        # Parentheses keep the minus apart from another one (a comment) and from a number (a literal).
        number = self._text[0].isdigit() or self._text[0] == "."
        return Expression(f"-({self._text})" if number else "-" + self.at(Level.PRIMARY), Level.SIGN, (self,))

    def __pos__(self) -> Expression:
        return self

    def __abs__(self) -> Expression:
        return function("abs", self)

    def __round__(self, digits: int | None = None) -> Expression:
        return function("round", self) if digits is None else function("round", self, digits)

    def __floor__(self) -> Expression:
        return function("floor", self)

    def __ceil__(self) -> Expression:
        return function("ceil", self)

    def __trunc__(self) -> Expression:
        return function("trunc", self)

    # ---- comparison and logic

    def __eq__(self, other: Operand) -> Expression:  # type: ignore[override]
        return _comparison(self, "=", other)

    def __ne__(self, other: Operand) -> Expression:  # type: ignore[override]
        return _comparison(self, "<>", other)

    def __lt__(self, other: Operand) -> Expression:
        return _comparison(self, "<", other)

    def __le__(self, other: Operand) -> Expression:
        return _comparison(self, "<=", other)

    def __gt__(self, other: Operand) -> Expression:
        return _comparison(self, ">", other)

    def __ge__(self, other: Operand) -> Expression:
        return _comparison(self, ">=", other)

    def __and__(self, other: Operand) -> Expression:
        return _logic(self, "and", other, Level.AND)

    def __rand__(self, other: Operand) -> Expression:
        return _logic(other, "and", self, Level.AND)

    def __or__(self, other: Operand) -> Expression:
        return _logic(self, "or", other, Level.OR)

    def __ror__(self, other: Operand) -> Expression:
        return _logic(other, "or", self, Level.OR)

    def __invert__(self) -> Expression:
        return Expression("not " + self.at(Level.NOT), Level.NOT, (self,))

    def is_null(self) -> Expression:
        return Expression(self.at(Level.IS) + " is null", Level.IS, (self,))

    def is_not_null(self) -> Expression:
        """Whether there is a value."""
        return Expression(self.at(Level.IS) + " is not null", Level.IS, (self,))

    def is_distinct_from(self, other: Operand) -> Expression:
        """`<>` that takes null for a value of its own."""
        return self._distinct("is distinct from", value(other))

    def is_not_distinct_from(self, other: Operand) -> Expression:
        """`=` that takes null for a value of its own."""
        return self._distinct("is not distinct from", value(other))

    def between(self, low: Operand, high: Operand) -> Expression:
        """low <= self <= high."""
        low, high = value(low), value(high)
        text = f"{self.at(Level.CONCATENATION)} between {low.at(Level.CONCATENATION)} and {high.at(Level.CONCATENATION)}"
        return Expression(text, Level.MEMBERSHIP, (self, low, high))

    def isin(self, values: Iterable[Operand]) -> Expression:
        """self in (values): a list, tuple or set of at least one value."""
        if isinstance(values, (str, bytes, Expression)) or not hasattr(values, "__iter__"):
            raise wrong(f"isin takes a list of values, not {described(values)}")
        values = [value(each) for each in (sorted(values, key=repr) if isinstance(values, (set, frozenset)) else values)]
        if not values:
            raise wrong("isin takes at least one value", "a condition that is never true is lit(False)")
        text = f"{self.at(Level.CONCATENATION)} in ({', '.join(each.at(Level.OR) for each in values)})"
        return Expression(text, Level.MEMBERSHIP, (self, *values))

    def like(self, pattern: Operand, escape: Operand = None) -> Expression:
        """Whether a text matches a pattern: % is any text, _ any character."""
        return self._like("like", pattern, escape)

    def ilike(self, pattern: Operand, escape: Operand = None) -> Expression:
        """`like`, upper and lower case alike."""
        return self._like("ilike", pattern, escape)

    def concat(self, *others: Operand) -> Expression:
        """self || other || ...: null where one of them is."""
        result = self
        for other in others:
            result = _infix(result, "||", other, Level.CONCATENATION)
        return result

    def fill_null(self, other: Operand) -> Expression:
        """coalesce(self, other)."""
        return function("coalesce", self, other)

    def cast(self, to: Any) -> Expression:
        """cast(self as TYPE): an SQL name ("bigint"), a type of viand.types, or int, float, str, bool, datetime, date."""
        return Expression(f"cast({self._text} as {type_name(to)})", parts=(self,))

    def try_cast(self, to: Any) -> Expression:
        """As cast, but null where a value does not fit."""
        return Expression(f"try_cast({self._text} as {type_name(to)})", parts=(self,))

    def desc(self) -> Descending:
        """Greatest first: for order_by."""
        return Descending(self)

    def per(self, *keys: Expression | str, where: Expression | str | None = None) -> Per:
        """Groups the window's rows by `keys`: col("revenue").sum().per("invoice_no").avg()."""
        return Per(self, keys, where)

    def _distinct(self, operator, other):
        return Expression(f"{self.at(Level.IS)} {operator} {other.at(Level.COMPARISON)}", Level.IS, (self, other))

    def _like(self, operator, pattern, escape):
        pattern = value(pattern)
        text = f"{self.at(Level.CONCATENATION)} {operator} {pattern.at(Level.CONCATENATION)}"
        parts = [self, pattern]
        if escape is not None:
            parts.append(value(escape))
            text += f" escape {parts[-1].at(Level.CONCATENATION)}"
        return Expression(text, Level.MEMBERSHIP, parts)

    def _aggregate(self, name, *more, where=None, window=None, order_by=None, distinct=False):
        return aggregate(name, self._text, (self, *map(lit, more)), where=where, window=window, order_by=order_by,
                         distinct=distinct)


class Per(Aggregates):
    """An expression with the keys that group its rows; an aggregate or gap over it makes an expression again."""

    def __init__(self, inner: Expression, keys: Iterable[Expression | str], where: Expression | str | None = None):
        if not keys:
            raise wrong("per takes at least one key", 'as in col("revenue").sum().per("invoice_no").avg()')
        self._inner = inner
        self._keys = [expression(key, "a key of per") for key in keys]
        self._where = where

    def gap(self) -> Expression:
        """The differences of neighbours among the sorted values: gap(first(at) per invoice_no)."""
        return self._aggregate("gap")

    def __repr__(self) -> str:
        return f"Per({self._inner.sql!r}, keys={[key.sql for key in self._keys]!r})"

    def __getattr__(self, name):
        raise AttributeError(f"groups have no method {name!r}: an aggregate follows, as in .avg(); "
                             "functions of each group stand before .per(...)")

    def _aggregate(self, name, *more, where=None, window=None, order_by=None, distinct=False):
        if where is not None and self._where is not None:
            raise wrong("the groups and their aggregate both have a where", "write one, the rows are the same")
        keys = ", ".join(key.sql for key in self._keys)
        text = f"{self._inner.sql}{''.join(', ' + lit(each).sql for each in more)} per {keys}"
        return aggregate(name, text, (self._inner,), where=self._where if where is None else where, window=window,
                         order_by=order_by, distinct=distinct)


class Descending:
    """An order, greatest first."""

    def __init__(self, of: Expression):
        self.of = of


class When(Expression):
    """case when ... then ... end; `otherwise` says what else (null)."""

    __slots__ = ("_branches",)

    def __init__(self, branches: list[tuple[Expression, Expression]]):
        self._branches = branches
        super().__init__(self._case(None), parts=[part for branch in branches for part in branch])

    def when(self, condition: Expression | bool, then: Operand) -> When:
        """Another case, asked where those before do not hold."""
        return When([*self._branches, (_condition(condition), value(then))])

    def otherwise(self, other: Operand) -> Expression:
        """The value where no case holds; left out it is null."""
        other = value(other)
        parts = [part for branch in self._branches for part in branch]
        return Expression(self._case(other), parts=[*parts, other])

    def _case(self, other):
        text = "case" + "".join(f" when {when.at(Level.OR)} then {then.at(Level.OR)}" for when, then in self._branches)
        return text + (f" else {other.at(Level.OR)} end" if other is not None else " end")


# ---- what users begin with ------------------------------------------------------------------------------------

def col(name: str) -> Expression:
    """A column of the source, by its exact name.

    >>> str(col("Total Price") * 2)
    '"Total Price" * 2'
    """
    if not isinstance(name, str) or not name:
        raise wrong(f"col takes the name of a column, not {described(name)}")
    return Expression(quoted_name(name))


def sql(text: str) -> Expression:
    """SQL text as it is.

    >>> str(sql("a or b") & col("c"))
    '(a or b) and c'
    """
    if not isinstance(text, str):
        raise wrong(f"sql takes a text, not {described(text)}")
    return Expression(_checked_sql(text), Level.OR, aggregated=False)


def lit(of: Operand) -> Expression:
    """A value as SQL: None, bool, int, float, str, datetime (naive: timestamp, zoned: timestamptz), date, timedelta.

    >>> [str(lit(value)) for value in (None, 1.5, "it's", timedelta(hours=36), datetime(2026, 1, 1))]
    ['null', '1.5', "'it''s'", "interval '36 hours'", "timestamp '2026-01-01 00:00:00'"]
    """
    text = literal_text(of)
    if text is None:
        raise wrong(f"{described(of)} is no value of an expression",
                    "values are None, bool, int, float, str, datetime, date and timedelta, each as exact as viand holds it")
    return Expression(text, Level.SIGN if text.startswith("-") else Level.PRIMARY)


def count(of: Expression | str | None = None, *, where: Expression | str | None = None,
          window: Duration | None = None) -> Expression:
    """count(*): rows, or those where an expression is not null.

    >>> str(count(where=col("amount") > 0))
    'count(* where amount > 0)'
    """
    if of is None:
        return aggregate("count", "*", (), where=where, window=window)
    return expression(of, "what is counted").count(where=where, window=window)


def floor_days(interval: Expression | str) -> Expression:
    """Whole days of an interval, toward minus infinity.

    >>> str(floor_days(as_of - col("at").max()))
    'floor_days(as_of - max(at))'
    """
    return function("floor_days", expression(interval, "an interval"))


def gap(groups: Per | Expression | str) -> Expression:
    """Sorts the values of groups, gives their differences.

    >>> str(floor_days(gap(col("at").first().per("order_id"))).avg())
    'avg(floor_days(gap(first(at) per order_id)))'
    """
    if isinstance(groups, Per):
        return groups.gap()
    return function("gap", expression(groups, "what gap goes over"))


def when(condition: Expression | bool, then: Operand) -> When:
    """case when.

    >>> str(when(col("x") > 0, 1).otherwise(0))
    'case when x > 0 then 1 else 0 end'
    """
    return When([(_condition(condition), value(then))])


def function(name: str, *arguments: Any) -> Expression:
    """A call of an SQL function; texts are values here.

    >>> str(function("starts_with", col("order_id"), "C"))
    "starts_with(order_id, 'C')"
    """
    if not isinstance(name, str) or not _BARE_NAME.fullmatch(name) or name.lower() in RESERVED - {"date"}:
        raise wrong(f"{described(name)} is not a name of a function", nearest(str(name), FUNCTIONS).strip(": "))
    if len(arguments) == 1 and isinstance(arguments[0], Per):
        return arguments[0]._aggregate(name)
    arguments = [value(argument) for argument in arguments]
    return Expression(f"{name}({', '.join(each.at(Level.OR) for each in arguments)})", parts=arguments)


# ---- how they are put together --------------------------------------------------------------------------------

def value(of) -> Expression:
    """An operand: an expression, or a value as a literal."""
    if isinstance(of, Expression):
        return of
    if isinstance(of, Per):
        raise wrong("groups are no value", 'an aggregate follows per, as in col("revenue").sum().per("invoice_no").avg()')
    return lit(of)


def expression(of, what: str) -> Expression:
    """An expression, or SQL text, where a text can be nothing else."""
    if isinstance(of, Expression):
        return of
    if isinstance(of, str):
        return sql(of)
    raise wrong(f"expected {what}: an expression or SQL text, got {described(of)}")


def aggregate(name, arguments, parts, *, where=None, window=None, order_by=None, distinct=False):
    text = f"{name}({'distinct ' if distinct else ''}{arguments}"
    text += "".join(f", {part.sql}" for part in parts[1:])
    if where is not None:
        text += f" where {_condition(where, texts=True).at(Level.OR)}"
    if order_by is not None:
        descending = isinstance(order_by, Descending)
        order = expression(order_by.of if descending else order_by, "an order")
        text += f" order by {order.at(Level.OR)}{' desc' if descending else ''}"
    if window is not None:
        given, window = window, window_text(window)
        if window is None:
            raise wrong(f"{described(given)} is not a window", 'write timedelta(days=90), "90d" or "unbounded"')
    return Expression(text + ")", parts=parts, aggregated=True, window=window)


def _infix(left, operator, right, level):
    left, right = value(left), value(right)
    return Expression(f"{left.at(level)} {operator} {right.at(_TIGHTER[level])}", level, (left, right))


_TIGHTER = {Level.CONCATENATION: Level.SUM, Level.SUM: Level.PRODUCT, Level.PRODUCT: Level.SIGN}


def _comparison(left, operator, right):
    left, right = value(left), value(right)
    if left.sql == "null" or right.sql == "null":
        raise wrong("a comparison with None is null for every row", "write x.is_null() or x.is_not_null()")
    text = f"{left.at(Level.MEMBERSHIP)} {operator} {right.at(Level.MEMBERSHIP)}"
    return Expression(text, Level.COMPARISON, (left, right))


def _logic(left, operator, right, level):
    left, right = _condition(left), _condition(right)
    # and, or are the same in any grouping: chains stay flat.
    return Expression(f"{left.at(level)} {operator} {right.at(level)}", level, (left, right))


def _condition(of, texts=False) -> Expression:
    if isinstance(of, Expression):
        return of
    if isinstance(of, str) and texts:
        return sql(of)
    if isinstance(of, bool):
        return lit(of)
    raise wrong(f"expected a condition, got {described(of)}",
                "put each comparison in parentheses: (a > 1) & (b > 2)" if not isinstance(of, str) else
                f"SQL text is written sql({of!r})")


def _checked_sql(text: str) -> str:
    """The text, if it is one piece: an open parenthesis or a comment must not reach into what stands around it."""
    quiet = _SQL_QUIET.sub(lambda found: " " if found[0][:2] in ("--", "/*") else "x", text)
    depth = 0
    for sign in quiet:
        depth += (sign == "(") - (sign == ")")
        if depth < 0 or (sign in ",;" and depth == 0):
            raise wrong(f"expected one SQL expression, got {shortened(text)!r}")
    if not quiet.strip() or depth or set("'\"") & set(quiet) or "/*" in quiet:
        raise wrong(f"expected one whole SQL expression, got {shortened(text)!r}",
                    "a parenthesis, quote or comment is not closed" if quiet.strip() else "")
    return text + "\n" if "--" in text else text


_TYPE_NAMES = {int: "bigint", float: "double", str: "varchar", bool: "boolean", datetime: "timestamp", date: "date",
               timedelta: "interval", bytes: "blob"}


def type_name(of) -> str:
    """A type as SQL names it."""
    if isinstance(of, str) and _TYPE_NAME.fullmatch(of):
        return of
    if isinstance(of, type) and of in _TYPE_NAMES:
        return _TYPE_NAMES[of]
    name = getattr(of, "sql", None)
    if isinstance(name, str):
        return name
    raise wrong(f"{described(of)} is not a type", 'write such as "bigint", "double", "varchar", viand.types.Int64 or int')


def described(of) -> str:
    """A value for an error: its kind and its text."""
    if of is None:
        return "None"
    return f"the {KIND_NAMES.get(type(of), type(of).__name__)} {shortened(repr(of))}"


KIND_NAMES = {str: "text", int: "number", float: "number", bool: "boolean", list: "list", dict: "dict", tuple: "tuple"}


def shortened(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."


def nearest(name: str, names) -> str:
    """": did you mean "x"?" or nothing."""
    found = get_close_matches(name, [each for each in names if not each.startswith("_")], 1, 0.6)
    return f": did you mean {found[0]!r}?" if found else ""


as_of: Expression = Expression("as_of")
