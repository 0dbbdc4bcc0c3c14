"""From a signature to the last payment: what is owed, when it is due, who marks it paid, and that it adds up."""
import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select

from accounts import people
from accounts.permissions import Role
from core import clock
from core.database import db
from core.errors import Conflict, Refusal
from core.money import digits
from licensing import differences, drafts
from licensing.delivery import items
from licensing.delivery.models import Material
from licensing.models import Licence, Offer, OfferLine
from licensing.money import checks, instalments, payments
from licensing.money.models import Instalment, Payment
from licensing.money.prices import Trigger
from seed import line
from tests.conftest import both
from tests.core.test_amounts import shares, sums
from tests.licensing.deals import AGENT, BUYER, MANAGER, OPERATOR, OTHER, RIVAL, step, title, viewer
from tests.licensing.test_delivery import deliver, listed, take
from tests.race.test_order_of_locks import on_postgresql, waiting_for_us
from tests.scale import at
from tests.test_pages import Visitor, text

THIRDS = {"days": 30, "instalments": [{"on": "signature", "percent": "33.33"}, {"on": "delivery", "percent": "33.33"},
                                      {"on": "acceptance", "percent": "33.34"}]}


def deal(payment=THIRDS, price="1000", currency="EUR", languages="ja:sub", signed=True, name="Ebbe"):
    """The id of an offer over a film of its own, signed unless one signature is to be missing."""
    film = title(name=name, language="de")
    said = {**line("JP", "svod", "2027-01-01", "2029-12-31", languages=languages), "title_id": film.id, "price": price}
    offer = drafts.create(viewer(BUYER), currency=currency, seller_id=viewer(AGENT).organisation_id, lines=[said],
                          payment=payment)
    for who, action in ((BUYER, "submit"), (AGENT, "accept"), (MANAGER, "approve"), (AGENT, "issue_memo"),
                        (BUYER, "sign"), (MANAGER, "sign"))[:6 if signed else 5]:
        step(offer, who, action)
    db.session.commit()
    return offer.id


def owed(offer_id, email=AGENT):
    return instalments.of_offer(offer_id, viewer(email))


def stand(offer_id):
    db.session.expire_all()
    return [instalments.standing(each).value for each in owed(offer_id)]


def pay(instalment_id, email=MANAGER, **more):
    by = viewer(email)
    return payments.pay(payments.lock(instalment_id, by), by, **{"paid_on": clock.today(), **more})


def undo(payment_id, note="Booked twice.", email=MANAGER):
    by = viewer(email)
    payments.undo(payments.lock_payment(payment_id, by), by, note)


# ------------------------------------------------------------------ it adds up

@both
def test_instalments_and_payments_add_up_whatever_is_agreed(fresh):
    """Of any price, in any currency, cut in any way, paid in any pieces: nothing is lost or made by rounding, and the
    database gives back what was written."""
    app = fresh(seeded=True)
    with app.app_context():
        film, buyer, house = title(), viewer(BUYER), viewer(AGENT).organisation_id
        db.session.commit()

        @settings(max_examples=at(ci=40, long=600), deadline=None,
                  suppress_health_check=[HealthCheck.function_scoped_fixture])
        @given(sums(), shares(), st.lists(st.integers(0, 10_000), max_size=6))
        def adds_up(price, percents, bites):
            said = {**line("JP", "svod", "2027-01-01", "2029-12-31"), "title_id": film.id, "price": price.amount}
            offer = drafts.create(buyer, currency=price.currency, seller_id=house, lines=[said], payment={
                "instalments": [{"on": "signature", "percent": str(each)} for each in percents]})
            instalments.open_plan(offer)
            db.session.expire_all()
            assert db.session.scalar(select(OfferLine.price).where(
                OfferLine.version_id == offer.current.id)) == price.amount, "a price is read as it was written"
            rows = owed(offer.id)
            assert sum(each.amount for each in rows) == price.amount and all(each.amount > 0 for each in rows)
            assert (db.session.scalar(select(func.sum(Instalment.amount)).where(Instalment.offer_id == offer.id))
                    or 0) == price.amount, "the database adds up exactly, too"
            for row, bite in zip(rows, bites, strict=False):
                unit = Decimal(1).scaleb(-digits(row.currency))
                some = (row.amount * bite / 10_000).quantize(unit)
                first = pay(row.id, amount=str(some), withheld=str(row.amount - some))
                assert row.outstanding == 0
                undo(first.id)
                assert row.outstanding == row.amount
            assert checks.differences() == []
            db.session.rollback()
        adds_up()


def test_what_does_not_add_up_is_named(world):
    with world.app_context():
        first, *_ = owed(deal())
        assert checks.differences() == []
        first.outstanding -= 1
        db.session.flush()
        assert checks.differences() == [f"What is outstanding of instalment {first.id} is not its amount less what was "
                                        "paid."]
        first.outstanding = first.amount = first.amount + 1
        db.session.flush()
        assert f"The instalments of offer {first.offer_id} sum to 1001.000" in checks.differences()[0]


@both
def test_signature_licences_and_instalments_are_one_transaction(fresh, monkeypatch):
    """Where the process dies while the instalments are written, nothing was signed; the next signature does it all."""
    app = fresh(seeded=True)

    class Died(BaseException):
        pass

    with app.app_context():
        offer_id = deal(signed=False)
        whole = instalments.open_plan

        def die(offer):
            whole(offer)
            raise Died
        monkeypatch.setattr(instalments, "open_plan", die)
        with pytest.raises(Died):
            step(db.session.get(Offer, offer_id), MANAGER, "sign")
        db.session.remove()
        assert owed(offer_id) == [] and db.session.get(Offer, offer_id).state == "signed_one"
        assert not db.session.scalar(select(Licence).where(Licence.offer_id == offer_id))
        monkeypatch.setattr(instalments, "open_plan", whole)
        step(db.session.get(Offer, offer_id), MANAGER, "sign")
        db.session.commit()
        assert [str(each.amount) for each in owed(offer_id)] == ["333.300", "333.300", "333.400"]


def test_a_deal_for_nothing_owes_nothing_and_without_a_plan_all_is_due_on_signature(world):
    with world.app_context():
        assert owed(deal(price="0")) == []
        [only] = owed(deal(payment=None, price="7", currency="JPY", name="Flut"))
        assert (only.amount, only.trigger, only.due_on) == (7, "signature", clock.today() + timedelta(30))
        parts = owed(deal(price="1", currency="JPY", name="Priel"))
        assert [(each.number, each.amount, each.trigger) for each in parts] == [(1, 1, "acceptance")]


# ------------------------------------------------------------------ when it is due

def test_each_becomes_due_by_its_milestone(world):
    today = clock.today()
    with world.app_context():
        far = today + timedelta(400)
        offer = deal(payment={"days": 10, "instalments": [
            *({"on": each.value, "percent": "25"} for each in Trigger if each is not Trigger.DATE),
            {"on": "date", "day": far.isoformat(), "percent": "25"}]})
        assert [each.due_on for each in owed(offer)] == [today + timedelta(10), None, None, far]
        assert stand(offer) == ["due", "waiting", "waiting", "due"]
        things = [item.id for item in listed(offer)]
        for item_id in things[:-1]:
            deliver(db.session.get(Material, item_id))
        assert stand(offer)[1] == "waiting", "one is missing"
        with clock.stopped_at(clock.now() + timedelta(days=3)):
            deliver(db.session.get(Material, things[-1]))
            assert owed(offer)[1].due_on == today + timedelta(3 + 10)
            for item_id in things[1:]:
                take(BUYER, item_id, "accept")
            assert stand(offer)[2] == "waiting", "one is not accepted"
        with clock.stopped_at(clock.now() + timedelta(days=5)):
            take(BUYER, things[0], "accept")
            assert [each.reached_on for each in owed(offer)[1:3]] == [today + timedelta(3), today + timedelta(5)]
            assert owed(offer)[2].due_on == today + timedelta(5 + 10)


def test_silence_makes_an_acceptance_due_from_the_day_after_the_window(world):
    """Whenever the worker comes to write it down."""
    with world.app_context():
        offer, today = deal(), clock.today()
        for item in listed(offer):
            deliver(item)
        db.session.commit()
        with clock.stopped_at(clock.now() + timedelta(days=40)):
            for item_id in items.due():
                items.tick(item_id)
            assert owed(offer)[2].reached_on == today + timedelta(15)
            assert stand(offer) == ["overdue", "overdue", "due"]


def test_a_rejected_delivery_is_not_due_and_more_ordered_later_takes_nothing_back(world):
    with world.app_context():
        offer = deal()
        first, *rest = [item.id for item in listed(offer)]
        for item_id in (first, *rest):
            deliver(db.session.get(Material, item_id))
        assert stand(offer)[1] == "due"
        take(BUYER, first, "reject", note="Hisses.")
        assert stand(offer)[1] == "waiting" and owed(offer)[1].reached_on is None
        deliver(db.session.get(Material, first))
        assert stand(offer)[1] == "due"
        db.session.commit()
        with clock.stopped_at(clock.now() + timedelta(days=1)):
            by = viewer(AGENT)
            film = db.session.get(Material, first).title_id
            more = items.add(items.lists.lock(offer, by), by, title_id=film, kind="art")
            deliver(more)
            take(BUYER, more.id, "reject", note="Too small.")
        assert stand(offer)[1] == "due", "it was not on the list when the delivery was whole"


def test_what_is_not_named_or_is_waived_keeps_no_payment_waiting(world):
    with world.app_context():
        offer = deal(languages="*")
        open_items = [item.id for item in listed(offer) if item.state == "open"]
        ordered = [item.id for item in listed(offer) if item.state == "ordered"]
        assert open_items
        take(BUYER, ordered[0], "drop")
        for item_id in ordered[1:]:
            deliver(db.session.get(Material, item_id))
            take(BUYER, item_id, "accept")
        assert stand(offer) == ["due"] * 3


@pytest.mark.parametrize("zone, today", [("UTC", date(2027, 3, 1)), ("Pacific/Auckland", date(2027, 3, 2)),
                                         ("America/Los_Angeles", date(2027, 3, 1))])
def test_the_day_it_is_overdue_is_a_day_of_the_installations_zone(world, monkeypatch, zone, today):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    clock.configure(ZoneInfo(zone))
    try:
        with world.app_context():
            offer = deal(payment={"instalments": [{"on": "date", "day": "2027-03-01", "percent": "100"}]})
            with clock.stopped_at(datetime(2027, 3, 1, 15, tzinfo=UTC)):
                assert clock.today() == today
                assert stand(offer) == ["overdue" if today > date(2027, 3, 1) else "due"]
                overdue = db.session.scalars(instalments.listing(viewer(AGENT), state="overdue")).all()
                assert (offer in {each.offer_id for each in overdue}) is (today > date(2027, 3, 1)), "so says the list"
    finally:
        clock.configure(UTC)


@pytest.mark.parametrize("action", ["terminate", "revert"])
def test_with_the_deal_ends_what_is_not_earned_and_what_was_stays_owed(world, action):
    with world.app_context():
        offer = deal(payment={"days": 5, "instalments": [
            {"on": "signature", "percent": "40"}, {"on": "delivery", "percent": "30"},
            {"on": "date", "day": (clock.today() + timedelta(90)).isoformat(), "percent": "30"}]})
        early = pay(owed(offer)[2].id, amount="300")
        db.session.commit()
        with clock.stopped_at(clock.now() + timedelta(days=10)):
            step(db.session.get(Offer, offer), MANAGER, action, "Never delivered.")
            assert stand(offer) == ["overdue", "cancelled", "paid"]
            with pytest.raises(Conflict, match="cancelled"):
                pay(owed(offer)[1].id)
            undo(early.id)
            assert stand(offer) == ["overdue", "cancelled", "cancelled"], "what is taken back is not owed either"
            pay(owed(offer)[0].id)
            assert stand(offer)[0] == "paid" and checks.differences() == []
        soon = deal(name="Flut")
        step(db.session.get(Offer, soon), MANAGER, action, "Never mind.")
        assert stand(soon) == ["due", "cancelled", "cancelled"], "what the signature earned is due on its day"


# ------------------------------------------------------------------ marking

@pytest.fixture
def first(world):
    """The id of an instalment of EUR 333.30."""
    with world.app_context():
        return owed(deal())[0].id


def test_a_payment_is_marked_in_parts_with_tax_withheld_and_undone_with_a_reason(caller, first):
    manager, path, today = caller(MANAGER), f"/instalments/{first}", clock.today().isoformat()
    part = manager.post(f"{path}/payments", {"paid_on": today, "amount": "100", "reference": " SEPA 1 "})
    assert part.status_code == 201 and (part.json["outstanding"], part.json["state"]) == ("233.3", "due")
    rest = manager.post(f"{path}/payments", {"paid_on": today, "withheld": "33.30", "reference": "SEPA 2"}).json
    assert (rest["outstanding"], rest["state"], rest["payments"][1]["amount"]) == ("0", "paid", "200")
    seen = caller(BUYER).get(path).json
    assert [(each["reference"], each["withheld"]) for each in seen["payments"]] == [("SEPA 1", "0"), ("SEPA 2", "33.3")]
    undone = manager.post(f"/payments/{rest['payments'][1]['id']}/undoing", {"note": "Another deal’s."})
    assert undone.status_code == 201 and undone.json["outstanding"] == "233.3"
    kept = caller(BUYER).get(path).json["payments"]
    assert len(kept) == 2 and kept[1]["undone_note"] == "Another deal’s." and kept[1]["undone_at"]
    assert manager.post(f"/payments/{kept[1]['id']}/undoing", {"note": "Again."}).status_code == 409


@pytest.mark.parametrize("body, status, field", [
    ({"paid_on": "2999-01-01"}, 422, "paid_on"), ({}, 422, "paid_on"), ({"amount": "333.31"}, 422, "amount"),
    ({"amount": "0"}, 422, "amount"), ({"amount": "-1"}, 422, "amount"), ({"amount": "0.001"}, 422, "amount"),
    ({"amount": "300", "withheld": "33.31"}, 422, "amount"), ({"withheld": "400"}, 422, "amount"),
    ({"amount": True}, 422, "amount"), ({"amount": "NaN"}, 422, "amount"), ({"amount": "9" * 41}, 422, "amount"),
    ({"reference": "x" * 201}, 422, "reference"), ({"outstanding": "100"}, 409, None)])
def test_a_payment_that_does_not_add_up_is_refused(caller, first, body, status, field):
    sent = body if "paid_on" in body or not body else {"paid_on": clock.today().isoformat(), **body}
    refused = caller(MANAGER).post(f"/instalments/{first}/payments", sent)
    assert refused.status_code == status, refused.json
    assert field is None or field in refused.json["errors"]
    assert caller(MANAGER).get(f"/instalments/{first}").json["payments"] == []


def test_who_sees_money_and_who_marks_it(world, caller, first):
    with world.app_context():
        for email, house, role in (("finance@harbour.test", AGENT, Role.FINANCE), ("labs@harbour.test", AGENT,
                                   Role.MATERIALS), ("finance@sakura.test", BUYER, Role.FINANCE)):
            organisation = people.organisation(viewer(house).organisation_id)
            people.join(people.enrol(email, email, None), organisation, [role])
        db.session.commit()
    path, paid = f"/instalments/{first}", {"paid_on": clock.today().isoformat(), "amount": "1"}
    for email, see, mark in ((AGENT, 200, 403), (MANAGER, 200, 201), ("finance@harbour.test", 200, 201),
                             ("labs@harbour.test", 403, 403), (BUYER, 200, 403), ("finance@sakura.test", 200, 403),
                             (OTHER, 404, 403), (RIVAL, 404, 404), (OPERATOR, 403, 403)):
        who = caller(email)
        assert who.get(path).status_code == see, email
        marked = who.post(f"{path}/payments", paid)
        assert marked.status_code == mark, email
        if mark == 201:
            latest = marked.json["payments"][-1]["id"]
    for email, status in ((AGENT, 403), (BUYER, 403), (OTHER, 403), (RIVAL, 404), (OPERATOR, 403), (MANAGER, 201)):
        assert caller(email).post(f"/payments/{latest}/undoing", {"note": "No."}).status_code == status, email
    offer = caller(MANAGER).get(path).json["offer_id"]
    assert caller("finance@harbour.test").get(f"/offers/{offer}").status_code == 200, "they read what was agreed"
    assert caller("finance@harbour.test").get(f"/offers/{offer}").json["actions"] == []
    for email, status in ((AGENT, 200), (BUYER, 200), (OTHER, 404), (RIVAL, 404)):
        assert caller(email).get(f"/offers/{offer}/instalments").status_code == status, email


def test_nothing_is_deleted(world, first):
    with world.app_context():
        payment = pay(first)
        undo(payment.id)
        with pytest.raises(Refusal):
            undo(payment.id, note=" ")
        assert db.session.scalar(select(func.count()).select_from(Payment)) == 2, "with one of the demo world"
        assert db.session.get(Payment, payment.id).undone_by.email == MANAGER


def test_the_same_payment_sent_again_is_marked_once(caller, first):
    sent = {"paid_on": clock.today().isoformat(), "amount": "100"}
    for _ in range(3):
        answer = caller(MANAGER).post(f"/instalments/{first}/payments", sent, Idempotency_Key="bank-1")
        assert answer.status_code == 201 and answer.json["outstanding"] == "233.3"


@on_postgresql
def test_of_two_who_mark_the_whole_at_once_one_is_told_it_is_paid(fresh):
    app = fresh(seeded=True)
    with app.app_context():
        one = owed(deal())[0].id
        db.session.commit()

        def second():
            try:
                pay(one)
            except Conflict as refused:
                db.session.rollback()
                return refused.detail
        pay(one)
        with waiting_for_us(app, second) as said:
            db.session.commit()
        while not said:
            pass
        assert said == ["This instalment is paid already."]
        assert checks.differences() == []


# ------------------------------------------------------------------ versions

def test_the_plan_and_the_kind_of_price_are_terms_of_a_version(world, caller):
    with world.app_context():
        film = title(name="Ebbe")
        said = {**line("JP", "pay_tv", "2027-01-01", "2029-12-31"), "title_id": str(film.id), "starts_on": "2027-01-01",
                "ends_on": "2029-12-31"}
        db.session.commit()
        house = str(viewer(AGENT).organisation_id)
    buyer, seller = caller(BUYER), caller(AGENT)
    drafted = buyer.post("/offers", {"seller": house, "currency": "USD", "payment": THIRDS, "lines": [
        {**said, "price": "40000", "pricing": {"kind": "guarantee", "share": "30", "share_of": "net"}}]})
    assert drafted.status_code == 201, drafted.json
    offer = f"/offers/{drafted.json['id']}"
    buyer.post(f"{offer}/steps", {"action": "submit"})
    first = buyer.get(offer).json["versions"][0]
    assert first["lines"][0]["pricing"] == {"kind": "guarantee", "share": "30", "share_of": "net"}
    assert [each["comes_to"] for each in first["payment"]["instalments"]] == ["13332", "13332", "13336"]
    countered = seller.post(f"{offer}/steps", {
        "action": "counter", "payment": {"days": 45, "withholding_tax": "10 % at source", "instalments": [
            {"on": "signature", "amount": "20000"}, {"on": "date", "day": "2999-01-01", "amount": "26000"}]},
        "lines": [{**said, "runs": 4, "pricing": {"kind": "per_run", "fee": "11500"}}]})
    assert countered.status_code == 201, countered.json
    shown = buyer.get(offer).json
    assert shown["lines"][0]["price"] == "46000", "the fee of a run, times the runs"
    assert {change["term"]: (change["before"], change["after"]) for change in shown["versions"][1]["changes"]} == {
        "runs": ("not limited", "4"), "price": ("40,000", "46,000"),
        "pricing": ("minimum guarantee against 30 % of net receipts", "USD 11,500 a run"),
        "instalments": ("33.33 % on signature, 33.33 % on delivery, 33.34 % on acceptance",
                        "USD 20,000 on signature, USD 26,000 on 1 Jan 2999"),
        "payment_days": ("30 days", "45 days"), "withholding_tax": ("nothing said", "10 % at source")}
    for each in first["lines"]:
        each.pop("avails")
    assert shown["versions"][0] == first, "an earlier version is never changed"
    broken = buyer.post(f"{offer}/steps", {"action": "counter", "lines": [{**said, "price": "45000"}]})
    assert broken.status_code == 422 and "USD 46,000" in str(broken.json["errors"]["payment"])
    kept = buyer.post(f"{offer}/steps", {"action": "counter", "lines": [{**said, "price": "46000"}]})
    assert kept.status_code == 201 and buyer.get(offer).json["versions"][2]["payment"]["days"] == 45
    again = buyer.get(offer).json["versions"][0]["payment"]
    assert seller.post(f"{offer}/steps", {"action": "counter", "lines": [{**said, "price": "46000"}],
                                          "payment": again}).status_code == 201, "what is read can be sent"


@pytest.mark.parametrize("payment, where", [
    ({"instalments": []}, "instalments"), ({"instalments": [{"on": "delivery", "percent": "99"}]}, "99 %"),
    ({"instalments": [{"on": "release", "percent": "100"}]}, "on"), ({"instalments": 5}, "instalments"),
    ("x", "payment"),
    ({"instalments": [{"on": "delivery", "percent": True}]}, "percent"),
    ({"instalments": [{"on": "delivery", "percent": "100"}], "days": 400}, "days"),
    ({"instalments": [{"on": "delivery", "percent": "100"}], "days": "30"}, "days"),
    ({"instalments": [{"on": "delivery", "percent": "100"}], "withholding_tax": "x" * 1001}, "withholding_tax"),
    ({"instalments": [{"on": "date", "day": "2020-01-01", "percent": "100"}]}, "passed"),
    ({"instalments": [{"on": "date", "day": "soon", "percent": "100"}]}, "day")])
def test_a_plan_that_is_wrong_names_the_field(world, caller, payment, where):
    with world.app_context():
        film = str(title(name="Ebbe").id)
        db.session.commit()
        house = str(viewer(AGENT).organisation_id)
    said = {**line("JP", "svod", "2027-01-01", None), "starts_on": "2027-01-01", "ends_on": None}
    refused = caller(BUYER).post("/offers", {"seller": house, "currency": "USD", "payment": payment, "lines": [
        {**said, "title_id": film, "price": 5}]})
    assert refused.status_code == 422 and where in str(refused.json["errors"]), refused.json


def test_a_draft_keeps_its_plan_and_prices_unless_others_are_sent(world):
    with world.app_context():
        film = title(name="Ebbe")
        runs = {**line("JP", "free_tv", "2027-01-01", "2029-12-31"), "title_id": film.id, "runs": 3,
                "pricing": {"kind": "per_run", "fee": "100"}}
        offer = drafts.create(viewer(BUYER), currency="USD", seller_id=viewer(AGENT).organisation_id, lines=[runs],
                              payment=THIRDS)
        drafts.revise(offer, viewer(BUYER), currency="JPY")
        assert offer.current.lines[0].price == 300 and offer.current.lines[0].pricing["fee"] == "100"
        assert differences.payment(offer.current)["instalments"].startswith("33.33 %")
        drafts.revise(offer, viewer(BUYER), payment={"instalments": [{"on": "delivery", "amount": "300"}]})
        assert differences.payment(offer.current)["instalments"] == "JPY 300 on delivery"
        with pytest.raises(Refusal, match="JPY 300"):
            drafts.revise(offer, viewer(BUYER), lines=[{**runs, "runs": 4}])


# ------------------------------------------------------------------ the due list

def test_each_side_lists_its_own_those_due_first(world, caller):
    with world.app_context():
        offer = str(deal())
    for email, side in ((AGENT, "seller"), (BUYER, "buyer")):
        mine = caller(email).get(f"/instalments?side={side}&page_size=100").json
        assert offer in {each["offer_id"] for each in mine}
        days = [each["due_on"] or "9999" for each in mine]
        assert days == sorted(days)
        other = caller(email).get(f"/instalments?side={'buyer' if side == 'seller' else 'seller'}").json
        assert other == []
    for email in (OTHER, RIVAL):
        assert offer not in {each["offer_id"] for each in caller(email).get("/instalments?page_size=100").json}
    assert caller(AGENT).get("/instalments?state=nonsense").status_code == 422
    for state in instalments.Standing:
        found = caller(AGENT).get(f"/instalments?state={state}&page_size=100").json
        assert {each["state"] for each in found} <= {state.value}
    whole = caller(AGENT).get("/instalments?page_size=100")
    assert sum(len(caller(AGENT).get(f"/instalments?state={state}&page_size=100").json)
               for state in instalments.Standing) == len(whole.json), "each stands in one state"
    assert {each["currency"] for each in caller(AGENT).get("/instalments?currency=EUR").json} == {"EUR"}


def test_totals_are_the_sums_of_the_list(world):
    with world.app_context():
        for currency, price in (("KWD", "999999999999.999"), ("KWD", "0.001"), ("JPY", "5")):
            deal(price=price, currency=currency, name=f"{currency} {price}")
        by = viewer(AGENT)
        rows = db.session.scalars(instalments.listing(by, state="open")).all()
        for currency, much in instalments.totals(by, instalments.Side.SELLER):
            for stood, amount in much.items():
                assert amount == sum(each.outstanding for each in rows if each.currency == currency
                                     and instalments.standing(each) is stood)


def test_a_long_list_costs_no_more_queries_than_a_short_one(world, caller):
    asked = []
    with world.app_context():
        deal(name="One")
        event.listen(db.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    visitor = Visitor(world, AGENT)

    def count(act):
        asked.clear()
        assert act().status_code == 200
        return len(asked)
    acts = (lambda: caller(AGENT).get("/instalments?page_size=100"), lambda: visitor.get("/money?state=all"),
            lambda: visitor.get("/money.csv?state=all"))
    for act in acts:  # what is only read once is read
        act()
    before = [count(act) for act in acts]
    with world.app_context():
        for number in range(6):
            pay(owed(deal(name=f"Film {number}"))[0].id)
        db.session.commit()
    assert [count(act) for act in acts] == before


def test_the_spreadsheet_is_the_list_and_computes_nothing(world):
    with world.app_context():
        pay(owed(deal(name="=1+1"))[0].id, reference="+49 SUM(A1)")
        db.session.commit()
        rows = db.session.scalars(instalments.listing(viewer(AGENT), side=instalments.Side.SELLER)).all()
    sheet = text(Visitor(world, AGENT).get("/money.csv?state=all")).removeprefix("\ufeff")
    found = list(csv.DictReader(io.StringIO(sheet)))
    assert [Decimal(each["amount"]) for each in found] == [each.amount for each in rows]
    mine = next(each for each in found if each["titles"] == "'=1+1" and each["references"])
    assert mine["references"] == "'+49 SUM(A1)" and mine["state"] == "paid" and mine["outstanding"] == "0"
    assert not any(value.startswith(("=", "+", "-", "@")) for each in found for value in each.values())
    assert text(Visitor(world, RIVAL).get("/money.csv?state=all")).count("\n") == 1, "nothing of another's"


def test_the_indexes_serve_the_due_list(world):
    """What was paid long ago is not read to find what is open."""
    with world.app_context():
        query = instalments.listing(viewer(AGENT), side=instalments.Side.SELLER, state="open").limit(50)
        sql = str(query.compile(db.engine, compile_kwargs={"literal_binds": True}))
        plan = " ".join(str(row) for row in db.session.execute(db.text(f"EXPLAIN QUERY PLAN {sql}")))
        assert "ix_instalment_open_seller" in plan, plan


def test_offers_of_the_demo_world_stand_in_every_state(world):
    with world.app_context():
        found = {instalments.standing(each).value
                 for each in db.session.scalars(instalments.listing(viewer(AGENT)))}
        assert found == set(instalments.Standing)
        assert checks.differences() == []
