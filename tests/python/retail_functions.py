"""The nine retail features as Python functions, in both modes: what definitions.yaml says in SQL."""

import math
from fractions import Fraction

import pyarrow as pa
import pyarrow.compute as pc

import viand

DAY_US = 86_400_000_000
RFM = {"recency_days": int, "frequency": int, "monetary": float}
RFM_COLUMNS = ["invoice_no", "invoice_date", "revenue"]
BEHAVIOR = {"avg_order_value": float, "avg_basket_size": float, "n_unique_products": int, "return_rate": float,
            "avg_days_between_purchases": float}
BEHAVIOR_COLUMNS = ["invoice_no", "invoice_date", "stock_code", "quantity", "revenue", "is_cancellation"]


@viand.feature_function(returns=RFM, columns=RFM_COLUMNS, mode="pandas")
def rfm_pandas(rows, groups):
    by = rows.groupby("group")
    return {"recency_days": (groups["as_of"] - by["invoice_date"].max()).dt.days, "frequency": by["invoice_no"].nunique(),
            "monetary": by["revenue"].agg(math.fsum)}


@viand.feature_function(returns=int, columns=["invoice_date"], mode="pandas", window="unbounded")
def tenure_pandas(rows):
    by = rows.groupby("group")
    return (by["as_of"].first() - by["invoice_date"].min()).dt.days


@viand.feature_function(returns=BEHAVIOR, columns=BEHAVIOR_COLUMNS, mode="pandas")
def behavior_pandas(rows):
    bought = rows[~rows["is_cancellation"]]
    orders = bought.groupby(["group", "invoice_no"]).agg(revenue=("revenue", math.fsum), quantity=("quantity", "sum"),
                                                         at=("invoice_date", "first"))
    by = orders.groupby("group")
    gaps = orders.sort_values("at").groupby("group")["at"].diff().dt.days.dropna()
    returned = rows.groupby(["group", "invoice_no"])["is_cancellation"].first()
    return {"avg_order_value": by["revenue"].agg(mean), "avg_basket_size": by["quantity"].agg(mean),
            "n_unique_products": bought.groupby("group")["stock_code"].nunique(),
            "return_rate": returned.groupby("group").agg(mean), "avg_days_between_purchases": gaps.groupby("group").agg(mean)}


@viand.feature_function(returns=RFM, columns=RFM_COLUMNS)
def rfm_arrow(rows, groups):
    by = rows.group_by("group").aggregate([("invoice_date", "max"), ("invoice_no", "count_distinct"), ("revenue", "list")])
    by = by.sort_by("group")
    return {"recency_days": days(groups["as_of"], by["invoice_date_max"]), "frequency": by["invoice_no_count_distinct"],
            "monetary": [math.fsum(each) for each in by["revenue_list"].to_pylist()]}


@viand.feature_function(returns=int, columns=["invoice_date"], window="unbounded")
def tenure_arrow(rows):
    by = rows.group_by("group").aggregate([("as_of", "max"), ("invoice_date", "min")])
    return pa.table({"group": by["group"], "tenure_days": days(by["as_of_max"], by["invoice_date_min"])})


@viand.feature_function(returns=BEHAVIOR, columns=BEHAVIOR_COLUMNS)
def behavior_arrow(rows):
    made = {"group": [], **{name: [] for name in BEHAVIOR}}
    for group, (first, last) in enumerate(bounds(rows["group"])):
        one = rows.slice(first, last - first)
        values = dict(zip(one.column_names, (column.to_pylist() for column in one.columns)))
        orders, returned = {}, {}
        for at in range(len(one)):
            returned.setdefault(values["invoice_no"][at], values["is_cancellation"][at])
            if not values["is_cancellation"][at]:
                orders.setdefault(values["invoice_no"][at], []).append(at)
        times = sorted(values["invoice_date"][order[0]] for order in orders.values())
        gaps = [(after - before).days for before, after in zip(times, times[1:])]
        made["group"].append(group)
        made["avg_order_value"].append(mean([math.fsum(values["revenue"][at] for at in order) for order in orders.values()]))
        made["avg_basket_size"].append(mean([sum(values["quantity"][at] for at in order) for order in orders.values()]))
        made["n_unique_products"].append(len({values["stock_code"][at] for order in orders.values() for at in order}))
        made["return_rate"].append(mean(list(returned.values())))
        made["avg_days_between_purchases"].append(mean(gaps) if gaps else None)
    return pa.table(made)


def mean(values):
    """Rounded once, as SQL's avg."""
    return float(sum(map(Fraction, map(float, values))) / len(values))


def days(to, since):
    return pc.divide(pc.subtract(to, since).cast(pa.int64()), DAY_US)


def bounds(groups):
    """(first, last) of the rows of each group."""
    starts = [0, *(at for at in range(1, len(groups)) if groups[at] != groups[at - 1]), len(groups)]
    return zip(starts, starts[1:])
