"""Workbooks that go out: the template to fill in, and what was sent with what is wrong beside it."""
import io

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

from core.sheets import readable, table
from licensing.books import columns
from licensing.books.columns import ANSWERS, Kind
from licensing.books.models import Row, Status

TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BOLD = Font(bold=True)
FILLS = {"error": PatternFill("solid", fgColor="F6CFCB"), "warning": PatternFill("solid", fgColor="FBE7B2")}
WIDTH, WIDE = 18, 60  # of a column, in characters


def template() -> bytes:
    """A sheet for mandates and one for licences, each with its columns and an example, and one that explains them."""
    book = Workbook(write_only=True)
    for kind in Kind:
        known = columns.of(kind)
        sheet = _sheet(book, str(kind).capitalize(), [column.label for column in known.values()])
        sheet.append([_cell(sheet, column.example) for column in known.values()])
    sheet = _sheet(book, "Columns", ["Column", "Of", "Needed", "What goes in", "Also understood as"], wide=(4, 5))
    for column in columns.COLUMNS.values():
        sheet.append([_cell(sheet, text) for text in (
            column.label, str(column.only or "both"), "yes" if column.required else "no", column.hint,
            ", ".join(column.aliases))])
    return _bytes(book)


def template_csv(kind: Kind) -> str:
    """The same for one kind, as CSV."""
    known = columns.of(kind).values()
    return table([column.label for column in known], [[column.example for column in known]])


def answered(sheets: list[tuple[dict, list[Row]]]) -> bytes:
    """What was sent, sheet by sheet, with the wrong cells coloured and our answer in columns of its own at the end.

    Mended, it can be sent again as it is: our columns are read over.
    """
    book = Workbook(write_only=True)
    for sheet, rows in sheets:
        texts = sheet["header"]
        own = [place for place, text in enumerate(texts) if columns.normalised(text) in columns.OURS]
        kept = [place for place in range(len(texts)) if place not in own]
        out = _sheet(book, _named(sheet["name"], book), [*(texts[place] for place in kept), *ANSWERS],
                     wide=(len(kept) + 2,))
        fields = {place: columns.COLUMNS[field].label for field, place in sheet["places"].items()}
        for row in rows:
            said = {remark["field"]: remark["kind"] for remark in sorted(
                row.remarks, key=lambda each: each["kind"] == Status.ERROR)}  # of a field's remarks the gravest
            cells = [_cell(out, row.cells[place] if place < len(row.cells) else "", said.get(fields.get(place)))
                     for place in kept]
            out.append([*cells, *(_cell(out, text, row.status if place == 0 else None)
                                  for place, text in enumerate(_answer(row)))])
    return _bytes(book)


def _answer(row):
    """Status, why, the nearest right value."""
    why = [f"{each['field']}: {each['why']}" + (f" {each['other']}." if each.get("other") else "")
           for each in row.remarks]
    nearest = dict.fromkeys(f"{each['field']}: {each['nearest']}" for each in row.remarks if each["nearest"])
    words = {"same": "recorded already", "recorded": "recorded"}.get(row.effect)
    return (f"{row.status or ''}{f', {words}' if words else ''}", "\n".join(why), "\n".join(nearest))


def _named(name, book) -> str:
    """A name as a sheet may have it, once in a workbook."""
    name = "".join(char for char in name.rsplit(".", 1)[0] if char not in "[]:*?/\\'")[:28].strip() or "Sheet"
    return name if name not in book.sheetnames else f"{name[:25]} {len(book.sheetnames) + 1}"


def _sheet(book, name, labels, wide=()):
    sheet = book.create_sheet(name)
    for place, label in enumerate(labels, 1):
        sheet.column_dimensions[get_column_letter(place)].width = WIDE if place in wide else max(WIDTH, len(label) + 2)
    sheet.freeze_panes = "A2"
    head = [WriteOnlyCell(sheet, readable(label)) for label in labels]
    for cell in head:
        cell.font = BOLD
    sheet.append(head)
    return sheet


def _cell(sheet, text, kind=None):
    """A cell of text: never a formula, whatever it begins with. Plain where it has no colour, which is quicker."""
    text = readable(text)
    if kind not in FILLS:
        return text
    cell = WriteOnlyCell(sheet, text)
    cell.fill = FILLS[kind]
    return cell


def _bytes(book) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
