"""Every process's next answer after a commit is exact, in whatever order transactions commit.

Writers, each a process, hold sales open and commit them or give them up in an order drawn by lot; after every such
step every reader, another process with its own copy of all rights in memory, is asked what is free. On PostgreSQL
changes so commit in the reverse order of their ids; SQLite has one writer at a time.
"""
import random
from contextlib import contextmanager
from pathlib import Path

import seed
from accounts import people
from catalogue import titles
from catalogue.models import Change, Title
from core.database import db
from licensing import contracts, mandates, terms
from tests.conftest import Caller, both, make_app
from tests.race.crowd import PROCESSES
from tests.scale import at

STEPS = at(ci=30, long=200)
WRITERS, READERS = {"sqlite": 1, "postgresql": 4}, 3
SECONDS = 60
ASKED = "territories=HK&media=svod&starts_on=2027-01-01&ends_on=2029-12-31&exclusive=true&kind=special&page_size=100"


def write(pipe, url, instance):
    """Sell a title, say the id of the change, and commit if told so."""
    app = make_app(url, Path(instance))
    while title_id := pipe.recv():
        with app.app_context():
            titles.lock([title_id])
            title = db.session.get(Title, title_id)
            contracts.grant(title.organisation_id, [(title, terms.read(seed.line("HK", "svod", "2028-01-01", None)))],
                            licensee_id=None, licensee_name="Somebody")
            pipe.send(db.session.scalar(db.select(db.func.max(Change.id)).where(Change.title_id == title_id)))
            db.session.commit() if pipe.recv() else db.session.rollback()
        pipe.send("done")


def read(pipe, url, instance):
    """Say which titles are free, as the search finds them."""
    app = make_app(url, Path(instance))
    caller = Caller(app, "buyer@sakura.test")
    while pipe.recv():
        pipe.send({int(each["id"]) for each in caller.get(f"/search?{ASKED}").json["items"]})


@contextmanager
def processes(app, *targets):
    """A pipe to a process of its own for each target."""
    with app.app_context():
        url = db.engine.url.render_as_string(hide_password=False)
    pipes, running = [], []
    for target in targets:
        ours, theirs = PROCESSES.Pipe()
        running.append(PROCESSES.Process(target=target, args=(theirs, url, app.config["INSTANCE"]), daemon=True))
        running[-1].start()
        pipes.append(ours)
    try:
        yield pipes
    finally:
        for pipe in pipes:
            pipe.send(None)
        for process, pipe in zip(running, pipes, strict=True):
            process.join(SECONDS)
            pipe.close()


def answers(readers):
    for pipe in readers:
        pipe.send("what is free?")
    return [heard(pipe) for pipe in readers]


def asked(pipe, words):
    pipe.send(words)
    return heard(pipe)


def heard(pipe):
    assert pipe.poll(SECONDS), "nobody waits that long"
    return pipe.recv()


def some_titles(app):
    """Titles of a kind that nobody else has, all free."""
    with app.app_context():
        house = people.organisation_named("Harbour Pictures")
        made = [titles.create(house.id, kind="special", original_title=f"S{n}", titles=[], status="published")
                for n in range(20)]
        titles.lock([title.id for title in made])
        for title in made:
            mandates.record(title, terms.read(seed.line("World", "all", "2020-01-01", None)))
        db.session.commit()
        return [title.id for title in made]


@both
def test_every_process_answers_exactly_after_each_commit_in_whatever_order(fresh, backend):
    app, rng, backwards = fresh(seeded=True), random.Random(3), 0
    with processes(app, *[write] * WRITERS[backend], *[read] * READERS) as pipes:
        writers, readers = pipes[:-READERS], pipes[-READERS:]
        assert answers(readers) == [set()] * READERS
        open_sales, free = {}, set()  # writer: (id of the change, title)
        for _ in range(STEPS):
            idle = [each for each in writers if each not in open_sales]
            if idle and (len(idle) == len(writers) or rng.random() < 0.6):
                left = free - {title for _, title in open_sales.values()}
                if not left:
                    left = set(some_titles(app))
                    free |= left
                writer, title = rng.choice(idle), rng.choice(sorted(left))
                open_sales[writer] = asked(writer, title), title
            else:
                writer = rng.choice(sorted(open_sales, key=writers.index))
                change, title = open_sales.pop(writer)
                committed = rng.random() < 0.8
                assert asked(writer, committed) == "done"
                if committed:
                    free.discard(title)
                    backwards += any(change > earlier for earlier, _ in open_sales.values())
            assert answers(readers) == [free] * READERS
        for writer in open_sales:
            asked(writer, False)
    assert (backwards > STEPS / 20) == (backend == "postgresql"), backwards
