"""Reads a spreadsheet: XLSX or CSV on standard input, JSON on standard output. Run as a program within limits, never
imported: a file that somebody sent may be a bomb.

    python -I reader.py NAME ENCODING    ENCODING may be empty: then it is found out

Writes {"sheets": [{name, rows: [[number, [text of each cell]]]}], "note"}, or ends with 1 and a sentence for who sent
it. Dates come as 2027-01-01, truth as yes and no, numbers without a needless point.
"""
import csv
import io
import json
import sys
import zipfile
from datetime import date, datetime

from openpyxl import load_workbook

MOST_ROWS, MOST_COLUMNS, MOST_SHEETS = 20_000, 100, 20
MOST_TEXT, MOST_ALL = 4_000, 20_000_000  # characters of a cell, and of all of them
MOST_LINES = 1_048_576  # of a sheet, blank ones too: what spreadsheets have
MOST_UNPACKED, MOST_PARTS = 100_000_000, 2_000  # bytes and files in a workbook
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # before these our own tables write a quote, which is no part of the text
MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
GUESSED = "cp1252"


class Unfit(Exception):
    """The text is a sentence for who sent the file."""


def read(content: bytes, name: str, encoding: str) -> dict:
    if not content.strip():
        raise Unfit("This file is empty.")
    if content.startswith(OLE):
        raise Unfit("This is an old or an encrypted workbook. Save it as XLSX, without a password.")
    if content.startswith(ZIP):
        return _workbook(content)
    if name.lower().endswith((".xlsx", ".xlsm")):
        raise Unfit("This is not the workbook that its name says.")
    return _csv(content, name, encoding)


def _workbook(content):
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = packed.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
                raise Unfit("This workbook unpacks to more than any list of rights needs.")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        if len(book.sheetnames) > MOST_SHEETS:
            raise Unfit(f"This workbook has {len(book.sheetnames):,} sheets, {MOST_SHEETS} at most.")
        return {"sheets": _within(_sheets(book)), "note": None}
    except (Unfit, MemoryError):
        raise
    except Exception:  # whatever a broken file does to the library: who sent it reads one sentence
        raise Unfit("This workbook cannot be read. Open it, and save it anew as XLSX.") from None


def _sheets(book):
    for sheet in book.worksheets:
        if sheet.sheet_state == "visible":
            sheet.reset_dimensions()  # what the file says of its size is not believed
            yield sheet.title, enumerate(sheet.iter_rows(max_col=MOST_COLUMNS, max_row=MOST_LINES, values_only=True), 1)


def _csv(content, name, encoding):
    found = encoding or next((each for mark, each in MARKS if content.startswith(mark)), "utf-8")
    note = None
    try:
        text = content.decode(found)
    except (UnicodeDecodeError, LookupError):
        if encoding:
            raise Unfit(f"This file is not written in {encoding}.") from None
        text, note = content.decode(GUESSED, "replace"), (
            "This file is not in UTF-8, so it was read as Windows-1252. Where letters look wrong, send it again and "
            "say which it is, or save it as XLSX.")
    if "\0" in text:
        raise Unfit("This is neither a workbook (XLSX) nor a table in text (CSV).")
    delimiter = max(",;\t|", key=lambda each: _width(text, each))
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)

    def numbered():
        before = 0
        for cells in rows:
            yield before + 1, cells
            before = rows.line_num
    try:
        return {"sheets": _within([(name, numbered())]), "note": note}
    except csv.Error as problem:
        raise Unfit(f"Line {rows.line_num:,} is not CSV: {problem}.") from None


def _width(text, delimiter):
    """How many columns most of the first lines have alike under a delimiter."""
    sample = io.StringIO(text[:50_000], newline="")
    try:
        widths = [len(cells) for _, cells in zip(range(20), csv.reader(sample, delimiter=delimiter), strict=False)]
    except csv.Error:
        return 0
    return max((width * widths.count(width) for width in widths if width > 1), default=0)


def _within(sheets) -> list[dict]:
    """The rows that are not blank, within the limits."""
    found, count, size = [], 0, 0
    for name, rows in sheets:
        kept = []
        for number, cells in rows:
            if cells.count(None) == len(cells):  # a sheet may have a million of these
                continue
            said = [_text(cell, number) for cell in cells[:MOST_COLUMNS]]
            while said and not said[-1]:
                said.pop()
            if not said:
                continue
            count, size = count + 1, size + sum(map(len, said))
            if count > MOST_ROWS + MOST_SHEETS:
                raise Unfit(f"This file has more than {MOST_ROWS:,} rows. Send it in parts.")
            if size > MOST_ALL:
                raise Unfit("This file holds more text than any list of rights needs. Send it in parts.")
            kept.append([number, said])
        found.append({"name": _shown(name)[:100], "rows": kept})
    return found


def _text(cell, number) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time().isoformat() == "00:00:00" else cell.isoformat(" ", "minutes")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        cell = int(cell)
    text = _shown(str(cell))
    if len(text) > MOST_TEXT:
        raise Unfit(f"Row {number:,} has a cell of {len(text):,} characters, {MOST_TEXT:,} at most.")
    return text[1:] if text[:1] == "'" and text[1:2] in FORMULA else text


def _shown(text) -> str:
    """Without what cannot be seen, or turns the reading."""
    return "".join(each if each.isprintable() or each in "\n\t" else " " for each in text).strip()


if __name__ == "__main__":
    csv.field_size_limit(MOST_TEXT * 4)
    try:
        sys.stdout.write(json.dumps(read(sys.stdin.buffer.read(), *sys.argv[1:3])))
    except Unfit as problem:
        sys.stderr.write(str(problem))
        sys.exit(1)
