"""The aggregates that expressions and groups of rows share as methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from viand.durations import Duration
    from viand.expressions import Descending, Expression


class Aggregates:
    """The aggregates of an expression over the rows of a window, or of groups of them (`per`).

    `where` leaves rows out first: an expression, or SQL text. `window` is the feature's, where that is not the view's.
    """

    def sum(self, *, where: Expression | str | None = None, window: Duration | None = None) -> Expression:
        """The sum, null over no values. Integers beyond 64 bits are an error; doubles are added exactly and rounded once."""
        return self._aggregate("sum", where=where, window=window)

    def avg(self, *, where: Expression | str | None = None, window: Duration | None = None) -> Expression:
        """The mean, a double rounded once; null over no values."""
        return self._aggregate("avg", where=where, window=window)

    mean = avg

    def min(self, *, where: Expression | str | None = None, window: Duration | None = None) -> Expression:
        """The least: of numbers, texts or times."""
        return self._aggregate("min", where=where, window=window)

    def max(self, *, where: Expression | str | None = None, window: Duration | None = None) -> Expression:
        """The greatest: of numbers, texts or times."""
        return self._aggregate("max", where=where, window=window)

    def count(self, *, where: Expression | str | None = None, window: Duration | None = None) -> Expression:
        """How many are not null."""
        return self._aggregate("count", where=where, window=window)

    def count_distinct(self, *, where: Expression | str | None = None, window: Duration | None = None) -> Expression:
        """How many different values there are, null not among them."""
        return self._aggregate("count", where=where, window=window, distinct=True)

    n_unique = count_distinct

    def approx_count_distinct(self, *, where: Expression | str | None = None, window: Duration | None = None) -> Expression:
        """About how many different values there are, in little memory; the same whatever the order of the rows."""
        return self._aggregate("approx_count_distinct", where=where, window=window)

    def first(self, *, where: Expression | str | None = None,
            order_by: Expression | Descending | str | None = None, window: Duration | None = None) -> Expression:
        """The first that is not null: by time and place in the source, or by `order_by`."""
        return self._aggregate("first", where=where, window=window, order_by=order_by)

    def last(self, *, where: Expression | str | None = None,
            order_by: Expression | Descending | str | None = None, window: Duration | None = None) -> Expression:
        """The last that is not null: by time and place in the source, or by `order_by`."""
        return self._aggregate("last", where=where, window=window, order_by=order_by)

    def last_n(self, n: int, *, where: Expression | str | None = None,
            order_by: Expression | Descending | str | None = None, window: Duration | None = None) -> Expression:
        """The last n that are not null, newest first."""
        return self._aggregate("last_n", n, where=where, window=window, order_by=order_by)

    def stddev(self, *, where: Expression | str | None = None, window: Duration | None = None) -> Expression:
        """The standard deviation of a sample, null of fewer than two values."""
        return self._aggregate("stddev", where=where, window=window)

    def var(self, *, where: Expression | str | None = None, window: Duration | None = None) -> Expression:
        """The variance of a sample, null of fewer than two values."""
        return self._aggregate("var", where=where, window=window)

    def median(self, *, where: Expression | str | None = None, window: Duration | None = None) -> Expression:
        """The value in the middle; between two values their mean."""
        return self._aggregate("median", where=where, window=window)

    def quantile(self, q: float, *, where: Expression | str | None = None, window: Duration | None = None) -> Expression:
        """The value below which a share q (0 to 1) lies, interpolated between two values."""
        return self._aggregate("quantile", q, where=where, window=window)

    def any(self, *, where: Expression | str | None = None, window: Duration | None = None) -> Expression:
        """Whether a boolean holds in any row; null over no values."""
        return self._aggregate("any", where=where, window=window)

    def all(self, *, where: Expression | str | None = None, window: Duration | None = None) -> Expression:
        """Whether a boolean holds in every row; null over no values."""
        return self._aggregate("all", where=where, window=window)

    def mode(self, *, where: Expression | str | None = None, window: Duration | None = None) -> Expression:
        """The most frequent value, the least of several."""
        return self._aggregate("mode", where=where, window=window)

    def _aggregate(self, name: str, *more: Any, where: Any = None, window: Any = None, order_by: Any = None,
                   distinct: bool = False) -> Expression:
        raise NotImplementedError
