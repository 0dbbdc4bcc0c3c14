"""Tables for spreadsheets, CSV and XLSX: what people wrote is read in them, and never computed."""
import csv
import io
import re
from datetime import date, datetime

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # with which a cell would be computed; also as East Asia types it
UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML has no way to say them
MOST_TEXT = 32_767     # characters of a cell, as Excel has it
MOST_ROWS = 1_048_576  # of a sheet
CUT = " … (cut: a cell holds no more)"
BOLD = Font(bold=True)


def readable(text: str) -> str:
    """A text of somebody else's as a cell that is read and never computed."""
    return f"'{text}" if text.startswith(FORMULA) else text


def table(fields, rows) -> str:
    """CSV whose text is read and never computed. Starts with a byte order mark, without which Excel takes UTF-8 for
    something else."""
    text = io.StringIO()
    out = csv.writer(text)
    out.writerow(fields)
    out.writerows([readable(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return "\ufeff" + text.getvalue()


def write(file, sheets):
    """Write (name, fields, rows) after another into a workbook, row by row: no more of it is held than a row. What does
    not fit a sheet goes on in another."""
    book = Workbook(write_only=True)
    for name, fields, rows in sheets:
        sheet, held = _begun(book, name[:31], fields), 1
        for row in rows:
            if held == MOST_ROWS:
                sheet, held = _begun(book, f"{name[:24]} ({len(book.sheetnames) + 1})", fields), 1
            sheet.append([_cell(value) for value in row])
            held += 1
    book.save(file)


def _begun(book, name, fields):
    sheet = book.create_sheet(name)
    sheet.freeze_panes = "A2"
    head = [WriteOnlyCell(sheet, readable(each)) for each in fields]
    for cell in head:
        cell.font = BOLD
    sheet.append(head)
    return sheet


def _cell(value):
    if isinstance(value, datetime | date):
        return value.isoformat()
    if not isinstance(value, str):
        return value
    text = readable(UNWRITABLE.sub("\ufffd", value))
    return text if len(text) <= MOST_TEXT else text[:MOST_TEXT - len(CUT)] + CUT
