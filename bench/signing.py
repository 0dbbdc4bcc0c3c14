"""How many deals are signed in a second: the last signature, which asks for the rights again and writes the licence."""
import multiprocessing
import random
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Barrier
from typing import NamedTuple

import flask_migrate
from sqlalchemy import func, select, text

from accounts import people
from bench.report import Table, rate, say, spread, steps
from bench.world import BUYER, LINE, SEED, SELLER, Caller, World, application, folder
from catalogue.models import Title
from core.database import db, reading
from licensing import avails, checks, drafts, guard, offers, terms
from licensing.models import Licence, Line, Offer, OfferLine, Version
from licensing.rights import ledger
from licensing.workflow import State
from tests.servers import PostgreSQL, postgresql_binaries

MANAGER = "rights@harbour.test"
AT_ONCE = 4  # threads or processes
ROUNDS = (2, 6, 6, 6, 6)  # offers for each of those who sign at once; the first round only warms
ALONE, THREADS, PROCESSES = WAYS = ("one after another", f"{AT_ONCE} threads at once", f"{AT_ONCE} processes at once")
WAIT_SECONDS = 120  # for the others to be ready


class Signed(NamedTuple):
    """What one thread or process did in a round, by a clock all share."""
    began: float
    ended: float
    times: list[float]


def signings(world: World):
    """The same offers on the world's own SQLite and on a PostgreSQL that holds the same rows.

    Each round takes every database and way in turn, so that noise meets all alike; rates are compared within it.
    """
    _, token = world.person(MANAGER)
    rounds = _offers(world)
    notes = ["each offer over a title of its own; every commit is synced to disk",
             f"rate, ratio to one after another: medians of {len(ROUNDS) - 1} rounds"]
    with ExitStack() as stack:
        other = stack.enter_context(_postgresql(world, _flat(rounds)))
        worlds = {"SQLite": world} | ({"PostgreSQL": other} if other else {})
        if other is None:
            notes.append("not measured: PostgreSQL; to measure it: apt-get install postgresql")
        before = {name: _licences(each) for name, each in worlds.items()}
        signers = {(name, way): sign for name, each in worlds.items()
                   for way, sign in _ways(stack, each, token).items()}
        done = {each: [] for each in signers}
        for shares in steps("signings: rounds", rounds):
            for (name, way), sign in signers.items():
                done[name, way].append(sign(shares[way]))
        for name, each in worlds.items():
            _check(each, _flat(rounds), before[name])
    yield Table("signings over HTTP, each offer one signature short", [_row(done, *each) for each in done], notes)


def _row(done, name, way):
    rates, alone = _rates(done[name, way]), _rates(done[name, ALONE])
    times = [each for signed in done[name, way][1:] for one in signed for each in one.times]
    return {"what": f"{name}, {way}", **spread(times), "n": len(times), "rate": rate(statistics.median(rates), 1),
            "ratio": f"{statistics.median(one / other for one, other in zip(rates, alone, strict=True)):.2f}x"}


def _rates(rounds):
    """Signatures in a second, for each round that counts."""
    return [sum(len(one.times) for one in signed)
            / (max(one.ended for one in signed) - min(one.began for one in signed)) for signed in rounds[1:]]


def _licences(world):
    with world.app.app_context(), reading():
        return db.session.scalar(select(func.count()).select_from(Licence))


def _check(world, offer_ids, before):
    """Every offer is signed, became one licence, and nothing was sold twice."""
    with world.app.app_context(), reading():
        states = db.session.scalars(select(Offer.state).where(Offer.id.in_(offer_ids))).all()
        assert states == [State.SIGNED] * len(offer_ids), set(states)
        assert checks.sold_twice() == []
        db.session.remove()
    assert _licences(world) == before + len(offer_ids)


# ------------------------------------------------------------------ signing, alone and at once

def _sign(caller: Caller, offer_ids, together) -> Signed:
    """Wait for all to be ready, then sign."""
    together.wait(WAIT_SECONDS)
    began = time.monotonic()
    times = [caller.call("POST", f"/offers/{each}/steps", 201, json={"action": "sign"})[1] for each in offer_ids]
    return Signed(began, time.monotonic(), times)


def _ways(stack, world, token):
    """What signs the shares of offers, by way; threads and processes live until the stack is closed."""
    fresh = multiprocessing.get_context("spawn")
    threads = stack.enter_context(ThreadPoolExecutor(AT_ONCE))
    processes = stack.enter_context(
        fresh.Pool(AT_ONCE, get_ready, (world.url, world.folder, token, fresh.Barrier(AT_ONCE))))

    def in_threads(shares):
        together = Barrier(len(shares))
        return list(threads.map(lambda share: _sign(Caller(world.app, token), share, together), shares))

    return {ALONE: in_threads, THREADS: in_threads,
            PROCESSES: lambda shares: processes.map(sign_share, shares, chunksize=1)}


_ready = {}  # of a process that signs: its caller, and what it waits for


def get_ready(url: str, place: Path, token: str, together):
    """Make the application, in a process that will sign."""
    _ready.update(caller=Caller(application(url, place), token), together=together)


def sign_share(offer_ids: list[int]) -> Signed:
    """Sign in a process that got ready; the barrier sees to it that each takes one share."""
    return _sign(_ready["caller"], offer_ids, _ready["together"])


# ------------------------------------------------------------------ what is signed

def _offers(world) -> list[dict[str, list[list[int]]]]:
    """For each round and way the shares of offers, one for everyone who signs."""
    ids = iter(_prepared(world, len(WAYS) * AT_ONCE * sum(ROUNDS)))
    return [{way: [[next(ids) for _ in range(AT_ONCE * size // signers)] for _ in range(signers)]
             for way, signers in zip(WAYS, (1, AT_ONCE, AT_ONCE), strict=True)} for size in ROUNDS]


def _flat(rounds):
    return [each for ways in rounds for shares in ways.values() for share in shares for each in share]


def _prepared(world, count):
    """Ids of offers over free titles, led by the domain's own verbs until the seller's signature alone is missing."""
    with world.app.app_context():
        who = {email: people.viewer(people.find(email).id) for email in (SELLER, MANAGER, BUYER)}
        with reading():
            ids, verdicts = avails.verdicts(terms.read(LINE))
            own = set(db.session.scalars(select(Title.id).where(Title.organisation_id == who[SELLER].organisation_id,
                                                                Title.external_id.is_not(None))))
            db.session.rollback()
        free = [each for each in ids[verdicts == ledger.AVAILABLE].tolist() if each in own]
        made = []
        for title_id in steps("signings: preparing offers", random.Random(SEED).sample(free, count)):
            offer = drafts.create(who[BUYER], currency="USD", seller_id=who[SELLER].organisation_id,
                                  lines=[{**LINE, "title_id": title_id, "price": 1}])
            for email, action in ((BUYER, "submit"), (SELLER, "accept"), (MANAGER, "approve"), (SELLER, "issue_memo"),
                                  (BUYER, "sign")):
                offers.advance(offer, who[email], action, version=1)
            made.append(offer.id)
            db.session.commit()
            db.session.remove()
        return made


# ------------------------------------------------------------------ the same rows on PostgreSQL

class _Durable(PostgreSQL):
    """The server of the tests, syncing as one in earnest would: SQLite does, too."""

    def start(self):
        super().start()
        self._run(self.programs / "pg_ctl", "-D", self.data, "-w", "-l", self.folder / "log", "-o",
                  f"-k {self.folder} -h 127.0.0.1 -p {self.port}", "restart")
        return self


@contextmanager
def _postgresql(world, offer_ids):
    """The world on a server of its own; None where none is installed."""
    if postgresql_binaries() is None:
        yield None
        return
    say("signings: the same rows on PostgreSQL")
    with folder() as place:
        server = _Durable(place).start()
        try:
            copy = World(place, server.url())
            _copy(world, copy, offer_ids)
            yield copy
            copy.close()
        finally:
            server.stop()


def _copy(world, copy, offer_ids):
    """Every row as it is, and the guards of the licences on the titles to be signed: no other is ever met."""
    with world.app.app_context(), reading(), db.engine.connect() as link:
        rows = {table: [dict(row) for row in link.execute(select(table)).mappings()]
                for table in db.metadata.sorted_tables}
    with copy.app.app_context():
        flask_migrate.upgrade()
        with db.engine.begin() as link:
            link.execute(text("SET LOCAL session_replication_role = replica"))  # no foreign keys while rows come
            for table, held in rows.items():
                if held:
                    link.execute(table.insert(), held)
                if "id" in table.c:
                    link.execute(text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'),"
                                      f" (SELECT coalesce(max(id), 1) FROM {table.name}))"))
            link.execute(text("ANALYZE"))  # as autovacuum would have, in time
            assert [link.scalar(text(f"SHOW {name}")) for name in ("fsync", "synchronous_commit")] == ["on", "on"]
        signed = select(OfferLine.title_id).join(Version).where(Version.offer_id.in_(offer_ids))
        for line in db.session.scalars(select(Line).where(
                Line.title_id.in_(signed), Line.licence_id.is_not(None), Line.counts_until.is_(None))).all():
            guard.post(line)
        db.session.commit()
        db.session.execute(text("CHECKPOINT"))  # or it would be written out while the first offers are signed
        db.session.remove()
