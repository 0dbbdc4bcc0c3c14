"""Holdbacks, holds, options, runs, dates to be announced and children, recorded and asked through the API."""
from datetime import UTC, datetime, timedelta

import pytest

from core.database import db
from tests.conftest import Caller, a_line, both


@pytest.fixture
def house(fresh):
    """(seller, manager, buyer, another buyer) on either database."""
    app = fresh(seeded=True)
    people = [Caller(app, f"{who}.test")
              for who in ("agent@harbour", "rights@harbour", "buyer@nordlys", "buyer@sakura")]
    people[0].app = app
    return people


def listed(seller, mandate=True, **more):
    made = seller.post("/titles", {"kind": "film", "original_title": "T", "status": "published", **more})
    assert made.status_code == 201, made.json
    title = made.json["id"]
    if mandate:
        whole = a_line("World", "all", "2020-01-01", None)
        assert seller.post(f"/titles/{title}/mandates", whole).status_code == 201
    return title


def ask(who, title, line=None, **more):
    answer = who.post(f"/titles/{title}/avails", {**(line or a_line("DE")), **more})
    assert answer.status_code == 200, answer.json
    return answer.json


def codes(answer):
    return [reason["code"] for reason in answer["reasons"]]


def id_of(who):
    return who.get("/me").json["organisations"][0]["id"]


@both
def test_a_holdback_shortens_the_window_until_it_is_ended(house):
    seller, manager, buyer, _ = house
    title = listed(seller)
    promise = {"territories": ["DE"], "media": ["svod"], "hard": True,
               "starts_on": "2027-01-01", "ends_on": "2028-12-31"}
    made = seller.post(f"/titles/{title}/holdbacks", promise)
    assert made.status_code == 201, made.json
    answer = ask(buyer, title)
    assert answer["verdict"] == "partial" and codes(answer) == ["HOLDBACK"]
    assert answer["free"][0]["starts_on"] == "2029-01-01"
    taken = seller.post(f"/titles/{title}/licences", {**a_line("DE"), "licensee": "X"})
    assert taken.status_code == 409 and taken.json["reasons"][0]["code"] == "HOLDBACK"
    assert seller.post(f"/holdbacks/{made.json['id']}/ending", {"from": "2027-07-01"}).status_code == 403
    ended = manager.post(f"/holdbacks/{made.json['id']}/ending", {"from": "2027-07-01", "note": "Agreed"})
    assert ended.status_code == 201 and ended.json["ends_on"] == "2027-06-30"
    assert ask(buyer, title)["free"][0]["starts_on"] == "2027-07-01"
    assert [row["counts_until"] is None for row in seller.get(f"/titles/{title}/holdbacks").json] == [True, False]


def test_a_soft_holdback_warns_and_a_licensees_binds_that_licensee_alone(house):
    seller, _, nordlys, sakura = house
    title = listed(seller)
    promise = {"territories": ["DE"], "media": ["svod"], "starts_on": "2027-01-01", "ends_on": None}
    seller.post(f"/titles/{title}/holdbacks", {**promise, "hard": False})
    answer = ask(nordlys, title)
    assert answer["verdict"] == "available" and codes(answer) == ["SOFT_HOLDBACK"]
    licence = seller.post(f"/titles/{title}/licences", {**a_line("FR", "theatrical"), "licensee": id_of(nordlys)})
    bound = {**promise, "hard": True, "binds": "licensee", "licence_id": licence.json["id"]}
    assert seller.post(f"/titles/{title}/holdbacks", bound).status_code == 201
    assert ask(nordlys, title)["verdict"] == "unavailable"
    assert ask(sakura, title)["verdict"] == "available"
    for line in ({**bound, "licence_id": None}, {**bound, "binds": "licensor"}):
        assert seller.post(f"/titles/{title}/holdbacks", line).status_code == 422


def test_search_and_title_page_and_offer_say_the_same_of_a_holdback(house):
    seller, _, nordlys, sakura = house
    title = listed(seller, original_title="Quokka")
    with seller.app.app_context():
        from search import worker
        worker.catch_up(seller.app.extensions["index"])
    licence = seller.post(f"/titles/{title}/licences", {**a_line("FR", "theatrical"), "licensee": id_of(nordlys)}).json
    seller.post(f"/titles/{title}/holdbacks", {
        "territories": ["HK"], "media": ["svod"], "starts_on": "2027-01-01", "ends_on": None, "hard": True,
        "binds": "licensee", "licence_id": licence["id"]})
    query = "/search?q=quokka&territories=HK&media=svod&starts_on=2027-01-01&ends_on=2029-12-31&exclusive=true"
    assert nordlys.get(query).json["total"] == 0
    assert sakura.get(query).json["total"] == 1
    me = id_of(seller)
    for buyer, verdict in ((nordlys, "unavailable"), (sakura, "available")):
        offer = buyer.post("/offers", {"seller": me, "currency": "EUR", "lines": [
            {**a_line("HK"), "title_id": title, "price": 1}]}).json
        assert offer["lines"][0]["avails"]["verdict"] == verdict


def test_holds_are_ordered_expire_and_are_told_to_the_seller_alone(house):
    seller, _, nordlys, sakura = house
    title = listed(seller)
    until = (datetime.now(UTC) + timedelta(days=7)).isoformat()
    for buyer in (nordlys, sakura):
        made = seller.post(f"/titles/{title}/holds", {
            **a_line("DE"), "organisation": id_of(buyer), "expires_at": until})
        assert made.status_code == 201, made.json
    answer = ask(seller, title)
    assert answer["verdict"] == "available"
    assert [(each["code"], each["hold"]["rank"], each["hold"]["organisation"]) for each in answer["reasons"]] == [
        ("HELD", 1, "Nordlys Distribution"), ("HELD", 2, "Sakura TV")]
    assert ask(sakura, title)["reasons"] == []
    past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    refused = seller.post(f"/titles/{title}/holds", {**a_line(), "organisation": id_of(sakura), "expires_at": past})
    assert refused.status_code == 422


def test_a_refusal_encumbers_the_sequel_with_holder_and_deadline(house):
    seller, _, nordlys, sakura = house
    first, sequel = listed(seller), listed(seller, original_title="T II")
    assert seller.post(f"/titles/{first}/options", {
        "kind": "first_refusal", "organisation": id_of(nordlys), "territories": ["Nordics"], "media": ["all"],
        "days": 20}).status_code == 201
    assert ask(seller, sequel, a_line("NO"))["reasons"] == []
    seller.post(f"/titles/{sequel}/links", {"kind": "sequel_of", "title_id": first})
    reason = ask(seller, sequel, a_line("NO"))["reasons"][0]
    assert (reason["code"], reason["blocking"], reason["option"]["organisation"]) == (
        "ENCUMBERED", False, "Nordlys Distribution")
    assert reason["option"]["deadline"] == (datetime.now(UTC) + timedelta(days=20)).date().isoformat()
    assert ask(seller, sequel, a_line("DE"))["reasons"] == [] and ask(sakura, sequel, a_line("NO"))["reasons"] == []
    assert ask(seller, first, a_line("NO"))["reasons"] == []


def test_six_runs_five_sold_leave_one(house):
    seller, _, buyer, _ = house
    title = listed(seller, mandate=False)
    year = a_line("DE", "free_tv", "2027-01-01", "2027-12-31")
    seller.post(f"/titles/{title}/mandates", {**year, "runs": 6})
    sold = seller.post(f"/titles/{title}/licences", {**year, "ends_on": "2027-06-30", "runs": 5, "licensee": "Kanal"})
    assert sold.status_code == 201 and sold.json["lines"][0]["runs"] == 5
    answer = ask(buyer, title, year)
    assert [(each["starts_on"], each["ends_on"]) for each in answer["free"]] == [("2027-07-01", "2027-12-31")]
    assert codes(ask(buyer, title, year, runs=2)) == ["RIGHTS_OUT", "RUNS_EXHAUSTED"]
    second = seller.post(f"/titles/{title}/licences", {**year, "starts_on": "2027-07-01", "licensee": "Kanal"})
    assert second.json["lines"][0]["runs"] == 1, "a licence drawn on runs names a number"
    assert codes(ask(buyer, title, year, exclusive=False)) == ["RIGHTS_OUT", "RUNS_EXHAUSTED"]


@both
def test_a_date_to_be_announced_counts_widest_when_taken_narrowest_when_owned(house):
    seller, _, buyer, _ = house
    title = listed(seller, mandate=False)
    release = {"event": "release", "lag_days": 30}
    mandate = {**a_line("DE", "all"), "starts_tba": {**release, "not_before": "2027-01-01", "not_after": "2027-12-31"}}
    del mandate["starts_on"]
    assert seller.post(f"/titles/{title}/mandates", {**mandate, "ends_on": None}).status_code == 201
    asked = a_line("DE", "svod", "2027-01-01", "2028-12-31")
    answer = ask(buyer, title, asked)
    assert answer["free"][0]["starts_on"] == "2027-12-31" and answer["free"][0]["tentative"]
    assert codes(answer) == ["NO_RIGHTS_IN", "TENTATIVE"]
    assert seller.post(f"/titles/{title}/events", {"event": "release", "happens_on": "2027-03-01"}).status_code == 201
    answer = ask(buyer, title, asked)
    assert answer["free"][0]["starts_on"] == "2027-03-31" and codes(answer) == ["NO_RIGHTS_IN"]
    backwards = {**release, "not_before": "2028-01-01", "not_after": "2027-01-01"}
    wrong = {**mandate, "ends_on": None, "starts_tba": backwards}
    assert seller.post(f"/titles/{title}/mandates", wrong).status_code == 422


@both
def test_a_licence_covers_the_episodes_it_had_and_later_ones_only_if_it_says_so(house):
    seller, _, buyer, _ = house
    series = listed(seller, kind="series")
    season = listed(seller, mandate=False, kind="season", parent_id=series, number=1)

    def episode(number):
        return listed(seller, mandate=False, kind="episode", parent_id=season, number=number)

    first = episode(1)
    licence = seller.post(f"/titles/{series}/licences", {**a_line("DE"), "licensee": "X"})
    assert licence.status_code == 201, licence.json
    second = episode(2)
    assert ask(buyer, first)["verdict"] == "unavailable"
    assert ask(buyer, second)["verdict"] == "available", "it came later"
    answer = ask(buyer, series)
    assert answer["verdict"] == "unavailable" and answer["coverage"] == 0.5
    assert [(each["code"], [child["id"] for child in each["children"]]) for each in answer["reasons"]] == [
        ("LIMITED_BY_CHILDREN", [first])]
    future = seller.post(f"/titles/{season}/licences", {**a_line("FR"), "future": True, "licensee": "Y"})
    assert future.status_code == 201
    assert ask(buyer, episode(3), a_line("FR"))["verdict"] == "unavailable"


@both
def test_the_first_child_takes_over_what_was_licensed_of_its_parent(house):
    seller, _, buyer, _ = house
    series = listed(seller, kind="series")
    seller.post(f"/titles/{series}/licences", {**a_line("DE"), "licensee": "X"})
    season = listed(seller, mandate=False, kind="season", parent_id=series)
    one, two = (listed(seller, mandate=False, kind="episode", parent_id=season) for _ in range(2))
    assert [ask(buyer, each)["verdict"] for each in (series, season, one, two)] == [
        "unavailable", "unavailable", "unavailable", "available"]


@pytest.mark.postgresql
@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_the_guard_knows_the_children_that_came_later(house):
    """A licence that covers future children guards the new one; the first child is guarded for its parent."""
    seller, *_ = house
    series, other = listed(seller, kind="series"), listed(seller, kind="series")
    seller.post(f"/titles/{series}/licences", {**a_line("DE"), "future": True, "licensee": "X"})
    seller.post(f"/titles/{other}/licences", {**a_line("DE"), "licensee": "Y"})
    seasons = [listed(seller, mandate=False, kind="season", parent_id=each) for each in (series, series, other)]
    with seller.app.app_context():
        named = db.text("SELECT count(*) FROM licence_guard WHERE leaves @> CAST(:leaf AS bigint)")
        guarded = [db.session.scalar(named, {"leaf": int(each)}) for each in seasons]
        assert guarded == [1, 1, 1]


@both
def test_an_episode_that_moves_stays_licensed(house):
    from licensing import checks
    seller, _, buyer, _ = house
    series, other = listed(seller, kind="series"), listed(seller, kind="series")
    season = listed(seller, mandate=False, kind="season", parent_id=series)
    away = listed(seller, mandate=False, kind="season", parent_id=other)
    one, two = (listed(seller, mandate=False, kind="episode", parent_id=season) for _ in range(2))
    seller.post(f"/titles/{series}/licences", {**a_line("DE"), "licensee": "X"})
    tag = seller.get(f"/titles/{one}").headers["ETag"]
    assert seller.patch(f"/titles/{one}", {"parent_id": away}, If_Match=tag).status_code == 200
    assert [ask(buyer, each)["verdict"] for each in (one, two, series, other)] == ["unavailable"] * 4
    taken = seller.post(f"/titles/{other}/licences", {**a_line("DE"), "licensee": "Y"})
    assert taken.status_code == 409
    with seller.app.app_context():
        assert checks.sold_twice() == checks.outside_mandates() == []


def test_as_of_answers_from_what_counted_then(house):
    seller, manager, buyer, _ = house
    title = listed(seller)
    before = datetime.now(UTC).isoformat()
    licence = seller.post(f"/titles/{title}/licences", {**a_line("DE"), "licensee": "X"}).json
    during = datetime.now(UTC).isoformat()
    manager.post(f"/licences/{licence['id']}/termination", {"from": "2027-01-01"})
    assert ask(seller, title)["verdict"] == "available"
    assert ask(seller, title, as_of=during)["verdict"] == "unavailable"
    assert ask(seller, title, as_of=before)["verdict"] == "available"
    assert codes(ask(seller, title, as_of="2019-01-01T00:00:00Z")) == ["NO_RIGHTS_IN"]
    told = buyer.post(f"/titles/{title}/avails", {**a_line("DE"), "as_of": during})
    assert told.status_code == 403, "from many days a buyer could tell deals apart"
