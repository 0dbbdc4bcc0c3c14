"""A basket across sellers: one offer to each, all of them or none."""
import re
from threading import Barrier, Thread

import pytest

from core.database import db
from licensing.basket import BasketLine
from licensing.models import Offer
from tests.conftest import Caller, a_line, both
from tests.test_pages import LINE, Visitor, text

BUYER, OTHER, SELLER, RIVAL = "buyer@sakura.test", "buyer@nordlys.test", "agent@harbour.test", "agent@lotus.test"
HARBOURS, MORE_OF_HARBOUR, LOTUS = "Das Salz der Häuser", "珠江夜航", "燈籠街"


@pytest.fixture
def house(fresh):
    """(`as_(email)`, {name: title id}) on either database."""
    app, known = fresh(seeded=True), {}

    def as_(email):
        return known.setdefault(email, Caller(app, email))
    as_.app = app
    ids = {name: as_(BUYER).get(f"/search?q={name}").json["items"][0]["id"] for name in (
        HARBOURS, MORE_OF_HARBOUR, LOTUS)}
    return as_, ids


def filled(as_, ids, email=BUYER):
    """The ids of three lines in the basket: two of one seller, one of another."""
    made = [as_(email).post("/basket", {**a_line("SE", "svod"), "title_id": ids[name], **more}) for name, more in (
        (HARBOURS, {}), (MORE_OF_HARBOUR, {"media": ["pay_tv"]}), (LOTUS, {"exclusive": False}))]
    assert [each.status_code for each in made] == [201] * 3, [each.json for each in made]
    return [each.json["id"] for each in made]


def parts(as_, lines, **more):
    """The sending of those lines: a request to one seller, an offer to the other."""
    basket = {each["id"]: each for each in as_(BUYER).get("/basket").json}
    harbour, lotus = (basket[lines[place]]["seller"]["id"] for place in (0, 2))
    return {"offers": [
        {"seller": harbour, "as": "request", "currency": "EUR", "lines": [{"id": each} for each in lines[:2]]},
        {"seller": lotus, "as": "submit", "currency": "JPY", "price_of_all": 400000, "note": "For spring.",
         "lines": [{"id": lines[2]}], **more}]}


@both
def test_one_offer_for_each_seller_in_one_step(house):
    as_, ids = house
    lines = filled(as_, ids)
    shown = as_(BUYER).get("/basket").json
    assert {(each["title"], each["avails"]["verdict"]) for each in shown} == {
        (name, "available") for name in (HARBOURS, MORE_OF_HARBOUR, LOTUS)}
    sent = as_(BUYER).post("/basket/sending", parts(as_, lines))
    assert sent.status_code == 201, sent.json
    assert [(each["seller"]["name"], each["state"], sorted(each["titles"])) for each in sent.json] == [
        ("Harbour Pictures", "requested", sorted([HARBOURS, MORE_OF_HARBOUR])), ("Lotus Sales", "submitted", [LOTUS])]
    assert as_(BUYER).get("/basket").json == []
    requested, offered = (as_(BUYER).get(f"/offers/{each['id']}").json for each in sent.json)
    assert [line["price"] for line in requested["lines"]] == [None, None]
    assert [line["price"] for line in offered["lines"]] == ["400000"] and offered["steps"][0]["note"] == "For spring."
    assert as_(SELLER).get(f"/offers/{requested['id']}").status_code == 200
    assert as_(SELLER).get(f"/offers/{offered['id']}").status_code == 404, "a seller sees nothing of the others"


@both
def test_what_is_wrong_with_one_offer_keeps_all_of_them_back(house):
    as_, ids = house
    lines = filled(as_, ids)
    before = len(as_(BUYER).get("/offers").json)
    for more, field in (({"price_of_all": None}, "lines"), ({"price_of_all": "0.5"}, "price_of_all"),
                        ({"valid_until": "2020-01-01"}, "valid_until"), ({"seller": "1"}, None)):
        body = parts(as_, lines, **more)
        refused = as_(BUYER).post("/basket/sending", body)
        assert refused.status_code == 422, (more, refused.json)
        if field:
            assert list(refused.json["errors"][body["offers"][1]["seller"]]) == [field]
    assert len(as_(BUYER).get("/offers").json) == before and len(as_(BUYER).get("/basket").json) == 3


@both
def test_the_same_twice_is_one_line_and_nobody_else_has_it(house):
    as_, ids = house
    line = {**a_line("SE", "svod"), "title_id": ids[HARBOURS]}
    first = as_(BUYER).post("/basket", line).json["id"]
    assert as_(BUYER).post("/basket", line).json["id"] == first
    assert as_(BUYER).post("/basket", {**line, "territories": ["Sweden"]}).json["id"] == first, "the same in words"
    assert as_(BUYER).post("/basket", {**line, "exclusive": False}).json["id"] != first
    assert as_(OTHER).get("/basket").json == [] and as_(OTHER).delete(f"/basket/{first}").status_code == 404
    body = {"offers": [{"seller": as_(BUYER).get("/basket").json[0]["seller"]["id"], "as": "request",
                        "currency": "EUR", "lines": [{"id": first}]}]}
    assert as_(OTHER).post("/basket/sending", body).status_code == 409
    assert as_(BUYER).delete(f"/basket/{first}").status_code == 204
    assert as_(BUYER).post("/basket/sending", body).status_code == 409, "what was taken out is not sent"
    assert as_(SELLER).post("/basket", line).status_code == 403


@both
def test_two_who_send_the_same_basket_at_once_send_it_once(house):
    as_, ids = house
    body = parts(as_, filled(as_, ids))
    callers, together, answers = [Caller(as_.app, BUYER) for _ in range(4)], Barrier(4), []

    def send(caller):
        together.wait(20)
        answers.append(caller.post("/basket/sending", body).status_code)

    before = offers_in(as_.app)
    at_once([lambda each=each: send(each) for each in callers])
    assert sorted(answers) == [201, 409, 409, 409]
    assert offers_in(as_.app) == before + 2


def at_once(acts):
    threads = [Thread(target=act) for act in acts]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)


def offers_in(app):
    with app.app_context():
        return db.session.scalar(db.select(db.func.count()).select_from(Offer))


def test_a_withdrawn_title_is_not_sent_and_can_be_cleared(house):
    as_, ids = house
    filled(as_, ids)
    tag = as_(RIVAL).get(f"/titles/{ids[LOTUS]}").headers["ETag"]
    assert as_(RIVAL).patch(f"/titles/{ids[LOTUS]}", {"status": "withdrawn"}, If_Match=tag).status_code == 200
    assert len(as_(BUYER).get("/basket").json) == 2
    someone = Visitor(as_.app, BUYER)
    page = text(someone.get("/basket"))
    assert "1 line" in page and "not on sale any more" in page and LOTUS not in page
    assert someone.submit("/basket/taking-out", {"line": "gone"}, form="/basket").status_code == 302
    with as_.app.app_context():
        assert db.session.scalar(db.select(db.func.count()).select_from(BasketLine)) == 2


def test_a_basket_ends_at_a_hundred_lines(house, monkeypatch):
    as_, ids = house
    monkeypatch.setattr("licensing.drafts.MOST_LINES", 2)
    line = {**a_line("SE", "svod"), "title_id": ids[HARBOURS]}
    codes = [as_(BUYER).post("/basket", {**line, "media": [medium]}).status_code
             for medium in ("svod", "avod", "fast", "svod")]
    assert codes == [201, 201, 409, 201], "what is there already is no line more"


def test_from_the_results_to_the_offers_over_pages(world):
    someone = Visitor(world, BUYER)
    results = text(someone.get(f"/?{LINE}&match=overlap"))
    button = re.search(r'form="to-basket" name="title_id" value="(\d+)"', results)
    fields = dict(re.findall(r'name="(territories|media|languages|starts_on|ends_on|exclusive)" value="([^"]*)"',
                             results.split('id="to-basket"')[1].split("</form>")[0]))
    back = someone.submit("/basket", {**fields, "title_id": button[1], "back": f"/?{LINE}"}, form="/account")
    assert back.location == f"/?{LINE}"
    for evil in ("https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)", "/\tx"):
        assert someone.submit("/basket", {**fields, "title_id": button[1], "back": evil},
                              form="/basket").location == "/basket"
    page = text(someone.get("/basket"))
    seller, line = re.search(r'name="line-(\d+)" value="(\d+)"', page).groups()
    wrong = someone.submit("/basket/sending", {"seller": seller, f"as-{seller}": "submit", f"currency-{seller}": "EUR",
                                               f"line-{seller}": line, f"price-{line}": "many"}, form="/basket")
    assert wrong.status_code == 422 and "is not an amount" in text(wrong) and 'value="many"' in text(wrong)
    none = someone.submit("/basket/sending", {"seller": seller, f"as-{seller}": "later"}, form="/basket")
    assert none.status_code == 422 and "Choose for one seller" in text(none)
    sent = someone.submit("/basket/sending", {"seller": seller, f"as-{seller}": "submit", f"currency-{seller}": "EUR",
                                              f"line-{seller}": line, f"price-{line}": "12,500"}, form="/basket")
    assert sent.status_code == 302 and sent.location == "/offers"
    assert "Nothing is in it" in text(someone.get("/basket")) and "12,500" in text(someone.get("/offers"))
