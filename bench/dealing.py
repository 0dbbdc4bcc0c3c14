"""Steps of offers in a second with eight at work, and what the page of an offer costs where the books are full of them.

python -m bench.dealing [--deals N] [--books N N]: on the demo world, on SQLite and on PostgreSQL.
"""
import argparse
import multiprocessing
import random
import re
import statistics
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import flask_migrate
from sqlalchemy import func, insert, select, text

import seed
from accounts import people
from bench.report import Table, header, rate, ratio, say, show, spread
from bench.signing import MANAGER, WAIT_SECONDS, _Durable
from bench.world import BUYER, SEED, SELLER, Caller, World, application, folder
from catalogue import titles
from core import clock
from core.database import db
from licensing import checks, mandates, terms
from licensing.models import Offer, OfferLine, Step, Version
from licensing.workflow import State
from tests.servers import postgresql_binaries

WORKERS, TURNS = 8, 40
LIFE = ((BUYER, "submit"), (SELLER, "counter"), (BUYER, "accept"), (MANAGER, "approve"), (SELLER, "issue_memo"),
        (BUYER, "sign"), (MANAGER, "sign"))
FILLED = (State.SUBMITTED, State.COUNTERED, State.DECLINED, State.WITHDRAWN, State.APPROVED, State.REJECTED)


def dealing(deals: int, books: list[int]):
    """One table for the steps, one for the page, each with every database there is."""
    stepping, pages, notes = [], [], [f"{WORKERS} processes, {deals} deals each, from the draft to the licence; every "
                                      "commit is synced to disk"]
    for name, world in _worlds(notes):
        stepping.append(_steps(name, world, deals))
        pages += _pages(name, world, books)
    yield Table("steps of offers over HTTP", stepping, notes)
    yield Table("the page of an offer, with all that stands around it", pages, [
        "the books of one seller, each offer one of six states; ratio to the smaller books, 1.5x is the most"])


def _worlds(notes):
    """(name, the demo world) on each database, one after the other."""
    with folder() as place, _seeded(World(place)) as world:
        yield "SQLite", world
    if postgresql_binaries() is None:
        notes.append("not measured: PostgreSQL; to measure it: apt-get install postgresql")
        return
    with folder() as place:
        server = _Durable(place).start()
        try:
            with _seeded(World(place, server.url())) as world:
                yield "PostgreSQL", world
        finally:
            server.stop()


@contextmanager
def _seeded(world):
    try:
        with world.app.app_context():
            flask_migrate.upgrade()
            seed.load()
            db.session.commit()
            db.session.remove()
        yield world
    finally:
        world.close()


# ------------------------------------------------------------------ steps

def _steps(name, world, deals):
    say(f"dealing: steps on {name}")
    tokens = {email: world.person(email)[1] for email in (BUYER, SELLER, MANAGER)}
    with world.app.app_context():
        house = people.viewer(people.find(SELLER).id).organisation_id
        own = [_title(house, number) for number in range(WORKERS)]
        db.session.commit()
        db.session.remove()
    fresh = multiprocessing.get_context("spawn")
    with fresh.Pool(WORKERS, get_ready, (world.url, world.folder, tokens, fresh.Barrier(WORKERS))) as pool:
        done = pool.starmap(deal, [(house, title_id, deals) for title_id in own], chunksize=1)
    began, ended = min(each[0] for each in done), max(each[1] for each in done)
    times = [each for _, _, mine in done for each in mine]
    with world.app.app_context():
        signed = db.session.scalar(select(func.count()).select_from(Offer).join(Version).join(OfferLine)
                                   .where(Offer.state == State.SIGNED, Version.number == Offer.number,
                                          OfferLine.title_id.in_(own)))
        assert signed == WORKERS * deals, signed
        assert checks.sold_twice() == [] and checks.outside_mandates() == []
        db.session.remove()
    return {"what": name, **spread(times), "n": len(times), "rate": rate(len(times), ended - began)}


def _title(house, number):
    made = titles.create(house, kind="film", original_title=f"Dealt {number}", titles=[], status="published")
    titles.lock([made.id])
    mandates.record(made, terms.read(seed.line("World", "all", "2020-01-01", None)))
    return made.id


_ready = {}  # of a process that deals: its callers, and what it waits for


def get_ready(url: str, place: Path, tokens: dict, together):
    """Make the application, in a process that will deal."""
    app = application(url, place)
    _ready.update(callers={email: Caller(app, token) for email, token in tokens.items()}, together=together)


def deal(house: int, title_id: int, deals: int) -> tuple[float, float, list[float]]:
    """(began, ended, seconds of each step): deals over one title, not exclusive: none takes another's rights."""
    callers, times = _ready["callers"], []
    line = {**seed.line("HK,TW", "svod", "2027-01-01", "2029-12-31", exclusive=False), "title_id": str(title_id),
            "starts_on": "2027-01-01", "ends_on": "2029-12-31"}
    _ready["together"].wait(WAIT_SECONDS)
    began = time.monotonic()
    for _ in range(deals):
        made, seconds = callers[BUYER].call("POST", "/offers", 201, json={
            "seller": str(house), "currency": "USD", "lines": [{**line, "price": 1000}]})
        times.append(seconds)
        for email, action in LIFE:
            body = {"action": action, "version": 1 if action in ("submit", "counter") else 2}
            more = {"lines": [{**line, "price": 1200}]} if action == "counter" else {}
            times.append(callers[email].call("POST", f"/offers/{made['id']}/steps", 201, json={**body, **more})[1])
    return began, time.monotonic(), times


# ------------------------------------------------------------------ the page

def _pages(name, world, books):
    """A row for each size of the books and each side."""
    rows, least = [], {}
    for size in sorted(books):
        say(f"dealing: {size:,} offers in the books on {name}")
        _fill(world, size)
        for email, who in ((SELLER, "seller"), (BUYER, "buyer")):
            times = _look(world, email)
            middle = statistics.median(times)
            least.setdefault(who, middle)
            rows.append({"what": f"{name}, {size:,} offers, the {who}'s page", **spread(times), "n": len(times),
                         "ratio": ratio(middle, least[who])})
    return rows


def _fill(world, size):
    """Bring the seller's books to so many offers, all between them and one buyer."""
    with world.app.app_context():
        seller, buyer = (people.viewer(people.find(email).id) for email in (SELLER, BUYER))
        known = db.session.scalar(select(func.count()).select_from(Offer).where(
            Offer.seller_id == seller.organisation_id))
        like = db.session.execute(select(OfferLine.__table__).limit(1)).mappings().one()
        first = (db.session.scalar(select(func.max(Offer.id))) or 0) + 1
        lines_from = db.session.scalar(select(func.max(OfferLine.id))) + 1
        versions_from, steps_from = (db.session.scalar(select(func.max(each.id))) + 1 for each in (Version, Step))
        rng, now = random.Random(SEED), clock.now()
        more = {Offer: [], Version: [], OfferLine: [], Step: []}
        for place in range(size - known):
            state, at = FILLED[place % len(FILLED)].value, now - timedelta(minutes=place)
            side, person = ("seller", seller) if rng.random() < 0.5 else ("buyer", buyer)
            more[Offer].append({
                "id": first + place, "seller_id": seller.organisation_id, "buyer_id": buyer.organisation_id,
                "started_by": side, "author": side, "currency": "USD", "state": state, "number": 1, "revision": 1,
                "created_at": at, "updated_at": at, "valid_until": clock.today() + timedelta(days=100)})
            more[Version].append({"id": versions_from + place, "offer_id": first + place, "number": 1, "side": side,
                                  "person_id": person.person_id, "created_at": at})
            more[OfferLine].append({**like, "id": lines_from + place, "version_id": versions_from + place,
                                    "position": 0, "price": rng.randrange(1, 99) * 1000})
            more[Step].append({"id": steps_from + place, "offer_id": first + place, "action": "submit", "side": side,
                               "person_id": person.person_id, "from_state": "draft", "to_state": state, "version": 1,
                               "at": at})
        for model, rows in more.items():
            if rows:
                db.session.execute(insert(model.__table__), rows)
                if db.engine.dialect.name == "postgresql":
                    db.session.execute(text(f"SELECT setval(pg_get_serial_sequence('{model.__tablename__}', 'id'),"
                                            f" (SELECT max(id) FROM {model.__tablename__}))"))
        db.session.commit()
        db.session.execute(text("ANALYZE"))
        db.session.commit()
        db.session.remove()
        if db.engine.dialect.name == "postgresql":  # else it does so of itself while the pages are measured
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as link:
                link.execute(text("VACUUM ANALYZE"))
                link.execute(text("CHECKPOINT"))


def _look(world, email):
    """Seconds for some pages of offers drawn from the books, each another, as somebody who is signed in."""
    client = world.app.test_client()
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sign-in").get_data(True))[1]
    assert client.post("/sign-in", data={"email": email, "password": seed.PASSWORD, "csrf_token": token}
                       ).status_code == 302
    with world.app.app_context():
        viewer = people.viewer(people.find(email).id)
        mine = Offer.seller_id if email == SELLER else Offer.buyer_id
        ids = db.session.scalars(select(Offer.id).where(
            mine == viewer.organisation_id, Offer.state == State.SUBMITTED).order_by(Offer.id.desc()).limit(1000)).all()
        db.session.remove()
    chosen, times = random.Random(SEED).choices(ids, k=TURNS + 3), []
    for offer_id in chosen:
        began = time.perf_counter()
        assert client.get(f"/offers/{offer_id}").status_code == 200
        times.append(time.perf_counter() - began)
    return times[3:]  # the first only warm


def main():
    parser = argparse.ArgumentParser(prog="python -m bench.dealing", description=__doc__)
    parser.add_argument("--deals", type=int, default=20, help="of each worker")
    parser.add_argument("--books", type=int, nargs="+", default=[1_000, 100_000], help="sizes of a seller's books")
    wanted = parser.parse_args()
    print(header(0, 0).splitlines()[0], flush=True)
    show(dealing(wanted.deals, wanted.books))


if __name__ == "__main__":
    main()
