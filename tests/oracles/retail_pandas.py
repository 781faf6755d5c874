"""RETAIL.md computed a second time, in pandas, straight from its table and sharing nothing with viand.

reference_tables(path) gives the tables that a run of examples/retail must come to. It reads the workbook with
polars and fastexcel, or the .csv.gz of the same rows.
"""

from dataclasses import dataclass

import pandas as pd

WINDOW = pd.Timedelta(days=90)
LABEL_WINDOW = pd.Timedelta(days=30)
STEP = pd.Timedelta(days=30)
DAY = pd.Timedelta(days=1)
RFM = ["recency_days", "frequency", "monetary", "tenure_days"]
BEHAVIOR = ["avg_order_value", "avg_basket_size", "n_unique_products", "return_rate", "avg_days_between_purchases"]
INTEGERS = ["recency_days", "frequency", "tenure_days", "n_unique_products"]
KEYS = ["customer_id", "event_timestamp"]


@dataclass
class Tables:
    """Everything of one run; the tables are sorted by time and customer and indexed from 0."""

    cleaned: pd.DataFrame
    cutoffs: list
    features: pd.DataFrame  # KEYS + RFM + BEHAVIOR
    labels: pd.DataFrame  # KEYS + purchased


def read_raw(path):
    """The raw columns, texts as Excel shows them; dates to the second."""
    path = str(path)
    texts = {"InvoiceNo": "string", "StockCode": "string", "Description": "string", "Country": "string"}
    if path.endswith(".csv.gz"):
        return pd.read_csv(path, dtype={**texts, "CustomerID": "Int64"}, parse_dates=["InvoiceDate"])
    import polars

    overrides = {**dict.fromkeys(texts, polars.String), "CustomerID": polars.Int64, "Quantity": polars.Int64,
                 "UnitPrice": polars.Float64, "InvoiceDate": polars.Datetime("ms")}
    frame = polars.read_excel(path, engine="calamine", schema_overrides=overrides).to_pandas()
    frame["InvoiceDate"] = frame["InvoiceDate"].dt.round("s")
    return frame


def clean(raw):
    """Rows with a customer, in the order of time; ties stay in the order of the file."""
    kept = raw[raw["CustomerID"].notna()]
    cleaned = pd.DataFrame({
        "customer_id": kept["CustomerID"].astype("int64"),
        "invoice_no": kept["InvoiceNo"].astype(str),
        "stock_code": kept["StockCode"].astype(str),
        "quantity": kept["Quantity"].astype("int64"),
        "invoice_date": kept["InvoiceDate"].astype("datetime64[us]"),
        "revenue": kept["Quantity"].astype("int64") * kept["UnitPrice"].astype("float64"),
        "is_cancellation": kept["InvoiceNo"].astype(str).str.startswith("C"),
    })
    return cleaned.sort_values("invoice_date", kind="stable", ignore_index=True)


def cutoffs_of(cleaned):
    start, end = cleaned["invoice_date"].min(), cleaned["invoice_date"].max()
    cutoffs, cutoff = [], start + WINDOW
    while cutoff <= end - LABEL_WINDOW:
        cutoffs.append(cutoff)
        cutoff += STEP
    return cutoffs


def floor_days(interval):
    return interval // DAY


def mean_days_between(invoice_dates):
    """invoice_dates: one a row, indexed by customer. Whole days of each gap, then their mean; 0 with one invoice."""
    ordered = invoice_dates.sort_values(kind="stable")
    gaps = ordered.groupby(level=0).diff().dropna()
    return floor_days(gaps).groupby(level=0).mean()


def features_at(cleaned, cutoff):
    """One row a customer with a non-cancelled line in [cutoff - 90 d, cutoff)."""
    dates = cleaned["invoice_date"]
    before = cleaned[dates < cutoff]
    window = cleaned[(dates >= cutoff - WINDOW) & (dates < cutoff)]
    bought = window[~window["is_cancellation"]]
    customers = bought.groupby("customer_id")
    invoices = bought.groupby(["customer_id", "invoice_no"])
    # Ever means every line but the cancelled: the view's `where` applies to its unbounded feature as well.
    first_ever = before[~before["is_cancellation"]].groupby("customer_id")["invoice_date"].min()
    cancelled = window.groupby(["customer_id", "invoice_no"])["is_cancellation"].first().astype("float64")
    table = pd.DataFrame({
        "recency_days": floor_days(cutoff - customers["invoice_date"].max()),
        "frequency": customers["invoice_no"].nunique(),
        "monetary": customers["revenue"].sum(),
    })
    table["tenure_days"] = floor_days(cutoff - first_ever).reindex(table.index)
    table["avg_order_value"] = invoices["revenue"].sum().groupby(level=0).mean()
    table["avg_basket_size"] = invoices["quantity"].sum().groupby(level=0).mean()
    table["n_unique_products"] = customers["stock_code"].nunique()
    table["return_rate"] = cancelled.groupby(level=0).mean().reindex(table.index)
    by_invoice = invoices["invoice_date"].min().droplevel("invoice_no")
    table["avg_days_between_purchases"] = mean_days_between(by_invoice).reindex(table.index).fillna(0.0)
    table = table.sort_index().reset_index()
    table.insert(1, "event_timestamp", cutoff)
    return table.astype(dict.fromkeys(INTEGERS, "int64"))


def labels_at(cleaned, population, cutoff):
    """1 for a customer of the population with a non-cancelled line in [cutoff, cutoff + 30 d), else 0."""
    dates = cleaned["invoice_date"]
    window = cleaned[(dates >= cutoff) & (dates < cutoff + LABEL_WINDOW) & ~cleaned["is_cancellation"]]
    labels = population[KEYS].copy()
    labels["purchased"] = labels["customer_id"].isin(window["customer_id"].unique()).astype("int64")
    return labels


def reference_tables(path):
    return tables_of(clean(read_raw(path)))


def tables_of(cleaned):
    cutoffs = cutoffs_of(cleaned)
    features = [features_at(cleaned, cutoff) for cutoff in cutoffs]
    labels = [labels_at(cleaned, table, cutoff) for table, cutoff in zip(features, cutoffs)]
    return Tables(cleaned, cutoffs, pd.concat(features, ignore_index=True), pd.concat(labels, ignore_index=True))


def sums_by_cutoff(tables):
    """The form of RETAIL.md's reference figures: a row a cutoff."""
    joined = tables.features.assign(purchased=tables.labels["purchased"])
    sums = joined.groupby("event_timestamp")[["purchased", *RFM, *BEHAVIOR]].sum()
    sums.insert(0, "customers", joined.groupby("event_timestamp").size())
    return sums
