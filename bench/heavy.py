"""One title with 500 lines: any narrow question, and everything that is still free of it in the whole world."""
import random
import statistics
import time
from datetime import date, timedelta

from bench.report import Table, duration, ratio, spread, steps
from bench.world import SEED, SELLER, WHOLE, World
from catalogue import titles
from core import clock
from core.database import db, reading
from licensing import avails, contracts, counting, mandates, terms
from licensing.rights import availability, territories
from licensing.rights.blocks import canonical, subtract
from licensing.rights.dates import Dates

LINES, QUESTIONS, TURNS = 500, 200, 15
GROUPS = ("World", "EU", "DACH", "Nordics", "Benelux", "LATAM", "MENA", "CIS", "Greater China", "Oceania")


def heavy_title(world: World):
    """Questions through the door, with its queries, and the algebra alone; held equal to plain subtraction."""
    title_id = _sold(world)
    with world.app.app_context(), reading():
        narrow, alone = [], []
        whole, rng = terms.read(WHOLE), random.Random(SEED)
        shares = counting.shares(db.session, [title_id])[title_id]
        asked = [_asked(rng) for _ in range(QUESTIONS)]
        for said in steps("one title: narrow questions", asked):
            db.session.remove()  # as a new request would begin
            answer, took = _timed(lambda said=said: avails.ask(title_id, said))
            narrow.append(took)
            again, took = _timed(lambda said=said: availability.answer(said.line(), shares, clock.today()))
            alone.append(took)
            assert answer.free == again.free
        everything, maps = zip(*(_timed(lambda: availability.Judgement(_ahead(whole), shares).free())
                                 for _ in range(TURNS)), strict=True)
        answers = [_timed(lambda: avails.ask(title_id, whole))[1] for _ in range(TURNS)]
        plain, slowly = _timed(lambda: _by_subtraction(_ahead(whole), shares))
        assert everything[0] == plain
        for said in asked:  # a narrow answer is the part of the whole map that was asked
            part = [block & _ahead(said).block for block in plain]
            if said.exclusive:
                assert list(availability.answer(said.line(), shares, clock.today()).free) == canonical(part)
        db.session.remove()
    yield Table(f"one title, {sum(len(each.holdings.licences) for each in shares):,} licence lines", [
        {"what": "any narrow question, with its queries", **spread(narrow), "n": len(narrow)},
        {"what": "  the answer alone", **spread(alone), "n": len(alone)},
        {"what": f"everything free of it: {len(plain):,} blocks", **spread(maps), "n": TURNS},
        {"what": "  the whole answer, with queries, reasons, alternatives", **spread(answers), "n": TURNS},
        {"what": "  by plain subtraction", "median": duration(slowly), "n": 1,
         "ratio": ratio(slowly, statistics.median(maps))},
    ], ["equal: the free map and plain subtraction, each exclusive question and its part of the map"])


def _sold(world) -> int:
    """A title of its own with as many licences as can be had of it, one after another."""
    rng, viewer = random.Random(SEED), world.person(SELLER)[0]
    with world.app.app_context():
        title = titles.create(viewer.organisation_id, kind="film", original_title="Sold five hundred times", titles=[],
                              status="published")
        titles.lock([title.id])
        mandates.record(title, terms.read({**WHOLE, "starts_on": date(1900, 1, 1)}))
        for _ in steps("one title: selling", range(LINES)):
            while True:
                try:
                    contracts.grant(title.organisation_id, [(title, _asked(rng))], licensee_id=None,
                                    licensee_name="Measured")
                    break
                except contracts.RightsTaken:
                    continue
        db.session.commit()
        title_id = title.id
        db.session.remove()
    return title_id


def _asked(rng):
    """What is sold and asked for: a group or a few countries, one medium, mostly every language, one to five years."""
    countries = [code for code, _ in territories.countries(territories.ALL)]
    start = date(2027, 1, 1) + timedelta(days=rng.randrange(3650))
    where = [rng.choice(GROUPS)] if rng.random() < 0.1 else rng.sample(countries, rng.choice((1, 1, 2, 3, 5)))
    return terms.read({
        "territories": where,
        "media": [rng.choice(("svod", "avod", "tvod", "est", "free_tv", "pay_tv", "theatrical"))],
        "languages": ["*"] if rng.random() < 0.7 else [rng.choice(("fr:dub", "de:dub", "es:sub", "yue:dub", "ja:sub"))],
        "starts_on": start, "ends_on": start + timedelta(days=rng.choice((364, 729, 1094, 1824))),
        "exclusive": rng.random() < 0.5})


def _ahead(said):
    """The request from today on, as the answer judges it."""
    line = said.line()
    block = line.block
    return type(line)(type(block)(block.territories, block.media, block.languages,
                                  block.dates & Dates.since(clock.today())), line.exclusive)


def _by_subtraction(request, shares):
    holdings = shares[0].holdings
    return canonical(subtract([line.block & request.block for line in holdings.mandates],
                              [line.block for line in holdings.licences]))


def _timed(work):
    began = time.perf_counter()
    found = work()
    return found, time.perf_counter() - began
