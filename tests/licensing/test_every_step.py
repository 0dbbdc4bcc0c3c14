"""Never a step by the wrong party, in the wrong state, on an old version: the whole product, tried on real offers.

One offer of the demo world in each state, every action, everyone who could try, every version they could name. What is
right is worked out here from the drawing of an offer's life and the roles, not by the code that decides.
"""
from itertools import product

import pytest

from accounts.permissions import Role
from core.database import db
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from licensing import drafts, offers
from licensing.models import Licence, Offer, Step, Version
from licensing.workflow import ACTIONS, TABLE, Party, Side, State
from tests.conftest import Caller
from tests.licensing import deals
from tests.scale import at

PEOPLE = ("agent@harbour.test", "rights@harbour.test", "buyer@nordlys.test", "buyer@sakura.test", "buyer@skyway.test",
          "rights@lotus.test", *at(ci=(), long=("agent@lotus.test", "operator@market.test")))
TRADES = {**dict.fromkeys(("approve", "reject", "request_changes", "terminate", "revert"), {Role.RIGHTS_MANAGER}),
          "sign": {Role.SIGNATORY}}
WRITES = ("counter", "propose")
REASONS = ("decline", "reject", "request_changes", "terminate", "revert")
VERSIONS = at(ci=("old", "current"), long=("none", "old", "current", "next"))


def side_of(offer, viewer):
    return {offer.seller_id: Side.SELLER, offer.buyer_id: Side.BUYER}.get(viewer.organisation_id)


def plays(rule, side, author, signed):
    return {Party.BUYER: side is Side.BUYER, Party.SELLER: side is Side.SELLER, Party.AUTHOR: side == author,
            Party.ANSWERER: side != author, Party.UNSIGNED: side != signed, Party.SYSTEM: False}[rule.party]


def right(offer, viewer, action, version):
    """The kinds of refusal that are right, or the states it may lead to."""
    side = side_of(offer, viewer)
    if side is None or (offer.state == State.DRAFT and offer.started_by != side.value):
        return (NotFound,)
    rules = [rule for rule in TABLE if (rule.state, rule.action) == (offer.state, action)]
    if not rules:
        return (Conflict,)
    author = Side(offer.versions[-1].side)
    signed = next((Side(step.side) for step in reversed(offer.steps) if step.action == "sign"), None)
    mine = [rule for rule in rules if plays(rule, side, author, signed if offer.state == State.SIGNED_ONE else None)]
    negotiates = {Role.BUYER} if side is Side.BUYER else {Role.AGENT, Role.RIGHTS_MANAGER}
    four_eyes = action == "approve" and offer.versions[-1].person_id == viewer.person_id
    if not mine or four_eyes or not viewer.roles & TRADES.get(action, negotiates):
        return (NotAllowed,)
    if version in ("old", "next"):
        return (Conflict,)
    if action == "accept" and version == "none" or action == "amend":  # which says no terms here
        return (Invalid,)
    return tuple(rule.to for rule in mine)


def tried(offer, viewer, action, version):
    """The kind of refusal, or the state it led to. A party has read the offer; to others it is not there."""
    number = {"none": None, "old": offer.number - 1, "current": offer.number, "next": offer.number + 1}[version]
    lines = [{**line, "price": 1000} for line in drafts.lines_of(offer)] if action in WRITES else None
    try:
        if side_of(offer, viewer) is None or offer.state == State.DRAFT:
            offers.get(offer.id, viewer)
        offers.advance(offer, viewer, action, version=number, lines=lines,
                       note="Because." if action in REASONS else None)
        return offer.state
    except (NotFound, NotAllowed, Conflict, Invalid) as refusal:
        return type(refusal)


def everything():
    """What a step could change, as a whole."""
    return {model.__tablename__: db.session.execute(db.select(model.__table__).order_by(model.id)).all()
            for model in (Offer, Version, Step, Licence)}


@pytest.fixture
def one_each(world):
    """{state: offer id}: one in every state but the passing `agreed`."""
    with world.app_context():
        found = dict(db.session.execute(db.select(Offer.state, Offer.id)).all())
        db.session.rollback()
    assert set(found) == {state.value for state in State} - {State.AGREED}
    return found


def test_every_state_action_person_and_version(world, one_each):
    with world.app_context():
        viewers = [deals.viewer(email) for email in PEOPLE]
        before = everything()
        for state in one_each:
            every_action(one_each, state, viewers)
        assert everything() == before, "what was refused has changed nothing"
        db.session.rollback()


def every_action(one_each, state, viewers):
    seen = set()
    offer = db.session.get(Offer, one_each[state], options=offers.WHOLE)
    for viewer, action, version in product(viewers, ACTIONS, VERSIONS):
        expected = right(offer, viewer, action, version)
        if action == "resume" and State.SUBMITTED in expected:
            expected = (State.SUBMITTED, State.COUNTERED)
        if action == "accept" and State.AGREED in expected:
            expected = (State.PENDING_APPROVAL, State.APPROVED)
        got = tried(offer, viewer, action, version)
        assert got in expected, (state, viewer.email, action, version, got, expected)
        seen.add(got)
        if isinstance(got, str):
            db.session.rollback()
            offer = db.session.get(Offer, one_each[state], options=offers.WHOLE)
    ways = {rule.to for rule in TABLE if rule.state == state and rule.party is not Party.SYSTEM}
    assert bool(ways) == any(isinstance(each, str) for each in seen)


def test_the_api_refuses_with_the_right_status_and_tells_the_newer_version(world, one_each):
    """The same at the edge: all of what is refused leaves the books as they were."""
    callers = {email: Caller(world, email) for email in PEOPLE}
    tries = list(product(one_each.items(), PEOPLE[:6], ACTIONS, ("old", "current")))  # who may see offers at all
    with world.app_context():
        viewers = {email: deals.viewer(email) for email in PEOPLE}
        wanted = []
        for (state, offer_id), email, action, version in tries:
            offer = db.session.get(Offer, offer_id)
            kinds = right(offer, viewers[email], action, version)
            if isinstance(kinds[0], type):
                wanted.append((state, email, action, version, offer_id, offer.number, kinds[0].status))
        before = everything()
        db.session.rollback()
    for state, email, action, version, offer_id, number, status in wanted[::at(ci=41, long=1)]:
        body = {"action": action, "version": number - (version == "old"), "note": "Because."}
        answer = callers[email].post(f"/offers/{offer_id}/steps", body)
        assert answer.status_code == status, (state, email, action, version, answer.json)
        if status == 409 and "version" in answer.json:
            assert answer.json["version"] == number, "whoever is late is told the newer version"
    with world.app_context():
        assert {**everything(), "offer": None} == {**before, "offer": None}
        db.session.rollback()
