"""Expressions in Python: the SQL that operators write, and random trees that the engine's parser reads as they were built."""

import math
import random
import subprocess
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from conftest import ROOT
from definitions_fixture import python_of_the_program  # noqa: F401

import viand
from viand import as_of, col, count, floor_days, function, gap, lit, sql, types, when
from viand.expressions import RESERVED
from viand.functions import FUNCTIONS

x, y, z = col("x"), col("y"), col("z")


def syntax(*texts):
    """The engine's trees of expressions."""
    done = subprocess.run([ROOT / "build" / "src" / "expression" / "syntax_tree"], input="\n".join(texts) + "\n", text=True,
                          capture_output=True, check=True)
    trees = done.stdout.split("\n")[:-1]
    assert len(trees) == len(texts)
    return trees


@pytest.mark.parametrize("expression, text", [
    (floor_days(as_of - col("at").max()), "floor_days(as_of - max(at))"),
    (x.sum(where=~col("cancelled")), "sum(x where not cancelled)"),
    (x.sum(where="x > 0 or y"), "sum(x where x > 0 or y)"),
    (x.sum().per("g", where=y > 0).avg(), "avg(sum(x) per g where y > 0)"),
    (x.sum().per("g", col("the key")).avg(where=y > 0), 'avg(sum(x) per g, "the key" where y > 0)'),
    (gap(col("at").first().per("g")).floor_days().avg(), "avg(floor_days(gap(first(at) per g)))"),
    (x.first().cast(float).per("g").avg(), "avg(cast(first(x) as double) per g)"),
    (count(), "count(*)"),
    (count(where=x > 1) > 3, "count(* where x > 1) > 3"),
    (count("x"), "count(x)"),
    (x.count_distinct(), "count(distinct x)"),
    (x.quantile(0.9), "quantile(x, 0.9)"),
    (x.last_n(3, order_by=y.desc()), "last_n(x, 3 order by y desc)"),
    (x.last(order_by="y"), "last(x order by y)"),
    (x + y * z, "x + y * z"), ((x + y) * z, "(x + y) * z"), (x - (y - z), "x - (y - z)"), (x - y - z, "x - y - z"),
    (x / (y * z), "x / (y * z)"), (x // y % z, "x // y % z"), (x ** 2, "pow(x, 2)"), (2 ** x, "pow(2, x)"),
    (-x, "-x"), (-(-x), "-(-x)"), (-lit(5), "-(5)"), (-(x + y), "-(x + y)"), (x - -5, "x - -5"), (1 - x, "1 - x"), (abs(x), "abs(x)"),
    (round(x, 2), "round(x, 2)"), (math.floor(x), "floor(x)"), (math.ceil(x), "ceil(x)"),
    ((x > 1) & (y < 2) | ~(z == 3), "x > 1 and y < 2 or not z = 3"),
    ((x > 1) & ((y < 2) | (z == 3)), "x > 1 and (y < 2 or z = 3)"),
    (~(x & y), "not (x and y)"), ((x == y) == z, "(x = y) = z"), ((~x) == y, "(not x) = y"), (True & (x > 1), "true and x > 1"),
    (1 < x, "x > 1"), ("a" == x, "x = 'a'"), (x != "it's", "x <> 'it''s'"),
    (x.between(1, y + 1), "x between 1 and y + 1"), (x.isin([1, None, "a"]), "x in (1, null, 'a')"),
    (~x.isin((1, 2)), "not x in (1, 2)"), ((x | y).isin([True]), "(x or y) in (true)"),
    (x.is_null(), "x is null"), ((x + 1).is_not_null(), "x + 1 is not null"), ((x & y).is_null(), "(x and y) is null"),
    (x.is_distinct_from(None), "x is distinct from null"), (x.like("a%", escape="!"), "x like 'a%' escape '!'"),
    (x.concat("-", y), "x || '-' || y"), (x.fill_null(0), "coalesce(x, 0)"), (x.lower().starts_with("a"), "starts_with(lower(x), 'a')"),
    (x.cast(int), "cast(x as bigint)"), (x.cast(types.Float32), "cast(x as real)"), (x.try_cast("date"), "try_cast(x as date)"),
    (when(x > 1, "a").when(y, 2).otherwise(None), "case when x > 1 then 'a' when y then 2 else null end"),
    (when(x, 1), "case when x then 1 end"), (function("greatest", x, 1, y), "greatest(x, 1, y)"),
    (sql("a or b") & x, "(a or b) and x"), (sql("a -- why") + 1, "(a -- why\n) + 1"), (sql("a").is_null(), "(a) is null"),
    (col("Total Price"), '"Total Price"'), (col('a"b'), '"a""b"'), (col("order"), '"order"'), (col("As_Of"), '"As_Of"'), (col("é"), '"é"'),
    (as_of - timedelta(hours=36), "as_of - interval '36 hours'"),
])
def test_the_sql_that_is_written(expression, text):
    assert expression.sql == text == str(expression)


@pytest.mark.parametrize("value, text", [
    (None, "null"), (True, "true"), (False, "false"), (0, "0"), (-7, "-7"), (2**63 - 1, "9223372036854775807"),
    (-2**63, "-9223372036854775808"), (1.5, "1.5"), (-0.0, "-0.0"), (1e300, "1e+300"), (5.0, "5.0"), (float("nan"), "cast('nan' as double)"),
    (float("-inf"), "cast('-inf' as double)"), ("", "''"), ("it's \"so\"\n", "'it''s \"so\"\n'"),
    (datetime(2011, 3, 1, 8, 26), "timestamp '2011-03-01 08:26:00'"),
    (datetime(2011, 3, 1, 8, 26, 0, 1, timezone(timedelta(hours=1))), "timestamptz '2011-03-01 07:26:00.000001'"),
    (date(2011, 3, 1), "date '2011-03-01'"), (timedelta(days=90), "interval '90 days'"), (timedelta(hours=-36), "interval '-36 hours'"),
    (timedelta(microseconds=1), "interval '1 microsecond'"), (timedelta(0), "interval '0 days'"), (Decimal("1.50"), "1.50"),
    (Decimal("7"), "7.0"), (np.int32(3), "3"), (np.float64(0.5), "0.5"), (np.bool_(True), "true"), (np.str_("a"), "'a'"),
    (np.datetime64("2011-03-01T08:26"), "timestamp '2011-03-01 08:26:00'"), (np.timedelta64(36, "h"), "interval '36 hours'"),
    (pd.Timestamp("2011-03-01 08:26"), "timestamp '2011-03-01 08:26:00'"), (pd.Timedelta(days=2), "interval '2 days'"),
])
def test_values_as_literals(value, text):
    assert lit(value).sql == text
    if value is not None:
        assert (x == value).sql == f"x = {text}"


@pytest.mark.parametrize("make, message, hint", [
    (lambda: lit(b"x"), "the bytes b'x' is no value of an expression", "values are"),
    (lambda: lit(2**63), "the number 9223372036854775808 is no value", ""),
    (lambda: lit([1]), "the list [1] is no value", ""),
    (lambda: lit("\ud800"), "is no value", ""),
    (lambda: lit(pd.Timestamp(1)), "is no value of an expression", "as exact as viand holds it"),
    (lambda: lit(np.datetime64(1, "ns")), "is no value", ""),
    (lambda: x if x > 1 else y, "an expression has no truth value in Python: x > 1", "combine conditions with &, | and ~"),
    (lambda: 1 < x < 3, "an expression has no truth value", "x.between(a, b)"),
    (lambda: x > 1 & y, "expected a condition, got the number 1", "put each comparison in parentheses"),
    (lambda: x & "y > 1", "expected a condition, got the text 'y > 1'", "SQL text is written sql('y > 1')"),
    (lambda: x == None, "a comparison with None is null for every row", "x.is_null()"),  # noqa: E711
    (lambda: x.isin([]), "isin takes at least one value", "lit(False)"),
    (lambda: x.isin("abc"), "isin takes a list of values, not the text 'abc'", ""),
    (lambda: x.sum(window="30d") / y.sum(), "one feature has two windows: 30d and the view's", "write two features"),
    (lambda: x.sum(window="30 days"), "the text '30 days' is not a window", 'write timedelta(days=90), "90d"'),
    (lambda: x.sum().per(), "per takes at least one key", "as in col"),
    (lambda: x.sum().per("g") + 1, "unsupported operand", None),
    (lambda: x + y.sum().per("g"), "groups are no value", "an aggregate follows per"),
    (lambda: x.sum().per("g", where=y).avg(where=y), "the groups and their aggregate both have a where", ""),
    (lambda: sql("a) + (b"), "expected one SQL expression, got 'a) + (b'", ""),
    (lambda: sql("a, b"), "expected one SQL expression", ""),
    (lambda: sql("'a"), "expected one whole SQL expression", "a parenthesis, quote or comment is not closed"),
    (lambda: sql(" "), "expected one whole SQL expression", ""),
    (lambda: col(""), "col takes the name of a column", ""),
    (lambda: col(3), "col takes the name of a column, not the number 3", ""),
    (lambda: function("no name"), "is not a name of a function", ""),
    (lambda: x.cast("big int!"), "is not a type", '"bigint"'),
    (lambda: x.lowr(), "an expression has no method 'lowr': did you mean 'lower'?", None),
    (lambda: sum([x, y].sum()), "has no attribute", None),
])
def test_what_cannot_be_said(make, message, hint):
    with pytest.raises((viand.DefinitionError, AttributeError, TypeError)) as caught:
        make()
    error = caught.value
    assert message in str(error)
    if hint is not None:
        assert isinstance(error, viand.DefinitionError) and hint in error.hint
        assert error.file.endswith("test_expressions.py") and error.line > 0 and error.column > 0


def test_an_expression_knows_its_window():
    assert (x.sum(window=timedelta(days=30)) / y.sum(window="30d")).window == "30d"
    assert x.sum(window="unbounded").per("g").avg().window == "unbounded"
    assert gap(x.first().per("g")).avg(window="7d").window == "7d"
    assert (x.sum(window="7d") + 1).window == "7d" and x.sum().window is None


def test_the_lists_of_words_are_the_engine_s():
    program = ROOT / "build" / "src" / "expression" / "syntax_tree"
    names = subprocess.run([program, "--functions"], text=True, capture_output=True, check=True).stdout.split()
    assert {name for name in names if name.isidentifier() and name not in RESERVED} - FUNCTIONS <= {"add", "subtract", "multiply", "divide"}
    assert FUNCTIONS <= set(names)
    quoted = subprocess.run(["grep", "-A6", "kReserved = {", ROOT / "src" / "expression" / "lexer.cc"], text=True, capture_output=True)
    assert {word for word in quoted.stdout.split('"')[1::2]} <= RESERVED


# ---- random trees ---------------------------------------------------------------------------------------------

def atom(chance):
    name = chance.choice(["x", "y", "order", "a b", "Per", 'q"q', "as_of", "date", "é"])
    number = chance.choice([0, 7, -7, 2**40, -2**63])
    text = chance.choice(["", "it's", "-- no", "(", "é"])
    quoted = '"' + name.replace('"', '""') + '"'
    bare = name if name in ("x", "y") else quoted
    return chance.choice([
        lambda: (col(name), bare), lambda: (col(name), bare), lambda: (lit(number), str(number)), lambda: (as_of, "as_of"),
        lambda: (lit(text), "'" + text.replace("'", "''") + "'"), lambda: (lit(1.5), "1.5"), lambda: (lit(-1e-7), "-1e-07"),
        lambda: (lit(chance.random() < 0.5), None), lambda: (lit(None).is_null(), "(is null null)"),
        lambda: (lit(timedelta(days=3)), "(interval 0 259200000000)"), lambda: (lit(date(2020, 1, 2)), "(date '2020-01-02')")])()


def negation(made, tree):
    return -made, f"(unary - {tree})"


def chain(word, a, b):
    """and, or of chains are one flat chain."""
    parts = [part for tree in (a, b) for part in (flat(tree) if tree.startswith(f"({word} ") else [tree])]
    return f"({word} {' '.join(parts)})"


def flat(tree):
    """The operands of a printed chain."""
    parts, depth, quote, part = [], 0, "", ""
    for sign in tree[tree.index(" ") + 1:-1]:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        depth += (not quote) * ((sign == "(") - (sign == ")"))
        if sign == " " and depth == 0 and not quote:
            parts.append(part)
            part = ""
        else:
            part += sign
    return [*parts, part]


def random_tree(chance, depth):
    """(expression, the tree that the parser must make of its text)."""
    if depth == 0:
        made, tree = atom(chance)
        return made, made.sql if tree is None else tree
    (a, s), (b, t) = random_tree(chance, depth - 1), random_tree(chance, chance.randrange(depth))
    return chance.choice([
        lambda: (a + b, f"(+ {s} {t})"), lambda: (a - b, f"(- {s} {t})"), lambda: (a * b, f"(* {s} {t})"), lambda: (a / b, f"(/ {s} {t})"),
        lambda: (a // b, f"(// {s} {t})"), lambda: (a % b, f"(% {s} {t})"), lambda: (a ** b, f"(pow {s} {t})"), lambda: negation(a, s),
        lambda: (a == b, f"(= {s} {t})"), lambda: (a != b, f"(<> {s} {t})"), lambda: (a < b, f"(< {s} {t})"), lambda: (a >= b, f"(>= {s} {t})"),
        lambda: (a & b, chain("and", s, t)), lambda: (a | b, chain("or", s, t)), lambda: (~a, f"(not {s})"),
        lambda: (a.is_null(), f"(is null {s})"), lambda: (a.is_not_null(), f"(is not null {s})"),
        lambda: (a.is_distinct_from(b), f"(is distinct from {s} {t})"), lambda: (a.is_not_distinct_from(b), f"(is not distinct from {s} {t})"),
        lambda: (a.between(b, 3), f"(between {s} {t} 3)"), lambda: (a.isin([b, 3]), f"(in {s} {t} 3)"), lambda: (a.like(b), f"(like {s} {t})"),
        lambda: (a.ilike(b, escape=a), f"(ilike {s} {t} {s})"), lambda: (a.concat(b), f"(|| {s} {t})"), lambda: (a.cast("bigint"), f"(cast bigint {s})"),
        lambda: (a.lower(), f"(lower {s})"), lambda: (function("greatest", a, b), f"(greatest {s} {t})"),
        lambda: (when(a, b).otherwise(a), f"(case {s} {t} {s})"), lambda: (a.sum(), f"(sum {s})"), lambda: (a.sum(where=b), f"(sum {s} where {t})"),
        lambda: (a.count_distinct(where=b), f"(count distinct {s} where {t})"), lambda: (count(where=a), f"(count * where {s})"),
        lambda: (a.first(order_by=b.desc()), f"(first {s} by {t} desc)"), lambda: (a.per(b).avg(), f"(avg {s} per {t})"),
        lambda: (gap(a.per(b, 'x', where=a)), f"(gap {s} per {t} per x where {s})"), lambda: (sql(a.sql) * b, f"(* {s} {t})")])()


def test_random_trees_are_read_as_they_were_built():
    chance = random.Random(6)
    built = []
    while len(built) < 3000:
        made, tree = random_tree(chance, chance.choice([1, 2, 2, 3, 4]))
        if len(made.sql) < 60_000 and "null" not in made.sql.split("is ")[0]:
            built.append((made.sql.replace("\n", " "), tree))
    for (text, tree), read in zip(built, syntax(*[text for text, _ in built])):
        assert read == tree, text
