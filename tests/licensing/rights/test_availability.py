"""The law of availability, case by case and against the dumbest possible model: a set of cells."""
import random
from datetime import date, timedelta
from itertools import product

import pytest

from licensing.rights import languages, media, territories
from licensing.rights.availability import Code, Kind, Line, Verdict, answer, merged
from licensing.rights.blocks import Block, canonical, subtract
from licensing.rights.dates import Dates
from licensing.rights.ledger import AVAILABLE, PARTIAL, UNAVAILABLE, Ledger
from tests.scale import at

TODAY = date(2026, 11, 23)


def line(where="HK,TW", what="svod", starts="2027-01-01", ends="2029-12-31", exclusive=True, tongues="*", ref=None):
    block = Block(territories.read(where.split(",")), media.read(what.split(",")), languages.read(tongues.split(",")),
                  Dates.between(date.fromisoformat(starts), ends and date.fromisoformat(ends)))
    return Line(block, exclusive, ref)


WORLD = line("World", "all", "1900-01-01", None)


def ask(request, mandates=(WORLD,), licences=(), today=TODAY):
    return answer(request, list(mandates), list(licences), today)


def codes(found):
    return [reason.code for reason in found.reasons]


# ------------------------------------------------------------------ the worked cases of the law

def test_two_mandates_back_to_back_answer_a_request_across_both():
    mandates = [line("World", "all", "2025-01-01", "2027-12-31"), line("World", "all", "2028-01-01", "2030-12-31")]
    assert ask(line(starts="2027-01-01", ends="2028-12-31"), mandates).verdict == Verdict.AVAILABLE


def test_free_tv_gone_in_germany_until_2027_leaves_austria_and_germany_from_2028():
    gone = line("DE", "free_tv", "2024-01-01", "2027-12-31")
    found = ask(line("DE,AT", "free_tv"), licences=[gone])
    assert found.verdict == Verdict.PARTIAL
    assert [(territories.codes(block.territories), block.dates.window) for block in found.free] == [
        (["AT"], (date(2027, 1, 1), date(2029, 12, 31))), (["DE"], (date(2028, 1, 1), date(2029, 12, 31)))]
    first = found.alternatives[0]
    assert (first.kind, territories.codes(first.request.block.territories)) == (Kind.WITHOUT_TERRITORIES, ["AT"])


def test_a_mandate_with_a_gap_does_not_cover_the_gap():
    mandates = [line("World", "all", "2025-01-01", "2027-06-30"), line("World", "all", "2028-01-01", "2030-12-31")]
    found = ask(line(), mandates)
    assert found.verdict == Verdict.PARTIAL
    assert codes(found) == [Code.NO_RIGHTS_IN]
    assert found.reasons[0].block.dates.window == (date(2027, 7, 1), date(2027, 12, 31))


@pytest.mark.parametrize("held, wanted, free", [
    (True, True, False), (True, False, False), (False, True, False), (False, False, True)])
def test_an_exclusive_licence_blocks_all_and_a_shared_one_only_an_exclusive_request(held, wanted, free):
    found = ask(line(exclusive=wanted), licences=[line(exclusive=held)])
    assert (found.verdict == Verdict.AVAILABLE) is free


@pytest.mark.parametrize("held, wanted, free", [
    (True, True, True), (True, False, True), (False, True, False), (False, False, True)])
def test_an_exclusive_request_needs_an_exclusive_mandate(held, wanted, free):
    found = ask(line(exclusive=wanted), [line("World", "all", "2020-01-01", None, exclusive=held)])
    assert (found.verdict == Verdict.AVAILABLE) is free
    if not free:
        assert codes(found) == [Code.NO_EXCLUSIVE_RIGHTS_IN]
        assert found.alternatives[0].kind == Kind.NON_EXCLUSIVE


def test_a_french_dub_exclusive_in_canada_leaves_english_free():
    dub = line("CA", "pay_tv", tongues="fr:dub")
    assert ask(line("CA", "pay_tv", tongues="en"), licences=[dub]).verdict == Verdict.AVAILABLE
    found = ask(line("CA", "pay_tv"), licences=[dub])
    assert found.verdict == Verdict.PARTIAL
    fewer = next(each for each in found.alternatives if each.kind == Kind.FEWER_LANGUAGES)
    assert not fewer.request.block.languages & languages.read(["fr:dub"])


def test_only_a_mandate_for_every_language_covers_a_request_for_every_language():
    listed = ",".join(languages.short(languages.LISTED))
    assert ask(line(), [line("World", "all", "2020-01-01", None, tongues=listed)]).verdict == Verdict.PARTIAL


def test_quebec_sold_leaves_the_rest_of_canada():
    found = ask(line("CA"), licences=[line("CA-QC")])
    assert [territories.codes(block.territories) for block in found.free] == [["CA-XX"]]


def test_one_shared_day_collides_and_the_next_day_does_not():
    until_june = line(starts="2027-01-01", ends="2027-06-30")
    assert ask(line(starts="2027-07-01"), licences=[until_june]).verdict == Verdict.AVAILABLE
    assert ask(line(starts="2027-06-30"), licences=[until_june]).verdict == Verdict.PARTIAL


def test_a_request_wholly_in_the_past_is_unavailable_and_a_partly_past_one_is_cut_to_today():
    past = ask(line(starts="2020-01-01", ends="2020-12-31"))
    assert (past.verdict, codes(past), past.reasons[0].blocking) == (Verdict.UNAVAILABLE, [Code.IN_PAST], True)
    cut = ask(line(starts="2020-01-01", ends="2027-12-31"))
    assert (cut.verdict, codes(cut), cut.reasons[0].blocking) == (Verdict.AVAILABLE, [Code.IN_PAST], False)
    assert cut.free[0].dates.window == (TODAY, date(2027, 12, 31))
    assert ask(line(starts="2020-01-01", ends=TODAY.isoformat())).verdict == Verdict.AVAILABLE, "today is no past"


def test_perpetuity_meets_and_covers_perpetuity_only():
    assert ask(line(ends=None)).verdict == Verdict.AVAILABLE
    assert ask(line(ends=None), [line("World", "all", "2020-01-01", "2999-12-31")]).verdict == Verdict.PARTIAL
    assert ask(line(starts="2400-01-01", ends=None), licences=[line(ends=None)]).verdict == Verdict.UNAVAILABLE


def test_the_verdict_never_comes_from_a_rounded_figure():
    hundred_years_on = line("World", "all", "2030-01-01", "2129-12-31")
    found = ask(line("World", "all", "2030-01-01", None), licences=[hundred_years_on])
    assert (found.verdict, found.coverage) == (Verdict.PARTIAL, 0)


def test_reasons_keep_their_precedence():
    mandates = [line("HK", "all", "2020-01-01", None), line("TW", "all", "2020-01-01", None, exclusive=False)]
    found = ask(line("HK,TW,MO", starts="2020-01-01"), mandates, [line("HK", ends="2027-12-31")])
    assert codes(found) == [Code.NO_RIGHTS_IN, Code.NO_EXCLUSIVE_RIGHTS_IN, Code.RIGHTS_OUT, Code.IN_PAST]


def test_a_buyer_can_neither_count_deals_nor_tell_them_apart():
    one = [line("HK,TW", ref=1)]
    three = [line("HK", ref=1), line("TW", starts="2027-01-01", ends="2028-12-31", ref=2),
             line("TW", starts="2029-01-01", ends="2029-12-31", ref=3)]
    seen = [merged(ask(line("HK,TW,MO"), licences=deals).reasons) for deals in (one, three)]
    assert seen[0] == seen[1]
    assert all(reason.refs == () for reasons in seen for reason in reasons)


def test_at_most_five_alternatives_in_their_order():
    order = list(Kind)
    for seed in range(200):
        found = _answer_of_a_world(random.Random(seed))[0]
        kinds = [each.kind for each in found.alternatives]
        assert len(kinds) <= 5
        assert kinds == sorted(kinds, key=order.index)


# ------------------------------------------------------------------ small worlds against an oracle of cells

PLACES = ["HK", "TW", "CA-QC", "CA-XX"]
MEDIA = ["svod", "pay_tv", "airline"]
TONGUES = ["fr-FR:dub", "en:original", "ja:sub"]
DAYS = [date(2026, 11, 21) + timedelta(n) for n in range(9)]


def _some(rng, items):
    return rng.sample(items, rng.randint(1, len(items)))


def _random_line(rng, ref=None):
    first, last = sorted(rng.choices(range(9), k=2))
    ends = None if rng.random() < 0.15 else DAYS[last].isoformat()
    tongues = "*" if rng.random() < 0.3 else ",".join(_some(rng, TONGUES))
    return line(",".join(_some(rng, PLACES)), ",".join(_some(rng, MEDIA)), DAYS[first].isoformat(), ends,
                rng.random() < 0.6, tongues, ref)


def _cells(each):
    """Every cell of a line in the small world; the language beyond the three stands for all others."""
    block = each.block
    places = [code for code in PLACES if block.territories & territories.read([code])]
    kinds = [code for code in MEDIA if block.media & media.read([code])]
    tongues = [code for code in TONGUES if block.languages & languages.read([code])]
    if block.languages & languages.UNLISTED:
        tongues.append("others")
    days = [n for n, day in enumerate(DAYS) if day in block.dates]
    if block.dates.window[1] is None:
        days.append("later")
    return set(product(places, kinds, tongues, days))


def _world(rng):
    mandates = [_random_line(rng, f"m{n}") for n in range(rng.randint(0, 4))]
    if rng.random() < 0.4:
        mandates.append(line("World", "all", "1990-01-01", None, rng.random() < 0.7))
    licences = [_random_line(rng, f"l{n}") for n in range(rng.randint(0, 4))]
    return _random_line(rng), mandates, licences


def _answer_of_a_world(rng):
    request, mandates, licences = _world(rng)
    return answer(request, mandates, licences, DAYS[2]), request, mandates, licences


def _free_cells(request, mandates, licences, today):
    past = DAYS.index(today)
    wanted = {cell for cell in _cells(request) if cell[3] == "later" or cell[3] >= past}
    owned = set().union(*[_cells(each) for each in mandates if each.exclusive or not request.exclusive])
    taken = set().union(*[_cells(each) for each in licences if each.exclusive or request.exclusive])
    return wanted, (wanted & owned) - taken


def test_small_worlds_agree_with_an_oracle_of_cells():
    counts = {verdict: 0 for verdict in Verdict}
    for seed in range(at(ci=2_000, long=20_000)):
        rng = random.Random(seed)
        found, request, mandates, licences = _answer_of_a_world(rng)
        wanted, free = _free_cells(request, mandates, licences, DAYS[2])
        expected = (Verdict.UNAVAILABLE if not free else Verdict.AVAILABLE if free == wanted else Verdict.PARTIAL)
        assert found.verdict == expected, seed
        counts[expected] += 1
        assert set().union(*[_cells(Line(block, True)) for block in found.free]) == free, seed
        assert sum(len(_cells(Line(block, True))) for block in found.free) == len(free), f"{seed}: blocks overlap"
        if wanted:
            blocked = set().union(*[_cells(Line(block, True)) for reason in found.reasons if reason.blocking
                                    for block in reason.blocks])
            assert blocked & wanted >= wanted - free, f"{seed}: something is neither free nor explained"
            owned = set().union(*map(_cells, mandates))
            nothing = set().union(*[_cells(Line(block, True)) for reason in found.reasons
                                    if reason.code == Code.NO_RIGHTS_IN for block in reason.blocks])
            assert nothing == wanted - owned, seed
        for each in found.alternatives:
            again = answer(each.request, mandates, licences, DAYS[2])
            assert again.verdict == Verdict.AVAILABLE, f"{seed}: {each.kind} is no yes"
            assert each.request != request
        assert found.free == tuple(canonical(found.free)), f"{seed}: not in canonical form"
    assert all(count > 100 for count in counts.values()), counts


def test_the_ledger_says_what_the_engine_says_for_every_title():
    said = {Verdict.UNAVAILABLE: UNAVAILABLE, Verdict.PARTIAL: PARTIAL, Verdict.AVAILABLE: AVAILABLE}
    for seed in range(at(ci=40, long=400)):
        rng = random.Random(seed)
        worlds = {title: _world(rng)[1:] for title in range(1, 51)}
        ledger = Ledger(row for title, lines in worlds.items() for row in _rows(title, *lines))
        for title in rng.sample(sorted(worlds), 10):
            worlds[title] = _world(rng)[1:]
            ledger.replace(title, _rows(title, *worlds[title]))
        for _ in range(3):
            request = _random_line(rng)
            ids, verdicts = ledger.verdicts(request, DAYS[2], list(worlds))
            expected = [said[answer(request, *worlds[title], DAYS[2]).verdict] for title in ids.tolist()]
            assert verdicts.tolist() == expected, seed


def _rows(title, mandates, licences):
    for each in (*mandates, *licences):
        block = each.block
        (start, end), = block.dates.spans
        yield (title, each in mandates, block.territories, block.media, block.languages, start, end, each.exclusive)


def test_availability_only_shrinks_when_a_licence_is_added_and_only_grows_when_one_ends():
    for seed in range(at(ci=300, long=3_000)):
        rng = random.Random(seed)
        before, request, mandates, licences = _answer_of_a_world(rng)
        after = answer(request, mandates, [*licences, _random_line(rng)], DAYS[2])
        assert not subtract(after.free, before.free)
        if licences:
            grown = answer(request, mandates, licences[1:], DAYS[2])
            assert not subtract(before.free, grown.free)


# ------------------------------------------------------------------ blocks

def test_what_is_left_and_what_is_common_partition_a_block():
    for seed in range(500):
        rng = random.Random(seed)
        a, b = _random_line(rng).block, _random_line(rng).block
        left, common = a - b, a & b
        assert canonical([*left, common]) == canonical([a])
        assert not any(piece.meets(b) for piece in left)


def test_the_order_of_subtraction_does_not_matter_and_merging_changes_nothing():
    for seed in range(300):
        rng = random.Random(seed)
        owned = [_random_line(rng).block for _ in range(2)]
        holes = [_random_line(rng).block for _ in range(4)]
        one, other = subtract(owned, holes), subtract(owned, holes[::-1])
        assert canonical(one) == canonical(other)
        assert canonical(canonical(one)) == canonical(one)
        assert not subtract(one, canonical(other)) and not subtract(canonical(other), one)


def test_equal_sets_give_equal_lists_however_they_were_cut():
    whole = line("HK,TW,MO", "svod,pay_tv").block
    for seed in range(100):
        rng = random.Random(seed)
        pieces = subtract([whole], [_random_line(rng).block for _ in range(3)])
        rest = subtract([whole], pieces)
        assert canonical([*pieces, *rest]) == [whole]
