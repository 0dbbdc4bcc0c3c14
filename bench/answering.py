"""How quickly it is told what is free: one title, and every title at once."""
import functools
import random
import statistics
import time
from collections import Counter

from sqlalchemy import select

from bench.report import Table, ratio, spread, steps
from bench.world import BUYER, LINE, LINE_WORDS, SEED, WHOLE, WHOLE_WORDS, Caller, World, wire
from catalogue import titles
from catalogue.models import Title
from core.database import db, reading
from licensing import avails, contracts, terms
from licensing.rights import ledger
from licensing.rights.availability import Verdict

SAMPLE, ALL_AT_ONCE, CHANGES, BATCH = 300, 25, 20, 500
MEANS = {ledger.UNAVAILABLE: Verdict.UNAVAILABLE, ledger.PARTIAL: Verdict.PARTIAL, ledger.AVAILABLE: Verdict.AVAILABLE}


@functools.cache
def one_by_one(world: World) -> dict[int, Verdict]:
    """The slow reference: LINE answered for each title by itself, by the algebra and never on columns."""
    found, asked = {}, terms.read(LINE)
    with world.app.app_context(), reading():
        ids = db.session.scalars(select(Title.id).order_by(Title.id)).all()
        for start in steps("reference: each title by itself", range(0, len(ids), BATCH)):
            answers = avails.ask_all(ids[start:start + BATCH], asked)
            found |= {title_id: answer.verdict for title_id, answer in answers.items()}
        db.session.remove()
    return found


def availability(world: World):
    """One title by the engine and over HTTP, every title at once, and the two held equal."""
    one, at_once, count = [], [], len(one_by_one(world))
    for line, words in ((LINE, LINE_WORDS), (WHOLE, WHOLE_WORDS)):
        found, alone, every = _in_turn(world, line, words)
        requests = _over_http(world, line, found)
        one += [{"what": words, **spread(alone), "n": len(alone)},
                {"what": "  the whole request over HTTP", **spread(requests), "n": len(requests),
                 "ratio": ratio(statistics.median(requests), statistics.median(alone))}]
        at_once.append({"what": words, **spread(every), "n": len(every),
                        "ratio": ratio(statistics.mean(alone) * count, statistics.median(every))})
    changed = _after_a_change(world)
    at_once.append({"what": "  the first line again, one title licensed since", **spread(changed), "n": len(changed)})
    spoken = ", ".join(f"{n:,} {verdict}" for verdict, n in sorted(Counter(one_by_one(world).values()).items()))
    yield Table("is it free? one title", one, ["ratio: the request to the answer alone"])
    yield Table(f"is it free? all {count:,} titles at once", at_once, [
        f"equal for each title by itself: the first line for all ({spoken}), the second for {SAMPLE}",
        "ratio: asking all of them one by one takes so many times as long"])


def _sample(title_ids):
    return random.Random(SEED).sample(sorted(title_ids), min(SAMPLE, len(title_ids)))


def _in_turn(world, line, words):
    """(verdict by title, seconds of each alone, seconds of all at once), asked in turn so that noise is alike."""
    found, alone, every, asked = {}, [], [], terms.read(line)
    titles_asked = _sample(one_by_one(world))
    with world.app.app_context(), reading():
        avails.verdicts(asked)  # warm: the columns are laid down
        for number, title_id in enumerate(steps(f"avails: {words}", titles_asked)):
            db.session.remove()  # as a new request would begin
            began = time.perf_counter()
            found[title_id] = avails.ask(title_id, asked).verdict
            alone.append(time.perf_counter() - began)
            if number % (len(titles_asked) // ALL_AT_ONCE) == 0:
                began = time.perf_counter()
                ids, verdicts = avails.verdicts(asked)
                every.append(time.perf_counter() - began)
        db.session.remove()
    said = dict(zip(ids.tolist(), (MEANS[each] for each in verdicts.tolist()), strict=True))
    # A title without a line stands in no column: nothing of it is free.
    expected = one_by_one(world) | found if line is LINE else found
    different = {each for each in expected if said.get(each, Verdict.UNAVAILABLE) != expected[each]}
    assert not different, f"at once and one by one disagree on {sorted(different)[:5]}"
    return found, alone, every


def _over_http(world, line, expected):
    """Seconds of each request, over titles a buyer may see."""
    viewer, token = world.person(BUYER)
    caller, times, body = Caller(world.app, token), [], wire(line)
    with world.app.app_context(), reading():
        seen = db.session.scalars(select(Title.id).where(titles.visible(viewer))).all()
        db.session.remove()
    for title_id in steps("avails: over HTTP", _sample(set(seen) & expected.keys())):
        answer, seconds = caller.call("POST", f"/titles/{title_id}/avails", json=body)
        assert answer["verdict"] == expected[title_id], (title_id, answer["verdict"], expected[title_id])
        times.append(seconds)
    return times


def _after_a_change(world):
    """Seconds of the first answer after each of some licences; it must know the licence."""
    times, asked = [], terms.read(LINE)
    free = [each for each, verdict in one_by_one(world).items() if verdict is Verdict.AVAILABLE]
    with world.app.app_context():
        for title_id in steps("avails: after a change", random.Random(SEED).sample(free, CHANGES)):
            titles.lock([title_id])
            title = db.session.get(Title, title_id)
            contracts.grant(title.organisation_id, [(title, asked)], licensee_id=None, licensee_name="Measured")
            db.session.commit()
            with reading():
                began = time.perf_counter()
                ids, verdicts = avails.verdicts(asked)
                times.append(time.perf_counter() - began)
            assert verdicts[ids == title_id].tolist() == [ledger.UNAVAILABLE], title_id
            db.session.remove()
    return times
