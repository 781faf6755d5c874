"""The definitions of ../definitions.yaml in Python: the same objects, the same plan, the same bytes."""

from datetime import timedelta

from viand import (Dataset, Entity, FeatureService, FeatureView, Field, FileSource, Labels, Model, Snapshots, ValueType, as_of,
                   col, count, floor_days, gap)

customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.INT64, description="Retail customer")

raw = Dataset(
    name="transactions",
    path="data/online_retail.xlsx",
    types={"InvoiceNo": str, "StockCode": str, "CustomerID": int, "Quantity": int, "UnitPrice": float,
           "InvoiceDate": "timestamp"},
    where=col("CustomerID").is_not_null(),
    columns={
        "customer_id": col("CustomerID"),
        "invoice_no": col("InvoiceNo"),
        "stock_code": col("StockCode"),
        "quantity": col("Quantity"),
        "invoice_date": col("InvoiceDate"),
        "revenue": col("Quantity") * col("UnitPrice"),
        "is_cancellation": col("InvoiceNo").starts_with("C"),
    },
    to="data/transactions.parquet")

transactions = FileSource(name="transactions", path=raw, timestamp_field="invoice_date")

# A grid of cutoffs.
monthly = Snapshots(name="monthly", source=transactions, first="start + 90d", last="end - 30d", every=timedelta(days=30))

bought = ~col("is_cancellation")
invoice = col("invoice_no")

rfm = FeatureView(
    name="customer_rfm_features", entities=[customer], source=transactions, snapshots=monthly, window=timedelta(days=90),
    where=bought,
    features={
        "recency_days": floor_days(as_of - col("invoice_date").max()),
        "frequency": invoice.count_distinct(),
        "monetary": col("revenue").sum(),
        "tenure_days": floor_days(as_of - col("invoice_date").min(window="unbounded")),
    },
    ttl=timedelta(0))

behavior = FeatureView(
    name="customer_behavior_features", entities=[customer], source=transactions, snapshots=monthly,
    window=timedelta(days=90), having=count(where=bought) > 0,
    features={
        "avg_order_value": col("revenue").sum().per(invoice, where=bought).avg(),
        "avg_basket_size": col("quantity").sum().per(invoice, where=bought).avg(),
        "n_unique_products": col("stock_code").count_distinct(where=bought),
        "return_rate": col("is_cancellation").first().cast(float).per(invoice).avg(),
        "avg_days_between_purchases": Field(
            expr=floor_days(gap(col("invoice_date").first().per(invoice, where=bought))).avg(), default=0),
    })

# A window after the cutoff; never a feature. One row for each of the population's (key, t).
purchased = Labels(
    name="purchased_30d", population=rfm, source=transactions, window=timedelta(days=30),
    columns={"purchased": (count(where=bought) > 0).cast(int)})

propensity_features = FeatureService(name="purchase_propensity_v1", features=[rfm, behavior])

propensity = Model(
    name="purchase_propensity", type="xgboost", features=propensity_features, labels=purchased, target="purchased",
    fill_null=0, split="last_snapshot",
    params={"objective": "binary:logistic", "max_depth": 4, "eta": 0.1, "seed": 42, "eval_metric": "logloss"},
    num_boost_round=100)
