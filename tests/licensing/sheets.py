"""Books for tests: tables as CSV and XLSX, sent by a seller and attended to by the worker."""
import csv
import io

from openpyxl import Workbook, load_workbook

from core.database import db
from licensing.books import uploads, worker
from tests.licensing.deals import AGENT, viewer

COMMON = {"Territories": "TW", "Media": "SVOD", "Languages": "all", "From": "2030-01-01", "To": "2031-12-31",
          "Exclusive": "yes"}
TIDE = {"Title": "The Tide Keeps Time", **COMMON, "Licensee": "Formosa Stream"}


def csv_of(*rows, delimiter=",") -> bytes:
    """A table of dicts; the columns are all that any row has."""
    fields = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, fields, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def xlsx_of(**sheets) -> bytes:
    """A workbook of {sheet: [rows of cells]}."""
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def table_of(rows) -> list[list]:
    fields = list(dict.fromkeys(name for row in rows for name in row))
    return [fields, *([row.get(name) for name in fields] for row in rows)]


def cells_in(content: bytes) -> dict[str, list[tuple]]:
    """The values of a workbook, by sheet; a formula would be one that begins with =."""
    book = load_workbook(io.BytesIO(content))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}


def tried(content: bytes, filename="licences.csv", email=AGENT, **more) -> int:
    """The id of books that were sent and tried dry."""
    made = uploads.send(viewer(email), filename=filename, content=content, **more).id
    db.session.commit()
    worker.turn()
    return made


def loaded(upload_id, mode="all", email=AGENT) -> dict:
    uploads.load(uploads.get(upload_id, viewer(email)), mode)
    db.session.commit()
    worker.turn()
    return counts(upload_id, email)


def upload(upload_id, email=AGENT):
    return uploads.get(upload_id, viewer(email))


def counts(upload_id, email=AGENT) -> dict:
    return {name: number for name, number in uploads.counts(upload(upload_id, email)).items() if number}


def rows(upload_id, email=AGENT):
    return db.session.scalars(uploads.rows_of(upload(upload_id, email))).all()


def said(upload_id) -> list[tuple]:
    """(row, kind, cell, nearest) of every remark."""
    return [(row.number, each["kind"], each["cell"], each["nearest"]) for row in rows(upload_id)
            for each in row.remarks]
