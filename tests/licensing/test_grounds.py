"""What licences rest on: a mandate is ended under them, they stand, and their seller reads it on them."""
import pytest

from tests.conftest import Caller, a_line, both
from tests.test_pages import Visitor, text


@pytest.fixture
def house(fresh):
    app = fresh(seeded=True)
    people = [Caller(app, f"{who}.test") for who in ("agent@harbour", "rights@harbour", "buyer@nordlys")]
    people[0].app = app
    return people


def listed(seller, kind="film", **more):
    return seller.post("/titles", {"kind": kind, "original_title": "T", "status": "published", **more}).json["id"]


def mandate(seller, title, *args, **more):
    made = seller.post(f"/titles/{title}/mandates", {**a_line(*args), "contract": "IN-1", **more})
    assert made.status_code == 201, made.json
    return made.json["id"]


def licence(seller, title, *args, **more):
    made = seller.post(f"/titles/{title}/licences", {**a_line(*args), "licensee": "Formosa", **more})
    assert made.status_code == 201, made.json
    return made.json["id"]


def said(who, path):
    return [each for row in who.get(path).json for line in row["lines"] for each in line.get("rests_on_nothing", [])]


@both
def test_a_licence_stands_and_says_from_when_it_rests_on_nothing(house):
    seller, manager, buyer = house
    title = listed(seller)
    held = mandate(seller, title, "World", "all", "2024-01-01", None)
    me = buyer.get("/me").json["organisations"][0]["id"]
    licence(seller, title, "TW,HK", "svod", "2027-01-01", "2029-12-31", licensee=me)
    licence(seller, title, "DE", "svod", "2027-01-01", "2028-06-30")
    assert said(seller, f"/titles/{title}/licences") == []
    manager.post(f"/mandates/{held}/ending", {"from": "2028-07-01", "note": "The licensor took it back"})
    sentence = ("Mandate IN-1 ended 30 Jun 2028: rests on nothing in Hong Kong + Taiwan, SVOD, "
                "1 Jul 2028–31 Dec 2029.")
    assert said(seller, f"/titles/{title}/licences") == [sentence]
    assert sentence in said(seller, "/licences")
    assert buyer.get("/licences").json and said(buyer, "/licences") == []
    for path in (f"/titles/{title}", f"/titles/{title}/rights"):
        assert text(Visitor(seller.app, "agent@harbour.test").get(path)).count(sentence) == 1
    answer = seller.post(f"/titles/{title}/avails", a_line("FR", "svod", "2028-01-01", "2029-12-31")).json
    assert answer["verdict"] == "partial"
    [reason] = answer["reasons"]
    assert reason["code"] == "NO_RIGHTS_IN" and reason["text"].endswith("France, SVOD, 1 Jul 2028–31 Dec 2029.")
    mandate(seller, title, "Asia", "svod", "2028-07-01", "2028-12-31", contract="IN-2")
    assert said(seller, f"/titles/{title}/licences") == [sentence.replace("1 Jul 2028", "1 Jan 2029")]
    mandate(seller, title, "Asia", "svod", "2029-01-01", None, contract="IN-3")
    assert said(seller, f"/titles/{title}/licences") == []


def test_an_exclusive_licence_rests_on_exclusive_mandates_alone_and_on_those_of_the_series(house):
    seller, manager, _ = house
    series = listed(seller, "series")
    season = listed(seller, "season", parent_id=series, number=1)
    mandate(seller, series, "World", "all", "2024-01-01", None, exclusive=False)
    held = mandate(seller, series, "Nordics", "svod", "2024-01-01", None)
    licence(seller, season, "SE", "svod", "2027-01-01", "2028-12-31")
    licence(seller, season, "NO", "svod", "2027-01-01", "2028-12-31", exclusive=False)
    manager.post(f"/mandates/{held}/ending", {"from": "2020-01-01"})
    assert said(seller, f"/titles/{season}/licences") == [
        "Mandate IN-1 ended: rests on nothing in Sweden, SVOD, 1 Jan 2027–31 Dec 2028."]


def test_who_ends_a_mandate_is_told_how_many_licences_stand_without_it(house):
    seller, _, _ = house
    title = listed(seller)
    held = mandate(seller, title, "World", "all", "2024-01-01", None)
    licence(seller, title, "TW", "svod", "2027-01-01", "2029-12-31")
    manager = Visitor(seller.app, "rights@harbour.test")
    done = manager.submit(f"/mandates/{held}/ending", {"from": "2028-07-01"}, form=f"/titles/{title}/rights")
    assert done.status_code == 302
    assert "One of your licences stands without it" in text(manager.get(done.location))


def test_a_signed_offer_shows_it_to_the_seller_alone(house):
    seller, manager, buyer = house
    signed = next(each for each in seller.get("/offers?page_size=100").json if each["state"] == "signed")
    title = seller.get(f"/offers/{signed['id']}").json["lines"][0]["title_id"]
    for each in seller.get(f"/titles/{title}/mandates").json:
        manager.post(f"/mandates/{each['id']}/ending", {"from": "2028-01-01"})
    assert "rests on nothing" in text(Visitor(seller.app, "agent@harbour.test").get(f"/offers/{signed['id']}"))
    for who in ("buyer@nordlys.test", "buyer@sakura.test", "buyer@skyway.test"):
        assert "rests on nothing" not in text(Visitor(seller.app, who).get(f"/offers/{signed['id']}"))
