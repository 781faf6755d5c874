"""The features of RETAIL.md as the notebook writes them: pandas, one function, a groupby a feature, a lambda where there
is no ready aggregate. bench/retail measures viand against it; tests/oracles/retail_pandas.py is the same without lambdas,
tuned by hand, and shows that both come to the same values."""

import pandas as pd

WINDOW = pd.Timedelta(days=90)


def average_gap_days(dates):
    ordered = dates.sort_values()
    return 0.0 if len(ordered) < 2 else ordered.diff().dropna().dt.days.mean()


def features_at(transactions, cutoff):
    in_window = (transactions["invoice_date"] >= cutoff - WINDOW) & (transactions["invoice_date"] < cutoff)
    window = transactions[in_window]
    purchases = window[~window["is_cancellation"]]
    customers = purchases.groupby("customer_id")
    features = customers.agg(
        recency_days=("invoice_date", lambda dates: (cutoff - dates.max()).days),
        frequency=("invoice_no", "nunique"),
        monetary=("revenue", "sum"),
        n_unique_products=("stock_code", "nunique"),
    )
    history = transactions[(transactions["invoice_date"] < cutoff) & ~transactions["is_cancellation"]]
    features["tenure_days"] = history.groupby("customer_id")["invoice_date"].apply(lambda dates: (cutoff - dates.min()).days)
    orders = purchases.groupby(["customer_id", "invoice_no"]).agg(
        value=("revenue", "sum"), size=("quantity", "sum"), date=("invoice_date", "min")).reset_index()
    by_customer = orders.groupby("customer_id")
    features["avg_order_value"] = by_customer["value"].mean()
    features["avg_basket_size"] = by_customer["size"].mean()
    features["avg_days_between_purchases"] = by_customer["date"].apply(average_gap_days)
    cancelled = window.groupby(["customer_id", "invoice_no"])["is_cancellation"].first().astype(float)
    features["return_rate"] = cancelled.groupby(level=0).mean()
    features.insert(0, "event_timestamp", cutoff)
    return features.reset_index()
