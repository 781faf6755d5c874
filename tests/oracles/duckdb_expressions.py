"""Writes duckdb_expressions.tsv: constant expressions and what DuckDB says of each, cast to varchar.

Run it with the project's .venv after adding expressions; expression_golden_test.cc reads the file. An expression on which
DuckDB fails is written as ERROR: viand must fail too. A NaN has no sign here.
"""

import pathlib

import duckdb

NUMBERS = ["0", "1", "-1", "7", "-7", "2147483647", "-2147483648", "9223372036854775807", "null"]
DOUBLES = ["0e0", "-0e0", "1.5e0", "-2.5e0", "1e300", "cast('nan' as double)", "cast('inf' as double)", "cast(null as double)"]
TEXTS = ["''", "'a'", "'añb'", "'  x '", "'Hello World'", "'日本語'", "cast(null as varchar)"]
TIMES = ["timestamp '2011-01-31 10:20:30.5'", "timestamp '1969-12-31 23:59:59'", "timestamp '2012-02-29'",
         "cast(null as timestamp)"]
# Where viand differs on purpose.
DIFFERENT = [
    "cast(9223372036854775807 as integer)",  # viand folds the literal and refuses it, DuckDB sees the null beside it first
    "cast(-2147483648 as integer) % cast(-1 as integer)",  # 0 for viand; DuckDB calls it an overflow
    "'1e400'",  # a number that does not fit is an error, not an infinity
    "date_diff('week', timestamp '2011-01-31 10:20:30.5', timestamp '1969",  # DuckDB rounds toward 1970
    "date_diff('week', timestamp '1969-12-31 23:59:59', timestamp '2011",
]
COMPARISONS = ["=", "<>", "<", "<=", ">", ">=", "is distinct from", "is not distinct from"]


def comparisons():
    for values in (NUMBERS, DOUBLES, TEXTS, TIMES):
        for a in values:
            for b in values:
                for op in COMPARISONS:
                    yield f"({a}) {op} ({b})"
                yield f"coalesce({a}, {b})"
                yield f"nullif({a}, {b})"
                yield f"greatest({a}, {b})"
                yield f"least({a}, {b})"
                yield f"({a}) in ({b}, null)"


def numbers():
    for a in NUMBERS:
        for b in NUMBERS:
            for op in ["+", "-", "*", "/", "//", "%"]:
                yield f"cast({a} as bigint) {op} cast({b} as bigint)"
                yield f"cast({a} as integer) {op} cast({b} as integer)"
        for f in ["abs", "sign", "ceil", "floor", "round", "sqrt"]:
            yield f"{f}(cast({a} as bigint))"
        for t in ["double", "varchar", "boolean", "tinyint", "integer"]:
            yield f"cast(cast({a} as bigint) as {t})"
            yield f"try_cast(cast({a} as bigint) as {t})"
    for a in DOUBLES:
        for b in DOUBLES:
            for op in ["+", "-", "*", "/", "//", "%"]:
                yield f"({a}) {op} ({b})"
        for f in ["abs", "sign", "ceil", "floor", "round", "trunc", "sqrt", "cbrt", "exp", "ln", "log2", "log10",
                  "isnan", "isfinite", "isinf"]:
            yield f"{f}({a})"
        for t in ["bigint", "integer", "varchar", "boolean", "real"]:
            yield f"cast({a} as {t})"


def texts():
    for a in TEXTS:
        for b in TEXTS:
            for f in ["starts_with", "ends_with", "contains", "strpos", "trim", "ltrim", "rtrim"]:
                yield f"{f}({a}, {b})"
            yield f"{a} || {b}"
            yield f"concat({a}, {b}, {a})"
            yield f"replace({a}, {b}, 'z')"
        for f in ["length", "lower", "upper", "trim", "ltrim", "rtrim", "reverse", "ascii"]:
            yield f"{f}({a})"
        for i in [-9, -2, -1, 0, 1, 2, 9]:
            yield f"left({a}, {i})"
            yield f"right({a}, {i})"
            yield f"substring({a}, {i})"
            yield f"repeat({a}, {i})"
            yield f"split_part({a}, ' ', {i})"
            yield f"lpad({a}, {i}, 'xy')"
            yield f"rpad({a}, {i}, 'xy')"
            for n in [-2, 0, 1, 5]:
                yield f"substring({a}, {i}, {n})"
        for pattern in ["'%'", "'_'", "'a%'", "'%l_ W%'", "'A_B'", "''"]:
            yield f"{a} like {pattern}"
            yield f"{a} ilike {pattern}"
    for text in ["12", " 12 ", "+5", "12.7", "-12.5", "1e3", "abc", "", "9223372036854775808", "nan", "inf", "1e400", ".5"]:
        for t in ["bigint", "double", "boolean"]:
            yield f"cast('{text}' as {t})"
            yield f"try_cast('{text}' as {t})"


def times():
    for a in TIMES:
        for b in TIMES:
            yield f"{a} - {b}"
            for part in ["microsecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year"]:
                yield f"date_diff('{part}', {a}, {b})"
        for part in ["second", "minute", "hour", "day", "week", "month", "quarter", "year", "decade", "century"]:
            yield f"date_trunc('{part}', {a})"
        for f in ["year", "quarter", "month", "week", "day", "dayofyear", "dayofweek", "isodow", "hour", "minute",
                  "second", "millisecond", "microsecond", "epoch", "epoch_ms", "epoch_us"]:
            yield f"{f}({a})"
        for i in ["1 month", "-1 month", "13 months", "1 month 2 days", "1 year", "36 hours", "-1 day"]:
            yield f"{a} + interval '{i}'"
            yield f"{a} - interval '{i}'"
        yield f"cast({a} as date)"
        yield f"cast({a} as date) + 3"
        yield f"cast({a} as date) - date '2011-01-01'"
    for date in ["2011, 1, 31", "2011, 2, 29", "2012, 2, 29", "2011, 13, 1", "2011, 0, 1"]:
        yield f"make_date({date})"
        yield f"make_timestamp({date}, 10, 11, 12.5)"


def others():
    yield from ["to_timestamp(1.5)", "interval '1 day' * 2", "interval '1 day' / 2", "- interval '1 day'",
                "interval '1 day' < interval '25 hours'", "2 + 3 * 4 - 5", "-2 ** 2", "not 1 = 2", "1 = 1 is true",
                "true and null", "false and null", "true or null", "null or false", "not null",
                "case when null then 1 else 2 end", "case 1 when 1 then 'a' end", "case 2 when 1 then 'a' end",
                "if(true, 1, 2)", "ifnull(null, 2)", "1 between 0 and null", "1 between 2 and null",
                "2 in (1, null)", "1 in (1) = true", "chr(241)", "chr(-1)", "atan2(1, 2)", "pow(2, 3)",
                "round(2.567e0, 2)", "round(25, -1)", "round(-25, -1)", "true = 1", "regexp_matches('hello', 'l+')"]


def expressions():
    for part in (comparisons, numbers, texts, times, others):
        yield from part()


def main():
    connection = duckdb.connect()
    connection.execute("set timezone='UTC'")
    lines = []
    for expression in dict.fromkeys(expressions()):
        if any(part in expression for part in DIFFERENT):
            continue
        try:
            value = connection.execute(f"select cast(({expression}) as varchar)").fetchone()[0]
            shown = "NULL" if value is None else value.replace("-nan", "nan")
        except duckdb.Error:
            shown = "ERROR"
        if "\n" not in shown and "\t" not in shown:
            lines.append(f"{expression}\t{shown}\n")
    pathlib.Path(__file__).with_suffix(".tsv").write_text("".join(lines))


if __name__ == "__main__":
    main()
