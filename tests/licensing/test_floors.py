"""Price floors: the seller reads them where they matter, the buyer nowhere."""
import pytest

from tests.conftest import Caller, a_line
from tests.test_pages import Visitor, text

FLOORS = [{"territories": ["TW"], "amount": "5000", "currency": "USD"},
          {"territories": ["Nordics"], "amount": "20000", "currency": "USD"}]
ASKED = "territories=TW,HK&media=svod&languages=*&starts_on=2027-01-01&ends_on=2028-12-31&exclusive=true"


@pytest.fixture
def house(world):
    """(seller, buyer, title): a film with floors for Taiwan and the Nordics."""
    seller, buyer = Caller(world, "agent@harbour.test"), Caller(world, "buyer@sakura.test")
    title = seller.post("/titles", {"kind": "film", "original_title": "Ford", "status": "published"}).json["id"]
    made = seller.post(f"/titles/{title}/mandates",
                       {**a_line("World", "all", "2024-01-01", None), "floors": FLOORS})
    assert made.status_code == 201, made.json
    return seller, buyer, title


def offered(seller, buyer, title, price, territories="TW,HK", currency="USD"):
    other = seller.get(f"/titles/{title}").json["seller"]["id"]
    offer = buyer.post("/offers", {"seller": other, "currency": currency, "lines": [
        {**a_line(territories, "svod"), "title_id": title, "price": price}]}).json["id"]
    sent = buyer.post(f"/offers/{offer}/steps", {"action": "submit" if price else "request"})
    assert sent.status_code == 201, sent.json
    return offer


@pytest.mark.parametrize("price, territories, currency, said, below", [
    ("4999.99", "TW,HK", "USD", "Below your floor of USD 5,000 for Taiwan", True),
    ("5000", "TW,HK", "USD", "Your floor for Taiwan is USD 5,000", False),
    ("5000", "TW", "EUR", "Your floor for Taiwan is USD 5,000; the offer is in EUR", None),
    (None, "TW", "USD", "Your floor for Taiwan is USD 5,000", None),
    ("19000", "SE", "USD", "Below your floor of USD 20,000 for Nordics", True)])
def test_the_seller_reads_on_the_offer_whether_it_lies_below(world, house, price, territories, currency, said, below):
    seller, buyer, title = house
    offer = offered(seller, buyer, title, price, territories, currency)
    [floor] = seller.get(f"/offers/{offer}").json["lines"][0]["avails"]["floors"]
    assert (floor["text"], floor["below"]) == (said, below)
    page = text(Visitor(world, "agent@harbour.test").get(f"/offers/{offer}"))
    assert f"{said}." in page and ("below your floor" in page) is bool(below)
    assert "floors" not in buyer.get(f"/offers/{offer}").json["lines"][0]["avails"]
    assert "floor" not in text(Visitor(world, "buyer@sakura.test").get(f"/offers/{offer}")).lower()


def test_an_answer_names_the_floors_of_what_is_asked_to_the_seller_alone(world, house):
    seller, buyer, title = house
    answer = seller.post(f"/titles/{title}/avails", a_line("TW,HK")).json
    assert [(each["label"], each["amount"], each["currency"]) for each in answer["floors"]] == [
        ("Taiwan", "5000", "USD")]
    assert seller.post(f"/titles/{title}/avails", a_line("DE")).json["floors"] == []
    assert "floors" not in buyer.post(f"/titles/{title}/avails", a_line("TW,HK")).json
    assert "Your floor for Taiwan is USD 5,000" in text(
        Visitor(world, "agent@harbour.test").get(f"/titles/{title}?{ASKED}"))
    assert "floor" not in text(Visitor(world, "buyer@sakura.test").get(f"/titles/{title}?{ASKED}")).lower()


def test_a_floor_counts_for_what_stands_below_a_title_and_only_while_its_mandate_does(world, house):
    seller, _, _ = house
    manager = Caller(world, "rights@harbour.test")
    series = seller.post("/titles", {"kind": "series", "original_title": "S"}).json["id"]
    season = seller.post("/titles", {"kind": "season", "original_title": "S1", "parent_id": series,
                                     "number": 1}).json["id"]
    held = seller.post(f"/titles/{series}/mandates", {**a_line("World", "all", "2024-01-01", None), "floors": FLOORS})
    assert len(seller.post(f"/titles/{season}/avails", a_line("TW,SE")).json["floors"]) == 2
    manager.post(f"/mandates/{held.json['id']}/ending", {"from": "2026-01-01"})
    assert seller.post(f"/titles/{season}/avails", a_line("TW,SE")).json["floors"] == []
