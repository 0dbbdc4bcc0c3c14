"""A title's outlook for its seller: the share still free, and what ends next."""
from datetime import date

from licensing import outlook
from licensing.rights import languages, media, territories
from licensing.rights.blocks import Block
from licensing.rights.dates import Dates
from licensing.rights.holdings import Holdings, Line, Share
from tests.test_pages import Visitor, text

TODAY = date(2026, 11, 25)


def block(starts_on, ends_on, where=None):
    return Block(territories.read(where) if where else territories.ALL, media.ALL, languages.ALL,
                 Dates.between(date.fromisoformat(starts_on), ends_on and date.fromisoformat(ends_on)))


def look(mandates, licences=()):
    return outlook.of([Share(Holdings(tuple(Line(each, True) for each in mandates),
                                      tuple(Line(each, True) for each in licences)), (1,))], TODAY)


def test_quarters_follow_each_other_from_today_on():
    spans = outlook.quarters(TODAY)
    assert len(spans) == outlook.QUARTERS and spans[0] == (TODAY.toordinal(), date(2027, 1, 1).toordinal())
    assert all(one[1] == other[0] for one, other in zip(spans, spans[1:], strict=False))


def test_the_share_is_of_the_whole_world_and_changes_on_the_day():
    found = look([block("2020-01-01", "2028-12-31")], [block("2020-01-01", "2026-11-25")])
    assert found.now == 0 and found.free[1] == 1 and found.free[-1] == 0
    assert 0.9 < found.free[0] < 1
    assert (found.ends_on, found.ends, found.days) == (TODAY, "licence", 0)
    part = look([block("2020-01-01", None, ["HK"])])
    assert 0 < part.now < 0.01 and part.ends_on is None


def test_what_ended_before_today_is_no_more_to_end_and_far_ends_are_not_counted_down():
    found = look([block("2020-01-01", "2026-11-24"), block("2020-01-01", "2029-12-31")])
    assert (found.ends_on, found.ends, found.days) == (date(2029, 12, 31), "mandate", None)
    assert look([]).free is None


def test_the_slate_shows_it(world):
    page = text(Visitor(world, "agent@harbour.test").get("/slate"))
    assert "Mandate: World, all media" in page and "no mandate yet" in page and 'class="spark"' in page
