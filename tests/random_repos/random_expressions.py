"""Random features as SQL text, each with what it means as plain Python over a list of rows.

A row is a dict; a null is None, a time whole nanoseconds since 1970 in UTC, a date whole days. Rows come in order of (time, position).
An expression is a triple (SQL, type, function of a row); a feature is (SQL, type, function of rows and t).
"""

import math
from collections import Counter
from decimal import Decimal, localcontext
from fractions import Fraction

US = 1000
HOUR = 3600 * 10**9
DAY = 24 * HOUR


# ---- values as DuckDB orders them: NaN equals itself and is the greatest -----------------------------------------

def rank(value):
    if isinstance(value, float):
        return (1, 0.0) if math.isnan(value) else (0, value + 0.0)
    return value


def identity(value):
    """Equal for values that group together."""
    return rank(value)


def present(values):
    return [value for value in values if value is not None]


def strict(function):
    """Null where an argument is null."""
    return lambda *values: None if None in values else function(*values)


# ---- conditions and values over one row --------------------------------------------------------------------------

COLUMNS = {"x": "bigint", "i": "integer", "y": "double", "s": "varchar", "g": "varchar", "o": "bigint", "b": "boolean", "d": "date",
           "u": "timestamp"}


def column(name, kind):
    return name, kind, lambda row: row[name]


def both(a, b):
    return lambda row: False if a(row) is False or b(row) is False else None if a(row) is None or b(row) is None else True


def either(a, b):
    return lambda row: True if a(row) is True or b(row) is True else None if a(row) is None or b(row) is None else False


def negation(a):
    return lambda row: None if a(row) is None else not a(row)


def comparison(random):
    name = random.choice(["x", "i", "y", "s", "o"])
    literal, value = {"x": lambda: (n := random.randint(-4, 9), n), "i": lambda: (n := random.randint(-3, 5), n),
                      "o": lambda: (n := random.randint(0, 9), n), "s": lambda: (f"'{(t := random.choice('abcxé'))}'", t),
                      "y": lambda: (f"{(v := random.choice([-1.5, 0.0, 0.1, 2.5]))!r}", v)}[name]()
    symbol, test = random.choice([("=", lambda a, b: a == b), ("<>", lambda a, b: a != b), ("<", lambda a, b: a < b),
                                  ("<=", lambda a, b: a <= b), (">", lambda a, b: a > b), (">=", lambda a, b: a >= b)])
    return f"{name} {symbol} {literal}", strict_of(name, lambda v: test(rank_text(v), rank_text(value)))


def rank_text(value):
    return value.encode() if isinstance(value, str) else rank(value)


def strict_of(name, test):
    return lambda row: None if row[name] is None else test(row[name])


def condition(random, depth=0):
    """(SQL, function of a row to True, False or None)."""
    choices = [
        lambda: comparison(random), lambda: comparison(random), lambda: ("b", lambda row: row["b"]),
        lambda: ("s is null", lambda row: row["s"] is None), lambda: ("x is not null", lambda row: row["x"] is not None),
        lambda: ("starts_with(s, 'a')", strict_of("s", lambda s: s.startswith("a"))),
        lambda: ("s like '%b%'", strict_of("s", lambda s: "b" in s)),
        lambda: ("x in (1, 2, 3, 5)", strict_of("x", lambda x: x in (1, 2, 3, 5))),
        lambda: ("x not in (1, null)", strict_of("x", lambda x: False if x == 1 else None)),
        lambda: ("x between -1 and 4", strict_of("x", lambda x: -1 <= x <= 4)),
        lambda: ("y is distinct from 0.1", lambda row: row["y"] is None or identity(row["y"]) != identity(0.1)),
        lambda: ("d >= date '2024-01-10'", strict_of("d", lambda d: d >= 19732)),
        lambda: ("hour(at) < 12", lambda row: row["at"] % DAY < 12 * HOUR),
        lambda: ("g in ('a', 'b')", strict_of("g", lambda g: g in "ab"))]
    if depth < 2 and random.random() < 0.4:
        (a, f), (b, g) = condition(random, depth + 1), condition(random, depth + 1)
        return random.choice([lambda: (f"({a} and {b})", both(f, g)), lambda: (f"({a} or {b})", either(f, g)),
                              lambda: (f"not ({a})", negation(f))])()
    return random.choice(choices)()


def number(random):
    """(SQL, "bigint" or "double", function of a row)."""
    return random.choice([
        column("x", "bigint"), column("x", "bigint"), column("i", "bigint"), column("y", "double"), column("y", "double"),
        ("x * 2 + i", "bigint", lambda row: strict(lambda x, i: x * 2 + i)(row["x"], row["i"])),
        ("coalesce(x, 0)", "bigint", lambda row: 0 if row["x"] is None else row["x"]),
        ("y / 2", "double", lambda row: strict(lambda y: y / 2)(row["y"])),
        ("cast(x as double) / 4", "double", lambda row: strict(lambda x: x / 4)(row["x"])),
        ("x / 4", "double", lambda row: strict(lambda x: x / 4)(row["x"])),
        ("case when b then x when g = 'a' then -x end", "bigint",
         lambda row: row["x"] if row["b"] else strict(lambda x: -x)(row["x"]) if row["g"] == "a" else None),
        ("length(s)", "bigint", lambda row: strict(len)(row["s"])),
        ("floor_days(at - u)", "bigint", lambda row: strict(lambda u: (row["at"] // US * US - u) // DAY)(row["u"])),
        ("abs(i)", "bigint", lambda row: strict(abs)(row["i"]))])


def value(random):
    """Anything comparable."""
    name = random.choice(list(COLUMNS))
    kind = COLUMNS[name]
    return random.choice([
        lambda: column(name, kind), lambda: column(name, kind), lambda: number(random),
        lambda: ("upper(s)", "varchar", lambda row: strict(str.upper)(row["s"])),
        lambda: ("s || g", "varchar", lambda row: strict(lambda s, g: s + g)(row["s"], row["g"])),
        lambda: ("cast(at as date)", "date", lambda row: row["at"] // DAY),
        lambda: ("at", "timestamp", lambda row: row["at"]),
        lambda: ("coalesce(g, 'none')", "varchar", lambda row: "none" if row["g"] is None else row["g"])])()


def key(random):
    """What `per` groups by: (SQL, function of a row)."""
    return random.choice([("g", lambda row: row["g"]), ("o", lambda row: row["o"]), ("s", lambda row: row["s"]),
                          ("y", lambda row: None if row["y"] is None else identity(row["y"])), ("b", lambda row: row["b"]),
                          ("cast(at as date)", lambda row: row["at"] // DAY), ("x % 3", lambda row: strict(lambda x: math.fmod(x, 3))(row["x"])),
                          ("i is null", lambda row: row["i"] is None), ("u", lambda row: row["u"])])


# ---- aggregates over the values of rows, nulls left out ----------------------------------------------------------

def total(values):
    if any(isinstance(v, float) and not math.isfinite(v) for v in values):
        return sum(v for v in values if isinstance(v, float) and not math.isfinite(v))
    if isinstance(values[0], float):
        return math.fsum(values) + 0.0
    return sum(values)


def mean(values):
    if any(isinstance(v, float) and not math.isfinite(v) for v in values):
        return total(values)
    return rounded(sum(map(Fraction, values)) / len(values))


def variance(values):
    """Exact, a Fraction; None below two values."""
    if len(values) < 2:
        return None
    values = list(map(Fraction, values))
    return (sum(v * v for v in values) - sum(values)**2 / len(values)) / (len(values) - 1)


def rounded(fraction):
    """The nearest double, infinity beyond the greatest."""
    try:
        return float(fraction)
    except OverflowError:
        return math.inf if fraction > 0 else -math.inf


def rounded_root(fraction):
    with localcontext() as context:
        context.prec = 80
        return float((Decimal(fraction.numerator) / Decimal(fraction.denominator)).sqrt())


def spread(values, root):
    if any(isinstance(v, float) and not math.isfinite(v) for v in values):
        return None if len(values) < 2 else math.nan
    exact = variance(values)
    return None if exact is None else rounded_root(exact) if root else rounded(exact)


def quantile(values, q):
    values = sorted(values, key=rank)
    place = (len(values) - 1) * q
    low, high = values[math.floor(place)], values[math.ceil(place)]
    share = place - math.floor(place)
    return float(low) if share == 0 else low * (1 - share) + high * share


def mode(values):
    counts = Counter(map(identity, values))
    most = max(counts.values())
    return min((v for v in values if counts[identity(v)] == most), key=rank_text)


def divided(a, b):
    """Double division: by zero it gives infinity, or NaN."""
    return a / b if b else math.copysign(math.inf, a) if a else math.nan


def folded(function):
    return lambda values: function(values) if values else None


NUMERIC = [("sum", total), ("avg", mean), ("stddev", lambda v: spread(v, True)), ("var", lambda v: spread(v, False)),
           ("median", lambda v: quantile(v, 0.5))]
ANY_TYPE = [("min", lambda v: min(v, key=rank_text)), ("max", lambda v: max(v, key=rank_text)), ("mode", mode)]
COUNTS = [("count({})", len), ("count(distinct {})", lambda v: len(set(map(identity, v)))),
          ("approx_count_distinct({})", lambda v: len(set(map(identity, v))))]


def fractional(name):
    return name in ("avg", "stddev", "var", "median")


def aggregate(random, expression=None):
    """(SQL with {} for the argument, type, function of present values), and the argument's expression."""
    choice = random.random()
    if choice < 0.4:
        sql, kind, function = expression or number(random)
        if kind not in ("bigint", "double"):
            return None
        if random.random() < 0.2:
            q = random.choice([0, 0.25, 0.9, 1])
            return f"quantile({{}}, {q})", "double", folded(lambda v: quantile(v, q)), (sql, kind, function)
        name, fold = random.choice(NUMERIC)
        return f"{name}({{}})", "double" if fractional(name) else kind, folded(fold), (sql, kind, function)
    argument = expression or value(random)
    if choice < 0.6:
        name, fold = random.choice(COUNTS)
        return name, "bigint", fold, argument
    if argument[1] == "boolean" and random.random() < 0.5:
        name, fold = random.choice([("any({})", any), ("all({})", all)])
        return name, "boolean", folded(fold), argument
    name, fold = random.choice(ANY_TYPE)
    return f"{name}({{}})", argument[1], folded(fold), argument


def values_where(rows, function, test):
    return present([function(row) for row in rows if test is None or test(row) is True])


def with_tail(template, argument, tail):
    """The call with what follows its argument put before the closing bracket or the second argument's."""
    return (template.format(argument))[:-1] + tail + ")"


def filtered(random, share):
    """A call's own condition, or none: (" where ...", function of a row)."""
    if random.random() >= share:
        return "", None
    sql, test = condition(random)
    return f" where {sql}", test


def plain_call(random):
    template, kind, fold, (sql, _, function) = aggregate(random)
    where, test = filtered(random, 0.4)
    return with_tail(template, sql, where), kind, lambda rows, t: fold(values_where(rows, function, test))


def star_call(random):
    if random.random() < 0.4:
        return "count(*)", "bigint", lambda rows, t: len(rows)
    sql, test = condition(random)
    return f"count(* where {sql})", "bigint", lambda rows, t: sum(test(row) is True for row in rows)


def ordered_call(random):
    """first, last and last_n, by time or by a value: ties by time, null order last for first, first for the others."""
    name = random.choice(["first", "last", "last_n"])
    sql, kind, function = value(random)
    where, test = filtered(random, 0.3)
    order, _, by = ("", None, None) if random.random() < 0.5 else value(random)
    n = random.randint(1, 4)

    def compute(rows, t):
        rows = [row for row in rows if test is None or test(row) is True]
        if by:
            nulls = 1 if name == "first" else -1
            rows = sorted(rows, key=lambda row: (0 if by(row) is not None else nulls, 0 if by(row) is None else rank_text(by(row))))
        found = present([function(row) for row in rows])
        if not found:
            return None
        return found[0] if name == "first" else found[-1] if name == "last" else found[:-n - 1:-1]

    count = f", {n}" if name == "last_n" else ""
    order = f" order by {order}" if by else ""
    return f"{name}({sql}{count}{where}{order})", f"list({kind})" if name == "last_n" else kind, compute


def gap_call(random):
    sql, unit = random.choice([("floor_days(gap({}))", lambda g: g // DAY), ("hours(gap({}))", lambda g: g / HOUR)])
    what, function = random.choice([("at", lambda row: row["at"] // US * US), ("u", lambda row: row["u"])])
    name, fold = random.choice([("avg", mean), ("max", max), ("min", min), ("count", len)])
    kind = "double" if name == "avg" or "hours" in sql else "bigint"

    def compute(rows, t):
        times = sorted(present([function(row) for row in rows]))
        gaps = [unit(b - a) for a, b in zip(times, times[1:])]
        return fold(gaps) if gaps or name == "count" else None

    return f"{name}({sql.format(what)})", "bigint" if name == "count" else kind, compute


def of(name, fold):
    """A fold of what a group has in a column."""
    return lambda rows: folded(fold)(values_where(rows, lambda row: row[name], None))


# What `per` makes of a group.
INNER = [("sum(x)", "bigint", of("x", total)), ("sum(y)", "double", of("y", total)), ("count(*)", "bigint", len),
         ("max(u)", "timestamp", of("u", max)), ("first(s)", "varchar", of("s", lambda v: v[0])),
         ("last(x)", "bigint", of("x", lambda v: v[-1])), ("count(distinct s)", "bigint", lambda rows: of("s", lambda v: len(set(v)))(rows) or 0),
         ("any(b)", "boolean", of("b", any)), ("median(i)", "double", of("i", lambda v: quantile(v, 0.5))),
         ("cast(first(b) as double)", "double", of("b", lambda v: float(v[0]))),
         ("coalesce(max(x), -1) * count(*)", "bigint", lambda rows: (-1 if (most := of("x", max)(rows)) is None else most) * len(rows))]


def grouped(rows, keys):
    groups = {}
    for row in rows:
        groups.setdefault(tuple(by(row) for by in keys), []).append(row)
    return list(groups.values())


def per_call(random):
    keys = [key(random) for _ in range(random.choice([1, 1, 2]))]
    inner, kind, compute = random.choice(INNER)
    found = aggregate(random, (inner, kind, None))
    while found is None:
        found = aggregate(random, (inner, kind, None))
    template, result, fold, _ = found
    where, test = filtered(random, 0.5)
    tail = f" per {', '.join(sql for sql, _ in keys)}{where}"

    def outer(rows, t):
        rows = [row for row in rows if test is None or test(row) is True]
        return fold(present([compute(group) for group in grouped(rows, [by for _, by in keys])]))

    return with_tail(template, inner, tail), result, outer


def gap_per_call(random):
    (sql, by), (where, test) = key(random), condition(random)

    def compute(rows, t):
        rows = [row for row in rows if test(row) is True]
        times = sorted(group[0]["at"] // US * US for group in grouped(rows, [by]))
        gaps = [(b - a) // DAY for a, b in zip(times, times[1:])]
        return mean(gaps) if gaps else None

    return f"avg(floor_days(gap(first(at) per {sql} where {where})))", "double", compute


def scalar_of_calls(random):
    def age(name, fold):
        return lambda rows, t: (t // US * US - fold(row["at"] for row in rows) // US * US) // DAY if rows else None

    (a, kind_a, f), (b, kind_b, g) = star_call(random), star_call(random)
    return random.choice([
        ("floor_days(as_of - max(at))", "bigint", age("max", max)), ("floor_days(as_of - min(at))", "bigint", age("min", min)),
        ("hours(as_of - last(at))", "double", lambda rows, t: (t // US - rows[-1]["at"] // US) * US / HOUR if rows else None),
        (f"cast({a} as double) / {b}", "double", lambda rows, t: divided(f(rows, t), g(rows, t))),
        (f"{a} - {b}", "bigint", lambda rows, t: f(rows, t) - g(rows, t)),
        (f"case when {a} > {b} then 'more' when {a} = 0 then null else 'less' end", "varchar",
         lambda rows, t: "more" if f(rows, t) > g(rows, t) else None if f(rows, t) == 0 else "less"),
        (f"coalesce(sum(x), 0) + {a}", "bigint", lambda rows, t: (of("x", total)(rows) or 0) + f(rows, t))])


def feature(random):
    """(SQL, type, function of the window's rows and t)."""
    makers = [plain_call] * 5 + [star_call, ordered_call, ordered_call, gap_call, per_call, per_call, gap_per_call, scalar_of_calls]
    return random.choice(makers)(random)


def having(random):
    least = random.randint(1, 3)
    sql, test = condition(random)
    return random.choice([
        (f"count(*) > {least}", lambda rows, t: len(rows) > least),
        (f"count(* where {sql}) > 0", lambda rows, t: any(test(row) is True for row in rows)),
        ("sum(x) >= 0", lambda rows, t: (value := of("x", total)(rows)) is not None and value >= 0),
        ("as_of - max(at) < interval '5 days'", lambda rows, t: t // US * US - max(row["at"] for row in rows) // US * US < 5 * DAY)])
