"""The ledger against the engine for one title: on every title, both ways of scanning, whatever was changed or saved."""
import random
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from importlib.util import find_spec

import numpy as np
import pytest

from licensing.rights import availability, ledger, territories
from licensing.rights.availability import Verdict
from licensing.rights.columns import MANDATE
from licensing.rights.dates import Dates
from licensing.rights.holdings import Holdback, Holdings, Line, Share
from licensing.rights.ledger import AVAILABLE, PARTIAL, UNAVAILABLE, Ledger, rows_of
from tests.licensing.rights.test_availability import DAYS, HOUSES, PLACES, TODAY_IN_SMALL, WORLD, _world, line
from tests.scale import at

WORDS = {AVAILABLE: Verdict.AVAILABLE, PARTIAL: Verdict.PARTIAL, UNAVAILABLE: Verdict.UNAVAILABLE}
both = pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.skipif(
    find_spec("numba") is None, reason="numba is not installed"))], ids=["numpy", "compiled"])


def _catalogue(rng, size):
    """({title id: shares}, requests): small worlds side by side, ids with gaps."""
    ids = rng.sample(range(1, 4 * size), size)
    worlds = [_world(rng) for _ in ids]
    return {title_id: shares for title_id, (_, shares, _) in zip(ids, worlds, strict=True)}, [
        request for request, _, _ in worlds]


def _answered(request, shares, today, licensee):
    return availability.answer(request, shares, today, licensee).verdict


def _judged(request, shares, today, licensee):
    """The same without what an answer says besides; quicker, and for a request of several spans."""
    ahead = request.block.dates & Dates.since(today)
    cut = replace(request, block=replace(request.block, dates=ahead))
    return availability.verdict(cut, shares, licensee) if ahead else Verdict.UNAVAILABLE


def _agrees(book, titles, request, today, licensee, title_ids=None, engine=_judged):
    """Assert that every title's verdict is the engine's; returns what was found."""
    ids, found = book.verdicts(request, today, title_ids, licensee)
    assert (ids.dtype, found.dtype) == (np.int64, np.int8)
    assert ids.tolist() == sorted(titles if title_ids is None else set(title_ids))
    expected = [engine(request, titles[each], today, licensee) if each in titles else Verdict.UNAVAILABLE
                for each in ids.tolist()]
    assert [WORDS[each] for each in found.tolist()] == expected
    again, free = book.available(request, today, title_ids, licensee)
    assert (again.tolist(), free.tolist()) == (ids.tolist(), (found == AVAILABLE).tolist())
    return found.tolist()


@both
def test_every_title_of_small_worlds_has_the_engines_verdict(compiled):
    seen = []
    for seed in range(at(ci=8, long=400)):
        rng = random.Random(seed)
        titles, requests = _catalogue(rng, 40)
        book = Ledger(titles.items(), compiled)
        for request in rng.sample(requests, 4):
            seen += _agrees(book, titles, request, TODAY_IN_SMALL, rng.choice([None, *HOUSES]), None, _answered)
    assert all(seen.count(verdict) > len(seen) / 50 for verdict in WORDS), "every verdict is seen"


@both
def test_a_change_is_in_the_next_answer(compiled):
    for seed in range(at(ci=4, long=100)):
        rng = random.Random(seed)
        titles, requests = _catalogue(rng, 25)
        book = Ledger(titles.items(), compiled)
        for _ in range(15):
            title_id = rng.choice([*titles, rng.randint(1, 200)])
            shares = [] if rng.random() < 0.3 else _world(rng)[1]
            book.replace(title_id, shares)
            titles[title_id] = shares
            titles = {each: shares for each, shares in titles.items() if shares}
            _agrees(book, titles, rng.choice(requests), TODAY_IN_SMALL, rng.choice([None, *HOUSES]))


@both
def test_some_titles_can_be_asked_about_and_those_without_rights_are_unavailable(compiled):
    for seed in range(at(ci=5, long=100)):
        rng = random.Random(seed)
        titles, requests = _catalogue(rng, 30)
        book = Ledger(titles.items(), compiled)
        for title_id in rng.sample(sorted(titles), 5):
            titles[title_id] = rng.choice([[], _world(rng)[1]])
            book.replace(title_id, titles[title_id])
        titles = {each: shares for each, shares in titles.items() if shares}
        some = [*rng.sample(sorted(titles), 10), *rng.sample(range(1, 1000), 10)]
        _agrees(book, titles, rng.choice(requests), TODAY_IN_SMALL, None, some)
        assert book.verdicts(requests[0], TODAY_IN_SMALL, [])[0].tolist() == []


@both
def test_a_title_changed_over_and_over_has_its_last_rights(compiled):
    rng = random.Random(7)
    titles, requests = _catalogue(rng, 5)
    book = Ledger(titles.items(), compiled)
    worlds = [_world(rng)[1] for _ in range(20)]
    for _ in range(2_500):
        title_id = rng.choice([*titles, 99])
        titles[title_id] = rng.choice(worlds)
        book.replace(title_id, titles[title_id])
    for request in requests:
        _agrees(book, titles, request, TODAY_IN_SMALL, None)


@both
def test_what_was_saved_answers_the_same_when_opened_and_can_be_changed(compiled, tmp_path):
    rng = random.Random(3)
    titles, requests = _catalogue(rng, 40)
    book = Ledger(titles.items(), compiled)
    for turn in range(4):
        for title_id in rng.sample(range(1, 160), 8):
            titles[title_id] = [] if rng.random() < 0.3 else _world(rng)[1]
            book.replace(title_id, titles[title_id])
        titles = {each: shares for each, shares in titles.items() if shares}
        book.save(tmp_path, mark=turn)
        book = Ledger.open(tmp_path, compiled)
        assert book.mark == turn
        for request in rng.sample(requests, 5):
            _agrees(book, titles, request, TODAY_IN_SMALL, rng.choice([None, *HOUSES]))
    assert len(list(tmp_path.iterdir())) == ledger.KEPT


def test_a_reader_sees_a_whole_ledger_while_others_save(tmp_path):
    Ledger([(1, [Share(Holdings((WORLD,)))])]).save(tmp_path)
    program = ("import sys; from licensing.rights.ledger import Ledger\n"
               "for n in range(int(sys.argv[2])):\n"
               "    Ledger.of_rows([(n, 0, 0, 1, 1, 1, 1, 9, True)]).save(sys.argv[1])\n")
    writer = subprocess.Popen([sys.executable, "-c", program, str(tmp_path), str(at(ci=100, long=1_000))])
    opened = 0
    while writer.poll() is None:
        assert len(Ledger.open(tmp_path).verdicts(WORLD, TODAY_IN_SMALL)[0]) == 1
        opened += 1
    assert writer.returncode == 0 and opened > 5
    with pytest.raises(FileNotFoundError):
        Ledger.open(tmp_path / "elsewhere")


def test_rows_in_any_order_make_the_same_ledger():
    rng = random.Random(5)
    titles, requests = _catalogue(rng, 30)
    rows = [row for title_id, shares in titles.items() for row in rows_of(title_id, shares)]
    rng.shuffle(rows)
    book = Ledger.of_rows(rows)
    for request in requests[:5]:
        _agrees(book, titles, request, TODAY_IN_SMALL, HOUSES[0])
    asked = line("HK", starts=DAYS[2].isoformat())
    plain = (7, 0, MANDATE, asked.block.territories, asked.block.media, asked.block.languages, 1, 800_000, True)
    assert Ledger.of_rows([plain]).verdicts(asked, TODAY_IN_SMALL)[1].tolist() == [AVAILABLE]
    with pytest.raises(ValueError):
        Ledger.of_rows([rows[0], rows[1][:9]])


@both
def test_a_request_of_the_past_is_unavailable_everywhere_and_today_is_no_past(compiled):
    titles = {1: [Share(Holdings((WORLD,)))], 2: [Share(Holdings((line("HK"),)))]}
    book = Ledger(titles.items(), compiled)
    assert _agrees(book, titles, line(starts="2020-01-01", ends="2020-12-31"), date(2026, 11, 23), None) == [0, 0]
    ends_today = line(starts="2020-01-01", ends="2026-11-23")
    assert _agrees(book, titles, ends_today, date(2026, 11, 23), None) == [AVAILABLE, UNAVAILABLE]
    assert _agrees(book, titles, ends_today, date(2026, 11, 24), None) == [UNAVAILABLE, UNAVAILABLE]


@both
def test_a_request_for_several_spans_is_free_only_if_all_of_them_are(compiled):
    for seed in range(at(ci=5, long=50)):
        rng = random.Random(seed)
        titles, requests = _catalogue(rng, 30)
        request = rng.choice(requests)
        spans = Dates.between(DAYS[2], DAYS[3]) | Dates.between(DAYS[5], DAYS[6])
        book = Ledger(titles.items(), compiled)
        _agrees(book, titles, replace(request, block=replace(request.block, dates=spans)), TODAY_IN_SMALL, None)


def test_a_line_of_several_spans_counts_on_each():
    spans = Dates.between(DAYS[2], DAYS[3]) | Dates.between(DAYS[4], DAYS[8])
    broken = Line(replace(WORLD.block, dates=Dates(((DAYS[0].toordinal(), DAYS[1].toordinal()), *spans.spans))), True)
    request = line("HK", starts=DAYS[2].isoformat(), ends=DAYS[6].isoformat())
    gap = replace(broken, block=replace(WORLD.block, dates=spans - Dates.between(DAYS[4], DAYS[4])))
    titles = {1: [Share(Holdings((broken,)))], 2: [Share(Holdings((WORLD,), (gap,)))]}
    assert _agrees(Ledger(titles.items()), titles, request, TODAY_IN_SMALL, None) == [AVAILABLE, PARTIAL]


@both
def test_a_title_with_a_share_without_lines_is_unavailable(compiled):
    titles = {1: [Share(Holdings((WORLD,))), Share(Holdings())], 2: [Share(Holdings())],
              3: [Share(Holdings((WORLD,), (), (), ()))]}
    assert _agrees(Ledger(titles.items(), compiled), titles, line(), TODAY_IN_SMALL, None) == [0, 0, 2]


@both
def test_nothing_is_left_when_each_episode_is_free_where_another_is_not(compiled):
    def sold(*places):
        return Share(Holdings((WORLD,), tuple(line(place, "all") for place in places)))

    titles = {1: [sold("HK"), sold("TW")], 2: [sold("HK"), sold("CA-QC")], 3: [sold(), sold("HK"), sold()],
              4: [sold("TW", "HK"), sold()], 5: [sold() for _ in range(9)]}
    found = _agrees(Ledger(titles.items(), compiled), titles, line("HK,TW"), TODAY_IN_SMALL, None)
    assert found == [UNAVAILABLE, PARTIAL, PARTIAL, UNAVAILABLE, AVAILABLE]


@both
def test_large_titles_and_wide_sets_are_decided_too(compiled):
    """Many lines that only together take all, over more leaves than a word has bits."""
    days = [date(2027, 1, 1) + timedelta(n) for n in range(60)]
    single = [line("World", "all", day.isoformat(), day.isoformat()) for day in days]
    by_place = [line(place, "all") for place in PLACES]
    rest = line("World,-HK,-TW,-CA", "all")
    asked = line("World", "all", days[0].isoformat(), days[-1].isoformat())
    titles = {1: [Share(Holdings((WORLD,), tuple(single)))], 2: [Share(Holdings((WORLD,), tuple(single[:-1])))],
              3: [Share(Holdings(tuple(single)))], 4: [Share(Holdings(tuple(single[1:])))],
              5: [Share(Holdings((WORLD,), (*by_place, rest)))], 6: [Share(Holdings((*by_place, rest)))],
              7: [Share(Holdings((*by_place[1:], rest)))],
              8: [Share(Holdings((WORLD,), (), tuple(Holdback(each.block) for each in (*by_place, rest))))]}
    found = _agrees(Ledger(titles.items(), compiled), titles, asked, TODAY_IN_SMALL, None)
    assert found == [UNAVAILABLE, PARTIAL, AVAILABLE, PARTIAL, UNAVAILABLE, AVAILABLE, PARTIAL, UNAVAILABLE]


@both
def test_what_takes_too_many_boxes_is_left_to_the_algebra(compiled):
    """Episodes whose many mandates are cut in many ways: more than the compiled scan keeps."""
    places = list(territories.NUMBER)[:150]
    apart = tuple(line(place, "svod") for place in places)
    titles = {number: [Share(Holdings(apart, apart[first::3])) for first in range(parts)]
              for number, parts in ((1, 2), (2, 2), (3, 3))}
    titles[1][1] = titles[1][0]
    asked = line("World", "svod")
    found = _agrees(Ledger(titles.items(), compiled), titles, asked, TODAY_IN_SMALL, None)
    assert found == [PARTIAL, PARTIAL, UNAVAILABLE]


def test_an_empty_ledger_answers_and_an_empty_request_is_refused(tmp_path):
    for book in (Ledger(), Ledger.of_rows([])):
        assert [each.tolist() for each in book.verdicts(line(), TODAY_IN_SMALL)] == [[], []]
        assert book.verdicts(line(), TODAY_IN_SMALL, [5, 3])[1].tolist() == [UNAVAILABLE, UNAVAILABLE]
    book.save(tmp_path)
    book = Ledger.open(tmp_path)
    book.replace(3, [Share(Holdings((WORLD,)))])
    assert book.verdicts(line(), TODAY_IN_SMALL)[1].tolist() == [AVAILABLE]
    with pytest.raises(ValueError, match="names"):
        book.verdicts(replace(WORLD, block=replace(WORLD.block, media=0)), TODAY_IN_SMALL)


def test_the_module_is_imported_without_its_compiler():
    said = subprocess.run([sys.executable, "-c", "import sys, licensing.rights.ledger; print('numba' in sys.modules)"],
                          capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


@pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")
def test_numpy_answers_until_the_compiled_scan_is_ready_and_both_say_the_same(monkeypatch):
    monkeypatch.setattr(ledger, "WORTH_COMPILING", 1)
    monkeypatch.setattr(ledger, "aside", ledger._Aside())
    titles, _ = _catalogue(random.Random(3), 60)
    book = Ledger(titles.items())
    first = _agrees(book, titles, WORLD, TODAY_IN_SMALL, None)
    ledger.aside.wait()
    assert ledger.aside._ready, "the next question is for the compiled scan"
    assert _agrees(book, titles, WORLD, TODAY_IN_SMALL, None) == first
