"""Sheets that are made to cost: read within the limits or refused in a sentence, and nothing grows with them."""
import io
import struct
import zipfile

import pytest

from licensing.books import uploads
from licensing.books.reader import MOST_ALL, MOST_ROWS, MOST_UNPACKED
from licensing.books.uploads import MEMORY, MOST_BYTES, SECONDS, Unfit, unpacked
from tests.cost import cost_of
from tests.licensing.deals import AGENT
from tests.licensing.sheets import xlsx_of
from tests.licensing.test_reading_books import CELL, LAUGHS, SHEET
from tests.scale import at
from tests.test_pages import Visitor, text

MB = 1_000_000
MAIN = b"xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\""
OUTSIDE = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd"><!ENTITY %% p SYSTEM "http://127.0.0.1:9/x">]>'


def book(**parts) -> bytes:
    """A workbook of one sheet, some parts of which are these."""
    file, changed = io.BytesIO(), {name.replace("__", "/") + ".xml": content for name, content in parts.items()}
    with zipfile.ZipFile(io.BytesIO(xlsx_of(Licences=[["x"]]))) as whole, zipfile.ZipFile(
            file, "w", zipfile.ZIP_DEFLATED) as out:
        for name in {*whole.namelist(), *changed}:
            out.writestr(name, changed.get(name) or whole.read(name))
    return file.getvalue()


def sheet(rows: bytes, head=b"") -> bytes:
    return book(xl__worksheets__sheet1=head + SHEET % (b"", rows))


def lying(packed: bytes) -> bytes:
    """A zip whose list says that its largest file has 100 bytes."""
    out, place = bytearray(packed), packed.find(b"PK\x01\x02")
    while place >= 0:
        if struct.unpack_from("<I", out, place + 24)[0] > MB:
            struct.pack_into("<I", out, place + 24, 100)
        place = out.find(b"PK\x01\x02", place + 4)
    return bytes(out)


def packed(count=1, size=0) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        for number in range(count):
            out.writestr(str(number), bytes(size))
    return file.getvalue()


FULL = at(ci=MOST_UNPACKED // 20, long=MOST_UNPACKED) - MB  # what a workbook may unpack to
COSTLY = {  # what it is → (file, words of the refusal)
    "one cell that fills it": lambda: (sheet(CELL % (1, b"A", 1, b"x" * FULL)), "rights|characters"),
    "rows of nothing": lambda: (sheet(b"<row/>" * (FULL // 6)), ""),
    "cells of nothing": lambda: (sheet(b"<row>" + b"<c/>" * (FULL // 4) + b"</row>"), ""),
    "levels without end": lambda: (sheet(b"<a>" * (FULL // 3)), ""),
    "attributes without end": lambda: (book(xl__worksheets__sheet1=b"<worksheet %s " % MAIN + b" ".join(
        b'a%d="x"' % number for number in range(FULL // 200)) + b"/>"), ""),
    "strings that no cell has": lambda: (book(xl__sharedStrings=b"<sst %s>" % MAIN + b"<si><t>x</t></si>" * (
        FULL // 17) + b"</sst>"), ""),
    "styles without end": lambda: (book(xl__styles=b"<styleSheet %s><cellXfs>" % MAIN + b"<xf/>" * (FULL // 10) +
                                        b"</cellXfs></styleSheet>"), ""),
    "a list that lies of its size": lambda: (lying(sheet(CELL % (1, b"A", 1, b"x" * 300 * MB))), "cannot be read"),
    "seventy thousand files": lambda: (packed(70_000), "unpacks to more"),
    "a zip of zips": lambda: (packed(9, 30 * MB), "unpacks to more"),
    "a sheet that laughs": lambda: (sheet(CELL % (1, b"A", 1, b"&a19;"), LAUGHS), "cannot be read"),
    "a book that laughs": lambda: (book(xl__workbook=LAUGHS + b"<workbook %s>&a19;</workbook>" % MAIN), "cannot be"),
    "styles that laugh": lambda: (book(xl__styles=LAUGHS + b"<styleSheet %s>&a19;</styleSheet>" % MAIN), "cannot be"),
    "strings from a file, which no cell has": lambda: (book(
        xl__sharedStrings=OUTSIDE % () + b"<sst %s><si><t>&e;</t></si></sst>" % MAIN), ""),
    "one line of commas": lambda: (b"," * MOST_BYTES, ""),
    "one line of letters": lambda: (b"x" * MOST_BYTES, "field larger"),
    "one line in quotes": lambda: (b'"' + b"x" * (MOST_BYTES - 2), "field larger"),
    "nothing but quotes": lambda: (b'"' * MOST_BYTES, ""),
    "nothing but line ends": lambda: (b"a\n" + b"\n" * (MOST_BYTES - 2), ""),
    "halves of characters": lambda: (b"\xff\xfe" + b"\xd8\x00" * (MOST_BYTES // 2 - 1), ""),
}


@pytest.mark.parametrize("what", COSTLY)
def test_what_is_made_to_cost_is_read_or_refused_within_the_limits(what, tmp_path):
    content, words = COSTLY[what]()
    assert len(content) <= MOST_BYTES, "else it is not even read"
    path = tmp_path / "sent"
    path.write_bytes(content)
    with path.open("rb") as file:
        seconds, memory, _ = cost_of(uploads.command("licences.xlsx" if content[:2] == b"PK" else "licences.csv", ""),
                                     file)
    assert seconds <= SECONDS + 1 and memory <= MEMORY, f"{seconds:.1f} s, {memory / MB:.0f} MB"
    if words:
        with pytest.raises(Unfit, match=words) as refusal:
            unpacked(content, "licences.xlsx" if content[:2] == b"PK" else "licences.csv", "")
        assert "root:" not in str(refusal.value) and len(str(refusal.value)) < 200


def test_the_largest_honest_book_takes_half_of_the_limits_at_most(tmp_path):
    cell = ("潮" * (MOST_ALL // MOST_ROWS // 10)).encode()
    row = b"<row>" + b'<c t="inlineStr"><is><t>%s</t></is></c>' % cell * 10 + b"</row>"
    path = tmp_path / "sent"
    path.write_bytes(sheet(row * MOST_ROWS))
    assert path.stat().st_size <= MOST_BYTES
    with path.open("rb") as file:
        seconds, memory, ended = cost_of(uploads.command("licences.xlsx", ""), file)
    assert ended == 0 and seconds <= SECONDS / 2 and memory <= MEMORY / 2, f"{seconds:.1f} s, {memory / MB:.0f} MB"


TURNED, NAUGHT = "\u202efdp.exe", "\x00"


def test_names_of_files_and_sheets_and_cells_say_nothing_that_cannot_be_seen(world):
    found = unpacked(sheet(CELL % (1, b"A", 1, f"a{TURNED}\u2066\ufeff".encode())), f"a{TURNED}.xlsx", "")
    assert found["sheets"][0]["rows"] == [[1, ["a fdp.exe"]]]
    renamed = xlsx_of(**{f"Lic{TURNED}": [["x"]]})
    assert unpacked(renamed, "a.xlsx", "")["sheets"][0]["name"] == "Lic fdp.exe"
    agent = Visitor(world, AGENT)
    for name in (f"deals{TURNED}.csv", "deals\u2066.csv", "../../deals.csv", "\ud800"):
        sent = agent.submit("/books", {"file": (io.BytesIO(b"Title\nx"), name.encode("utf-8", "surrogatepass").decode(
            "utf-8", "replace"))}, form="/books")
        assert sent.status_code == 302, name
        page = text(agent.get(sent.location))
        assert not set(page) & set("\u202e\u2066\x00\r") and "<h1" in page


def test_a_file_that_is_too_large_is_refused_before_it_is_read(world):
    agent = Visitor(world, AGENT)
    large = agent.submit("/books", {"file": (io.BytesIO(b"x" * (MOST_BYTES + 1)), "a.csv")}, form="/books")
    assert large.status_code == 422 and "10 MB at most" in text(large)
