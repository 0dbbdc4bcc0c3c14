"""Every route of the url map, as everybody, on every record in every state: what the table of permissions says, and
nothing else.

What must be is worked out from accounts/permissions.py and from the table in tests/accounts/routes.py, which says of
each route what record it takes; how a record stands to a house is written beside the records (`houses`). Ten ask: the
eight roles, each in five houses, a stranger, and one who signs in and belongs nowhere.
"""
import random
import sqlite3
from collections import defaultdict
from contextlib import contextmanager, nullcontext

import pytest
from sqlalchemy import true, update

from accounts import permissions
from accounts.permissions import OPEN, Relation
from core.database import db
from core.errors import NotFound
from licensing import offers
from licensing.models import Offer
from tests.accounts.houses import EVERYBODY, HOMELESS, STRANGER, Houses
from tests.accounts.matrix import ask, cases, is_right, must, told
from tests.accounts.routes import BODIES, QUERIES, ROUTES
from tests.conftest import both, both_when_long
from tests.scale import LONG, at


class Watch:
    """The database as others see it: whether anything was committed; and a way to let it forget all commits."""

    def __init__(self, houses, monkeypatch):
        self.patch, self.written = monkeypatch, 0
        with houses.app.app_context():
            self.dialect, place = db.engine.dialect, db.engine.url.database
        self.link = sqlite3.connect(place) if self.dialect.name == "sqlite" else None
        if self.link is None:
            monkeypatch.setattr(self.dialect, "do_commit", self._counting(self.dialect.do_commit))

    def mark(self):
        return self.link.execute("PRAGMA data_version").fetchone()[0] if self.link else self.written

    def _counting(self, commit):
        """PostgreSQL tells nobody else of a commit; the transaction itself knows whether it wrote."""
        def counted(connection):
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_current_xact_id_if_assigned()")
                self.written += cursor.fetchone()[0] is not None
            commit(connection)
        return counted

    @contextmanager
    def forgetting(self):
        with self.patch.context() as patch:
            patch.setattr(self.dialect, "do_commit", self.dialect.do_rollback)
            yield


def wrongs(houses, watch, some):
    """A line for each case that is answered otherwise than it must be."""
    missing = {}
    for route, who, record in some:
        houses.let_in(who, route.api)
        verdict, before = must(route, who, record), watch.mark()
        words = f"{route.name} of {record and record.state} {record and record.ids} as {who.role} of {who.house}"
        may = verdict in ("done", "further")
        try:
            with watch.forgetting() if may and route.unsafe else nullcontext():
                answer = ask(houses, route, who, record)
        except Exception as fault:  # in production a 500; here it comes through
            yield f"{words}: {fault!r}"
            continue
        if answer.status_code >= 500 or not is_right(route, who, verdict, answer):
            yield f"{words}: must be {verdict!r}, is {answer.status_code} {answer.get_data()[-200:]}"
        if watch.mark() != before:
            yield f"{words}: something was written"
        if verdict == "not there" and record.state != "missing":
            if (route, who) not in missing:
                missing[route, who] = told(ask(houses, route, who, record.missing()))
            if told(answer) != missing[route, who] != told(ask(houses, route, who, record)):  # a note is shown once
                yield f"{words}: another answer than for what is missing"


# ------------------------------------------------------------------ the matrix

PAPER = "memo.pdf"  # set by a process of its own, in half a second


def a_sample(some, seed, dialect):
    """Of each route and of each way it must end one, by chance; all of them where there is time. On PostgreSQL only
    what is done: who may not does not get as far as its tables."""
    groups = defaultdict(list)
    for case in some:
        if LONG or dialect == "sqlite" or must(*case) in ("done", "further"):
            groups[case[0].name, must(*case)].append(case)
    chance = random.Random(seed)
    return [case for (name, verdict), group in groups.items() for case in chance.sample(group, min(len(group), at(
        ci=1, long=8 if name.endswith(PAPER) and verdict == "done" else len(group))))]


@pytest.fixture
def houses(fresh):
    return Houses(fresh(seeded=True))


def test_no_route_is_forgotten(app):
    """A route that stands in no line of the table fails, and the failure says which line to add."""
    there, guesses = {}, {route.path.rpartition("<")[2]: route.kind for route in ROUTES.values()}
    for rule in app.url_map.iter_rules():
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            there[f"{method} {rule.rule}"] = getattr(app.view_functions[rule.endpoint], "permit", None)
    lines = [f"{name.replace(' ', '    ', 1)}    {action}    "
             f"{guesses.get(name.rpartition('<')[2], 'RECORD') if '<' in name else '-'}"
             for name, action in there.items() if name not in ROUTES or ROUTES[name].action != action]
    assert not lines, ("Add to TABLE in tests/accounts/routes.py, in place of a line with the same address, once you "
                       "have made sure that it says what must be (the record as its docstring says; a new kind of "
                       "record is made in tests/accounts/houses.py; what a well-shaped request sends is in BODIES):\n"
                       + "\n".join(lines))
    assert not set(ROUTES) - set(there), "There is no such route any more: take its line out of TABLE."
    assert set(BODIES) | set(QUERIES) <= set(ROUTES), "There is no such route any more: take it out of BODIES."


@both
def test_every_route_role_relation_and_state(houses, monkeypatch):
    seed, watch = random.SystemRandom().randrange(10**6), Watch(houses, monkeypatch)
    some = a_sample(cases(houses), seed, watch.dialect.name)
    found = list(wrongs(houses, watch, some))
    assert not found, f"{len(found)} of {len(some)}, of seed {seed}:\n" + "\n".join(found[:60])


@both_when_long
def test_it_bites(houses, monkeypatch):
    """A table that lets everybody end everything, and a query that forgets whose a record is, are each found out."""
    watch, some = Watch(houses, monkeypatch), list(cases(houses))
    ends = [case for case in some if case[0].action == "mandate.end" and must(*case) == "may not"]
    with monkeypatch.context() as patch:
        expected = {case: must(*case) for case in ends}
        patch.setattr(permissions, "TABLE", (*permissions.TABLE, ("mandate.end", permissions.EVERYONE, {Relation.OWN})))
        patch.setitem(globals(), "must", lambda *case: expected[case])
        assert any("must be 'may not', is 201" in wrong for wrong in wrongs(houses, watch, ends))
    theirs = [case for case in some if case[0].kind == "offer" and not case[0].unsafe and must(*case) == "not there"]
    with monkeypatch.context() as patch:
        patch.setattr(offers, "visible", lambda viewer: true())
        assert any("must be 'not there', is 200" in wrong for wrong in wrongs(houses, watch, theirs[:40]))
    holds_up = next(case for case in some if case[0].name == "GET /api/v1/offers/<id:offer_id>"
                    and must(*case) == "not there")
    with monkeypatch.context() as patch:
        patch.setattr(offers, "get", lambda offer_id, viewer: writes_first(offer_id))
        assert any("something was written" in wrong for wrong in wrongs(houses, watch, [holds_up]))


def writes_first(offer_id):
    db.session.execute(update(Offer).where(Offer.id == offer_id).values(revision=Offer.revision + 1))
    db.session.commit()
    raise NotFound()


# ------------------------------------------------------------------ what is open

def test_what_is_open_to_everyone_is_little_and_never_fails(houses):
    some = [route for route in ROUTES.values() if route.action in OPEN]
    assert {route.path for route in some if not route.path.startswith(("/sign-", "/recovery", "/stored"))} == {
        "/api/docs", "/api/openapi.json", "/for/<token>", "/static/<path:filename>", "/healthz", "/readyz", "/acting",
        "/apply", "/apply/<token>", "/invitations/<token>", "/account/address/<token>"}
    for route in sorted(some, key=lambda each: each.path == "/sign-out"):  # which comes last
        for who in (STRANGER, HOMELESS, EVERYBODY[0]):
            houses.let_in(who, api=False)
            answer = ask(houses, route, who, None)
            assert answer.status_code < 500 or route.path == "/readyz", (route.name, who.email)
