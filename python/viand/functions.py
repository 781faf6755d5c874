"""The names of the functions of expressions, each a method of an expression too: col("s").lower(), col("at").year().

A test holds the list to the engine's table.
"""

FUNCTIONS = frozenset("""
abs acos ascii asin atan atan2 cbrt ceil ceiling char_length chr coalesce concat contains cos cot date_diff date_trunc
datediff datetrunc day dayofmonth dayofweek dayofyear days dow doy ends_with epoch epoch_ms epoch_us exp floor floor_days
greatest hour hours if ifnull instr isfinite isinf isnan isodow lcase least left len length ln log log10 log2 lower lpad
ltrim make_date make_timestamp microsecond millisecond minute minutes mod month nullif ord pow power prefix quarter
regexp_matches repeat replace reverse right round rpad rtrim second seconds sha256 sign sin split_part sqrt starts_with
strlen strpos substr substring suffix tan to_timestamp trim trunc ucase unicode upper week weekofyear year
""".split())
