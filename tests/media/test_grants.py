"""Screeners: nobody watches without a live grant, and the seller sees who watched, how far and how often."""
from datetime import date, timedelta

import pytest

from accounts import people
from core import clock
from core.database import db
from media.models import Asset, State
from tests.media.test_assets import AGENT, BUYER, MANAGER, OPERATOR, RIVAL, Studio
from tests.stores import Place

TODAY = date(2027, 3, 10)
NEIGHBOUR = "buyer@nordlys.test"


@pytest.fixture
def house(world):
    return Studio(world, Place(world.extensions["store"]))


@pytest.fixture
def screener(house):
    """The id of a screener that is ready."""
    with house.app.app_context():
        asset = house.announce("screener")["asset"]["id"]
        db.session.get(Asset, int(asset)).state = State.READY.value
        db.session.commit()
    return asset


@pytest.fixture(autouse=True)
def a_day():
    with clock.stopped_at(clock.now().replace(year=TODAY.year, month=TODAY.month, day=TODAY.day)):
        yield


def whom(house, email):
    """{organisation} of a person, as a grant names it."""
    with house.app.app_context():
        return {"organisation": str(people.viewer(people.find(email).id).organisation_id)}


def give(house, screener, to, first=0, last=7, by=AGENT, **more):
    answer = house(by).post(f"/assets/{screener}/grants", {
        **to, "starts_on": str(TODAY + timedelta(days=first)), "ends_on": str(TODAY + timedelta(days=last)), **more})
    assert answer.status_code == 201, answer.json
    return answer.json["id"]


def play(house, screener, email):
    return house(email).post(f"/assets/{screener}/plays").status_code


def test_a_grant_opens_a_screener_to_its_organisation_on_its_days_alone(house, screener):
    for email in (BUYER, NEIGHBOUR, RIVAL, OPERATOR):
        assert play(house, screener, email) == 404
    give(house, screener, whom(house, BUYER))
    for email, status in ((BUYER, 201), (NEIGHBOUR, 404), (RIVAL, 404), (OPERATOR, 404), (None, 401)):
        assert play(house, screener, email) == status, email
        assert house(email).get(f"/assets/{screener}").status_code == {201: 200}.get(status, status)
    for days, status in ((-1, 404), (0, 201), (7, 201), (8, 404)):
        with clock.stopped_at(clock.now() + timedelta(days=days)):
            assert play(house, screener, BUYER) == status, days


def test_a_grant_to_a_person_is_nobody_elses(house, screener):
    with house.app.app_context():
        person = str(people.find(BUYER).id)
    give(house, screener, {"person": person})
    assert [play(house, screener, email) for email in (BUYER, NEIGHBOUR, RIVAL)] == [201, 404, 404]


def test_a_grant_opens_neither_another_file_nor_what_is_not_ready(house, screener):
    give(house, screener, whom(house, BUYER))
    other = house.announce("screener")["asset"]["id"]
    assert play(house, other, BUYER) == 404
    for state in State:
        with house.app.app_context():
            db.session.get(Asset, int(screener)).state = state.value
            db.session.commit()
        assert play(house, screener, BUYER) == (201 if state == State.READY else 404), state


def test_views_are_counted_and_end(house, screener):
    give(house, screener, whom(house, BUYER), max_views=2)
    assert [play(house, screener, BUYER) for _ in range(3)] == [201, 201, 403]


def test_a_grant_taken_back_ends_at_once(house, screener):
    grant = give(house, screener, whom(house, BUYER))
    begun = house(BUYER).post(f"/assets/{screener}/plays").json
    assert house(BUYER).post(f"/plays/{begun['id']}/progress", {"seconds": 60}).status_code == 200
    for email, status in ((RIVAL, 404), (BUYER, 403), (MANAGER, 204)):
        assert house(email).delete(f"/assets/{screener}/grants/{grant}").status_code == status, email
    assert house(BUYER).post(f"/plays/{begun['id']}/progress", {"seconds": 90}).status_code == 404
    assert play(house, screener, BUYER) == 404
    assert house(BUYER).get(f"/assets/{screener}/url").status_code == 404


def test_what_is_for_watching_is_not_downloaded(house, screener):
    give(house, screener, whom(house, BUYER))
    assert house(BUYER).get(f"/assets/{screener}/url").status_code == 403
    give(house, screener, whom(house, BUYER), download=True)
    assert "name=" in house(BUYER).get(f"/assets/{screener}/url").json["url"]


def test_the_seller_sees_who_watched_how_far_and_how_often(house, screener):
    give(house, screener, whom(house, BUYER))
    first = house(BUYER).post(f"/assets/{screener}/plays").json["id"]
    house(BUYER).post(f"/assets/{screener}/plays")
    for seconds in (300, 4000, 20):
        house(BUYER).post(f"/plays/{first}/progress", {"seconds": seconds})
    [grant] = house(AGENT).get(f"/assets/{screener}/grants").json
    assert grant["views"] == 2 and [each["seconds"] for each in grant["plays"]] == [4000, 0]
    assert house(NEIGHBOUR).post(f"/plays/{first}/progress", {"seconds": 1}).status_code == 404
    for email in (BUYER, RIVAL):
        assert house(email).get(f"/assets/{screener}/grants").status_code in (403, 404)


def test_a_play_does_not_last_for_ever(house, screener):
    give(house, screener, whom(house, BUYER))
    begun = house(BUYER).post(f"/assets/{screener}/plays").json["id"]
    with clock.stopped_at(clock.now() + timedelta(hours=13)):
        assert house(BUYER).post(f"/plays/{begun}/progress", {"seconds": 60}).status_code == 409


@pytest.mark.parametrize("changed, field", [
    ({"ends_on": None}, "ends_on"), ({"ends_on": "2027-03-01"}, "ends_on"), ({"organisation": None}, "organisation"),
    ({"person": "1"}, "organisation"), ({"organisation": "99999"}, "organisation"), ({"max_views": 0}, "max_views")])
def test_a_grant_that_means_nothing_is_refused(house, screener, changed, field):
    answer = house(AGENT).post(f"/assets/{screener}/grants", {
        **whom(house, BUYER), "starts_on": "2027-03-10", "ends_on": "2027-03-17", **changed})
    assert answer.status_code == 422 and field in answer.json["errors"]


def test_only_a_screener_that_is_ready_is_granted(house, screener):
    body = {**whom(house, BUYER), "starts_on": "2027-03-10", "ends_on": "2027-03-17"}
    for kind in ("screener", "master", "trailer"):
        asset = house.announce(kind)["asset"]["id"]
        assert house(AGENT).post(f"/assets/{asset}/grants", body).status_code == 409
    assert house(RIVAL).post(f"/assets/{screener}/grants", body).status_code == 404
    assert house(BUYER).post(f"/assets/{screener}/grants", body).status_code == 403
