"""Asking, proposing and countering: one price for all, lines added and dropped, what is free in one click, lapse."""
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import clock
from core.database import db
from core.errors import Refusal
from core.money import digits, split
from licensing import clockwork, moves, offers, workflow
from licensing.models import Offer
from licensing.workflow import Side, State
from search import worker
from tests.conftest import Caller, a_line, both
from tests.licensing import deals
from tests.licensing.deals import AGENT, BUYER
from tests.test_pages import Visitor, text


@given(st.sampled_from(["EUR", "JPY", "KWD"]), st.integers(0, 10**9),
       st.lists(st.integers(0, 10**7), min_size=1, max_size=100))
def test_a_price_is_shared_out_to_the_last_unit(currency, units, weights):
    unit = Decimal(1).scaleb(-digits(currency))
    total = units * unit
    parts = split(total, currency, [Decimal(each) for each in weights])
    assert sum(parts) == total and len(parts) == len(weights) and min(parts) >= 0
    assert all(part == part.quantize(unit) for part in parts)
    whole = sum(weights) or len(weights)
    fair = [total * (each if sum(weights) else 1) / whole for each in weights]
    assert all(0 <= right - part < unit for part, right in zip(parts[:-1], fair[:-1], strict=True))


@pytest.fixture
def world(fresh):
    app, known = fresh(seeded=True), {}

    def as_(email):
        return known.setdefault(email, Caller(app, email))
    as_.app = app
    with app.app_context():
        as_.titles = [str(deals.title(name=name).id) for name in ("一", "二", "三")]
        as_.seller = str(deals.viewer(AGENT).organisation_id)
        as_.buyer = str(deals.viewer(BUYER).organisation_id)
        db.session.commit()
    return as_


def lines(as_, *prices, **more):
    return [{**a_line("JP", **more), "title_id": title, "price": price}
            for title, price in zip(as_.titles, prices, strict=False)]


def drafted(as_, *prices, currency="EUR", **more):
    made = as_(BUYER).post("/offers", {"seller": as_.seller, "currency": currency, "lines": lines(as_, *prices),
                                       **more})
    assert made.status_code == 201, made.json
    return made.json["id"]


def step(as_, email, offer, action, status=201, **more):
    taken = as_(email).post(f"/offers/{offer}/steps", {"action": action, **more})
    assert taken.status_code == status, taken.json
    return taken.json


def prices(as_, offer):
    return [line["price"] for line in as_(BUYER).get(f"/offers/{offer}").json["lines"]]


def test_one_price_stands_for_all_lines_of_draft_change_and_counter(world):
    offer = drafted(world, None, None, None, price_of_all="100")
    assert prices(world, offer) == ["33.33", "33.33", "33.34"]
    tag = world(BUYER).get(f"/offers/{offer}").headers["ETag"]
    changed = world(BUYER).patch(f"/offers/{offer}", {"currency": "JPY", "price_of_all": 1000}, If_Match=tag)
    assert changed.status_code == 200 and prices(world, offer) == ["333", "333", "334"], changed.json
    step(world, BUYER, offer, "submit")
    step(world, AGENT, offer, "counter", price_of_all=2000, lines=lines(world, 1, 1, 2))
    assert prices(world, offer) == ["500", "500", "1000"]
    step(world, BUYER, offer, "counter", price_of_all="1999")
    assert prices(world, offer) == ["499", "499", "1001"], "in the proportion that stood, the last takes the rounding"
    for wrong in ("0.5", "x", [1], -1):
        refused = world(AGENT).post(f"/offers/{offer}/steps", {"action": "counter", "price_of_all": wrong})
        assert refused.status_code == 422 and "price_of_all" in refused.json["errors"], refused.json


def test_a_line_is_dropped_added_and_changed_in_a_counter(world):
    offer = drafted(world, 1000, 2000)
    step(world, BUYER, offer, "submit")
    one, two, three = lines(world, 1000, 2000, 3000)
    step(world, AGENT, offer, "counter", lines=[{**one, "territories": ["JP", "KR"]}, three])
    shown = world(BUYER).get(f"/offers/{offer}").json
    assert [line["title"] for line in shown["lines"]] == ["一", "三"]
    assert {(each["term"], each["title"]) for each in shown["versions"][1]["changes"]} == {
        ("territories", "一"), ("title", "二"), ("title", "三")}
    assert [line["title"] for line in shown["versions"][0]["lines"]] == ["一", "二"], "a version never changes"
    step(world, AGENT, offer, "counter", status=403, lines=[one])
    step(world, BUYER, offer, "counter", status=422, lines=[])
    foreign = world(BUYER).get("/search?q=燈籠街").json["items"][0]["id"]
    step(world, BUYER, offer, "counter", status=422, lines=[{**one, "title_id": foreign}])


def test_a_title_is_added_on_the_page_and_the_form_keeps_what_was_typed(world):
    offer = drafted(world, 1000)
    step(world, BUYER, offer, "submit")
    seller = Visitor(world.app, AGENT)
    form = {"lines-0-title_id": world.titles[0], "lines-0-territories": "JP, KR", "lines-0-media": "svod",
            "lines-0-languages": "*", "lines-0-starts_on": "2027-01-01", "lines-0-ends_on": "2029-12-31",
            "lines-0-exclusive": "true", "lines-0-price": "1500", "version": "1", "more": "line"}
    for named, told in (("no such title", "no such title"), ("999999999", "no such title")):
        refused = seller.submit(f"/offers/{offer}/steps", {**form, "add": named}, form=f"/offers/{offer}")
        assert refused.status_code == 422 and told in text(refused) and 'value="JP, KR"' in text(refused)
    for named in ("二", world.titles[1]):
        page = text(seller.submit(f"/offers/{offer}/steps", {**form, "add": named}, form=f"/offers/{offer}"))
        assert f'name="lines-1-title_id" value="{world.titles[1]}"' in page and 'value="1500"' in page
        assert page.count('value="JP, KR"') == 2, "it begins with the terms of the first"
    assert world(AGENT).get(f"/offers/{offer}").json["version"] == 1, "nothing is written yet"
    form.pop("more")
    more = {name.replace("-0-", "-1-"): value for name, value in form.items() if name.startswith("lines-0-")}
    sent = seller.submit(f"/offers/{offer}/steps", {
        **form, **more, "lines-1-title_id": world.titles[1], "price_of_all": "3,001", "action": "counter",
        "lines-1-price": "", "valid_until": "2999-01-01"}, form=f"/offers/{offer}")
    assert sent.status_code == 302, text(sent)
    assert prices(world, offer) == ["1500.5", "1500.5"]
    assert world(BUYER).get(f"/offers/{offer}").json["valid_until"] == "2999-01-01"


def taken(as_, territories="JP", **more):
    """Somebody has this of the first title already."""
    made = as_(AGENT).post(f"/titles/{as_.titles[0]}/licences", {**a_line(territories, **more), "licensee": "X"})
    assert made.status_code == 201, made.json


def test_a_partial_avail_becomes_a_counter_in_one_click(world):
    made = world(BUYER).post("/offers", {"seller": world.seller, "currency": "EUR", "lines": [
        {**a_line("JP,KR"), "title_id": world.titles[0], "price": 900, "future": True},
        {**a_line("JP"), "title_id": world.titles[1], "price": 100}]})
    offer = made.json["id"]
    taken(world)
    step(world, BUYER, offer, "submit")
    seller = Visitor(world.app, AGENT)
    page = text(seller.get(f"/offers/{offer}"))
    form_id, kind = re.search(r'form="instead-(\d+)" name="kind" value="(\w+)">Counter with this', page).groups()
    assert kind == "without_territories"
    assert "instead-" not in re.sub(r'<form[^>]*id="instead-[^>]*>', "", text(
        Visitor(world.app, BUYER).get(f"/offers/{offer}"))), "who wrote the version cannot counter it"
    click = {"line": form_id, "kind": kind, "version": "1"}
    assert seller.submit(f"/offers/{offer}/instead", {**click, "kind": "later_start"},
                         form=f"/offers/{offer}").status_code == 409
    assert seller.submit(f"/offers/{offer}/instead", {**click, "line": "1"}, form=f"/offers/{offer}").status_code == 404
    assert seller.submit(f"/offers/{offer}/instead", {**click, "version": "9"},
                         form=f"/offers/{offer}").status_code == 409
    assert seller.submit(f"/offers/{offer}/instead", click, form=f"/offers/{offer}").status_code == 302
    shown = world(BUYER).get(f"/offers/{offer}").json
    assert (shown["version"], shown["state"]) == (2, "countered")
    assert [(line["territories"], line["price"], line["future"]) for line in shown["lines"]] == [
        (["KR"], "900", True), (["JP"], "100", False)]
    assert all(line["avails"]["verdict"] == "available" for line in shown["lines"])
    step(world, BUYER, offer, "accept", version=2)


def test_a_draft_and_a_request_take_what_is_free_as_well(world):
    taken(world, starts_on="2027-01-01", ends_on="2027-12-31")
    offer = drafted(world, None)
    buyer, seller = Visitor(world.app, BUYER), Visitor(world.app, AGENT)
    page = text(buyer.get(f"/offers/{offer}"))
    form_id = re.search(r'form="instead-(\d+)" name="kind" value="later_start">Change the draft', page)[1]
    assert buyer.submit(f"/offers/{offer}/instead", {"line": form_id, "kind": "later_start", "version": "1"},
                        form=f"/offers/{offer}").status_code == 302
    assert world(BUYER).get(f"/offers/{offer}").json["lines"][0]["starts_on"] == "2028-01-01"
    offer = drafted(world, None)
    step(world, BUYER, offer, "request")
    form_id = re.search(r'form="instead-(\d+)" name="kind" value="later_start">Propose this',
                        text(seller.get(f"/offers/{offer}")))[1]
    unpriced = seller.submit(f"/offers/{offer}/instead", {"line": form_id, "kind": "later_start", "version": "1"},
                             form=f"/offers/{offer}")
    assert unpriced.status_code == 422 and "Every line needs a price" in text(unpriced)
    assert 'value="2028-01-01"' in text(unpriced), "the form is filled in with what is free"


def test_what_is_free_is_asked_for_in_one_click_on_the_titles_page(world):
    taken(world)
    buyer = Visitor(world.app, BUYER)
    path = f"/titles/{world.titles[0]}?territories=JP,KR&media=svod&languages=*&starts_on=2027-01-01" \
           "&ends_on=2029-12-31&exclusive=true"
    form = text(buyer.get(path)).split("one-click")[1].split("</form>")[0]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    assert fields["territories"] == "KR" and fields["then"] == "request"
    fields.pop("csrf_token")
    sent = buyer.submit(f"/titles/{world.titles[0]}/offers", fields, form=path)
    shown = world(AGENT).get(f"/offers/{sent.location.split('/')[-1]}").json
    assert shown["state"] == "requested" and shown["lines"][0]["territories"] == ["KR"]
    assert shown["lines"][0]["price"] is None and "propose" in shown["actions"]


def test_a_seller_proposes_several_titles_to_a_buyer_from_the_slate(world):
    seller = Visitor(world.app, AGENT)
    form = {"p-territories": "JP", "p-media": "svod", "p-languages": "*", "p-starts_on": "2027-01-01",
            "p-ends_on": "2029-12-31", "p-exclusive": "true", "buyer": world.buyer, "currency": "EUR"}
    nothing = seller.submit("/slate/proposals", form, form="/slate")
    assert nothing.status_code == 422 and "Tick the titles" in text(nothing)
    unread = seller.submit("/slate/proposals", {**form, "p-territories": "Narnia", "title_id": world.titles},
                           form="/slate")
    assert unread.status_code == 422 and "Narnia" in text(unread) and text(unread).count(" checked") >= 3
    made = seller.submit("/slate/proposals", {**form, "title_id": world.titles}, form="/slate")
    offer = made.location.split("/")[-1]
    shown = world(AGENT).get(f"/offers/{offer}").json
    assert [line["title"] for line in shown["lines"]] == ["一", "二", "三"] and shown["state"] == "draft"
    assert world(BUYER).get(f"/offers/{offer}").status_code == 404
    step(world, AGENT, offer, "submit", status=422)
    tag = world(AGENT).get(f"/offers/{offer}").headers["ETag"]
    assert world(AGENT).patch(f"/offers/{offer}", {"price_of_all": "100"}, If_Match=tag).status_code == 200
    step(world, AGENT, offer, "submit")
    assert set(world(BUYER).get(f"/offers/{offer}").json["actions"]) == {"counter", "accept", "decline"}
    step(world, BUYER, offer, "accept", version=1)


def test_parked_resumed_withdrawn_and_declined_with_a_reason(world):
    offer = drafted(world, 1000)
    step(world, BUYER, offer, "submit")
    step(world, BUYER, offer, "park", status=403)
    step(world, AGENT, offer, "counter", lines=lines(world, 1200))
    assert step(world, AGENT, offer, "park")["state"] == "on_hold"
    step(world, BUYER, offer, "accept", status=409, version=2)
    step(world, BUYER, offer, "resume", status=403)
    assert step(world, AGENT, offer, "resume")["state"] == "countered", "where it was parked"
    step(world, BUYER, offer, "decline", status=422)
    step(world, BUYER, offer, "decline", status=422, note="  ")
    assert step(world, BUYER, offer, "decline", note="Too dear.")["note"] == "Too dear."
    other = drafted(world, 1000)
    step(world, BUYER, other, "submit")
    step(world, AGENT, other, "withdraw", status=403)
    assert step(world, BUYER, other, "withdraw")["state"] == "withdrawn"


def test_new_terms_may_be_valid_for_longer_and_never_in_the_past(world):
    today = clock.today()
    offer = drafted(world, 1000, valid_until=today.isoformat())
    step(world, BUYER, offer, "submit")
    step(world, AGENT, offer, "counter", status=422, lines=lines(world, 1200), valid_until="2020-01-01")
    step(world, AGENT, offer, "counter", lines=lines(world, 1200), valid_until=str(today + timedelta(days=9)))
    with world.app.app_context(), clock.stopped_at(clock.begins(today + timedelta(days=9))):
        worker.turn(world.app.extensions["index"])
    assert world(BUYER).get(f"/offers/{offer}").json["state"] == "countered"
    with world.app.app_context(), clock.stopped_at(clock.begins(today + timedelta(days=10))):
        step(world, BUYER, offer, "accept", status=409, version=2)  # before the worker comes
        step(world, BUYER, offer, "counter", status=409, lines=lines(world, 1100), valid_until="2999-01-01")
        worker.turn(world.app.extensions["index"])
    assert world(BUYER).get(f"/offers/{offer}").json["state"] == "lapsed"


@both
@pytest.mark.parametrize("hours", [-12, 0, 9, 14])
def test_the_clock_decides_by_the_zone_of_the_installation_and_no_other(world, monkeypatch, hours):
    """The same instants, on servers that stand anywhere: only the zone that is set says when a day is over."""
    import time
    offer = drafted(world, 1000, valid_until="2026-12-31")
    step(world, BUYER, offer, "submit")
    zone, moment = timezone(timedelta(hours=hours)), datetime(2027, 1, 1, tzinfo=UTC) - timedelta(hours=hours)
    with world.app.app_context():
        try:
            clock.configure(zone)
            for server in ("Pacific/Kiritimati", "Etc/GMT+12", "Asia/Tokyo", "UTC"):
                monkeypatch.setenv("TZ", server)
                time.tzset()
                for at, lapsed in ((moment - timedelta(seconds=1), False), (moment, True)):
                    with clock.stopped_at(at):
                        assert (int(offer) in clockwork.due()) == lapsed, (server, at)
                        found = offers.lock(int(offer), deals.viewer(AGENT))
                        try:
                            offers.advance(found, deals.viewer(AGENT), "accept", version=1)
                            assert not lapsed
                        except Refusal as refusal:
                            assert lapsed and "valid until" in refusal.detail
                        db.session.rollback()
            with clock.stopped_at(moment):
                clockwork.tick(int(offer))
                assert db.session.get(Offer, int(offer)).state == "lapsed"
                db.session.rollback()
        finally:
            clock.configure(UTC)
            monkeypatch.undo()
            time.tzset()


@both
@pytest.mark.parametrize("email", [AGENT, "rights@harbour.test", BUYER, "buyer@nordlys.test", "operator@market.test"])
def test_what_waits_is_counted_as_each_offer_says(world, email):
    """The masthead counts by an index; here each offer is asked whose move it is."""
    with world.app.app_context():
        viewer, counted = deals.viewer(email), {"offers": 0, "approvals": 0}
        for offer in db.session.scalars(offers.listing(viewer)).unique():
            side = moves.side_of(offer, viewer)
            if offer.state == State.PENDING_APPROVAL:
                counted["approvals"] += side is Side.SELLER
            elif offer.state not in (State.DRAFT, State.ON_HOLD, State.SIGNED_ONE):
                forward = moves.FORWARD & set(workflow.possible(State(offer.state), moves.played(offer, side)))
                counted["offers"] += bool(forward)
        assert offers.counts(viewer) == counted
        assert offers.counts(viewer, most=1) == {name: min(each, 1) for name, each in counted.items()}
        db.session.rollback()
