"""The aggregates that expressions and groups of rows share as methods."""


class Aggregates:
    """The aggregates of an expression over the rows of a window, or of groups of them (`per`).

    `where` leaves rows out first: an expression, or SQL text. `window` is the feature's, where that is not the view's.
    """

    def sum(self, *, where=None, window=None):
        return self._aggregate("sum", where=where, window=window)

    def avg(self, *, where=None, window=None):
        return self._aggregate("avg", where=where, window=window)

    mean = avg

    def min(self, *, where=None, window=None):
        return self._aggregate("min", where=where, window=window)

    def max(self, *, where=None, window=None):
        return self._aggregate("max", where=where, window=window)

    def count(self, *, where=None, window=None):
        """How many are not null."""
        return self._aggregate("count", where=where, window=window)

    def count_distinct(self, *, where=None, window=None):
        return self._aggregate("count", where=where, window=window, distinct=True)

    n_unique = count_distinct

    def approx_count_distinct(self, *, where=None, window=None):
        return self._aggregate("approx_count_distinct", where=where, window=window)

    def first(self, *, where=None, order_by=None, window=None):
        """The first that is not null: by time and place in the source, or by `order_by`."""
        return self._aggregate("first", where=where, window=window, order_by=order_by)

    def last(self, *, where=None, order_by=None, window=None):
        return self._aggregate("last", where=where, window=window, order_by=order_by)

    def last_n(self, n: int, *, where=None, order_by=None, window=None):
        """The last n that are not null, newest first."""
        return self._aggregate("last_n", n, where=where, window=window, order_by=order_by)

    def stddev(self, *, where=None, window=None):
        return self._aggregate("stddev", where=where, window=window)

    def var(self, *, where=None, window=None):
        return self._aggregate("var", where=where, window=window)

    def median(self, *, where=None, window=None):
        return self._aggregate("median", where=where, window=window)

    def quantile(self, q: float, *, where=None, window=None):
        return self._aggregate("quantile", q, where=where, window=window)

    def any(self, *, where=None, window=None):
        return self._aggregate("any", where=where, window=window)

    def all(self, *, where=None, window=None):
        return self._aggregate("all", where=where, window=window)

    def mode(self, *, where=None, window=None):
        return self._aggregate("mode", where=where, window=window)
