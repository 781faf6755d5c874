#!/usr/bin/env python3
"""Makes a workbook of the shape of UCI Online Retail where the real one cannot be had: the same columns, mixed cells,
cancellations, missing customers, seasons and size. The same --rows and --seed give the same rows on every machine.

Beside the random customers it plants the ones of PLANTED, which hold what the real data cannot test: rows exactly on
the edges of windows, invoices with several timestamps, ties in time. Standard library only.
"""

import argparse
import random
import sys
from bisect import bisect_right
from datetime import datetime, timedelta
from itertools import accumulate

from workbook import BooleanCell, InlineText, TextCell, moment_of, seconds_of, write_csv, write_xlsx

REAL_ROWS, REAL_CUSTOMERS, REAL_INVOICES, REAL_ANONYMOUS_INVOICES = 541_909, 4_372, 18_500, 3_710
ANONYMOUS_SHARE = 135_080 / REAL_ROWS
CANCELLED_SHARE = 0.16  # of the invoices that name a customer
START, END = datetime(2010, 12, 1, 8, 26), datetime(2011, 12, 9, 12, 50)
CUTOFFS = [START + timedelta(days=90 + 30 * i) for i in range(9)]
MONTH_WEIGHTS = {1: 1.0, 2: 1.0, 3: 1.3, 4: 1.2, 5: 1.45, 6: 1.35, 7: 1.3, 8: 1.2, 9: 1.6, 10: 1.8, 11: 2.5, 12: 1.6}
FIRST_CUSTOMER, FIRST_INVOICE = 12_346, 536_365
COUNTRIES = ["United Kingdom"] * 91 + ["Germany", "Germany", "France", "France", "EIRE", "Spain", "Belgium",
                                       "Netherlands", "Switzerland"]
PACKS = [1, 1, 1, 1, 2, 2, 2, 3, 4, 4, 6, 6, 6, 8, 10, 12, 12, 12, 24, 48]
COLOURS = "RED BLUE PINK CREAM IVORY GREEN BLACK SILVER ROSE MINT".split()
STYLES = "RETRO VINTAGE PAISLEY STAR HEART FLORAL WOODLAND NORDIC SPOTTY GINGHAM CAFÉ SALT&PEPPER".split()
THINGS = ["LANTERN", "CAKE STAND", "TEA TOWEL", 'BOARD 12"', "MUG", "CHILD'S APRON", "PARTY BAG, SET OF 10", "DOORMAT",
          "CANDLE HOLDER", "BUNTING", "LUNCH BOX", "CLOCK", "NOTEBOOK ", "JUG", "STORAGE TIN"]

# The planted customers by what they are for; the tests look them up here.
PLANTED = {name: 12_001 + i for i, name in enumerate([
    "row_at_cutoff", "row_at_window_start", "row_before_window_start", "row_at_label_end", "row_before_label_end",
    "timestamps_in_order", "timestamps_out_of_order", "invoice_across_edges", "cancellations_only", "single_invoice",
    "ties_in_time", "shared_invoice_first", "shared_invoice_second", "seconds_beside_cutoff", "first_row", "last_row",
    "odd_cells"])}


class Invoice:
    """One invoice before it has its number: lines are (seconds, product, quantity, price), in the order of the file."""

    def __init__(self, customer, country, lines, cancelled=False, number=None):
        self.customer, self.country, self.lines = customer, country, lines
        self.cancelled, self.number = cancelled, number


class Product:
    def __init__(self, rng, i):
        stock = 20_000 + i * 3
        self.code = f"{stock}{rng.choice('ABCFGL')}" if rng.random() < 0.12 else str(stock)
        self.description = (f"{COLOURS[i % 10]} {STYLES[i // 10 % 12]} {THINGS[i // 120 % 15]}"
                            f"{' NO ' + str(i // 1800) if i >= 1800 else ''}")
        self.pack = rng.choice(PACKS)
        self.price = round(min(40.0, rng.lognormvariate(0.7, 0.9)) + 0.19, 2)


def open_days():
    """The days on which the shop sells, as (seconds at midnight, weight)."""
    days, day = [], START.replace(hour=0, minute=0)
    while day <= END:
        holidays = (day.month, day.day) in ((1, 1), (1, 2), (1, 3)) or (day.month == 12 and 24 <= day.day <= 31)
        if day.weekday() != 5 and not holidays:
            days.append((seconds_of(day), MONTH_WEIGHTS[day.month] * (0.6 if day.weekday() == 6 else 1.0)))
        day += timedelta(days=1)
    return days


class Calendar:
    """Draws the times of invoices: seasons, no Saturdays, most of them around noon, strictly inside the data's range."""

    def __init__(self, rng):
        self.rng = rng
        days = open_days()
        self.days = [day for day, _ in days]
        self.heap = list(accumulate(weight for _, weight in days))
        self.range = seconds_of(START) + 60, seconds_of(END) - 60

    def draw(self, not_before=0):
        """Returns (day number, seconds); the day is `not_before` or later."""
        low = self.heap[not_before - 1] if not_before else 0.0
        day = min(bisect_right(self.heap, low + self.rng.random() * (self.heap[-1] - low)), len(self.days) - 1)
        minute = round(self.rng.triangular(8 * 60, 18 * 60, 12.5 * 60))
        return day, max(self.range[0], min(self.range[1], self.days[day] + 60 * minute))


def spread(rng, weights, total):
    """Shares `total` lines out by weight, at least one each, in whole numbers that sum to it exactly."""
    scale = max(0, total - len(weights)) / sum(weights)
    counts = [1 + int(weight * scale) for weight in weights]
    while sum(counts) > total:
        counts[counts.index(max(counts))] -= 1
    for i in rng.choices(range(len(counts)), k=total - sum(counts)):
        counts[i] += 1
    return counts


def make_lines(rng, products, seconds, count, cancelled, bulk):
    lines = []
    for _ in range(count):
        luck = rng.random()
        product = products[int(len(products) * luck * luck * luck)]
        luck = rng.random()
        price = product.price if luck < 0.85 else round(product.price * (0.8 if luck < 0.95 else 1.9), 2)
        quantity = product.pack * bulk if luck < 0.7 else 1 + int(luck * 10) % 4
        lines.append((seconds, product, -quantity if cancelled else quantity, price))
    return lines


def customer_invoices(rng, calendar, products, rows, customers):
    """Invoices of the random customers: few buy often, many once; a part of what was bought comes back."""
    drafts = []
    wanted = REAL_INVOICES * customers / REAL_CUSTOMERS / (1 + CANCELLED_SHARE)
    activity = [rng.lognormvariate(0, 1.1) for _ in range(customers)]
    scale = max(0.0, wanted - customers) / sum(activity)
    for i, weight in enumerate(activity):
        country, bulk = rng.choice(COUNTRIES), rng.choice((1, 1, 1, 1, 2, 4))
        first, seconds = min(calendar.draw(), calendar.draw(), calendar.draw())
        for visit in range(1 + round(weight * scale)):
            if visit:
                _, seconds = calendar.draw(first)
            drafts.append((FIRST_CUSTOMER + i, country, seconds, False, bulk, rng.lognormvariate(2.3, 1.0)))
            if rng.random() < CANCELLED_SHARE:
                drafts.append((FIRST_CUSTOMER + i, country, calendar.draw(first)[1], True, 1, 3 * rng.random()))
    counts = spread(rng, [draft[5] for draft in drafts], rows)
    return [Invoice(customer, country, make_lines(rng, products, seconds, count, cancelled, bulk), cancelled)
            for (customer, country, seconds, cancelled, bulk, _), count in zip(drafts, counts)]


def anonymous_invoices(rng, calendar, products, rows):
    """Rows without a customer: the till's long bills, and stock corrections without price or description."""
    wanted = max(4, round(REAL_ANONYMOUS_INVOICES * rows / (REAL_ROWS * ANONYMOUS_SHARE)))
    counts = spread(rng, [rng.lognormvariate(0, 1.8) for _ in range(wanted)], rows)
    invoices = []
    for count in counts:
        seconds = calendar.draw()[1]
        lines = make_lines(rng, products, seconds, count, False, 1)
        if count == 1 and rng.random() < 0.6:
            correction = Product(rng, 0)
            correction.code, correction.description = lines[0][1].code, None
            lines = [(seconds, correction, rng.randrange(-200, 200), 0.0)]
        invoices.append(Invoice(None, "United Kingdom", lines))
    return invoices


def planted_invoices(products):
    """The customers of PLANTED, around the fifth cutoff c; RETAIL's windows are [c - 90 d, c) and [c, c + 30 d)."""
    c = seconds_of(CUTOFFS[4])
    day, minute = 86_400, 60
    invoices = []

    def plant(name, *seconds, cancelled=False, number=None):
        sign = -1 if cancelled else 1
        lines = [(t, products[i], sign * (i + 1), products[i].price) for i, t in enumerate(seconds)]
        invoices.append(Invoice(PLANTED[name], "United Kingdom", lines, cancelled, number))

    plant("row_at_cutoff", c - 45 * day)
    plant("row_at_cutoff", c)
    plant("row_at_window_start", c - 90 * day)
    plant("row_before_window_start", c - 90 * day - minute)
    for name, end in (("row_at_label_end", c + 30 * day), ("row_before_label_end", c + 30 * day - minute)):
        plant(name, c - 10 * day)
        plant(name, end)
    noon = c - 40 * day + 4 * 3600
    plant("timestamps_in_order", noon, noon + minute, noon + 2 * minute)
    plant("timestamps_in_order", noon + 5 * day)
    plant("timestamps_out_of_order", noon + 2 * minute, noon, noon + minute)
    plant("timestamps_out_of_order", noon + 5 * day)
    plant("invoice_across_edges", c - 90 * day - 2 * minute, c - 90 * day - minute, c - 90 * day + 3 * minute)
    plant("invoice_across_edges", c - minute, c, c + minute)
    plant("cancellations_only", c - 30 * day, cancelled=True)
    plant("cancellations_only", c - 20 * day, c - 20 * day, cancelled=True)
    plant("single_invoice", c - 15 * day, c - 15 * day)
    for cancelled in (False, True, False):
        plant("ties_in_time", c - 12 * day, c - 12 * day, cancelled=cancelled)
    plant("shared_invoice_first", c - 8 * day, c - 8 * day, number="499999")
    plant("shared_invoice_second", c - 8 * day, number="499999")
    plant("seconds_beside_cutoff", c - 90 * day + 1, c - 50 * day + 37)
    plant("seconds_beside_cutoff", c - 1)
    plant("seconds_beside_cutoff", c + 1)
    plant("first_row", seconds_of(START), seconds_of(START))
    plant("last_row", seconds_of(END))
    plant("odd_cells", *[c - 5 * day] * 4, number=TextCell("499998"))
    return invoices


def odd_cells(row):
    """What other programs write: text in place of the shared strings, a boolean, a gap, for one customer's rows."""
    kind = row[3] % 4
    if kind == 0:
        return (*row[:2], InlineText("<b>inline</b> & text"), *row[3:])
    if kind == 1:
        return (*row[:2], BooleanCell("TRUE"), *row[3:])
    if kind == 2:
        return (row[0], InlineText(row[1]), None, *row[3:7], None)
    return (row[0], TextCell(row[1]), *row[2:])


def number_and_flatten(invoices):
    """Numbers the invoices in the order of time, as the shop did, and returns their lines as rows."""
    rows = []
    for i, invoice in enumerate(sorted(invoices, key=lambda invoice: invoice.lines[0][0])):
        number = invoice.number or str(FIRST_INVOICE + i)
        if invoice.cancelled:
            number = "C" + number
        for seconds, product, quantity, price in invoice.lines:
            row = (number, product.code, product.description, quantity, seconds, price, invoice.customer, invoice.country)
            rows.append(odd_cells(row) if invoice.customer == PLANTED["odd_cells"] else row)
    return rows


def make_rows(count, seed):
    """Returns exactly `count` rows for workbook.write_xlsx."""
    rng = random.Random(seed)
    customers = max(20, round(REAL_CUSTOMERS * count / REAL_ROWS))
    products = [Product(rng, i) for i in range(max(50, min(4_000, count // 20)))]
    calendar = Calendar(rng)
    invoices = planted_invoices(products)
    left = count - sum(len(invoice.lines) for invoice in invoices)
    anonymous = round(left * ANONYMOUS_SHARE)
    invoices += customer_invoices(rng, calendar, products, left - anonymous, customers)
    invoices += anonymous_invoices(rng, calendar, products, anonymous)
    return number_and_flatten(invoices)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("output", nargs="?", default="data/online_retail.xlsx", help="the workbook to write")
    parser.add_argument("--rows", type=int, default=REAL_ROWS, help="rows of data (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--csv", help="write the same rows to this .csv.gz too")
    options = parser.parse_args()
    if options.rows < 1_000:
        parser.error(f"--rows {options.rows}: the planted customers need at least 1000 rows around them")
    rows = make_rows(options.rows, options.seed)
    write_xlsx(options.output, rows)
    if options.csv:
        write_csv(options.csv, rows)
    print(f"{options.output}: {len(rows)} rows from {moment_of(rows[0][4])} to {moment_of(rows[-1][4])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
