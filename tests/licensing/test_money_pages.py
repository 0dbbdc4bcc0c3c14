"""The pages of money, without script: forms of prices and plans, the due list, one instalment."""
import re

import pytest

from core import clock
from core.database import db
from licensing import drafts
from licensing.models import Offer
from licensing.money.prices import plain
from seed import line
from tests.licensing.deals import AGENT, BUYER, MANAGER, OPERATOR, OTHER, RIVAL, step, title, viewer
from tests.licensing.test_money import THIRDS, deal, owed
from tests.test_pages import Visitor, text

LINE = {"lines-0-territories": "JP", "lines-0-media": "pay_tv", "lines-0-languages": "*", "lines-0-exclusive": "true",
        "lines-0-starts_on": "2027-01-01", "lines-0-ends_on": "2029-12-31"}
PLAN = {"plan-days": "45", "plan-tax": "10 % at source", "plan-0-much": "25%", "plan-0-on": "signature",
        "plan-1-much": " 75 % ", "plan-1-on": "date", "plan-1-day": "2999-01-31", "plan-2-much": "",
        "plan-2-on": "signature"}


@pytest.fixture
def visit(world):
    known = {}

    def come(email):
        if email not in known:
            known[email] = Visitor(world, email)
        return known[email]
    return come


@pytest.fixture
def draft(world):
    """(offer id, the fields of its line) of a buyer's draft."""
    with world.app_context():
        film = title(name="Ebbe")
        offer = drafts.create(viewer(BUYER), currency="USD", seller_id=viewer(AGENT).organisation_id, payment=THIRDS,
                              lines=[{**line("JP", "pay_tv", "2027-01-01", "2029-12-31"), "title_id": film.id}])
        db.session.commit()
        return offer.id, {**LINE, "lines-0-title_id": str(film.id), "currency": "USD"}


def current(world, offer_id):
    with world.app_context():
        version = db.session.get(Offer, offer_id).current
        return version.lines[0].price, version.lines[0].pricing, version.lines[0].runs, version.payment


@pytest.mark.parametrize("typed, price, pricing, runs", [
    ({"lines-0-price": "40,000.50", "lines-0-fee": "7"}, "40000.5", {"kind": "flat"}, None),
    ({"lines-0-price_kind": "guarantee", "lines-0-price": "40000", "lines-0-share": "30", "lines-0-share_of": "gross"},
     "40000", {"kind": "guarantee", "share": "30", "share_of": "gross"}, None),
    ({"lines-0-price_kind": "per_run", "lines-0-price": "1", "lines-0-fee": "1,200", "lines-0-runs": "3"},
     "3600", {"kind": "per_run", "fee": "1200"}, 3)])
def test_a_form_takes_each_kind_of_price_and_a_plan(world, visit, draft, typed, price, pricing, runs):
    offer, fields = draft
    saved = visit(BUYER).submit(f"/offers/{offer}/draft", {**fields, **PLAN, **typed, "action": "save"},
                                form=f"/offers/{offer}")
    assert saved.status_code == 302, text(saved)
    found = current(world, offer)
    assert (plain(found[0]), *found[1:3]) == (price, pricing, runs)
    assert found[3] == {"days": 45, "withholding_tax": "10 % at source", "instalments": [
        {"on": "signature", "percent": "25"}, {"on": "date", "day": "2999-01-31", "percent": "75"}]}
    page = text(visit(BUYER).get(f"/offers/{offer}"))
    assert "25 % on signature, 75 % on 31 Jan 2999; 45 days to pay" in page
    assert not re.search(r'\sstyle="|<script>|\son\w+="', page)


def test_what_was_typed_comes_back_with_what_is_wrong(world, visit, draft):
    offer, fields = draft
    for wrong, said in (({"plan-1-much": "74 %"}, "99 %"), ({"plan-0-on": "never"}, "payment"),
                        ({"plan-days": "soon"}, "payment"),
                        ({"plan-days": "9" * 5000}, "payment"), ({"plan-1-much": "5000"}, "all as amounts"),
                        ({"lines-0-price_kind": "guarantee"}, "percentage"),
                        ({"lines-0-price_kind": "per_run"}, "number of runs"),
                        ({"lines-0-price_kind": "per_run", "lines-0-runs": "some"}, "lines"),
                        ({"lines-0-price_kind": "barter"}, "lines")):
        back = visit(BUYER).submit(f"/offers/{offer}/draft", {**fields, **PLAN, "lines-0-price": "10", **wrong,
                                                              "action": "save"}, form=f"/offers/{offer}")
        page = text(back)
        assert back.status_code == 422 and "Not yet." in page and said in page, wrong
        assert "plan-1-much" not in wrong or f'value="{wrong["plan-1-much"]}"' in page
    assert current(world, offer)[0] is None


def test_a_form_with_no_part_filled_in_is_the_whole_price_on_signature(world, visit, draft):
    offer, fields = draft
    visit(BUYER).submit(f"/offers/{offer}/draft", {**fields, "plan-days": "10", "plan-0-much": "", "action": "save"},
                        form=f"/offers/{offer}")
    assert current(world, offer)[3] == {"days": 10, "withholding_tax": None, "instalments": [
        {"on": "signature", "percent": "100"}]}


def test_the_offer_shows_the_plan_in_figures_and_after_the_signature_the_instalments(world, visit):
    with world.app_context():
        offer = deal(signed=False, price="100", currency="JPY")
    for email in (AGENT, BUYER):
        page = text(visit(email).get(f"/offers/{offer}"))
        rows = re.findall(r'<td>on (\w+)</td><td class="end">([\d.]+ %)</td><td class="end">(\d+)</td>', page)
        assert rows == [("signature", "33.33 %", "33"), ("delivery", "33.33 %", "33"), ("acceptance", "33.34 %", "34")]
    with world.app_context():
        step(db.session.get(Offer, offer), MANAGER, "sign")
        db.session.commit()
        ids = [each.id for each in owed(offer)]
    for email in (AGENT, BUYER):
        page = text(visit(email).get(f"/offers/{offer}"))
        assert all(f'href="/instalments/{each}"' in page for each in ids) and "in 30 days" in page
        assert "30 days after delivery" in page


def test_a_payment_is_marked_refused_and_undone_on_its_page(world, visit):
    with world.app_context():
        one = owed(deal())[0].id
    path, manager = f"/instalments/{one}", visit(MANAGER)
    page = text(manager.get(path))
    assert 'name="outstanding" value="333.300"' in page and "Mark as paid" in page
    paid = {"paid_on": clock.today().isoformat(), "outstanding": "333.300", "reference": "SEPA 7"}
    for wrong, status, said in (({"amount": "333.31"}, 422, "Only EUR 333.30 is outstanding"),
                                ({"amount": "1,50"}, 422, "not an amount"), ({"paid_on": ""}, 422, "paid on"),
                                ({"outstanding": "100"}, 409, "marked meanwhile")):
        back = manager.submit(f"{path}/payments", {**paid, **wrong}, form=path)
        assert back.status_code == status and said in text(back), wrong
    part = {**paid, "amount": "100.00", "withheld": "0.30"}
    assert manager.submit(f"{path}/payments", part, form=path).status_code == 302
    page = text(manager.get(path))
    assert manager.submit(f"{path}/payments", part, form=path).status_code == 409, "pressed twice"
    assert "233 is still outstanding" in page and "and 0.30 tax withheld" in page
    payment = re.search(r"/payments/(\d+)/undoing", page)[1]
    assert "Undo" not in text(visit(BUYER).get(path)) and "SEPA 7" in text(visit(BUYER).get(path))
    assert manager.submit(f"/payments/{payment}/undoing", {"note": " "}, form=path).status_code == 422
    assert manager.submit(f"/payments/{payment}/undoing", {"note": "Wrong deal."}, form=path).status_code == 302
    page = text(visit(BUYER).get(path))
    assert "Wrong deal." in page and "Rights manager" not in page, "who did it stays inside the seller's house"
    assert manager.submit(f"{path}/payments", {**paid, "outstanding": ""}, form=path).status_code == 302
    assert "It is paid." in text(manager.get(path))


def test_nobody_else_finds_a_page_of_money(world, visit):
    with world.app_context():
        offer = deal()
        one = owed(offer)[0].id
    path = f"/instalments/{one}"
    for email, read, marked in ((OTHER, 404, 403), (RIVAL, 404, 404), (OPERATOR, 403, 403)):  # a buyer marks nothing
        assert visit(email).get(path).status_code == read, email
        assert visit(email).submit(f"{path}/payments", {"paid_on": "2026-01-01"}, form="/account").status_code == marked
        listed = visit(email).get("/money")
        assert listed.status_code == (403 if email == OPERATOR else 200) and f'"{path}"' not in text(listed)
    for email in (BUYER, AGENT):
        page = text(visit(email).get("/money"))
        assert f'"{path}"' in page and ("Money to pay" in page) is (email == BUYER)
    assert visit(AGENT).submit(f"{path}/payments", {"paid_on": "2026-01-01"}, form="/account").status_code == 403
    assert visit(AGENT).get("/money?state=nonsense").status_code == 422
    assert visit(AGENT).get("/money?side=both").status_code == 422
    assert "Nothing is open." in text(visit(AGENT).get("/money?currency=xof"))


def test_floors_are_typed_with_a_mandate_and_read_by_their_seller_alone(world, visit):
    with world.app_context():
        film = title(name="Ebbe").id
        db.session.commit()
    path = f"/titles/{film}/rights"
    mandate = {"territories": "World", "media": "all", "languages": "*", "exclusive": "true", "starts_on": "2027-01-01",
               "ends_on": "2029-12-31"}
    for wrong, said in (("TW USD 5000", "colon"), ("TW: 5000", "colon"), ("Narnia: USD 5", "Narnia"),
                        ("TW: USD 5.001", "decimal places"), ("TW: DOLLAR 5", "ISO 4217")):
        back = visit(AGENT).submit(f"/titles/{film}/mandates", {**mandate, "floors": wrong}, form=path)
        assert back.status_code == 422 and said in text(back), wrong
    floors = "Nordics: EUR 20,000; TW, HK: usd 5000.50"
    sent = visit(AGENT).submit(f"/titles/{film}/mandates", {**mandate, "floors": floors}, form=path)
    assert sent.status_code == 302
    page = text(visit(AGENT).get(path))
    assert "floor for Nordics: EUR 20,000" in page and "floor for TW, HK: USD 5,000.50" in page
    assert "floor" not in text(visit(BUYER).get(path)).lower()
