"""Holds: their order, their end by the clock, and the offers they become."""
from datetime import UTC, datetime, timedelta

import pytest

from core import clock
from core.database import db
from licensing import holds
from licensing.models import Hold
from search import worker
from tests.conftest import Caller, a_line, both
from tests.licensing.deals import AGENT, BUYER, MANAGER, OTHER, RIVAL
from tests.test_pages import Visitor, text


@pytest.fixture
def house(fresh):
    app, known = fresh(seeded=True), {}

    def as_(email):
        return known.setdefault(email, Caller(app, email))
    as_.app = app
    title = as_(AGENT).post("/titles", {"kind": "film", "original_title": "海霧", "original_language": "yue",
                                        "status": "published"}).json["id"]
    as_(AGENT).post(f"/titles/{title}/mandates", a_line("World", "all", "2020-01-01", None))
    as_.title = title
    return as_


def organisation(as_, email):
    return as_(email).get("/me").json["organisations"][0]["id"]


def hold(as_, email, line=None, days=10, **more):
    return as_(AGENT).post(f"/titles/{as_.title}/holds", {
        **(line or a_line("SE")), "organisation": organisation(as_, email),
        "expires_at": (datetime.now(UTC) + timedelta(days=days)).isoformat(), **more})


def reasons(as_, email, line=None):
    return [each.get("hold", {}).get("organisation") and (each["hold"]["rank"], each["hold"]["organisation"])
            for each in as_(email).post(f"/titles/{as_.title}/avails", line or a_line("SE")).json["reasons"]]


@both
def test_the_second_moves_up_when_the_clock_releases_the_first(house):
    as_ = house
    first, second = hold(as_, BUYER, days=1).json["id"], hold(as_, OTHER).json["id"]
    elsewhere = hold(as_, OTHER, a_line("FI")).json
    assert elsewhere["rank"] == 1, "an order is kept only where the rights meet"
    assert reasons(as_, AGENT) == [(1, "Sakura TV"), (2, "Nordlys Distribution")]
    with as_.app.app_context(), clock.stopped_at(clock.now() + timedelta(days=1, seconds=1)):
        assert reasons(as_, AGENT) == [(2, "Nordlys Distribution")], "expired is expired before the worker comes"
        while worker.turn(as_.app.extensions["index"]):
            pass
        assert reasons(as_, AGENT) == [(1, "Nordlys Distribution")]
        assert holds.due() == []
        released = db.session.get(Hold, int(first))
        assert released.counts_until is not None and released.note == "It expired."
        assert db.session.get(Hold, int(second)).rank == 1
        db.session.rollback()


@both
def test_a_rank_is_one_buyers_alone_over_the_same_rights(house):
    as_ = house
    assert hold(as_, BUYER, rank=1).status_code == 201
    refused = hold(as_, OTHER, a_line("SE,NO"), rank=1)
    assert refused.status_code == 409 and "Sakura TV has the first hold" in refused.json["detail"]
    assert hold(as_, OTHER, a_line("SE,NO")).json["rank"] == 2
    assert hold(as_, OTHER, a_line("NO"), rank=1).status_code == 201


@both
def test_released_by_its_seller_and_by_nobody_else(house):
    as_ = house
    first, second = (hold(as_, email).json["id"] for email in (BUYER, OTHER))
    assert as_(BUYER).delete(f"/holds/{first}").status_code == 403
    assert as_(RIVAL).delete(f"/holds/{first}").status_code == 404
    assert as_(MANAGER).delete(f"/holds/{first}").status_code == 204
    assert as_(MANAGER).delete(f"/holds/{first}").status_code == 409
    assert reasons(as_, AGENT) == [(1, "Nordlys Distribution")] and second


@both
def test_a_hold_becomes_an_offer_of_its_holder_or_a_proposal_once(house):
    as_ = house
    first, second = (hold(as_, email).json["id"] for email in (BUYER, OTHER))
    assert as_(OTHER).post(f"/holds/{first}/offer", {"currency": "EUR"}).status_code == 404
    assert as_(RIVAL).post(f"/holds/{first}/offer", {"currency": "EUR"}).status_code == 404
    mine = as_(BUYER).post(f"/holds/{first}/offer", {"currency": "EUR"})
    assert mine.status_code == 201 and mine.json["state"] == "draft" and mine.json["lines"][0]["territories"] == ["SE"]
    again = as_(BUYER).post(f"/holds/{first}/offer", {"currency": "EUR"})
    assert again.status_code == 409 and mine.json["id"] in again.json["detail"]
    proposal = as_(AGENT).post(f"/holds/{second}/offer", {"currency": "EUR"}).json
    assert (proposal["buyer"]["name"], proposal["state"]) == ("Nordlys Distribution", "draft")
    assert as_(BUYER).delete(f"/offers/{mine.json['id']}").status_code == 204
    assert as_(BUYER).post(f"/holds/{first}/offer", {"currency": "USD"}).status_code == 201, "the draft was thrown away"


@both
def test_the_hold_ends_with_the_signature_of_the_offer_it_became(house):
    as_ = house
    first, second = (hold(as_, email).json["id"] for email in (BUYER, OTHER))
    offer = as_(BUYER).post(f"/holds/{first}/offer", {"currency": "EUR"}).json
    line = {**a_line("SE"), "title_id": as_.title, "price": "1000"}
    steps = f"/offers/{offer['id']}/steps"
    tag = as_(BUYER).get(f"/offers/{offer['id']}").headers["ETag"]
    assert as_(BUYER).patch(f"/offers/{offer['id']}", {"lines": [line]}, If_Match=tag).status_code == 200
    for email, action in ((BUYER, "submit"), (AGENT, "accept"), (MANAGER, "approve"), (AGENT, "issue_memo"),
                          (BUYER, "sign"), (MANAGER, "sign")):
        assert as_(email).post(steps, {"action": action, "version": 1}).status_code == 201, action
    live = {each["id"]: each for each in as_(AGENT).get(f"/titles/{as_.title}/holds").json}
    assert live[first]["counts_until"] is not None and live[first]["offer_id"] == offer["id"]
    assert live[second]["counts_until"] is None and live[second]["rank"] == 1


def test_the_seller_holds_releases_and_proposes_on_the_page_of_the_rights(house):
    as_ = house
    seller, buyer, other = (Visitor(as_.app, email) for email in (AGENT, BUYER, OTHER))
    path, line = f"/titles/{as_.title}/rights", {"territories": "SE", "media": "svod", "languages": "*",
                                                 "starts_on": "2027-01-01", "ends_on": "2029-12-31",
                                                 "exclusive": "true"}
    form = {**line, "organisation": organisation(as_, BUYER)}
    wrong = seller.submit(f"/titles/{as_.title}/holds", {**form, "last_day": "soon"}, form=path)
    assert wrong.status_code == 422 and "Write the last day as" in text(wrong)
    past = seller.submit(f"/titles/{as_.title}/holds", {**form, "last_day": "2020-01-01"}, form=path)
    assert past.status_code == 422 and "expires in the future" in text(past)
    last = (clock.today() + timedelta(days=10)).isoformat()
    assert seller.submit(f"/titles/{as_.title}/holds", {**form, "last_day": last}, form=path).status_code == 302
    assert "Sakura TV" in text(seller.get(path)) and "Turn into a proposal" in text(seller.get(path))
    assert "Held for you" in text(buyer.get(f"/titles/{as_.title}"))
    assert "Held for you" not in text(other.get(f"/titles/{as_.title}"))
    with as_.app.app_context():
        held = db.session.scalars(db.select(Hold).order_by(Hold.id.desc())).first()
        assert held.expires_at == clock.begins(clock.today() + timedelta(days=11))
        number = held.id
    turned = buyer.submit(f"/holds/{number}/offer", {}, form=f"/titles/{as_.title}")
    assert turned.status_code == 302 and "Draft for Harbour Pictures" in text(buyer.get(turned.location))
    assert seller.submit(f"/holds/{number}/release", {}, form=path).status_code == 302
    assert "Held for you" not in text(buyer.get(f"/titles/{as_.title}"))
