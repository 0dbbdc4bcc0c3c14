"""What sellers call things in their sheets is understood; what is hostile or broken is refused in a sentence."""
import io
import time
import zipfile
from datetime import date

import pytest
from openpyxl import Workbook

from licensing.books import columns, uploads
from licensing.books.columns import Kind, Unmatched, Wrong, header, value
from licensing.books.uploads import Unfit, unpacked
from tests.licensing.sheets import xlsx_of

LICENCES = "Film;Sold to;Region;Rights type;Language;Licence start;Licence end;Excl.\n"


@pytest.mark.parametrize("field, text, said", [
    ("territories", "World excluding US, CA", ["World", "-US", "-CA"]),
    ("territories", "World excl. US; Canada", ["World", "-US", "-Canada"]),
    ("territories", "World (except France)", ["World", "-France"]),
    ("territories", "Hong Kong + Taiwan | JP\nKR", ["Hong Kong", "Taiwan", "JP", "KR"]),
    ("territories", "Bosnia and Herzegovina, Trinidad & Tobago", ["Bosnia and Herzegovina", "Trinidad & Tobago"]),
    ("territories", "-US, World", ["-US", "World"]), ("territories", "nordics", ["nordics"]),
    ("media", "SVOD, Pay TV", ["SVOD", "Pay TV"]), ("media", "all", ["all"]),
    ("languages", "All languages", ["*"]),
    ("languages", "French dubbed, English (subtitled)", ["French:dub", "English:sub"]),
    ("territories", "Korea, Republic of, Japan", ["Korea, Republic of", "Japan"]),
    ("languages", "fr:dub; ja", ["fr:dub", "ja"]),
    ("starts_on", "2027-01-31", date(2027, 1, 31)), ("starts_on", "31.1.2027", date(2027, 1, 31)),
    ("starts_on", "31/01/2027", date(2027, 1, 31)), ("starts_on", "1/31/2027", date(2027, 1, 31)),
    ("starts_on", "31 Jan 2027", date(2027, 1, 31)), ("starts_on", "January 31, 2027", date(2027, 1, 31)),
    ("starts_on", "20270131", date(2027, 1, 31)), ("starts_on", "2027-01-31 00:00:00", date(2027, 1, 31)),
    ("ends_on", "In perpetuity", None), ("exclusive", "Non-exclusive", False), ("exclusive", "X", True),
    ("runs", "12", 12), ("contract", " A  1 ", "A 1"), ("licensor", "", None)])
def test_a_cell_is_read_as_people_write_it(field, text, said):
    assert value(field, text) == said


@pytest.mark.parametrize("field, text, why, nearest", [
    ("territories", "Formosaa", "no territory", "TW"), ("territories", "", "silence is never", ""),
    ("media", "SVID", "no medium", "svod"), ("languages", "Frnch", "no language", "fr"),
    ("languages", "fr:opera", "no use", "fr:original, fr:dub, fr:sub"), ("languages", "", "silence", "all"),
    ("starts_on", "03/04/2027", "two days", "2027-04-03 or 2027-03-04"), ("starts_on", "2027", "a year", "2027-01-01"),
    ("starts_on", "31 Feb 2027", "calendar", "2027-02-28"), ("ends_on", "", "silence", "perpetuity"),
    ("ends_on", "soon", "no day", ""), ("exclusive", "nonexclusiv", "neither", "no"),
    ("runs", "about 3", "no number", "3"),
    ("runs", "0", "no number", ""), ("contract", "x" * 201, "200 at most", "")])
def test_what_cannot_be_read_says_why_and_what_is_nearest(field, text, why, nearest):
    with pytest.raises(Wrong) as wrong:
        value(field, text)
    assert why in wrong.value.why and nearest in wrong.value.nearest


def test_columns_are_matched_by_name_wherever_they_stand():
    content = ("Our deals\n\n" + LICENCES + "Tide;Formosa;TW;svod;all;2030-01-01;2031-12-31;y\n").encode()
    [sheet] = unpacked(content, "a.csv", "")["sheets"]
    found = header(sheet["rows"], Kind.LICENCES)
    assert found.number == 3 and found.places == {
        "title": 0, "licensee": 1, "territories": 2, "media": 3, "languages": 4, "starts_on": 5, "ends_on": 6,
        "exclusive": 7}
    with pytest.raises(Unmatched, match="Missing: Licensee"):
        header([[1, ["Title", "Territories", "Media", "Languages", "From", "To", "Exclusive"]]], Kind.LICENCES)
    with pytest.raises(Unmatched, match="Missing: Title"):
        header([], Kind.MANDATES)
    assert header([[1, ["title ID", *LICENCES.strip().split(";")[1:], "Notes", "Status", "Why"]]],
                  Kind.LICENCES).ignored == ["Notes"]
    names = [column.label for column in columns.COLUMNS.values()] + [
        name for column in columns.COLUMNS.values() for name in column.aliases]
    assert len({columns.normalised(name) for name in names}) == len(names), "no name means two columns"


@pytest.mark.parametrize("name, kind", [
    ("Mandates", Kind.MANDATES), ("rights_in 2026", Kind.MANDATES), ("Deals done", Kind.LICENCES),
    ("licences.csv", Kind.LICENCES), ("License list", Kind.LICENCES), ("Sheet1", None), ("mandates and deals", None)])
def test_a_sheet_is_what_its_name_says(name, kind):
    assert columns.kind_named(name) == kind


def test_a_sheet_whose_name_does_not_tell_is_not_guessed_at():
    rows = [{"name": "Sheet1", "rows": [[1, ["Title"]]]}]
    with pytest.raises(Unmatched, match="mandates or licences"):
        uploads._sheets(rows, "x.xlsx", None)
    with pytest.raises(Unmatched, match="Missing"):
        uploads._sheets(rows, "x.xlsx", "mandates")


@pytest.mark.parametrize("encoding, said", [("utf-8", ""), ("utf-8-sig", ""), ("utf-16", ""), ("gb18030", "gb18030"),
                                            ("big5", "big5"), ("shift_jis", "shift_jis")])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_tables_in_text_are_read_in_any_encoding_and_with_any_delimiter(encoding, said, delimiter):
    text = f'Title{delimiter}Territories\r\n"潮{delimiter}\n信"{delimiter}TW\r\n\r\n年{delimiter}HK\r\n'
    found = unpacked(text.encode(encoding), "a.csv", said)
    assert found["sheets"][0]["rows"] == [
        [1, ["Title", "Territories"]], [2, [f"潮{delimiter}\n信", "TW"]], [5, ["年", "HK"]]]


def test_what_is_not_utf_8_is_read_as_windows_1252_and_that_is_said():
    found = unpacked("Title,Territories\nDas Salz der Häuser,DE\n".encode("cp1252"), "a.csv", "")
    assert found["sheets"][0]["rows"][1][1][0] == "Das Salz der Häuser" and "Windows-1252" in found["note"]


def test_a_workbook_gives_dates_truth_and_numbers_as_they_are_meant():
    book = Workbook()
    book.active.append([date(2030, 1, 1), True, 3.0, 2.5, "'=1+1", None, "x"])
    book.create_sheet("hidden").sheet_state = "hidden"
    file = io.BytesIO()
    book.save(file)
    [sheet] = unpacked(file.getvalue(), "a.xlsx", "")["sheets"]
    assert sheet["rows"] == [[1, ["2030-01-01", "yes", "3", "2.5", "=1+1", "", "x"]]]


def _packed(**parts) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in parts.items():
            out.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return file.getvalue()


def _with_sheet(xml: bytes) -> bytes:
    """A workbook whose only sheet is this XML."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(xlsx_of(Licences=[["x"]]))) as whole, zipfile.ZipFile(
            file, "w", zipfile.ZIP_DEFLATED) as out:
        for name in whole.namelist():
            out.writestr(name, xml if name == "xl/worksheets/sheet1.xml" else whole.read(name))
    return file.getvalue()


SHEET = (b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">%s<sheetData>%s</sheetData>'
         b"</worksheet>")
CELL = b'<row r="%d"><c r="%s%d" t="inlineStr"><is><t>%s</t></is></c></row>'
LAUGHS = b"<!DOCTYPE x [" + b'<!ENTITY a0 "ha">' + b"".join(
    b'<!ENTITY a%d "&a%d;&a%d;&a%d;&a%d;">' % (n, n - 1, n - 1, n - 1, n - 1) for n in range(1, 20)) + b"]>"
HOSTILE = {
    "a bomb in a zip": _packed(bomb=b"\0" * 300_000_000),
    "a sheet of one long text": _with_sheet(SHEET % (b"", CELL % (1, b"A", 1, b"x" * 5_000_000))),
    "entities that laugh": _with_sheet(LAUGHS + SHEET % (b"", CELL % (1, b"A", 1, b"&a19;"))),
    "an entity from a file": _with_sheet(b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + SHEET % (
        b"", CELL % (1, b"A", 1, b"&e;"))),
    "too many rows": _with_sheet(SHEET % (b"", b"".join(CELL % (n, b"A", n, b"x") for n in range(1, 20_100)))),
    "no workbook in the zip": _packed(hello="x"), "half a zip": xlsx_of(Licences=[["x"]])[:900],
    "an old workbook": b"\xd0\xcf\x11\xe0" + b"\0" * 600, "nothing but zeros": b"\0" * 1000, "nothing": b"  \n",
    "a quote left open": b'Title,Territories\n"Tide,TW\n' + b"x,y\n" * 5000,
    "a field without end": b"Title,Territories\n" + b"x" * 100_000 + b",TW\n",
    "many sheets": xlsx_of(**{f"s{n}": [["x"]] for n in range(30)}),
    "a picture that says it is a workbook": b"\x89PNG\r\n\x1a\n" + b"x" * 50,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_refused_in_a_sentence_and_in_time(what):
    began = time.monotonic()
    with pytest.raises(Unfit) as refusal:
        unpacked(HOSTILE[what], "deals.xlsx" if "workbook" in what else "deals.csv", "")
    said = str(refusal.value)
    assert said.endswith(".") and len(said) < 200 and "Error" not in said and "root:" not in said
    assert time.monotonic() - began < 30


def test_a_sheet_that_says_it_is_endless_costs_what_it_holds():
    wide = _with_sheet(SHEET % (b'<dimension ref="A1:XFD1048576"/>', CELL % (1, b"A", 1, b"Title") + CELL % (
        2, b"XFD", 2, b"far") + CELL % (1_000_000, b"B", 1_000_000, b"deep")))
    began = time.monotonic()
    [sheet] = unpacked(wide, "a.xlsx", "")["sheets"]
    assert sheet["rows"] == [[1, ["Title"]], [1_000_000, ["", "deep"]]] and time.monotonic() - began < 30


def test_a_wrong_choice_of_encoding_is_said():
    with pytest.raises(Unfit, match="not written in utf-8"):
        unpacked("Häuser,x\n".encode("cp1252"), "a.csv", "utf-8")
