"""The same question through three drawings: none may say anything but what the answer for that cell alone says."""
import random
from dataclasses import replace
from datetime import date

import pytest

from licensing.rights import languages, media, territories
from licensing.rights.availability import Code, Verdict, answer, merged
from licensing.rights.blocks import Block
from licensing.rights.dates import Dates
from licensing.rights.holdings import Line
from licensing.rights.views import COLUMNS, REGIONS, TILES, Views, heads, region_of
from tests.licensing.rights.test_availability import (
    MEDIA,
    TODAY,
    TODAY_IN_SMALL,
    WORLD,
    _world,
    film,
    line,
)
from tests.scale import at

EVERYWHERE = Block(territories.ALL, media.ALL, languages.ALL, Dates())


def drawn(request, shares, today=TODAY, licensee=None, days=None, outsider=False):
    """The drawings of what `request` asks, its territories and media set off, from an answer over `days`."""
    wide = replace(request, block=replace(request.block, territories=territories.ALL, media=media.ALL,
                                          dates=days or request.block.dates))
    found = answer(wide, shares, today, licensee)
    return Views(replace(found, reasons=tuple(merged(found.reasons))) if outsider else found, request.block)


def expected(request, shares, today, licensee):
    """The state of a box from the answer for it alone."""
    found = answer(request, shares, today, licensee)
    codes = {each.code for each in found.reasons if each.blocking}
    if found.verdict == Verdict.AVAILABLE:
        return "free"
    if found.verdict == Verdict.PARTIAL:
        return "part"
    if Code.IN_PAST in codes:
        return "past"
    if request.exclusive and answer(replace(request, exclusive=False), shares, today, licensee).verdict != (
            Verdict.UNAVAILABLE):
        return "shared"
    return ("sold" if codes & {Code.RIGHTS_OUT, Code.RUNS_EXHAUSTED} else "back" if Code.HOLDBACK in codes
            else "part" if Code.LIMITED_BY_CHILDREN in codes else "none")


def test_every_cell_of_the_three_drawings_says_what_the_answer_for_it_alone_says():
    rng = random.Random(5)
    seen = set()
    for _ in range(at(ci=60, long=600)):
        request, shares, licensee = _world(rng)
        wider = request.block.dates | Dates.between(date(2026, 11, 20), date(2026, 12, 4))
        days = Dates(((wider.spans[0][0], wider.spans[-1][1]),))
        views = drawn(request, shares, TODAY_IN_SMALL, licensee, rng.choice([None, days]), rng.random() < 0.5)

        def alone(where, what, request=request, shares=shares, licensee=licensee):
            return expected(replace(request, block=replace(request.block, territories=where, media=what)), shares,
                            TODAY_IN_SMALL, licensee)

        rows = views.grid()
        for row in rows:
            for cell, key in zip(row.cells, COLUMNS, strict=True):
                if key in MEDIA:
                    assert cell.state == alone(row.territories, 1 << media.NUMBER[key]), (row.name, key)
                    seen.add(cell.state)
        for row in views.timeline():
            assert row.cells[0].state == alone(row.territories, request.block.media)
            for span in row.spans:
                if span.state == "past":
                    continue
                day = replace(request, block=replace(
                    request.block, territories=row.territories, media=request.block.media,
                    dates=Dates.between(span.starts_on, span.starts_on)))
                assert expected(day, shares, TODAY_IN_SMALL, licensee) == span.state.replace("children", "part")
        for tile in views.world():
            if tile.code in ("HK", "TW", "CA", "MO"):
                whole = territories.read([tile.code])
                assert tile.cell.state == alone(whole, request.block.media), tile
                assert tile.asked == bool(whole & request.block.territories)
    assert seen == {"free", "part", "shared", "sold", "back", "none", "past"}


def test_rows_that_are_merged_are_equal_and_every_territory_has_one_row():
    rng = random.Random(6)
    for _ in range(at(ci=30, long=300)):
        request, shares, licensee = _world(rng)
        views = drawn(request, shares, TODAY_IN_SMALL, licensee)
        rows = views.grid()
        for whole, part in ((rows, "cells"), (views.timeline(), "spans")):
            assert sum(row.territories for row in whole) == territories.ALL
            assert all(getattr(row, part) for row in whole)
        for row in rows:
            for _, mask in rng.sample(countries := territories.countries(row.territories), min(3, len(countries))):
                for cell, key in zip(row.cells, COLUMNS, strict=True):
                    mine = views.cell(mask, 1 << media.NUMBER[key])
                    assert (mine.state, mine.spans) == (cell.state, cell.spans)
            assert row.count == len(countries)


def test_the_spans_of_a_row_follow_each_other_without_a_gap():
    rng = random.Random(7)
    for _ in range(at(ci=30, long=300)):
        request, shares, licensee = _world(rng)
        for row in (views := drawn(request, shares, TODAY_IN_SMALL, licensee)).timeline():
            spans = [Dates.between(each.starts_on, each.ends_on).spans[0] for each in row.spans]
            assert (spans[0][0], spans[-1][1]) == (views.days.spans[0][0], views.days.spans[-1][1])
            assert all(one[1] == other[0] for one, other in zip(spans, spans[1:], strict=False))
            assert all(one.state != other.state for one, other in zip(row.spans, row.spans[1:], strict=False))


def test_a_split_country_counts_once_and_is_part_where_only_quebec_is_sold():
    views = drawn(line("CA"), film(licences=[line("CA-QC")]))
    assert {tile.code: tile.cell.state for tile in views.world()}["CA"] == "part"
    assert [(row.name, row.count) for row in views.grid() if row.asked] == [("Canada", 1)]
    quebec = drawn(line("CA-QC"), film(licences=[line("CA-QC")])).grid()[0]
    assert (quebec.name, quebec.cells[COLUMNS.index("svod")].state) == ("Quebec", "sold")


def test_macao_is_as_big_as_canada():
    tiles = {tile.code: tile for tile in drawn(line("MO"), film()).world()}
    assert {"MO", "CA"} < set(tiles) and tiles["MO"].asked and not tiles["CA"].asked
    assert len({(tile.column, tile.row) for tile in tiles.values()}) == len(tiles) == len(TILES) == 250
    assert {code for code, _ in territories.countries(territories.ALL)} == set(tiles)


def test_every_country_lies_in_one_region():
    assert sum(REGIONS.values()) == territories.ALL
    assert all(REGIONS[region_of(mask)] & mask == mask for _, mask in territories.countries(territories.ALL))
    assert sum(count for _, count in heads()) == len(COLUMNS) == 18


def test_what_is_shared_is_said_with_the_day_it_ends_also_beyond_the_window():
    shared = line("TW", starts="2026-01-01", ends="2031-06-30", exclusive=False)
    until = Dates.between(date(2026, 1, 1), date(2032, 12, 31))
    cell = drawn(line("TW"), film(licences=[shared]), days=until).grid()[0].cells[COLUMNS.index("svod")]
    assert (cell.state, cell.turns_on) == ("shared", date(2031, 6, 30))
    assert [(span.state, span.open) for span in cell.spans] == [("shared", False)]
    cell = drawn(line("TW"), film(licences=[shared])).grid()[0].cells[COLUMNS.index("svod")]
    assert (cell.state, cell.turns_on, cell.spans[0].open) == ("shared", None, True), "the answer ends before"


def test_an_outsiders_drawings_do_not_tell_one_deal_from_two():
    one = film(licences=[line("DE,AT", "svod,avod", "2027-01-01", "2028-12-31")])
    many = film(licences=[line("DE", "svod", "2027-01-01", "2027-12-31"),
                          line("DE", "svod", "2028-01-01", "2028-12-31"),
                          line("AT", "svod,avod", "2027-01-01", "2028-12-31"),
                          line("DE", "avod", "2027-01-01", "2028-12-31")])

    def all_of(shares):
        views = drawn(line("CH"), shares, outsider=True)
        return views.grid(), views.timeline(), views.world()

    assert all_of(one) == all_of(many)


def test_more_than_twelve_asked_territories_share_rows():
    rows = drawn(line("World"), film(licences=[line("FR")])).grid()
    assert [(row.name, row.asked, row.count) for row in rows] == [
        ("France", True, 1), ("Everywhere else asked", True, 249)]
    rows = drawn(line("nordics"), film(licences=[line("FR")])).grid()
    assert [row.count for row in rows] == [1] * 9 + [1, 240]


@pytest.mark.parametrize("ends", ["2027-12-31", "2029-12-31", "2049-12-31", "2999-12-31", None])
def test_the_axis_is_drawn_whole_and_names_at_most_a_dozen_years(ends):
    views = drawn(line("DE", starts="2020-03-01", ends=ends), film(licences=[line("DE", ends="2028-12-31")]))
    years = views.years()
    assert 1 <= len(years) <= 13 and all(0 <= place <= 100 for _, place in years)
    for row in views.timeline():
        pieces = views.pieces(row.spans)
        assert abs(sum(width for _, _, width in pieces) - 100) < 0.1


def test_with_nothing_asked_all_media_are_drawn_and_nobody_leads():
    wide = Line(replace(line("World", "all").block, dates=Dates.between(TODAY, date(2029, 12, 31))), True)
    views = Views(answer(wide, film([WORLD], [line("HK")]), TODAY),
                  replace(EVERYWHERE, territories=0, media=0, dates=wide.block.dates))
    assert not any(row.asked for row in views.grid()) and not any(tile.asked for tile in views.world())
    assert {tile.code for tile in views.world() if tile.cell.state == "part"} == {"HK"}
