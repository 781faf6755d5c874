"""The generated workbook is a real one, is the same every time, and holds the cases that the real data lacks."""

import csv
import gzip
import hashlib
import io
import re
import zipfile

import openpyxl
import pytest

import generate
import retail_pandas
import workbook

DAY = 86_400
CUTOFF = workbook.seconds_of(generate.CUTOFFS[4])


@pytest.fixture(scope="module")
def rows_by_customer(generated_rows):
    rows = {}
    for row in generated_rows:
        rows.setdefault(row[6], []).append(row)
    return rows


def times(rows, name):
    return [row[4] for row in rows[generate.PLANTED[name]]]


def test_shape_is_that_of_the_real_data(generated_rows, rows_by_customer):
    assert len(generated_rows) == 541_909
    assert abs(len(rows_by_customer[None]) - 135_080) < 1_000
    assert 4_000 < len(rows_by_customer) < 4_800
    cancelled = [row for row in generated_rows if row[0].startswith("C")]
    assert 7_000 < len(cancelled) < 20_000
    assert all(row[3] < 0 for row in cancelled)
    months = {}
    for row in generated_rows:
        month = workbook.moment_of(row[4]).strftime("%Y-%m")
        months[month] = months.get(month, 0) + 1
    assert months["2011-11"] > 2 * months["2011-02"], "November sells more than February"


def test_time_range_starts_and_ends_with_customers(rows_by_customer):
    known = [row[4] for customer, rows in rows_by_customer.items() if customer for row in rows]
    assert workbook.moment_of(min(known)) == generate.START
    assert workbook.moment_of(max(known)) == generate.END


def test_rows_lie_exactly_on_the_edges_of_windows(rows_by_customer):
    assert CUTOFF in times(rows_by_customer, "row_at_cutoff")
    assert CUTOFF - 90 * DAY in times(rows_by_customer, "row_at_window_start")
    assert times(rows_by_customer, "row_before_window_start") == [CUTOFF - 90 * DAY - 60]
    assert CUTOFF + 30 * DAY in times(rows_by_customer, "row_at_label_end")
    assert CUTOFF + 30 * DAY - 60 in times(rows_by_customer, "row_before_label_end")
    assert {CUTOFF - 1, CUTOFF + 1} <= set(times(rows_by_customer, "seconds_beside_cutoff"))


def invoices_of(rows, name):
    invoices = {}
    for row in rows[generate.PLANTED[name]]:
        invoices.setdefault(row[0], []).append(row[4])
    return invoices


def test_invoices_have_several_timestamps_in_and_out_of_order(rows_by_customer):
    ordered = [seen for seen in invoices_of(rows_by_customer, "timestamps_in_order").values() if len(set(seen)) > 1]
    assert ordered and all(seen == sorted(seen) for seen in ordered)
    mixed = invoices_of(rows_by_customer, "timestamps_out_of_order").values()
    assert any(seen != sorted(seen) for seen in mixed)


def test_invoices_cross_the_edges_of_a_window(rows_by_customer):
    spans = [(min(seen), max(seen)) for seen in invoices_of(rows_by_customer, "invoice_across_edges").values()]
    for edge in (CUTOFF - 90 * DAY, CUTOFF):
        assert any(first < edge < last for first, last in spans)


def test_customers_with_cancellations_only_and_with_one_invoice(rows_by_customer):
    assert all(number.startswith("C") for number in invoices_of(rows_by_customer, "cancellations_only"))
    assert len(invoices_of(rows_by_customer, "single_invoice")) == 1


def test_ties_in_time_and_a_shared_invoice_number(rows_by_customer):
    ties = invoices_of(rows_by_customer, "ties_in_time")
    assert len(ties) == 3 and len({moment for seen in ties.values() for moment in seen}) == 1
    assert {number[0] for number in ties} == {"C", "5"}
    shared = [set(invoices_of(rows_by_customer, f"shared_invoice_{which}")) for which in ("first", "second")]
    assert shared[0] == shared[1]


def test_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path):
    hashes = []
    for i, seed in enumerate((1, 1, 2)):
        rows = generate.make_rows(3_000, seed)
        assert len(rows) == 3_000
        workbook.write_xlsx(tmp_path / f"{i}.xlsx", rows)
        hashes.append(hashlib.sha256((tmp_path / f"{i}.xlsx").read_bytes()).hexdigest())
    assert hashes[0] == hashes[1] != hashes[2]


def test_workbook_has_the_cells_that_excel_writes(generated_workbook):
    with zipfile.ZipFile(generated_workbook) as package:
        assert package.testzip() is None
        with package.open("xl/worksheets/sheet1.xml") as sheet:
            start = sheet.read(2_000_000).decode(errors="ignore")
        strings = package.read("xl/sharedStrings.xml").decode()
        styles = package.read("xl/styles.xml").decode()
    assert 't="s"><v>' in start and re.search(r'<c r="A2"><v>\d+</v></c>', start)
    assert re.search(r'<c r="E2" s="1"><v>40513\.35138888889</v></c>', start) and "m/d/yyyy h:mm" in styles
    assert re.search(r'r="B\d+" t="s"', start) and re.search(r'r="B\d+"><v>', start), "text and numbers in one column"
    assert re.search(r'<c r="F\d+"[^>]*><v>[\d.]+</v></c><c r="H', start), "a missing customer leaves no cell"
    assert "SALT&amp;PEPPER" in strings and "CAFÉ" in strings
    assert 'xml:space="preserve"' in strings


def test_workbook_and_csv_hold_the_same_rows(tmp_path):
    rows = generate.make_rows(3_000, seed=7)
    workbook.write_xlsx(tmp_path / "w.xlsx", rows)
    workbook.write_csv(tmp_path / "w.csv.gz", rows)
    sheet = openpyxl.load_workbook(tmp_path / "w.xlsx", read_only=True)[workbook.SHEET_NAME]
    cells = list(sheet.iter_rows(values_only=True))
    assert cells[0] == workbook.HEADER
    packed = gzip.decompress((tmp_path / "w.csv.gz").read_bytes()).decode()
    lines = list(csv.reader(io.StringIO(packed)))[1:]
    assert len(lines) == len(rows)
    for cell, line in zip(cells[1:], lines):
        shown = ["" if value is None else str(value) for value in cell]
        shown[2] = shown[2].replace("True", "TRUE")
        assert [*shown[:3], int(shown[3]), shown[4][:19], float(shown[5]), *shown[6:]] == \
            [*line[:3], int(line[3]), line[4], float(line[5]), *line[6:]]


def test_odd_cells_are_in_the_workbook(tmp_path):
    rows = generate.make_rows(3_000, seed=42)
    workbook.write_xlsx(tmp_path / "w.xlsx", rows)
    with zipfile.ZipFile(tmp_path / "w.xlsx") as package:
        sheet = package.read("xl/worksheets/sheet1.xml").decode()
        strings = package.read("xl/sharedStrings.xml").decode()
    assert 't="inlineStr"><is><t>&lt;b&gt;inline&lt;/b&gt; &amp; text</t></is>' in sheet
    assert 't="b"><v>1</v>' in sheet
    assert "<t>499998</t>" in strings, "a number stored as text"
    assert re.search(r'<row r="3002" spans="1:8"><c r="E3002" s="1"/></row>', sheet), "a row of formats only"


def test_oracle_reads_workbook_and_csv_alike(tmp_path):
    rows = generate.make_rows(5_000, seed=3)
    workbook.write_xlsx(tmp_path / "w.xlsx", rows)
    workbook.write_csv(tmp_path / "w.csv.gz", rows)
    from_workbook, from_csv = (retail_pandas.reference_tables(tmp_path / name) for name in ("w.xlsx", "w.csv.gz"))
    assert [cutoff.to_pydatetime() for cutoff in from_workbook.cutoffs] == generate.CUTOFFS
    assert from_workbook.cleaned.equals(from_csv.cleaned)
    assert from_workbook.features.equals(from_csv.features)
    assert from_workbook.labels.equals(from_csv.labels)
