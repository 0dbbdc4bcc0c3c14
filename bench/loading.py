"""How quickly files become titles and titles become findable: import, rebuild, one change."""
import random
import statistics
import time

from sqlalchemy import select

from bench.report import Table, duration, rate, ratio, say, spread, steps
from bench.world import SEED, World
from catalogue import titles
from catalogue.models import Title
from core.database import db
from search import worker

CHANGES = 40


def importing(world: World):
    """`flask import` of all files into the demo world, in a process of its own."""
    rows, loading, whole = world.imported
    yield Table("import, in a process of its own", [
        {"what": "rows read, checked and committed", "took": duration(loading), "n": f"{rows:,}",
         "rate": rate(rows, loading)},
        {"what": "  and indexed, and the start of the process", "took": duration(whole), "n": f"{rows:,}",
         "rate": rate(rows, whole)}])


def indexing(world: World):
    """One change at a time until it is found; then the whole index anew, which leaves it as it was."""
    with world.app.app_context():
        ids = random.Random(SEED).sample(db.session.scalars(select(Title.id).order_by(Title.id)).all(), CHANGES)
        changes = [_until_findable(world.index, title_id, f"changed{number}")
                   for number, title_id in enumerate(steps("index: one title at a time", ids))]
        say("index: rebuild")
        began = time.perf_counter()
        count = worker.rebuild(world.index)
        whole = time.perf_counter() - began
        assert worker.differences(world.index) == []
        db.session.remove()
    single = statistics.median(changes)
    yield Table("index", [
        {"what": "full rebuild, documents", **spread([whole]), "n": 1, "rate": rate(count, whole)},
        {"what": "one title changed: commit, catch up, found", **spread(changes), "n": CHANGES,
         "rate": rate(1, single), "ratio": ratio(whole, single)},
    ], ["ratio: a rebuild is so many single changes long"])


def _until_findable(index, title_id, word) -> float:
    """Seconds from the commit of a change to the answer that holds it."""
    title = db.session.get(Title, title_id)
    titles.revise(title, tags=[*title.tags, word])
    assert not index.find(word).size
    began = time.perf_counter()
    db.session.commit()
    worker.catch_up(index)
    found = index.find(word)
    seconds = time.perf_counter() - began
    assert found.tolist() == [title_id], (title_id, found)
    db.session.remove()
    return seconds
