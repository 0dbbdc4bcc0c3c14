"""Another company's record is refused as quickly as one that is not there: nobody learns by a clock what there is."""
import statistics
import time
from collections import defaultdict

from tests.accounts.houses import Houses
from tests.accounts.matrix import RIVALS, ask, cases, must
from tests.conftest import both
from tests.scale import LONG, at

TIMED = ("GET /api/v1/offers/<id:offer_id>", "POST /api/v1/offers/<id:offer_id>/steps",
         "POST /api/v1/mandates/<id:mandate_id>/ending")
ROUNDS, WITHIN = at(ci=150, long=500), 0.002  # requests of each kind, seconds between their medians
TRIES = 5  # a difference that comes and goes is the machine's


@both
def test_what_is_anothers_is_refused_as_quickly_as_what_is_not_there(fresh, backend):
    houses = Houses(fresh(seeded=True))
    routes = list({case[0]: case for case in cases(houses) if must(*case) == "not there" and case[2].state != "missing"
                   and case[1].house in RIVALS}.values())
    timed = [case for case in routes if case[0].name in TIMED[:3 if backend == "sqlite" else 1]]
    if LONG:
        timed = routes if backend == "sqlite" else routes[::10]
    found = {case[0].name: round(least(houses, *case), 5) for case in timed}
    assert found and not {name: seconds for name, seconds in found.items() if seconds > WITHIN}


def least(houses, *case):
    """The least difference of a few tries; one that is small enough is not tried again."""
    found = []
    while len(found) < TRIES and (not found or found[-1] > WITHIN):
        found.append(difference(houses, *case))
    return min(found)


def difference(houses, route, who, record):
    """Seconds between the medians of being refused another's record and one that is not there."""
    houses.let_in(who, route.api)
    took = defaultdict(list)
    for asked in (record, record.missing()) * ROUNDS:
        begun = time.perf_counter()
        answer = ask(houses, route, who, asked)
        took[asked].append(time.perf_counter() - begun)
        assert answer.status_code == 404
    theirs, missing = map(statistics.median, took.values())
    return abs(theirs - missing)
