"""Writes rows of the retail example as Excel would: a real .xlsx, and the same rows as .csv.gz.

A row is (invoice_no, stock_code, description, quantity, invoice_date, unit_price, customer_id, country). Dates are
whole seconds since EPOCH, the zero of Excel's serial dates. Text made of digits becomes a number cell, as Excel does
when it is typed in, so that one column holds both kinds; None leaves the cell out of the file. Standard library only.
"""

import csv
import gzip
import io
import zipfile
from datetime import datetime, timedelta
from xml.sax.saxutils import escape

HEADER = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
EPOCH = datetime(1899, 12, 30)
SHEET_NAME = "Online Retail"
ROWS_PER_WRITE = 10_000

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


class TextCell(str):
    """Text that stays text in the workbook even where it looks like a number."""


class InlineText(str):
    """Text stored in its own cell and not among the shared strings, as other programs than Excel like to."""


class BooleanCell(str):
    """"TRUE" or "FALSE", stored as a boolean."""


def seconds_of(moment):
    return round((moment - EPOCH).total_seconds())


def moment_of(seconds):
    return EPOCH + timedelta(seconds=seconds)


class _SharedStrings:
    """Numbers each distinct text in the order of its first use."""

    def __init__(self):
        self.index = {}
        self.uses = 0

    def number(self, text):
        return self.index.setdefault(text, len(self.index))

    def xml(self):
        yield f'{_XML}<sst xmlns="{_MAIN}" count="{self.uses}" uniqueCount="{len(self.index)}">'
        for text in self.index:
            space = ' xml:space="preserve"' if text != text.strip() else ""
            yield f"<si><t{space}>{escape(text)}</t></si>"
        yield "</sst>"


class _Column:
    """Turns the values of one column into cell text, each distinct value once."""

    def __init__(self, letter, strings, render):
        self.letter, self.strings, self.render = letter, strings, render
        self.known = {}

    def cell(self, value, row):
        key = (value.__class__, value)
        tail = self.known.get(key)
        if tail is None:
            tail = self.known[key] = self.render(value, self.strings)
        if not tail:
            return ""
        if tail.startswith(' t="s"'):
            self.strings.uses += 1
        return f'<c r="{self.letter}{row}"{tail}'


def _render_text(text, strings):
    if text is None:
        return ""
    if isinstance(text, InlineText):
        return f' t="inlineStr"><is><t>{escape(text)}</t></is></c>'
    if isinstance(text, BooleanCell):
        return f' t="b"><v>{int(text == "TRUE")}</v></c>'
    if text.isascii() and text.isdigit() and not isinstance(text, TextCell):
        return f"><v>{text}</v></c>"
    return f' t="s"><v>{strings.number(str(text))}</v></c>'


def _render_number(number, strings):
    return "" if number is None else f"><v>{number!r}</v></c>"


def _render_date(seconds, strings):
    return f' s="1"><v>{seconds / 86400!r}</v></c>'


def _sheet_xml(rows, strings):
    yield (f'{_XML}<worksheet xmlns="{_MAIN}"><dimension ref="A1:H{len(rows) + 1}"/><sheetViews><sheetView tabSelected="1" '
           'workbookViewId="0"/></sheetViews><sheetFormatPr defaultRowHeight="15"/><sheetData>')
    renders = (_render_text, _render_text, _render_text, _render_number, _render_date, _render_number,
               _render_number, _render_text)
    columns = [_Column(letter, strings, render) for letter, render in zip("ABCDEFGH", renders)]
    header = [_Column(letter, strings, _render_text).cell(name, 1) for letter, name in zip("ABCDEFGH", HEADER)]
    yield f'<row r="1" spans="1:8">{"".join(header)}</row>'
    cells = [column.cell for column in columns]
    a, b, c, d, e, f, g, h = cells
    for begin in range(0, len(rows), ROWS_PER_WRITE):
        yield "".join([
            f'<row r="{r}" spans="1:8">{a(v[0], r)}{b(v[1], r)}{c(v[2], r)}{d(v[3], r)}{e(v[4], r)}{f(v[5], r)}'
            f"{g(v[6], r)}{h(v[7], r)}</row>"
            for r, v in enumerate(rows[begin:begin + ROWS_PER_WRITE], begin + 2)])
    # People format more rows than they fill; such a row has a cell and no value.
    last = len(rows) + 2
    yield f'<row r="{last}" spans="1:8"><c r="E{last}" s="1"/></row></sheetData></worksheet>'


def _small_parts():
    """The parts of the package that do not depend on the rows."""
    yield "[Content_Types].xml", (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPE}.sharedStrings+xml"/></Types>')
    yield "_rels/.rels", (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" Type="{_OFFICE}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>')
    yield "xl/_rels/workbook.xml.rels", (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/>'
        f'<Relationship Id="rId3" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>')
    yield "xl/workbook.xml", (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets><sheet name="{SHEET_NAME}" sheetId="1" r:id="rId1"/>'
        "</sheets></workbook>")
    yield "xl/styles.xml", (
        f'<styleSheet xmlns="{_MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="m/d/yyyy h:mm"/></numFmts>'
        '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
        "</fills><borders count=\"1\"><border><left/><right/><top/><bottom/><diagonal/></border></borders>"
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>')


def write_xlsx(path, rows):
    """Writes the list of rows as the one sheet of a workbook; equal rows give equal bytes."""
    strings = _SharedStrings()

    def entry(name):
        info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
        info.compress_type = zipfile.ZIP_DEFLATED
        return info

    with zipfile.ZipFile(path, "w") as package:
        for name, xml in _small_parts():
            package.writestr(entry(name), _XML + xml)
        for name, parts in (("xl/worksheets/sheet1.xml", _sheet_xml(rows, strings)),
                            ("xl/sharedStrings.xml", strings.xml())):
            with package.open(entry(name), "w") as part:
                for xml in parts:
                    part.write(xml.encode())


def write_csv(path, rows):
    """Writes the same rows as gzipped CSV; a missing value is an empty field."""
    with open(path, "wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=4, mtime=0) as packed:
        with io.TextIOWrapper(packed, encoding="utf-8", newline="") as text:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(HEADER)
            writer.writerows((*row[:4], str(moment_of(row[4])), *row[5:]) for row in rows)
