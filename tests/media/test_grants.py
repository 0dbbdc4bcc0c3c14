"""Screeners: nobody watches without a live grant, and the seller sees who watched, how far and how often."""
import re
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from accounts import people
from accounts.notices import Notice
from accounts.permissions import Role
from accounts.takeout.tables import PARTS
from catalogue.models import Title
from core import clock, outbox
from core.database import db
from media import grants, requests
from media.models import Asset, State
from tests.accounts.organisations import belong
from tests.media.test_assets import AGENT, BUYER, MANAGER, OPERATOR, RIVAL, Studio
from tests.stores import Place
from tests.test_pages import Visitor

TODAY = date(2027, 3, 10)
NEIGHBOUR = "buyer@nordlys.test"


@pytest.fixture
def house(world):
    return Studio(world, Place(world.extensions["store"]))


@pytest.fixture
def screener(house):
    return ready(house)


def ready(house):
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
    give(house, screener, {"email": BUYER.upper()})
    assert [play(house, screener, email) for email in (BUYER, NEIGHBOUR, RIVAL)] == [201, 404, 404]


def attend(house):
    """As the worker does."""
    with house.app.app_context():
        outbox.drain(grants.TOPIC, grants.attend)


def test_a_grant_to_an_address_reads_the_same_whether_or_not_somebody_has_it(fresh):
    """When it is given, by page and over the API, and later wherever its house looks, until they watch."""
    said = []
    for email in (BUYER, "nobody@sakura.test"):
        app = fresh(seeded=True)
        house, page = Studio(app, Place(app.extensions["store"])), Visitor(app, AGENT)
        film, days = ready(house), {"starts_on": str(TODAY), "ends_on": str(TODAY)}
        sent = page.submit("/titles/1/grants", {**days, "email": email, "asset_id": film}, form="/titles/1/media")
        answers = [sent, house(AGENT).post(f"/assets/{film}/grants", {"email": email, **days})]
        attend(house)
        answers += [page.get("/screeners"), house(AGENT).get(f"/assets/{film}/grants")]
        with app.app_context():
            seller = people.viewer(people.find(AGENT).id).organisation_id
            taken = db.session.execute(PARTS["asset_grant"].query(seller)).all()
        read = [f"{each.status} {each.location} {each.text}" for each in answers] + [str(taken)]
        said.append([re.sub("[0-9T:.+-]{19,}|csrf_token.*?>|datetime[^)]*|nonce\\S*", "", each.replace(email, "@"))
                     for each in read])
        assert said[-1][2].count("@") >= 2, "it is said to whom it was given, as it was typed"
    assert said[0] == said[1]


def test_who_has_the_address_is_told_and_watches_for_one_organisation(house, screener):
    """For that one for which they asked, or else one that buys."""
    belong(house.app, BUYER, ("Nordlys Distribution", ["buyer"]))
    give(house, screener, {"email": BUYER})
    attend(house)
    with house.app.app_context():
        sakura, nordlys = people.memberships(people.find(BUYER).id)
        asset = db.session.get(Asset, int(screener))
        assert grants.find(asset, people.acting(sakura)) and not grants.find(asset, people.acting(nordlys))
        told = db.session.scalars(select(Notice).where(Notice.path == "/your-screeners")).all()
        assert [(each.person_id, each.organisation_id) for each in told] == [
            (sakura.person_id, sakura.organisation_id)]
        requests.create(db.session.get(Title, 2), people.acting(nordlys))
        db.session.commit()
    give(house, screener, {"email": BUYER})
    attend(house)
    with house.app.app_context():
        asset = db.session.get(Asset, int(screener))
        assert grants.find(asset, people.acting(people.memberships(people.find(BUYER).id)[1]))


def test_a_grant_waits_for_who_comes_to_have_the_address_and_stays_with_where_they_first_watched(house, screener):
    give(house, screener, {"email": "new@nordlys.test"})
    attend(house)
    with house.app.app_context():
        person = people.enrol("new@nordlys.test", "New", None)
        homes = [people.join(person, people.organisation_named(name), [Role.BUYER])
                 for name in ("Sakura TV", "Nordlys Distribution")]
        asset, homes = db.session.get(Asset, int(screener)), [people.acting(each) for each in homes]
        assert all(grants.find(asset, each) for each in homes)
        grants.play(asset, homes[1], house.app.extensions["store"])
        assert [bool(grants.find(asset, each)) for each in homes] == [False, True]


def test_nobody_is_named_by_number_who_did_not_ask_and_numbers_tell_nothing(house, screener):
    with house.app.app_context():
        known = people.find(BUYER).id
    days = {"starts_on": str(TODAY), "ends_on": str(TODAY)}
    answers = [house(AGENT).post(f"/assets/{screener}/grants", {"person": str(each), **days})
               for each in (known, 999_999)]
    assert answers[0].status_code == 422 and answers[0].data == answers[1].data
    house(BUYER).post("/titles/2/screener-requests")
    give(house, screener, {"person": str(known)})
    assert play(house, screener, BUYER) == 201


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
