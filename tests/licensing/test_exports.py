"""Tables for spreadsheets: read as they are meant, never computed."""
from datetime import date

import pytest

import seed
from catalogue.models import Title
from licensing import exports, terms
from licensing.rights import availability, languages, media, territories
from licensing.rights.blocks import Block
from licensing.rights.dates import Dates
from licensing.rights.holdings import Holdings, Line, Share


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\tx"])
def test_a_title_that_looks_like_a_formula_is_only_read(name):
    everything = Block(territories.ALL, media.ALL, languages.ALL, Dates.since(date(1900, 1, 1)))
    asked = terms.read(seed.line("HK,TW", "svod", "2027-01-01", "2029-12-31")).line()
    answer = availability.answer(asked, [Share(Holdings((Line(everything, True),)))], date(2026, 1, 1))
    table = exports.free_table(Title(id=7, original_title=name), answer)
    head, row = table.removeprefix("\ufeff").splitlines()
    assert head.split(",") == list(exports.FIELDS)
    assert row == f"7,'{name},\"HK,TW\",svod,*,2027-01-01,2029-12-31,yes,no"
