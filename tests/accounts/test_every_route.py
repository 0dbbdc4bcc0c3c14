"""Every route of the url map, as everybody, on every record in every state: what the table of permissions says, and
nothing else.

What must be is worked out from accounts/permissions.py and from the table in tests/accounts/routes.py, which says of
each route what record it takes; how a record stands to a house is written beside the records (`houses`). Ten ask: the
eight roles, each in five houses, a stranger, and one who signs in and belongs nowhere.
"""
import random
import re
import sqlite3
import statistics
import time
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
from tests.accounts.houses import EVERYBODY, HOMELESS, HOUSES, STRANGER, Houses
from tests.accounts.routes import BODIES, QUERIES, ROUTES
from tests.conftest import both
from tests.scale import LONG, at

SEES = {  # kind of record → the action by which it is seen
    "title": "title.see", "mandate": "mandate.see", "holdback": "mandate.see", "hold": "mandate.record",
    "held": "mandate.record", "licence": "licence.see", "offer": "offer.see", "memo": "offer.see",
    "paper": "offer.see", "deal": "material.see", "material": "material.see", "file": "material.see",
    "instalment": "money.see", "payment": "money.see", "asset": "asset.see", "film": "asset.see",
    "grant": "asset.see", "play": "asset.see", "request": "request.see", "refusal": "refusal.see",
    "line": "basket.keep", "search": "search.save", "brief": "brief.keep", "upload": "books.load",
    "application": "organisation.admit", "admitted": "organisation.admit", "organisation": "organisation.admit",
    "member": "member.see", "invitation": "member.manage", "edition": "edition.run", "participant": "edition.run",
    "token": "token.keep", "session": "session.end", "webhook": "webhook.keep", "delivery": "webhook.keep"}
FILES = ("asset", "film", "grant")
BEYOND = {200, 201, 202, 204, 302, 303, 409, 412, 422, 428}  # done, or refused for another reason than who asks
UNTOLD = re.compile(rb'(name="csrf_token" value|nonce)="[^"]*"')  # what differs from answer to answer
OF_THE_MOMENT = ("Date", "Set-Cookie", "Content-Length", "Content-Security-Policy")
ODD = {"token": "no-such", "kind": "csv", "key": "kept/none", "filename": "none.css"}
RIVALS = HOUSES[:2]


# ------------------------------------------------------------------ what must be

def must(route, who, record):
    """signed out, may not, not there, done; or further: theirs to ask for, and the record's life decides."""
    if who.role is None:
        return "signed out"
    if not who.held(route.action):
        return "may not"
    if route.kind == "-":
        return "done"
    held = who.held(route.decides)
    if record is None:  # decided by what their house does
        stands = {Relation.ANY, Relation.BUYER} if who.buys else {Relation.OWN, Relation.SELLER}
        return "done" if stands & held and (route.kind == "buying") == who.buys else "may not"
    stands, sees = record.stands(who), seen(route.kind, who, record)
    if route.decides == "offer.negotiate" and route.kind == "title":  # one sells one's own, and buys another's
        stands = {Relation.SELLER} if who.house == record.own else {Relation.BUYER} if sees and who.buys else set()
    if route.unsafe and record.changed_by not in (None, who.house):
        held = set()
    may = sees if route.kind in FILES and route.action == "asset.see" else bool(stands & held)
    if may or (sees and route.further):
        return "further" if route.further else "done"
    return "may not" if sees else "not there"


def seen(kind, who, record):
    """Whether a record is somebody's to see."""
    stands, held = record.stands(who), who.held(SEES[kind])
    if kind in FILES:  # its senders see it in every state, everybody what is shown to all, and some by grant
        sends = stands & who.held("asset.send") & {Relation.OWN}
        return bool(sends or stands & held & ({Relation.GRANTED} if record.unsent else set(Relation)))
    return bool(stands & held or kind == "held" and Relation.BUYER in stands)


def records_of(houses, route):
    return houses.records.get(route.kind, [None])


def askers(record):
    """Everybody of the houses it concerns, of a rival of theirs, and of a buyer it does not concern."""
    if record is None:
        return [who for who in EVERYBODY if who.house in ("harbour", "sakura")]
    near = {record.own, record.seller, record.buyer, *record.granted, *record.shown} | {
        who.house for who in EVERYBODY if who.email == record.person}
    far = [house for house in HOUSES if house not in near and house not in RIVALS][:1]
    return [who for who in EVERYBODY if who.house in {*near, *RIVALS, *far}]


def cases(houses):
    """(route, who, record): all there is to be tried, but for routes that are open to everyone."""
    for route in ROUTES.values():
        if route.action not in OPEN:
            some = records_of(houses, route)
            yield from ((route, who, record) for record in some for who in askers(record))
            yield from ((route, who, some[0]) for who in (STRANGER, HOMELESS))
            if some[0]:
                yield from ((route, who, some[0].missing()) for who in askers(None))


# ------------------------------------------------------------------ asking

def ask(houses, route, who, record):
    """The answer."""
    ids = {**ODD, **(record.ids if record else {})}
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(ids[found[1]]), route.path) + QUERIES.get(route.name, "")
    body = BODIES.get(route.name, lambda *_: {})(houses, ids) if route.unsafe else None
    if route.api:
        caller = houses.caller(who)
        return caller.client.open(path, method=route.method, json=body, headers={**caller.headers, "If-Match": "*"})
    client = houses.visitor(who).client
    if not route.unsafe:
        return client.get(path)
    if "json" in body:
        return client.post(path, json=body["json"], headers={"X-CSRFToken": houses.tokens[who]})
    return client.post(path, data={**body, "csrf_token": houses.tokens[who]})


def is_right(route, who, verdict, answer):
    away = "/acting" if who == HOMELESS else "/sign-in"
    sent_away = answer.status_code == 302 and answer.location.startswith(away)
    if verdict == "signed out":
        return answer.status_code == 401 if route.api else sent_away
    if verdict == "done":
        return answer.status_code in BEYOND and not sent_away
    if verdict == "further":
        return answer.status_code in BEYOND | {403} and not sent_away
    return answer.status_code == {"may not": 403, "not there": 404}[verdict]


def told(answer):
    """All that an answer says, but for what differs from answer to answer."""
    headers = {name: value for name, value in answer.headers if name not in OF_THE_MOMENT
               and "ratelimit" not in name.lower()}
    return answer.status_code, headers, UNTOLD.sub(rb"\1", answer.get_data())


class Watch:
    """The database as others see it: whether anything was committed; and a way to let it forget all commits."""

    def __init__(self, houses, monkeypatch):
        self.patch = monkeypatch
        with houses.app.app_context():
            self.dialect = db.engine.dialect
            self.link = sqlite3.connect(db.engine.url.database)

    def mark(self):
        return self.link.execute("PRAGMA data_version").fetchone()[0]

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


def a_sample(some, seed):
    """Of each route and of each way it must end one, by chance; all of them where there is time."""
    groups = defaultdict(list)
    for case in some:
        groups[case[0].name, must(*case)].append(case)
    chance = random.Random(seed)
    return [case for (name, verdict), group in groups.items() for case in chance.sample(group, min(len(group), at(
        ci=1, long=8 if name.endswith(PAPER) and verdict == "done" else len(group))))]


@pytest.fixture
def houses(world):
    return Houses(world)


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


def test_every_route_role_relation_and_state(houses, monkeypatch):
    seed = random.SystemRandom().randrange(10**6)
    some, watch = a_sample(cases(houses), seed), Watch(houses, monkeypatch)
    found = list(wrongs(houses, watch, some))
    assert not found, f"{len(found)} of {len(some)}, of seed {seed}:\n" + "\n".join(found[:60])


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


# ------------------------------------------------------------------ what is another's and what is not there

TIMED = ("GET /api/v1/offers/<id:offer_id>", "POST /api/v1/offers/<id:offer_id>/steps",
         "POST /api/v1/mandates/<id:mandate_id>/ending")
ROUNDS, WITHIN = at(ci=150, long=500), 0.002  # requests of each kind, seconds between their medians
TRIES = 3  # a difference that comes and goes is the machine's


@both
def test_what_is_anothers_is_refused_as_quickly_as_what_is_not_there(fresh, backend):
    houses = Houses(fresh(seeded=True))
    routes = list({case[0]: case for case in cases(houses) if must(*case) == "not there" and case[2].state != "missing"
                   and case[1].house in RIVALS}.values())
    timed = [case for case in routes if case[0].name in TIMED[:3 if backend == "sqlite" else 1]]
    if LONG:
        timed = routes if backend == "sqlite" else routes[::10]
    assert timed
    assert not [case[0].name for case in timed if all(difference(houses, *case) > WITHIN for _ in range(TRIES))]


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
