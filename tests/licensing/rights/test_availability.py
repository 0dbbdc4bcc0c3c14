"""The law of availability, case by case and against the dumbest possible model: a set of cells."""
import random
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis.strategies import randoms

from licensing.rights import languages, media, territories
from licensing.rights.alternatives import Kind
from licensing.rights.availability import BLOCKING, Code, Verdict, answer, merged
from licensing.rights.blocks import Block, canonical, subtract
from licensing.rights.dates import NEVER, Dates
from licensing.rights.holdings import Claim, Holdback, Holdings, Line, Share, remaining
from tests.scale import at

TODAY = date(2026, 11, 23)


def line(where="HK,TW", what="svod", starts="2027-01-01", ends="2029-12-31", exclusive=True, tongues="*", ref=None):
    block = Block(territories.read(where.split(",")), media.read(what.split(",")), languages.read(tongues.split(",")),
                  Dates.between(date.fromisoformat(starts), ends and date.fromisoformat(ends)))
    return Line(block, exclusive, ref)


WORLD = line("World", "all", "1900-01-01", None)


def film(mandates=(WORLD,), licences=(), holdbacks=(), claims=()):
    return [Share(Holdings(tuple(mandates), tuple(licences), tuple(holdbacks), tuple(claims)))]


def ask(request, mandates=(WORLD,), licences=(), today=TODAY, licensee=None, **more):
    return answer(request, film(mandates, licences, **more), today, licensee)


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
        request, shares, licensee = _world(random.Random(seed))
        found = answer(request, shares, TODAY_IN_SMALL, licensee)
        kinds = [each.kind for each in found.alternatives]
        assert len(kinds) <= 5
        assert kinds == sorted(kinds, key=order.index)


# ------------------------------------------------------------------ holdbacks, runs, dates to be announced, children

def held_back(where="DE", what="svod", starts="2027-01-01", ends="2027-12-31", **more):
    return Holdback(line(where, what, starts, ends).block, **more)


def test_a_hard_holdback_shortens_the_window_in_every_language_and_a_soft_one_only_warns():
    request = line("DE", "svod", tongues="de:dub", exclusive=False)
    found = ask(request, holdbacks=[held_back(ref=1)])
    assert found.verdict == Verdict.PARTIAL and codes(found) == [Code.HOLDBACK]
    assert [block.dates.window[0] for block in found.free] == [date(2028, 1, 1)]
    found = ask(request, holdbacks=[held_back(hard=False, ref=1)])
    assert found.verdict == Verdict.AVAILABLE
    assert [(reason.code, reason.blocking) for reason in found.reasons] == [(Code.SOFT_HOLDBACK, False)]


def test_a_licensees_holdback_touches_only_that_licensee():
    promise = held_back(licensee="Nordlys")
    assert ask(line("DE"), holdbacks=[promise], licensee="Nordlys").verdict == Verdict.PARTIAL
    assert ask(line("DE"), holdbacks=[promise], licensee="Sakura").verdict == Verdict.AVAILABLE
    assert ask(line("DE"), holdbacks=[promise]).verdict == Verdict.AVAILABLE


def test_holds_and_options_are_reported_and_never_block():
    claims = [Claim(line("HK").block, "HELD", 1), Claim(line("TW", "all").block, "ENCUMBERED", 2),
              Claim(line("JP").block, "HELD", 3)]
    found = ask(line(), claims=claims)
    assert found.verdict == Verdict.AVAILABLE
    assert [(reason.code, reason.refs) for reason in found.reasons] == [(Code.HELD, (1,)), (Code.ENCUMBERED, (2,))]
    assert merged(found.reasons) == [], "a buyer learns of neither"


def test_six_runs_bought_five_sold_exclusively_in_the_first_half_leave_one_in_the_second():
    bought = line("DE", "free_tv", "2027-01-01", "2027-12-31")
    mandate = Line(bought.block, True, "m", runs=6)
    sold = Line(line("DE", "free_tv", "2027-01-01", "2027-06-30").block, True, "l", runs=5)
    assert remaining(mandate, [sold]) == 1
    found = ask(bought, [mandate], [sold])
    assert found.verdict == Verdict.PARTIAL and codes(found) == [Code.RIGHTS_OUT]
    assert [block.dates.window for block in found.free] == [(date(2027, 7, 1), date(2027, 12, 31))]
    found = ask(Line(bought.block, True, runs=2), [mandate], [sold])
    assert found.verdict == Verdict.UNAVAILABLE and codes(found) == [Code.RIGHTS_OUT, Code.RUNS_EXHAUSTED]


def test_runs_are_counted_over_all_territories_together():
    mandate = Line(line("DE,AT", "free_tv").block, True, "m", runs=2)
    sold = [Line(line(place, "free_tv").block, False, place, runs=1) for place in ("DE", "AT")]
    assert ask(line("DE", "free_tv", exclusive=False), [mandate], sold[:1]).verdict == Verdict.AVAILABLE
    found = ask(line("DE", "free_tv", exclusive=False), [mandate], sold)
    assert codes(found) == [Code.RUNS_EXHAUSTED]
    unlimited = line("DE", "free_tv")
    assert ask(line("DE", "free_tv", exclusive=False), [mandate, unlimited], sold).verdict == Verdict.AVAILABLE


def test_what_waits_for_a_date_is_tentative_and_counts_with_full_force():
    window = line("DE", starts="2027-06-01", ends="2029-12-31")
    doubt = Dates.between(date(2027, 6, 1), date(2027, 12, 31))
    out = Line(window.block, True, "l", doubt=doubt)
    found = ask(line("DE"), licences=[out])
    assert found.verdict == Verdict.PARTIAL
    assert [(reason.code, reason.blocking, reason.tentative) for reason in found.reasons] == [
        (Code.RIGHTS_OUT, True, True), (Code.TENTATIVE, False, True)]
    assert found.reasons[1].blocks[0].dates == doubt
    assert found.doubtful == (window.block,)


def series(*shares):
    return [Share(Holdings(tuple(mandates), tuple(licences)), leaves) for mandates, licences, leaves in shares]


def test_free_on_a_series_is_free_on_every_episode():
    sold = line("TW", ends="2028-03-31", ref=1)
    shares = series(([WORLD], [], ("1.1", "1.2", "1.4")), ([WORLD], [sold], ("1.3",)))
    found = answer(line(), shares, TODAY)
    assert found.verdict == Verdict.PARTIAL
    assert [(reason.code, reason.leaves) for reason in found.reasons] == [(Code.LIMITED_BY_CHILDREN, ("1.3",))]
    days = (date(2029, 12, 31) - date(2027, 1, 1)).days + 1
    gone = (date(2028, 3, 31) - date(2027, 1, 1)).days + 1
    assert found.coverage == 1 - Fraction(gone, days * 2 * 4), "coverage counts the cells of all leaves"
    assert found.alternatives[0].kind == Kind.WITHOUT_TERRITORIES


def test_what_blocks_every_episode_is_reported_by_its_own_code():
    on_series = line("TW", ref=1)
    shares = series(([WORLD], [on_series], (1, 2)), ([WORLD], [on_series, line("HK", ref=2)], (3,)))
    found = answer(line(), shares, TODAY)
    assert [(reason.code, reason.refs, reason.leaves) for reason in found.reasons] == [
        (Code.RIGHTS_OUT, (1,), ()), (Code.LIMITED_BY_CHILDREN, (), (3,))]
    shares = series(([WORLD], [line("HK", ref=1)], (1,)), ([WORLD], [line("HK", ref=2)], (2,)))
    apart = answer(line("HK"), shares, TODAY)
    assert [(reason.code, reason.refs) for reason in apart.reasons] == [(Code.RIGHTS_OUT, (1, 2))]
    assert apart.verdict == Verdict.UNAVAILABLE


# ------------------------------------------------------------------ small worlds against an oracle of cells

PLACES = ["HK", "TW", "CA-QC", "CA-XX"]
MEDIA = ["svod", "pay_tv", "airline"]
TONGUES = ["fr-FR:dub", "en:original", "ja:sub"]
DAYS = [date(2026, 11, 21) + timedelta(n) for n in range(9)]
TODAY_IN_SMALL = DAYS[2]
HOUSES = ["Nordlys", "Sakura"]


def _some(rng, items):
    return rng.sample(items, rng.randint(1, len(items)))


def _random_line(rng, ref=None, runs=None):
    first, last = sorted(rng.choices(range(9), k=2))
    ends = None if rng.random() < 0.15 else DAYS[last].isoformat()
    tongues = "*" if rng.random() < 0.3 else ",".join(_some(rng, TONGUES))
    plain = line(",".join(_some(rng, PLACES)), ",".join(_some(rng, MEDIA)), DAYS[first].isoformat(), ends,
                 rng.random() < 0.6, tongues, ref)
    doubt = plain.block.dates & Dates.between(DAYS[first], DAYS[first]) if rng.random() < 0.1 else NEVER
    return Line(plain.block, plain.exclusive, ref, runs, doubt)


def _some_runs(rng, most):
    return rng.randint(1, most) if rng.random() < 0.5 else None


def _holdings(rng):
    mandates = [_random_line(rng, f"m{n}", _some_runs(rng, 2)) for n in range(rng.randint(0, 3))]
    if rng.random() < 0.5:
        mandates.append(line("World", "all", "1990-01-01", None, rng.random() < 0.7, ref="m"))
    licences = [_random_line(rng, f"l{n}", _some_runs(rng, 3)) for n in range(rng.randint(0, 3))]
    holdbacks = [Holdback(replace(_random_line(rng).block, languages=languages.ALL), rng.random() < 0.7,
                          rng.choice([None, *HOUSES]), f"h{n}") for n in range(rng.choice([0, 0, 1, 2]))]
    claims = [Claim(_random_line(rng).block, rng.choice(["HELD", "ENCUMBERED"]), n)
              for n in range(rng.choice([0, 0, 1]))]
    return Holdings(tuple(mandates), tuple(licences), tuple(holdbacks), tuple(claims))


def _world(rng):
    """(request, shares, who asks): a film, or a series whose episodes share some of their holdings."""
    common, leaves = _holdings(rng), rng.choice([1, 1, 1, 2, 3])
    shares = [Share(common, tuple(range(rng.randint(1, 3))))]
    for leaf in range(1, leaves):
        own = _holdings(rng)
        shares.append(Share(Holdings(common.mandates, common.licences + own.licences[:1], common.holdbacks)
                            if rng.random() < 0.6 else own, (f"leaf {leaf}",)))
    return _random_line(rng, runs=_some_runs(rng, 2)), shares, rng.choice([None, *HOUSES])


@lru_cache(maxsize=100)
def _cells(block):
    """Every cell of a block in the small world; the language beyond the three stands for all others."""
    places = [code for code in PLACES if block.territories & territories.read([code])]
    kinds = [code for code in MEDIA if block.media & media.read([code])]
    tongues = [code for code in TONGUES if block.languages & languages.read([code])]
    if block.languages & languages.UNLISTED:
        tongues.append("others")
    days = [n for n, day in enumerate(DAYS) if day in block.dates]
    if block.dates.window[1] is None:
        days.append("later")
    return frozenset(product(places, kinds, tongues, days))


def _in(blocks):
    return set().union(*map(_cells, blocks))


def _oracle(request, holdings, licensee, wanted):
    """What is free on one leaf, and what each code blocks there: the law read literally, cell by cell."""
    free, blocked = set(), {code: set() for code in BLOCKING}
    asked = request.runs or 1

    def runs_left(mandate):
        drawn = sum(each.runs for each in holdings.licences if each.runs and _cells(each.block) & _cells(mandate.block))
        return mandate.runs is None or mandate.runs - drawn >= asked

    able = {each: runs_left(each) for each in holdings.mandates}
    for cell in wanted:
        owned = [each for each in holdings.mandates if cell in _cells(each.block)]
        serving = [each for each in owned if each.exclusive or not request.exclusive]
        said = set()
        if not owned:
            said.add(Code.NO_RIGHTS_IN)
        elif not serving:
            said.add(Code.NO_EXCLUSIVE_RIGHTS_IN)
        elif not any(able[each] for each in serving):
            said.add(Code.RUNS_EXHAUSTED)
        if any(cell in _cells(each.block) for each in holdings.licences if each.exclusive or request.exclusive):
            said.add(Code.RIGHTS_OUT)
        if any(cell in _cells(each.block) for each in holdings.holdbacks
               if each.hard and each.licensee in (None, licensee)):
            said.add(Code.HOLDBACK)
        for code in said:
            blocked[code].add(cell)
        if not said:
            free.add(cell)
    return free, blocked


def _judge_by_oracle(request, shares, licensee):
    past = DAYS.index(TODAY_IN_SMALL)
    wanted = {cell for cell in _cells(request.block) if cell[3] == "later" or cell[3] >= past}
    leaves = [_oracle(request, share.holdings, licensee, wanted) for share in shares]
    free = set.intersection(*[each for each, _ in leaves])
    common = {code: set.intersection(*[blocked[code] for _, blocked in leaves]) for code in BLOCKING}
    return wanted, free, common, [each for each, _ in leaves]


def test_small_worlds_agree_with_an_oracle_of_cells():
    counts, seen = {verdict: 0 for verdict in Verdict}, Counter()
    for seed in range(at(ci=2_000, long=20_000)):
        rng = random.Random(seed)
        request, shares, licensee = _world(rng)
        found = answer(request, shares, TODAY_IN_SMALL, licensee)
        wanted, free, common, each_free = _judge_by_oracle(request, shares, licensee)
        expected = (Verdict.UNAVAILABLE if not free else Verdict.AVAILABLE if free == wanted else Verdict.PARTIAL)
        assert found.verdict == expected, seed
        counts[expected] += 1
        assert _in(found.free) == free, seed
        assert sum(len(_cells(block)) for block in found.free) == len(free), f"{seed}: blocks overlap"
        assert found.free == tuple(canonical(found.free)), f"{seed}: not in canonical form"
        if not wanted:
            continue
        blocked = {code: _in(block for reason in found.reasons if reason.code == code for block in reason.blocks)
                   for code in Code}
        for code in BLOCKING:
            assert blocked[code] & wanted == common[code], (seed, code)
            seen[code] += bool(common[code])
        limited = wanted - free - set().union(*common.values())
        assert blocked[Code.LIMITED_BY_CHILDREN] & wanted == limited, seed
        if limited:
            seen[Code.LIMITED_BY_CHILDREN] += 1
            named = next(reason.leaves for reason in found.reasons if reason.code == Code.LIMITED_BY_CHILDREN)
            shut = [leaf for share, open_ in zip(shares, each_free, strict=True) if limited - open_
                    for leaf in share.leaves]
            assert list(named) == shut, seed
        assert [reason.code for reason in found.reasons] == sorted(
            (reason.code for reason in found.reasons), key=list(Code).index)
        for each in found.alternatives:
            again = answer(each.request, shares, TODAY_IN_SMALL, licensee)
            assert again.verdict == Verdict.AVAILABLE, f"{seed}: {each.kind} is no yes"
            assert each.request != request
    assert all(count > 100 for count in counts.values()), counts
    assert all(seen[code] > 50 for code in (*BLOCKING, Code.LIMITED_BY_CHILDREN)), seen


@settings(max_examples=at(ci=200, long=2_000), deadline=None, derandomize=True)
@given(randoms(use_true_random=False))
def test_hypothesis_finds_no_smaller_world_that_disagrees(rng):
    request, shares, licensee = _world(rng)
    found = answer(request, shares, TODAY_IN_SMALL, licensee)
    assert _in(found.free) == _judge_by_oracle(request, shares, licensee)[1]


def test_availability_only_shrinks_when_a_licence_is_added_and_only_grows_when_one_ends():
    for seed in range(at(ci=300, long=3_000)):
        rng = random.Random(seed)
        request, shares, licensee = _world(rng)
        before = answer(request, shares, TODAY_IN_SMALL, licensee)
        holdings, leaves = shares[0]
        more = replace(holdings, licences=(*holdings.licences, _random_line(rng, "new", _some_runs(rng, 2))))
        after = answer(request, [Share(more, leaves), *shares[1:]], TODAY_IN_SMALL, licensee)
        assert not subtract(after.free, before.free)
        if holdings.licences:
            fewer = replace(holdings, licences=holdings.licences[1:])
            grown = answer(request, [Share(fewer, leaves), *shares[1:]], TODAY_IN_SMALL, licensee)
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
