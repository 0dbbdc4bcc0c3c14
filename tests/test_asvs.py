"""The table of docs/asvs.md: whole, true to the standard's ids, and naming tests that exist."""
import ast
import re

import pytest

from tests.test_architecture import ROOT

PAGE = (ROOT / "docs/asvs.md").read_text(encoding="utf-8")
LEAST = 80  # per cent of all requirements
# OWASP ASVS 5.0.0: of each section the requirements of level 1, then those of level 2; what is not here is level 3.
STANDARD = {
    "1.1": ("", "1-2"), "1.2": ("1-5", "6-9"), "1.3": ("1-2", "3-11"), "1.4": ("", "1-3"), "1.5": ("1", "2"),
    "2.1": ("1", "2-3"), "2.2": ("1-2", "3"), "2.3": ("1", "2-4"), "2.4": ("", "1"),
    "3.2": ("1-2", ""), "3.3": ("1", "2-4"), "3.4": ("1-2", "3-6"), "3.5": ("1-3", "4-5"), "3.7": ("", "1-2"),
    "4.1": ("1", "2-3"), "4.2": ("", "1"), "4.3": ("", "1-2"), "4.4": ("1", "2-4"),
    "5.1": ("", "1"), "5.2": ("1-2", "3"), "5.3": ("1-2", ""), "5.4": ("", "1-3"),
    "6.1": ("1", "2-3"), "6.2": ("1-8", "9-12"), "6.3": ("1-2", "3-4"), "6.4": ("1-2", "3-4"), "6.5": ("", "1-5"),
    "6.6": ("", "1-3"), "6.8": ("", "1-4"),
    "7.1": ("", "1-3"), "7.2": ("1-4", ""), "7.3": ("", "1-2"), "7.4": ("1-2", "3-5"), "7.5": ("", "1-2"),
    "7.6": ("", "1-2"),
    "8.1": ("1", "2"), "8.2": ("1-2", "3"), "8.3": ("1", ""), "8.4": ("", "1"),
    "9.1": ("1-3", ""), "9.2": ("1", "2-4"),
    "10.1": ("", "1-2"), "10.2": ("", "1-2"), "10.3": ("", "1-4"), "10.4": ("1-5", "6-11"), "10.5": ("", "1-5"),
    "10.6": ("", "1-2"), "10.7": ("", "1-3"),
    "11.1": ("", "1-2"), "11.2": ("", "1-3"), "11.3": ("1-2", "3"), "11.4": ("1", "2-4"), "11.5": ("", "1"),
    "11.6": ("", "1"),
    "12.1": ("1", "2-3"), "12.2": ("1-2", ""), "12.3": ("", "1-4"),
    "13.1": ("", "1"), "13.2": ("", "1-5"), "13.3": ("", "1-2"), "13.4": ("1", "2-5"),
    "14.1": ("", "1-2"), "14.2": ("1", "2-4"), "14.3": ("1", "2-3"),
    "15.1": ("1", "2-3"), "15.2": ("1", "2-3"), "15.3": ("1", "2-7"),
    "16.1": ("", "1"), "16.2": ("", "1-5"), "16.3": ("", "1-4"), "16.4": ("", "1-3"), "16.5": ("", "1-3"),
    "17.1": ("", "1"), "17.2": ("", "1-4"), "17.3": ("", "1-2"),
}
NUMBERS = {1: 70, 2: 183}  # what the standard counts
NONE = "There is none"


def expected():
    """(id, level) of every requirement."""
    for section, levels in STANDARD.items():
        for level, said in enumerate(levels, 1):
            first, _, last = said.partition("-")
            for number in range(int(first or 1), int(last or first or 0) + 1):
                yield f"{section}.{number}", level


def rows():
    """(id, level, about, the last cell, tests) of each row."""
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and cells[0] not in ("id", "---"):
            yield (*cells, [] if is_reason(cells[-1]) else re.findall(r"`([^`]+)`", cells[-1]))


def is_reason(cell) -> bool:
    """Whether a row says why nothing shows it, even where it names a test that shows a part."""
    return not re.search(r"`$", cell)


ROWS = list(rows())


def names(path) -> set[str]:
    """The tests that a file holds; a parametrised one is there once."""
    return {node.name for node in ast.walk(ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def missing(test) -> str | None:
    path, _, name = test.partition("::")
    if not (ROOT / "tests" / path).is_file() or not path.rpartition("/")[2].startswith("test_"):
        return f"there is no file of tests {path}"
    return None if (name in names(path) if name else names(path)) else f"{path} has no {name or 'test'}"


def share(some) -> str:
    return f"{100 * sum(bool(row[4]) for row in some) / len(some):.1f} %"


def test_the_list_here_has_as_many_as_the_standard():
    assert {level: sum(each == level for _, each in expected()) for level in NUMBERS} == NUMBERS


def test_every_requirement_of_levels_1_and_2_has_its_row_and_nothing_else_has():
    assert [(row[0], int(row[1])) for row in ROWS] == list(expected())


def test_no_row_is_empty():
    assert [row[0] for row in ROWS if len(row) != 5 or not all(row[:4]) or len(row[2]) < 3] == []
    assert [row[0] for row in ROWS if not row[4] and len(row[3].split()) < 8] == [], "a reason is a sentence"


@pytest.mark.parametrize("chapter", range(1, 18))
def test_each_test_that_is_named_exists(chapter):
    named = [test for row in ROWS if row[0].startswith(f"{chapter}.") for test in row[4]]
    assert named and [why for test in named if (why := missing(test))] == []


def test_four_fifths_are_shown_by_tests_and_the_page_says_how_many():
    none = [row for row in ROWS if row[3].startswith(NONE)]
    applies = [row for row in ROWS if row not in none]
    assert all(row[4] for row in none), "that there is none is shown, too"
    shown = sum(bool(row[4]) for row in ROWS)
    assert 100 * shown >= LEAST * len(ROWS) and 100 * sum(bool(row[4]) for row in applies) >= LEAST * len(applies)
    said = " ".join(PAGE.split("\n## ")[0].split())
    assert f"Of {len(ROWS)} requirements {shown} are shown by tests ({share(ROWS)})" in said
    assert f"{len(none)} of these are about what Slate has not got" in said
    assert f"Of the {len(applies)} that remain {shown - len(none)} are shown by tests ({share(applies)})" in said


@pytest.mark.parametrize("test", ["test_gone.py::test_x", "test_asvs.py::test_gone", "conftest.py", "asvs.md::test_x"])
def test_what_is_not_there_is_missed(test):
    assert missing(test)
    assert missing("test_asvs.py::test_no_row_is_empty") is None
