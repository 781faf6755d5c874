"""Odd files that other producers write, read as openpyxl, pandas and polars read them; and what viand says of bad ones."""

import csv
import datetime as dt
import gzip
import json
import re
import struct
import zipfile
import zlib

import openpyxl
import pandas
import polars
import pyarrow.parquet
import pytest
from conftest import store_config
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

CONFIG = store_config("ingest")
ON_ERROR = "set on_error: skip (leaves the row out) or null (empties the cell)\n"
HINT = f"  hint: declare the column varchar, or {ON_ERROR}"


class Dataset:
    """A repo of one dataset, "things"."""

    def __init__(self, viand, folder):
        self.viand, self.folder = viand, folder
        (folder / "feature_store.yaml").write_text(CONFIG)

    def path(self, name):
        return self.folder / name

    def run(self, path, types, on_error, source):
        source = {"path": path, **({"types": types} if types else {}), **source}
        dataset = {"name": "things", "from": source, "to": "data/things.parquet", **({"on_error": on_error} if on_error else {})}
        (self.folder / "definitions.yaml").write_text(json.dumps({"datasets": [dataset]}))
        return self.viand.call(self.folder, "ingest")

    def table(self, path, types=None, on_error=None, **source):
        code, out, error = self.run(path, types, on_error, source)
        assert code == 0, error + out
        return pyarrow.parquet.read_table(self.folder / "data/things.parquet")

    def rows(self, path, types=None, on_error=None, **source):
        return [tuple(row.values()) for row in self.table(path, types, on_error, **source).to_pylist()]

    def error(self, path, types=None, on_error=None, **source):
        """The error without the folder's path."""
        code, out, error = self.run(path, types, on_error, source)
        assert code == 1 and error.startswith("error: "), (code, error, out)
        return error.removeprefix("error: ").replace(f"{self.folder}/", "")


@pytest.fixture
def things(viand, tmp_path):
    return Dataset(viand, tmp_path)


# ---- workbooks that openpyxl writes ---------------------------------------------------------------------------

def saved(things, rows, name="book.xlsx", **settings):
    book = openpyxl.Workbook()
    for key, value in settings.items():
        setattr(book, key, value)
    for row in rows:
        book.active.append(row)
    book.save(things.path(name))
    return name


def by_openpyxl(things, name, sheet=None):
    """The rows under the header, as plain values; those without any value are none."""
    book = openpyxl.load_workbook(things.path(name), data_only=True)
    rows = [tuple(cell.value for cell in row) for row in (book[sheet] if sheet else book.worksheets[0]).iter_rows()]
    rows = [row for row in rows if any(value is not None for value in row)]
    return rows[1:]


def by_pandas(things, name):
    frame = pandas.read_excel(things.path(name), dtype=object).astype(object)
    return [tuple(None if value is pandas.NaT or value != value else value for value in row)
            for row in frame.itertuples(index=False) if not all(value != value or value is None for value in row)]


def by_polars(things, name, **options):
    return polars.read_excel(things.path(name), **options).rows()


MOMENTS = [dt.datetime(2011, 12, 9, 12, 50), dt.datetime(1900, 3, 1), dt.datetime(2024, 2, 29, 23, 59, 59),
           dt.datetime(2000, 1, 1, 0, 0, 1), dt.datetime(9999, 12, 31)]


def test_plain_types_as_three_readers_see_them(things):
    rows = [(i, i * 1.5 - 7, f"text {i}" if i % 3 else None, MOMENTS[i % 5], i % 2 == 0) for i in range(200)]
    name = saved(things, [("n", "x", "s", "t", "b"), *rows])
    table = things.table(name)
    assert [str(field.type) for field in table.schema] == ["int64", "double", "string", "timestamp[us]", "bool"]
    read = [tuple(row.values()) for row in table.to_pylist()]
    assert read == rows == by_openpyxl(things, name) == by_pandas(things, name)
    assert read == by_polars(things, name)


def test_dates_of_1904(things):
    name = saved(things, [("t",), *((moment,) for moment in MOMENTS if moment.year > 1904)], epoch=openpyxl.utils.datetime.MAC_EPOCH)
    assert b"date1904" in zipfile.ZipFile(things.path(name)).read("xl/workbook.xml")
    assert things.rows(name) == by_openpyxl(things, name) == by_polars(things, name)


def test_fractions_of_a_second_are_rounded_as_excel_shows_them(things):
    moments = [dt.datetime(2011, 12, 1, 8, 26, 0, us) for us in (0, 1_000, 499_000, 501_000, 999_999)]
    name = saved(things, [("t",), *((moment,) for moment in moments)])
    assert [row[0].second for row in things.rows(name)] == [0, 0, 0, 1, 1]
    expected = [(moment + dt.timedelta(microseconds=500_000)).replace(microsecond=0) for (moment,) in by_openpyxl(things, name)]
    assert [row[0] for row in things.rows(name)] == expected


@pytest.mark.parametrize("code, is_date", [
    ("yyyy-mm-dd", True), ("dd/mm/yy hh:mm", True), ('[$-409]d-mmm-yy;@', True), ("[h]:mm", True), ("mm:ss.0", True),
    ('yyyy"年"m"月"', True), ("[Red]yyyy", True), ("General", False), ("0.00E+00", False), ('0" days"', False),
    ("#,##0.00 [$€-407]", False), ("[Red]0.0", False), (r"0\d", False), ("_(* #,##0_);_(* (#,##0)", False), ("@", False)])
def test_number_formats_of_a_workbooks_own(things, code, is_date):
    book = openpyxl.Workbook()
    book.active.append(["t"])
    book.active["A2"], book.active["A2"].number_format = 40_000.25, code
    book.save(things.path("book.xlsx"))
    expected = dt.datetime(2009, 7, 6, 6) if is_date else 40_000.25
    assert things.rows("book.xlsx") == [(expected,)]
    read = by_openpyxl(things, "book.xlsx")[0][0]
    # A duration is none to viand: it has no such type, and gives the moment that the serial number is.
    assert read == expected or (code == "[h]:mm" and read == dt.timedelta(days=40_000.25))


def test_formats_of_conditional_styles_are_not_those_of_cells(things):
    """A dxf numbers its format as it likes: here as the one of a cell that shows a number."""
    name = saved(things, [("n",), (40_000,)])
    book = openpyxl.load_workbook(things.path(name))
    book.active["A2"].number_format = '0" pieces"'
    book.save(things.path(name))
    styles = zipfile.ZipFile(things.path(name)).read("xl/styles.xml").decode()
    number = re.search('numFmtId="(16[0-9])"', styles)[1]
    dxfs = f'<dxfs count="1"><dxf><numFmt numFmtId="{number}" formatCode="yyyy"/></dxf></dxfs>'
    replace_part(things, name, "xl/styles.xml", styles.replace("</cellStyles>", "</cellStyles>" + dxfs))
    assert things.rows(name) == [(40_000,)] == by_openpyxl(things, name)


def test_mixed_columns_are_text(things):
    rows = [(536365, 1), ("C536379", 2.5), (True, "x"), (dt.datetime(2011, 1, 2, 3, 4, 5), None), (2.5, 3), (None, 4)]
    name = saved(things, [("a", "b"), *rows])
    assert things.rows(name) == [("536365", "1"), ("C536379", "2.5"), ("TRUE", "x"), ("2011-01-02 03:04:05", None), ("2.5", "3"), (None, "4")]


def test_error_cells_fit_no_type(things):
    name = saved(things, [("a", "b"), (1, 2), ("#N/A", 3), ("#DIV/0!", 4)])
    place = 'book.xlsx, sheet "Sheet", cell A3 (row 3, column "a"): '
    assert things.error(name) == f"{place}found error #N/A, expected bigint\n  hint: {ON_ERROR}"
    assert things.error(name, {"a": "varchar"}) == f"{place}found error #N/A, expected varchar\n  hint: {ON_ERROR}"
    assert things.rows(name, on_error="skip") == [(1, 2)]
    assert things.rows(name, on_error="null") == [(1, 2), (None, 3), (None, 4)] == by_pandas(things, name)


def test_rich_text_and_blanks_are_kept(things):
    rich = CellRichText("plain ", TextBlock(InlineFont(b=True), "bold"), "  ", TextBlock(InlineFont(i=True), " & <slanted>"))
    texts = [rich, "  blanks at both ends  ", "two\nlines", "tab\tand", "é 漢字 🎉", "_x41_", "'quoted'", "007"]
    name = saved(things, [("s",), *((text,) for text in texts)])
    assert things.rows(name) == by_openpyxl(things, name)
    assert things.rows(name)[0] == ("plain bold   & <slanted>",)


def test_sparse_rows_and_columns(things):
    book = openpyxl.Workbook()
    sheet = book.active
    for cell, value in {"C4": "c", "D4": "d", "AB4": "ab", "C6": 1, "AB9": 2, "D900": 3, "XFD900": 4}.items():
        sheet[cell] = value
    book.save(things.path("book.xlsx"))
    assert things.rows("book.xlsx") == [(1, None, None), (None, None, 2), (None, 3, None)]


def test_sheets_by_name_and_index_hidden_or_not(things):
    book = openpyxl.Workbook()
    for number, (title, state) in enumerate([("Visible", "visible"), ("Hidden", "hidden"), ("Ähm & <so>", "veryHidden")]):
        sheet = book.create_sheet(title)
        sheet.sheet_state = state
        sheet.append(["n"])
        sheet.append([number])
    del book["Sheet"]
    book.save(things.path("book.xlsx"))
    assert things.rows("book.xlsx") == [(0,)]
    for number, title in enumerate(["Visible", "Hidden", "Ähm & <so>"]):
        assert things.rows("book.xlsx", sheet=title) == things.rows("book.xlsx", sheet=number) == [(number,)]
        assert [(number,)] == by_openpyxl(things, "book.xlsx", title)
    book.create_chartsheet("Chart")
    book.save(things.path("book.xlsx"))
    assert things.error("book.xlsx", sheet="visible") == (
        'book.xlsx has no sheet "visible"; it has "Visible", "Hidden", "Ähm & <so>", "Chart"\n  hint: did you mean "Visible"?\n')
    assert things.error("book.xlsx", sheet=4) == "book.xlsx has no sheet 4; it has 4, counted from 0\n"
    assert things.error("book.xlsx", sheet="Chart") == 'book.xlsx: "Chart" is a chartsheet; expected a worksheet\n'


def test_a_formula_that_was_never_computed_is_no_null(things):
    name = saved(things, [("a", "b"), (1, "=A2*2"), (2, 7)])
    assert things.error(name, {"b": "bigint"}) == (
        f'book.xlsx, sheet "Sheet", cell B2 (row 2, column "b"): found a formula without a computed value, expected bigint\n'
        f"  hint: open the workbook in Excel or LibreOffice and save it, or {ON_ERROR}")
    assert things.rows(name, on_error="null") == [(1, None), (2, 7)] == by_openpyxl(things, name)


def test_many_rows_over_many_chunks(things):
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    rows = [(i, f"name {i * 7919 % 1000}", i / 8) for i in range(60_000)]
    for row in [("i", "s", "x"), *rows]:
        sheet.append(row)
    book.save(things.path("book.xlsx"))
    assert things.rows("book.xlsx") == rows


# ---- workbooks that openpyxl does not write -------------------------------------------------------------------

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def relations(*entries):
    listed = "".join(f'<Relationship Id="{key}" Type="{OFFICE}/{kind}" Target="{target}"/>' for key, kind, target in entries)
    return f'{HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{listed}</Relationships>'


def parts(rows, strings="", prefix="", target="worksheets/sheet1.xml", properties=""):
    """A workbook's parts by name; `rows` is the XML within sheetData; s="1" is a date."""
    x = f"{prefix}:" if prefix else ""
    space = f'xmlns:{prefix}="{MAIN}"' if prefix else f'xmlns="{MAIN}"'
    types = "".join(f'<Override PartName="/xl/{name}.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.{kind}+xml"/>'
                    for name, kind in (("workbook", "sheet.main"), ("worksheets/sheet1", "worksheet"), ("styles", "styles"), ("sharedStrings", "sharedStrings")))
    return {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
                               '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                               f'<Default Extension="xml" ContentType="application/xml"/>{types}</Types>',
        "_rels/.rels": relations(("r1", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'{HEAD}<{x}workbook {space} xmlns:r="{OFFICE}"><{x}workbookPr {properties}/><{x}sheets>'
                           f'<{x}sheet name="S" sheetId="1" r:id="r1"/></{x}sheets></{x}workbook>',
        "xl/_rels/workbook.xml.rels": relations(("r1", "worksheet", target), ("r2", "styles", "styles.xml"), ("r3", "sharedStrings", "sharedStrings.xml")),
        "xl/styles.xml": f'{HEAD}<{x}styleSheet {space}><{x}fonts count="1"><{x}font/></{x}fonts><{x}fills count="1"><{x}fill><{x}patternFill/></{x}fill></{x}fills>'
                         f'<{x}borders count="1"><{x}border/></{x}borders><{x}cellStyleXfs count="1"><{x}xf numFmtId="0"/></{x}cellStyleXfs>'
                         f'<{x}cellXfs count="2"><{x}xf numFmtId="0"/><{x}xf numFmtId="22"/></{x}cellXfs></{x}styleSheet>',
        "xl/sharedStrings.xml": f"{HEAD}<{x}sst {space}>{strings}</{x}sst>",
        "xl/worksheets/sheet1.xml": f"{HEAD}<{x}worksheet {space}><{x}sheetData>{rows}</{x}sheetData></{x}worksheet>",
    }


def write_parts(things, contents, name="book.xlsx", method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(things.path(name), "w", method) as archive:
        for part, content in contents.items():
            archive.writestr(part, content)
    return name


def replace_part(things, name, part, content):
    with zipfile.ZipFile(things.path(name)) as archive:
        contents = {entry: archive.read(entry) for entry in archive.namelist()}
    write_parts(things, {**contents, part: content}, name)


def text_cell(place, text):
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


HEADER = f'<row r="1">{text_cell("A1", "a")}{text_cell("B1", "b")}</row>'


def test_inline_strings_of_every_shape(things):
    shapes = ["<t>plain</t>", '<t xml:space="preserve"> a  b </t>', "<r><rPr><b/></rPr><t>bold</t></r><r><t> and not</t></r>",
              "<t>漢</t><rPh sb='0' eb='1'><t>かん</t></rPh><phoneticPr fontId='1'/>", "<t>&amp;&lt;&#233;&#x41;</t>", "<t><![CDATA[<raw> & co]]></t>"]
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="inlineStr"><is>{shape}</is></c><c r="B{n}"><v>{n}</v></c></row>' for n, shape in enumerate(shapes, 2))
    name = write_parts(things, parts(HEADER + rows))
    expected = [("plain", 2), (" a  b ", 3), ("bold and not", 4), ("漢", 5), ("&<éA", 6), ("<raw> & co", 7)]
    assert things.rows(name) == expected
    assert expected == by_openpyxl(things, name) or [row[1] for row in by_openpyxl(things, name)] == [row[1] for row in expected]


def test_shared_strings_of_every_shape(things):
    strings = ("<si><t>plain</t></si><si/><si><t/></si><si><r><t xml:space='preserve'>a </t></r><r><rPr/><t>b</t></r></si>"
               "<si><t>漢字</t><rPh sb='0' eb='2'><t>かんじ</t></rPh><phoneticPr fontId='0' type='noConversion'/></si><si><t>x_x000D_y_x005F_x0041_</t></si>")
    rows = "".join(f'<row r="{n + 2}"><c r="A{n + 2}" t="s"><v>{n}</v></c><c r="B{n + 2}"><v>{n}</v></c></row>' for n in range(6))
    name = write_parts(things, parts(HEADER + rows, strings))
    assert things.rows(name) == [("plain", 0), ("", 1), ("", 2), ("a b", 3), ("漢字", 4), ("x\ry_x0041_", 5)]
    assert [row[0] for row in by_polars(things, name)] == ["plain", "", "", "a b", "漢字", "x\ry_x0041_"]


def test_shared_formulas_give_their_values(things):
    rows = ('<row r="2"><c r="A2"><f t="shared" ref="A2:A3" si="0">B2*2</f><v>2</v></c><c r="B2"><v>1</v></c></row>'
            '<row r="3"><c r="A3"><f t="shared" si="0"/><v>4</v></c><c r="B3"><v>2</v></c></row>'
            '<row r="4"><c r="A4"><f>1=1</f><v>6</v></c><c r="B4" t="str"><f>"x"&amp;""</f><v>3</v></c></row>')
    name = write_parts(things, parts(HEADER + rows))
    assert things.rows(name, {"b": "bigint"}) == [(2, 1), (4, 2), (6, 3)]
    empty = '<row r="2"><c r="A2" t="str"><f>""</f><v></v></c><c r="B2"><v>1</v></c></row>'
    assert things.rows(write_parts(things, parts(HEADER + empty)), {"a": "varchar"}) == [("", 1)]


def test_prefixed_names_as_some_producers_write_them(things):
    rows = re.sub(r"<(/?)(\w)", r"<\1x:\2", HEADER + "".join(
        f'<row r="{n}">{text_cell(f"A{n}", f"t{n}")}<c r="B{n}" s="1"><v>{40_000 + n}</v></c></row>' for n in range(2, 3000)))
    name = write_parts(things, parts(rows, prefix="x", target="/xl/worksheets/sheet1.xml"))
    expected = [(f"t{n}", dt.datetime(1899, 12, 30) + dt.timedelta(days=40_000 + n)) for n in range(2, 3000)]
    assert things.rows(name) == expected == by_openpyxl(things, name)


@pytest.mark.parametrize("target", ["/xl/worksheets/sheet1.xml", "worksheets/sheet1.xml", "./worksheets/sheet1.xml", "../xl/worksheets/sheet1.xml",
                                    "Worksheets/Sheet1.xml"])
def test_targets_of_every_spelling(things, target):
    name = write_parts(things, parts(HEADER + '<row r="2"><c r="A2"><v>1</v></c></row>', target=target))
    assert things.rows(name) == [(1, None)]


def test_cells_and_rows_without_places(things):
    rows = "<row><c t='inlineStr'><is><t>a</t></is></c><c/><c t='inlineStr'><is><t>c</t></is></c></row><row/><row><c><v>1</v></c><c/><c><v>3</v></c></row>"
    name = write_parts(things, parts(rows))
    assert things.rows(name) == [(1, 3)]
    mixed = HEADER + '<row r="5"><c><v>1</v></c><c r="B5"><v>2</v></c></row><row><c r="B6"><v>4</v></c></row>'
    assert things.rows(write_parts(things, parts(mixed))) == [(1, 2), (None, 4)]


def test_booleans_dates_and_padding_of_other_producers(things):
    rows = ('<row r="2"><c r="A2" t="b"><v>1</v></c><c r="B2" t="d"><v>2011-12-01T08:26:00Z</v></c></row>'
            '<row r="3"><c r="A3" t="b"><v> false </v></c><c s="1" r="B3"><v>\n 40878.351388888892 </v></c></row>'
            '<row r="4" ht="15" customHeight="1"><c t="b" r="A4"><v>true</v></c><c r="B4" s="1" t="n"><v>4.0878351388888892E4</v></c></row>')
    name = write_parts(things, parts(HEADER + rows))
    moment = dt.datetime(2011, 12, 1, 8, 26)
    assert things.rows(name) == [(True, moment), (False, moment), (True, moment)]
    assert 'found boolean TRUE, expected double' in things.error(name, {"a": "double"})


def zip64(contents):
    """A zip whose directory and entries use the forms of 64 bits throughout."""
    out, directory = bytearray(), bytearray()
    for name, text in contents.items():
        raw, place = text.encode(), len(out)
        packer = zlib.compressobj(wbits=-15)
        packed = packer.compress(raw) + packer.flush()
        head = struct.pack("<HHHHHI", 45, 0, 8, 0, 0, zlib.crc32(raw))
        sizes = struct.pack("<QQ", len(raw), len(packed))
        out += b"PK\3\4" + head + struct.pack("<IIHH", 0xFFFFFFFF, 0xFFFFFFFF, len(name), 20) + name.encode() + struct.pack("<HH", 1, 16) + sizes + packed
        directory += (b"PK\1\2" + struct.pack("<H", 45) + head + struct.pack("<IIHHHHHII", 0xFFFFFFFF, 0xFFFFFFFF, len(name), 28, 0, 0, 0, 0, 0xFFFFFFFF)
                      + name.encode() + struct.pack("<HH", 1, 24) + sizes + struct.pack("<Q", place))
    start = len(out)
    end = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, len(contents), len(contents), len(directory), start)
    locator = b"PK\6\7" + struct.pack("<IQI", 0, start + len(directory), 1)
    return bytes(out + directory + end + locator + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0))


def test_zip64(things):
    things.path("book.xlsx").write_bytes(zip64(parts(HEADER + '<row r="2"><c r="A2"><v>1</v></c></row>')))
    assert things.rows("book.xlsx") == [(1, None)]
    assert by_openpyxl(things, "book.xlsx") == [(1, None)]


def test_stored_parts_and_a_comment_behind_the_directory(things):
    name = write_parts(things, parts(HEADER + '<row r="2"><c r="A2"><v>1</v></c></row>'), method=zipfile.ZIP_STORED)
    with zipfile.ZipFile(things.path(name), "a") as archive:
        archive.comment = b"made by hand, PK\5\6 and all" * 50
    assert things.rows(name) == [(1, None)]


@pytest.mark.parametrize("part, shown", [("xl/workbook.xml", "book.xlsx: xl/workbook.xml"), ("xl/styles.xml", "book.xlsx: xl/styles.xml"),
                                         ("xl/sharedStrings.xml", "book.xlsx: xl/sharedStrings.xml"), ("xl/worksheets/sheet1.xml", 'book.xlsx, sheet "S"')])
def test_a_document_type_is_refused(things, part, shown):
    contents = parts(HEADER)
    contents[part] = contents[part].replace(HEAD, HEAD + '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>')
    assert things.error(write_parts(things, contents)) == f"{shown} is damaged: a document type declaration, which workbooks must not have\n"


@pytest.mark.parametrize("rows, message", [
    ('<row r="3"/><row r="2"><c r="A2"><v>1</v></c></row>', ", row 3: the sheet's XML is damaged: row 2 follows row 3"),
    ('<row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>1</v></c></row>', ", row 2: the sheet's XML is damaged: cell A2 is out of order"),
    ('<row r="2"><c r="A3"><v>1</v></c></row>', ", row 2: the sheet's XML is damaged: cell A3 is out of order"),
    ('<row r="2"><c r="A2" t="q"><v>1</v></c></row>', ', row 2, cell A2: the sheet\'s XML is damaged: cell type "q"'),
    ('<row r="2"><c r="A2" t="s"><v>7</v></c></row>', ', row 2, cell A2: the sheet\'s XML is damaged: shared string "7" of 0'),
    ('<row r="2"><c r="A2"><v>&unknown;</v></c></row>', ", row 2, cell A2: the sheet's XML is damaged: an unknown entity"),
    ('<row r="x"><c r="A2"><v>1</v></c></row>', ", row 1: the sheet's XML is damaged: row number \"x\""),
    ('<row r="2"><c r="2A"><v>1</v></c></row>', ", row 2: the sheet's XML is damaged: cell reference \"2A\""),
    ('<row r="1048577"><c r="A1048577"><v>1</v></c></row>', ", row 1048577: a sheet has at most 1048576 rows"),
    (f'<row r="2">{"<c/>" * 16_384}<c><v>1</v></c></row>', ", row 2: a sheet has at most 16384 columns"),
    ('<row r="2"><c r="XFE2"><v>1</v></c></row>', ", row 2: the sheet's XML is damaged: cell reference \"XFE2\""),
])
def test_damaged_rows_are_named(things, rows, message):
    assert things.error(write_parts(things, parts(HEADER + rows)), {"a": "bigint"}) == f'book.xlsx, sheet "S"{message}\n'


def with_stated_size(things, part, size, compressed=None):
    """Makes the zip's directory state another size of a part; what it holds stays small."""
    name = write_parts(things, parts(HEADER + '<row r="2"><c r="A2"><v>1</v></c></row>'))
    content = bytearray(things.path(name).read_bytes())
    place = content.rfind(part.encode()) - 46
    assert content[place:place + 4] == b"PK\1\2"
    struct.pack_into("<I", content, place + 24, size)
    if compressed is not None:
        struct.pack_into("<I", content, place + 20, compressed)
    things.path(name).write_bytes(content)
    return name


@pytest.mark.parametrize("part, size, message", [
    ("xl/workbook.xml", 70_000_000, "book.xlsx: xl/workbook.xml is too large: 70000000 bytes; the limit is 67108864\n"),
    ("xl/styles.xml", 70_000_000, "book.xlsx: xl/styles.xml is too large: 70000000 bytes; the limit is 67108864\n"),
    ("xl/sharedStrings.xml", 4_000_000_000, "book.xlsx: xl/sharedStrings.xml looks like a zip bomb: 4000000000 bytes out of {packed}; the limit is 400 to 1\n"),
    ("xl/worksheets/sheet1.xml", 4_000_000_000, "book.xlsx: xl/worksheets/sheet1.xml looks like a zip bomb: 4000000000 bytes out of {packed}; the limit is 400 to 1\n"),
    ("xl/worksheets/sheet1.xml", 20, "book.xlsx: xl/worksheets/sheet1.xml is damaged: more than the 20 bytes that the zip's directory states\n"
                                     "  hint: copy or download the file again\n")])
def test_stated_sizes_are_limited(things, part, size, message):
    name = with_stated_size(things, part, size)
    packed = zipfile.ZipFile(things.path(name)).getinfo(part).compress_size
    assert things.error(name) == message.format(packed=packed)


def test_a_part_beyond_all_limits(things):
    contents = parts(HEADER)
    content = bytearray(zip64(contents))
    place = content.rfind(struct.pack("<QQ", len(contents["xl/worksheets/sheet1.xml"].encode()), 0)[:8])
    struct.pack_into("<Q", content, place, 17 << 30)
    things.path("book.xlsx").write_bytes(content)
    assert things.error("book.xlsx") == "book.xlsx: xl/worksheets/sheet1.xml is too large: 18253611008 bytes decompressed; the limit is 17179869184\n"
    content = bytearray(zip64(contents))
    place = content.rfind(struct.pack("<Q", len(contents["xl/sharedStrings.xml"].encode())))
    struct.pack_into("<Q", content, place, 5 << 30)
    things.path("book.xlsx").write_bytes(content)
    assert things.error("book.xlsx") == "book.xlsx: xl/sharedStrings.xml is too large: 5368709120 bytes; the limit is 4294967295\n"


@pytest.mark.parametrize("part", ["xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"])
def test_text_that_is_not_utf8(things, part):
    strings = "<si><t>@</t></si>" if "Strings" in part else ""
    cell = '<c r="A2" t="s"><v>0</v></c>' if strings else text_cell("A2", "@")
    contents = parts(f'{HEADER}<row r="2">{cell}</row>', strings)
    name = write_parts(things, {**contents, part: contents[part].encode().replace(b"@", b"\xe9")})
    shown = "book.xlsx: xl/sharedStrings.xml is damaged: its" if strings else 'book.xlsx, sheet "S", row 2, cell A2: the sheet\'s'
    assert things.error(name).startswith(f"{shown} text is not valid UTF-8\n")


def test_extensions_and_formats(things):
    name = saved(things, [("n",), (1,)], name="book.XLSX")
    assert things.rows(name) == [(1,)]
    things.path(name).rename(things.path("book.download"))
    assert things.rows("book.download", format="xlsx") == [(1,)]
    assert things.error("book.download") == (
        "cannot tell the format of book.download by its extension\n  hint: set `format`: xlsx, csv, json or parquet\n")
    things.path("book.download").rename(things.path("book.csv"))
    assert things.error("book.csv") == "book.csv is a zip file; expected text\n  hint: if it is a workbook, set `format`: xlsx\n"

def test_a_zip_method_that_is_none_of_workbooks(things):
    name = write_parts(things, parts(HEADER), method=zipfile.ZIP_LZMA)
    assert things.error(name) == "book.xlsx: _rels/.rels is compressed by zip method 14; expected stored (0) or deflate (8)\n"


def test_a_sheet_whose_part_is_missing_or_binary(things):
    contents = parts(HEADER, target="worksheets/none.xml")
    assert things.error(write_parts(things, contents)) == 'book.xlsx: xl/workbook.xml is damaged: the part of sheet "S" is missing\n'
    contents = {**parts(HEADER), "_rels/.rels": relations(("r1", "officeDocument", "xl/workbook.bin")), "xl/workbook.bin": "x"}
    assert things.error(write_parts(things, contents)) == (
        "book.xlsx is a binary workbook (.xlsb); expected xlsx\n  hint: open it in Excel or LibreOffice and save it as .xlsx\n")
    contents = parts(HEADER)
    contents["xl/worksheets/sheet1.xml"] = "<html/>"
    assert things.error(write_parts(things, contents)) == 'book.xlsx, sheet "S" is no worksheet but a "html"\n'


def test_a_sheet_of_one_endless_row(things):
    contents = parts(HEADER + '<row r="2">' + text_cell("A2", "x" * 70_000_000) + "</row>")
    assert things.error(write_parts(things, contents, method=zipfile.ZIP_STORED)) == (
        'book.xlsx, sheet "S" has a row of more than 67108864 bytes\n  hint: is the format right, are quotes closed?\n')


# ---- csv ------------------------------------------------------------------------------------------------------

def test_csv_as_python_writes_it(things):
    rows = [(i, f'say "{i}", twice' if i % 5 == 0 else f"line\n{i}" if i % 7 == 0 else f"t{i}", i / 3) for i in range(5000)]
    for end in ("\n", "\r\n"):
        with open(things.path("things.csv"), "w", newline="", encoding="utf-8-sig") as file:
            writer = csv.writer(file, lineterminator=end)
            writer.writerow(["n", "s", "x"])
            writer.writerows(rows)
        assert things.rows("things.csv") == rows
        assert [row[:2] for row in polars.read_csv(things.path("things.csv")).rows()] == [row[:2] for row in rows]
        assert [tuple(row) for row in pandas.read_csv(things.path("things.csv"), float_precision="round_trip").values.tolist()] == rows


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["things.csv", "things.csv.gz", "things.jsonl"])
def test_utf16_is_named(things, name, encoding):
    text = '{"n": 1}\n' if "json" in name else "n,s\n1,a\n"
    content = text.encode(encoding)
    things.path(name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    assert things.error(name) == f"{name} is encoded as UTF-16; expected UTF-8\n  hint: convert the file: iconv -f UTF-16 -t UTF-8\n"


CSV_ERRORS = {
    "": "things.csv is empty\n",
    "\ufeff": "things.csv is empty; expected a header row\n",
    "\r\n\r\n": "things.csv is empty; expected a header row\n",
    "a,b\n": 'definitions.yaml:1:24: dataset "things" has no rows: 0 read, 0 left out by on_error, 0 by where\n',
    "a,b\n1,2\n3\n": "things.csv, line 3: 1 fields where the header has 2\n  hint: is the delimiter right? on_error: skip leaves such rows out\n",
    "a,b\n1,2\n\n3,4,5\n": "things.csv, line 4: 3 fields where the header has 2\n  hint: is the delimiter right? on_error: skip leaves such rows out\n",
    "a,a\n1,2\n": 'things.csv has column "a" twice\n  hint: give each column a name of its own\n',
    'a,b\n"1,2\n3,4\n': "things.csv, line 2: a quoted field is not closed\n  hint: a quote within quotes is written twice\n",
    'a,b\n1,"2"3\n': "things.csv, line 2: text follows the closing quote of field 2\n  hint: a quote within quotes is written twice\n",
    '"a,b\n1,2\n': "things.csv, line 1: the header row does not end\n  hint: are quotes closed?\n",
    '\n"a"b,c\n1,2\n': "things.csv, line 2: text follows the closing quote of field 1\n  hint: a quote within quotes is written twice\n",
}


@pytest.mark.parametrize("text", CSV_ERRORS, ids=repr)
def test_csv_errors(things, text):
    things.path("things.csv").write_bytes(text.encode())
    assert things.error("things.csv") == CSV_ERRORS[text]


def test_csv_of_another_encoding(things):
    things.path("things.csv").write_bytes("n,s\n1,a\n2,é\n".encode("latin-1"))
    message = "the text is not valid UTF-8\n  hint: convert the file, for example: iconv -f WINDOWS-1252 -t UTF-8\n"
    assert things.error("things.csv") == f"things.csv, line 3: {message}"
    things.path("things.csv").write_bytes("n,é\n1,a\n".encode("latin-1"))
    assert things.error("things.csv") == f"things.csv, line 1: {message}"


def test_ragged_rows_can_be_left_out(things):
    things.path("things.csv").write_text("a,b\n1,2\n3\n4,5,6\n7,8\n")
    assert things.rows("things.csv", on_error="skip") == [(1, 2), (7, 8)]


def test_csv_nulls_and_empty_texts(things):
    things.path("things.csv").write_text('s,n\n,1\n"",2\nx,\n')
    assert things.rows("things.csv") == [(None, 1), ("", 2), ("x", None)]


def test_delimiters(things):
    things.path("things.csv").write_text("a;b\n1;x,y\n")
    assert things.rows("things.csv", delimiter=";") == [(1, "x,y")]
    things.path("things.tsv").write_text("a\tb\n1\tx y\n")
    assert things.rows("things.tsv") == [(1, "x y")]
    assert things.error("things.csv", delimiter="::").endswith('expected a delimiter of one character, got "::"\n  hint: write ",", ";", "|" or tab\n')


@pytest.mark.parametrize("name, start, message", [
    ("things.csv", 'a,b\n1,"', "things.csv has a row of more than 67108864 bytes\n  hint: is the format right, are quotes closed?\n"),
    ("things.csv", '"a', "things.csv, line 1: the header row does not end\n  hint: are quotes closed?\n"),
    ("things.jsonl", '{"a": "', "things.jsonl has a row of more than 67108864 bytes\n  hint: is the format right, are quotes closed?\n")])
def test_a_row_that_does_not_end(things, name, start, message):
    things.path(name).write_text(start + "x" * 70_000_000)
    assert things.error(name, {"a": "varchar"}) == message


def test_a_quoted_field_over_many_lines_that_does_not_end(things):
    things.path("things.csv").write_text('a,b\n1,"' + "some text\n" * 7_000_000)
    assert things.error("things.csv", {"a": "bigint"}) == (
        "things.csv, line 2: a row of more than 67108864 bytes\n  hint: is the format right, are quotes closed?\n")


def test_a_gzip_bomb_and_a_damaged_gzip(things):
    packed = gzip.compress(b"a\n" + b"1\n" * 50_000_000, 9)
    things.path("things.csv.gz").write_bytes(packed)
    assert re.fullmatch(r"things.csv.gz looks like a zip bomb: \d+ bytes out of \d+; the limit is 400 to 1\n", things.error("things.csv.gz"))
    packed = gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(1000)))
    for broken, what in ((packed[:-100], "its compressed bytes end early"), (packed[:-8] + b"abcd" + packed[-4:], "its checksum differs")):
        things.path("things.csv.gz").write_bytes(broken)
        assert things.error("things.csv.gz") == f"things.csv.gz is damaged: {what}\n  hint: copy or download the file again\n"


# ---- json lines -----------------------------------------------------------------------------------------------

def write_lines(things, *values, name="things.jsonl"):
    things.path(name).write_text("".join((value if isinstance(value, str) else json.dumps(value)) + "\n" for value in values))
    return name


def test_nested_members_and_missing_keys(things):
    values = [{"a": 1, "b": {"c": {"d": "x"}, "e": True}}, {"b": {}, "f": 2.5}, {"a": None, "b": {"c": {"d": "é\n\"\\"}}}, {}]
    table = things.table(write_lines(things, *values))
    expected = pandas.json_normalize(values)
    assert set(table.column_names) == set(expected.columns) == {"a", "b.c.d", "b.e", "f"}
    read = {name: table[name].to_pylist() for name in table.column_names}
    assert read == {"a": [1, None, None, None], "b.c.d": ["x", None, 'é\n"\\', None], "b.e": [True, None, None, None], "f": [None, 2.5, None, None]}


def test_integers_are_exact_whatever_their_size(things):
    big = [2**53 + 1, -(2**63), 2**63 - 1, 1234567890123456789]
    assert things.rows(write_lines(things, *({"n": n} for n in big))) == [(n,) for n in big]
    mixed = [2**63 - 1, "text", 2**64 + 1, 10**30 + 1]
    assert things.rows(write_lines(things, *({"n": n} for n in mixed))) == [(str(n),) for n in mixed]
    assert things.rows(write_lines(things, *({"n": n} for n in (1, 2**63)))) == [("1",), (str(2**63),)]
    things.path("things.csv").write_text(f"n\n1\n{2**63 + 1}\n")
    assert things.rows("things.csv") == [("1",), (str(2**63 + 1),)]
    assert things.rows("things.csv", {"n": "ubigint"}) == [(1,), (2**63 + 1,)]
    assert things.error("things.csv", {"n": "bigint"}) == (
        f'things.csv, line 3, column "n": found text "{2**63 + 1}", expected bigint\n{HINT}')


def test_lists_and_objects_are_no_values(things):
    name = write_lines(things, {"a": 1, "b": [1, 2]})
    assert things.error(name, {"b": "varchar"}) == f'things.jsonl, line 1, column "b": found nested [1, 2], expected varchar\n  hint: {ON_ERROR}'
    name = write_lines(things, {"a": 1}, {"a": {"x": 1}})
    assert things.error(name, {"a": "bigint"}) == f'things.jsonl, line 2, column "a": found nested {{"x": 1}}, expected bigint\n  hint: {ON_ERROR}'


JSON_ERRORS = {
    '{"a": 1,}': "expected a name in quotes (byte 9 of the line)",
    '{"a" 1}': "expected a colon (byte 6 of the line)",
    '{"a": 01}': "expected a comma or the object's end (byte 8 of the line)",
    '{"a": 1.}': "expected digits (byte 9 of the line)",
    '{"a": NaN}': "expected a value (byte 7 of the line)",
    '{"a": "x}': "a string is not closed (byte 10 of the line)",
    '{"a": "\\q"}': "an unknown escape in a string (byte 10 of the line)",
    '{"a": "\\ud800"}': "half a surrogate pair (byte 14 of the line)",
    '{"a": "\t"}': "a control character in a string (byte 8 of the line)",
    '{"a": 1} {"a": 2}': "text follows the object (byte 10 of the line)",
    "[1, 2]": "an array; expected one object a line (byte 1 of the line)",
    "7": "expected an object (byte 1 of the line)",
    '{"a": ' + '{"b": ' * 64 + "1" + "}" * 65: "nested too deeply (byte 385 of the line)",
    '{"a": ' + "[" * 70 + "]" * 70 + "}": "nested too deeply (byte 70 of the line)",
}


@pytest.mark.parametrize("line", JSON_ERRORS)
def test_a_bad_line_is_named(things, line):
    name = write_lines(things, {"a": 1}, "", line, {"a": 2})
    assert things.error(name) == f"things.jsonl, line 3: not a JSON object: {JSON_ERRORS[line]}\n  hint: the format is JSON lines: one object a line\n"
    assert things.rows(name, {"a": "bigint"}, on_error="skip") == [(1,), (2,)]


def test_json_of_no_lines(things):
    assert things.error(write_lines(things)) == "things.jsonl is empty\n"
    assert "has no rows" in things.error(write_lines(things, "", ""))
    assert 'the files of dataset "things" have no column "a"' in things.error(write_lines(things, "", ""), {"a": "bigint"})


def test_a_byte_order_mark_before_json(things):
    things.path("things.json").write_text('\ufeff{"a": 1}\n{"a": 2}')
    assert things.rows("things.json") == [(1,), (2,)]


# ---- parquet --------------------------------------------------------------------------------------------------

def test_parquet_of_other_producers(things):
    frame = pandas.DataFrame({"c": pandas.Categorical(["a", "b", None]), "t": pandas.to_datetime(["2024-01-01 00:00:00.000001"] * 3).tz_localize("Europe/Berlin"),
                              "d": [dt.date(2024, 1, 2)] * 3, "i": pandas.array([1, None, 3], dtype="Int8")})
    frame.to_parquet(things.path("things.parquet"), index=False)
    table = things.table("things.parquet")
    assert table["c"].to_pylist() == ["a", "b", None] and table["i"].to_pylist() == [1, None, 3]
    assert [moment.astimezone(dt.timezone.utc) for moment in table["t"].to_pylist()] == list(frame["t"].dt.tz_convert("UTC"))
    assert table["d"].to_pylist() == [dt.date(2024, 1, 2)] * 3


def test_parquet_errors(things):
    things.path("things.parquet").write_bytes(b"PAR1 but no more")
    assert things.error("things.parquet") == (
        'things.parquet is not a Parquet file: it is cut off: it does not end with "PAR1" as Parquet does\n'
        "  hint: copy or download the file again, or set `format`: xlsx, csv or json\n")
    pandas.DataFrame({"a": [[1, 2]], "b": [1]}).to_parquet(things.path("things.parquet"))
    assert things.error("things.parquet", {"a": "varchar"}) == 'things.parquet: column "a" is nested (list<element: int64>); expected a plain column\n'
