"""The definitions of the retail example with its features made by Python (tests/python/retail_functions.py)."""

import re


def with_functions(text, mode):
    """The definitions of the example with its nine features made by retail_functions.py."""
    def features(function, columns, types, more=""):
        return "".join(f'      {name}: {{function: "retail_functions:{function}_{mode}", columns: [{columns}], returns: {type_}, '
                       f'mode: {mode}{f", output: {name}" if len(types) > 1 else ""}{more if name.startswith(("tenure", "avg_days")) else ""}}}\n'
                       for name, type_ in types.items())

    rfm = features("rfm", "invoice_no, invoice_date, revenue", {"recency_days": "bigint", "frequency": "bigint", "monetary": "double"})
    rfm += features("tenure", "invoice_date", {"tenure_days": "bigint"}, ", window: unbounded")
    behavior = features("behavior", "invoice_no, invoice_date, stock_code, quantity, revenue, is_cancellation",
                        {"avg_order_value": "double", "avg_basket_size": "double", "n_unique_products": "bigint", "return_rate": "double",
                         "avg_days_between_purchases": "double"}, ", default: 0")
    text = re.sub(r"    features:\n      recency_days.*?(?=    ttl: 0d)", f"    features:\n{rfm}", text, flags=re.S)
    return re.sub(r"    features:\n      avg_order_value.*?(?=\nlabels:)", f"    features:\n{behavior}", text, flags=re.S)
