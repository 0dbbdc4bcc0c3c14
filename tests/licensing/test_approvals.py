"""Approval: asked for by the policy, given by another than the author, bound to exact terms; warnings in writing."""
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import flask_migrate
import pytest
from sqlalchemy import event, select, text, update

from core import clock
from core.database import db
from licensing import drafts, holds, offers, terms
from licensing.approvals import cases, given, morning, policy
from licensing.approvals.models import Approval, ApprovalPolicy, Override
from licensing.approvals.policy import Policy
from licensing.models import Offer, OfferLine, Version
from seed import line
from tests.conftest import Caller, a_line, both
from tests.licensing.deals import AGENT, BUYER, MANAGER, OPERATOR, OTHER, RIVAL, step, viewer
from tests.licensing.deals import title as listed

RELAXED = {"exclusive": False, "below_floor": False, "years": None, "warning": False, "encumbrance": False,
           "amount": None}


@pytest.fixture
def house(fresh):
    """`house(email)`: the API of the demo world on either database; `.app` is its application."""
    app, known = fresh(seeded=True), {}

    def call_as(email):
        return known.setdefault(email, None) or known.update({email: Caller(app, email)}) or known[email]
    call_as.app = app
    return call_as


@pytest.fixture
def film(house):
    """A title of Harbour Pictures with the whole world in, and a floor in Germany."""
    seller = house(AGENT)
    made = seller.post("/titles", {"kind": "film", "original_title": "Nebelhorn", "status": "published"}).json["id"]
    seller.post(f"/titles/{made}/mandates", {**a_line("World", "all", "2020-01-01", None), "floors": [
        {"territories": ["DE"], "amount": "20000", "currency": "EUR"}]})
    return made


def relax(house, **rules):
    assert house(MANAGER).call("PUT", "/approval-policy", {**RELAXED, **rules}).status_code == 200


def take(house, offer, email, action, **more):
    return house(email).post(f"/offers/{offer}/steps", {"action": action, **more})


def agreed(house, film, price="30000", currency="EUR", buyer=BUYER, **said):
    """The id of an offer that both sides accepted."""
    seller_id = house(AGENT).get("/me").json["organisations"][0]["id"]
    offer = house(buyer).post("/offers", {"seller": seller_id, "currency": currency, "lines": [
        {**a_line("DE", exclusive=False), **said, "title_id": film, "price": price}]}).json["id"]
    for email, action, version in ((buyer, "submit", None), (AGENT, "accept", 1)):
        answer = take(house, offer, email, action, version=version)
        assert answer.status_code == 201, answer.json
    return offer


def state(house, offer):
    return house(AGENT).get(f"/offers/{offer}").json["state"]


def case(house, offer):
    """What waits for the rights manager of one offer, or None."""
    return next((each for each in house(MANAGER).get("/approvals?page_size=100").json
                 if each["offer"]["id"] == offer), None)


# ------------------------------------------------------------------ the policy asks, or lets pass

@both
def test_what_no_rule_asks_for_is_approved_in_the_same_step(house, film):
    relax(house)
    offer = agreed(house, film)
    shown = house(BUYER).get(f"/offers/{offer}").json
    assert shown["state"] == "approved"
    assert [(each["action"], each["side"]) for each in shown["steps"][-2:]] == [
        ("accept", "seller"), ("pass", "system")]
    assert take(house, offer, AGENT, "issue_memo").status_code == 201, "what passed is bound as what was approved"


@pytest.mark.parametrize("rule, asks, passes", [
    ({"exclusive": True}, {"exclusive": True}, {}),
    ({"below_floor": True}, {"price": "19999.99"}, {"price": "20000"}),
    ({"below_floor": True}, {"currency": "USD"}, {"territories": ["FR"], "currency": "USD"}),
    ({"years": 3}, {"ends_on": "2030-01-01"}, {}),
    ({"amount": "30000", "currency": "EUR"}, {"price": "30000"}, {"price": "29999.99"}),
    ({"amount": "0"}, {"price": "0"}, None)])
def test_each_rule_asks_at_its_edge(house, film, rule, asks, passes):
    relax(house, **rule)
    offer = agreed(house, film, **asks)
    assert state(house, offer) == "pending_approval"
    assert [each["rule"] for each in case(house, offer)["why"]] == [next(iter(rule))]
    if passes is not None:
        assert state(house, agreed(house, film, **passes)) == "approved"


def test_a_policy_is_kept_with_who_set_it_and_the_newest_counts(house):
    manager = house(MANAGER)
    came = manager.get("/approval-policy").json
    assert (came["exclusive"], came["years"], came["amount"]) == (True, 5, "0.0000") and "set_at" not in came
    relax(house, years=7)
    relax(house, years=9, amount="1250.50", currency="EUR")
    shown = manager.get("/approval-policy").json
    assert (shown["years"], shown["amount"], shown["currency"]) == (9, "1250.5000", "EUR") and shown["by"]
    with house.app.app_context():
        assert db.session.scalars(select(ApprovalPolicy.years).order_by(ApprovalPolicy.id)).all() == [7, 9]
    assert house(RIVAL).get("/approval-policy").json["years"] == 5, "another seller's is another"


@pytest.mark.parametrize("wrong, field", [
    ({"years": 0}, "years"), ({"years": 100}, "years"), ({"amount": "-1", "currency": "EUR"}, "amount"),
    ({"amount": "5", "currency": None}, "amount"), ({"amount": "NaN", "currency": "EUR"}, "amount"),
    ({"amount": "1.005", "currency": "EUR"}, "amount"), ({"amount": "5", "currency": "XXX"}, "currency"),
    ({"exclusive": "perhaps"}, "exclusive")])
def test_a_policy_that_says_nothing_sensible_is_refused_by_field(house, wrong, field):
    refused = house(MANAGER).call("PUT", "/approval-policy", {**RELAXED, **wrong})
    assert refused.status_code == 422 and field in refused.json["errors"], refused.json


def test_a_policy_is_a_rights_managers_to_set_and_the_sellers_to_read(house):
    for email, reads in ((AGENT, 200), (BUYER, 403), (OPERATOR, 403)):
        assert house(email).call("PUT", "/approval-policy", RELAXED).status_code == 403
        assert house(email).get("/approval-policy").status_code == reads


def test_a_new_policy_takes_nothing_back_and_lets_nothing_slip(house, film):
    waits = agreed(house, film)
    relax(house)
    assert state(house, waits) == "pending_approval"
    passed = agreed(house, film)
    house(MANAGER).call("PUT", "/approval-policy", {**RELAXED, "amount": "0"})
    assert state(house, passed) == "approved"


# ------------------------------------------------------------------ who approves

def test_the_author_never_approves_whatever_they_approve_in(house, film):
    seller_id = house(AGENT).get("/me").json["organisations"][0]["id"]
    said = {**a_line("DE"), "title_id": film}
    offer = house(BUYER).post("/offers", {"seller": seller_id, "currency": "EUR",
                                          "lines": [{**said, "price": 25000}]}).json["id"]
    for email, more in ((BUYER, {"action": "submit"}), (MANAGER, {"action": "counter", "lines": [
            {**said, "price": 26000}]}), (BUYER, {"action": "accept", "version": 2})):
        assert house(email).post(f"/offers/{offer}/steps", more).status_code == 201
    assert take(house, offer, MANAGER, "approve").status_code == 403
    assert take(house, offer, AGENT, "approve").status_code == 403
    assert take(house, offer, BUYER, "approve").status_code == 403
    assert state(house, offer) == "pending_approval"


def test_sent_back_it_is_written_anew_accepted_anew_and_approved_anew(house, film):
    offer = agreed(house, film)
    assert take(house, offer, MANAGER, "request_changes").status_code == 422, "why?"
    assert take(house, offer, MANAGER, "request_changes", note="Three years.").status_code == 201
    fresh = {**a_line("DE", exclusive=False, ends_on="2028-12-31"), "title_id": film, "price": 28000}
    assert take(house, offer, AGENT, "counter", lines=[fresh]).status_code == 201
    assert take(house, offer, AGENT, "issue_memo").status_code == 409
    assert take(house, offer, BUYER, "accept", version=1).status_code == 409
    assert take(house, offer, BUYER, "accept", version=2).status_code == 201
    assert take(house, offer, MANAGER, "approve", version=1).status_code == 409
    assert take(house, offer, MANAGER, "approve", version=2).status_code == 201


# ------------------------------------------------------------------ bound to exact terms

def approved(house, film):
    offer = agreed(house, film)
    assert take(house, offer, MANAGER, "approve").status_code == 201
    return offer


@both
@pytest.mark.parametrize("when", ["issue_memo", "sign", "the second signature"])
def test_terms_that_changed_by_a_hair_are_not_signed(house, film, when):
    """Nothing here changes terms; somebody at the database does. The approval is void, and nothing is written."""
    offer = approved(house, film)
    done = {"issue_memo": [], "sign": [(AGENT, "issue_memo")],
            "the second signature": [(AGENT, "issue_memo"), (BUYER, "sign")]}[when]
    for email, action in done:
        assert take(house, offer, email, action).status_code == 201
    with house.app.app_context():
        db.session.execute(update(OfferLine).where(OfferLine.version_id.in_(
            select(Version.id).where(Version.offer_id == int(offer)))).values(price=Decimal("30000.01")))
        db.session.commit()
    email, action = (AGENT, "issue_memo") if when == "issue_memo" else (MANAGER, "sign")
    refused = take(house, offer, email, action)
    assert refused.status_code == 409 and "void" in refused.json["detail"]
    licences = house(BUYER).get("/licences?page_size=100").json
    assert not [each for each in licences if each["contract"] == f"Offer {offer}"]
    with house.app.app_context():
        db.session.execute(update(OfferLine).where(OfferLine.price == Decimal("30000.01")).values(price=Decimal(30000)))
        db.session.commit()
    assert take(house, offer, email, action).status_code == 201, "the very same terms are approved"


@both
def test_every_column_of_the_terms_is_in_the_hash_and_no_other(house, film):
    """Change each column of an offer, its version and its line, one by one: those that are terms change the hash."""
    offer_id = int(approved(house, film))
    with house.app.app_context():
        offer = db.session.get(Offer, offer_id)
        before, moved = given.fingerprint(offer), set()
        for row in (offer, offer.current, offer.current.lines[0]):
            for column in row.__table__.columns:
                old = getattr(row, column.key)
                with db.session.no_autoflush:
                    setattr(row, column.key, _another(column, old))
                    if given.fingerprint(offer) != before:
                        moved.add(f"{row.__tablename__}.{column.key}")
                    setattr(row, column.key, old)
        assert given.fingerprint(offer) == before
        db.session.rollback()
    named = {f"{model.__tablename__}.{column.key}" for model in (Version, OfferLine)
             for column in model.__table__.columns}
    bookkeeping = {"offer_version.id", "offer_version.offer_id", "offer_version.person_id", "offer_version.created_at",
                   "offer_line.id", "offer_line.version_id"}
    assert moved == named - bookkeeping | {"offer.buyer_id", "offer.seller_id", "offer.currency"}


def _another(column, old):
    kind = column.type.python_type
    if kind is bool:
        return not old
    if kind is int:
        return (old or 0) + 1
    if kind is Decimal:
        return (old or 0) + Decimal("0.01")
    if kind is date:
        return (old or date(2030, 1, 1)) + timedelta(days=1)
    if kind is datetime:
        return (old or datetime.now(UTC)) + timedelta(seconds=1)
    return {**old, "x": "y"} if isinstance(old, dict) else {"x": "y"} if kind is dict else f"{old}x"


def test_the_hash_is_of_what_is_said_not_of_how_it_came(house, film):
    ids = [int(agreed(house, film, price="30000.00")), int(agreed(house, film, price="30000")),
           int(agreed(house, film, price="30000", buyer=OTHER))]
    with house.app.app_context():
        offer, other, third = (db.session.get(Offer, each) for each in ids)
        assert given.fingerprint(offer) == given.fingerprint(other)
        db.session.expire_all()
        assert given.fingerprint(offer) == given.fingerprint(other)
        assert given.fingerprint(third) != given.fingerprint(other), "to another buyer it is another deal"


@both
def test_what_was_approved_before_approvals_were_bound_stays_approved(house, film):
    offer = approved(house, film)
    with house.app.app_context():
        flask_migrate.downgrade(revision="0011-1")
        flask_migrate.upgrade()
        assert db.session.scalar(select(Approval.terms_sha256).where(Approval.offer_id == int(offer))) is None
    for email, action in ((AGENT, "issue_memo"), (BUYER, "sign"), (MANAGER, "sign")):
        again = Caller(house.app, email)  # tokens with a reach do not go back to where there was none
        assert again.post(f"/offers/{offer}/steps", {"action": action}).status_code == 201


def test_an_approval_without_a_record_is_none(house, film):
    offer = approved(house, film)
    with house.app.app_context():
        db.session.execute(text("DELETE FROM approval"))
        db.session.commit()
    assert take(house, offer, AGENT, "issue_memo").status_code == 409


# ------------------------------------------------------------------ warnings, in writing

@pytest.fixture
def warned(house, film):
    """A film with a soft holdback in Germany."""
    house(AGENT).post(f"/titles/{film}/holdbacks", {"territories": ["DE"], "media": ["svod"], "hard": False,
                                                    "starts_on": "2027-01-01", "ends_on": "2027-06-30"})
    return film


@both
def test_a_warning_is_passed_over_by_who_approves_in_writing_alone(house, warned):
    relax(house)
    offer = agreed(house, warned)
    waits = case(house, offer)
    assert waits["group"] == "decide" and [each["rule"] for each in waits["why"]] == ["warning"]
    for note in (None, "  "):
        refused = take(house, offer, MANAGER, "approve", note=note)
        assert refused.status_code == 422 and "soft holdback" in refused.json["errors"]["note"][0]
    assert state(house, offer) == "pending_approval"
    assert take(house, offer, MANAGER, "approve", note="The festival agreed.").status_code == 201
    with house.app.app_context():
        assert [(each.reason, each.version) for each in db.session.scalars(select(Override))] == [
            ("The festival agreed.", 1)]


@pytest.mark.parametrize("asks, becomes", [(False, "approved"), (True, "pending_approval")])
def test_what_an_agent_passed_over_is_approved_where_the_policy_asks(house, warned, asks, becomes):
    relax(house, warning=asks)
    seller_id = house(AGENT).get("/me").json["organisations"][0]["id"]
    offer = house(BUYER).post("/offers", {"seller": seller_id, "currency": "EUR", "lines": [
        {**a_line("DE", exclusive=False), "title_id": warned, "price": 30000}]}).json["id"]
    assert house(AGENT).post(f"/offers/{offer}/overrides", {"note": "x"}).status_code == 404, "nobody sees a draft"
    take(house, offer, BUYER, "submit")
    assert house(AGENT).post(f"/offers/{offer}/overrides", {"note": ""}).status_code == 422
    wrong = house(AGENT).post(f"/offers/{offer}/overrides", {"note": "x", "warnings": ["0:NOTHING"]})
    assert wrong.status_code == 422 and "warnings" in wrong.json["errors"]
    made = house(AGENT).post(f"/offers/{offer}/overrides", {"note": "Package of four."})
    assert made.status_code == 201 and made.json[0]["reason"] == "Package of four."
    assert house(AGENT).post(f"/offers/{offer}/overrides", {"note": "Again"}).status_code == 409
    assert take(house, offer, AGENT, "accept", version=1).status_code == 201
    assert state(house, offer) == becomes
    if asks:
        assert [each["reason"] for each in case(house, offer)["overrides"]] == ["Package of four."]
        assert take(house, offer, MANAGER, "approve").status_code == 201, "the reason is written already"


def test_what_was_passed_over_of_one_version_is_open_in_the_next(house, warned):
    offer = agreed(house, warned)
    assert house(AGENT).post(f"/offers/{offer}/overrides", {"note": "Fine."}).status_code == 201
    take(house, offer, MANAGER, "request_changes", note="More money.")
    take(house, offer, AGENT, "counter", lines=[
        {**a_line("DE", exclusive=False), "title_id": warned, "price": 31000}])
    take(house, offer, BUYER, "accept", version=2)
    assert [each["overridden"] for each in case(house, offer)["warnings"]] == [False]
    assert take(house, offer, MANAGER, "approve").status_code == 422


def test_a_warning_that_comes_after_the_agreement_is_asked_about_too(house, film):
    relax(house, exclusive=True)
    offer = agreed(house, film, exclusive=True)
    house(AGENT).post(f"/titles/{film}/holdbacks", {"territories": ["DE"], "media": ["svod"], "hard": False,
                                                    "starts_on": "2027-01-01", "ends_on": "2027-06-30"})
    assert take(house, offer, MANAGER, "approve").status_code == 422
    assert take(house, offer, MANAGER, "approve", note="We may.").status_code == 201


def test_holds_warn_but_for_the_buyers_own_and_those_behind_it(house):
    with house.app.app_context():
        film = listed()
        said = terms.read(line("JP", "svod", "2027-01-01", "2029-12-31"))
        ids = {email: viewer(email).organisation_id for email in (BUYER, OTHER)}
        for email in (OTHER, BUYER):
            holds.record(film, said, organisation_id=ids[email], expires_at=clock.now() + timedelta(days=9))
        found = {}
        for email in (BUYER, OTHER):
            offer = drafts.create(viewer(email), currency="EUR", seller_id=film.organisation_id, lines=[
                {**line("JP", "svod", "2027-01-01", "2029-12-31"), "title_id": film.id, "price": 5}])
            found[email] = [each.text.split(",")[0] for each in cases.of(offer).warnings]
        assert found == {BUYER: ["First hold for Nordlys Distribution"], OTHER: []}


def test_overrides_are_the_sellers_alone(house, warned):
    offer = agreed(house, warned)
    for email, status in ((BUYER, 403), (OTHER, 403), (RIVAL, 404), (OPERATOR, 403)):
        assert house(email).post(f"/offers/{offer}/overrides", {"note": "x"}).status_code == status
    take(house, offer, MANAGER, "reject", note="No.")
    assert house(AGENT).post(f"/offers/{offer}/overrides", {"note": "x"}).status_code == 409


# ------------------------------------------------------------------ who reads what

def test_no_buyer_reads_why_a_deal_needs_approval(house, warned):
    from tests.test_pages import Visitor
    from tests.test_pages import text as source
    offer = agreed(house, warned, price="100")
    assert take(house, offer, MANAGER, "approve", note="Package of four.").status_code == 201
    for answer in (house(BUYER).get(f"/offers/{offer}").get_data(as_text=True),
                   source(Visitor(house.app, BUYER).get(f"/offers/{offer}"))):
        for secret in ("floor", "Package of four", "passed over", "every deal", "sha256", "overridden", "manager who"):
            assert secret not in answer, secret
    for email in (AGENT, BUYER, OTHER, OPERATOR):
        assert house(email).get("/approvals").status_code == 403
    assert [each for each in house(RIVAL).get("/approvals").json if each["offer"]["id"] == offer] == []


def test_the_morning_is_read_in_as_many_queries_however_much_waits(house):
    with house.app.app_context():
        film = listed()
        manager, counted = viewer(MANAGER), []

        def wait():
            offer = drafts.create(viewer(BUYER), currency="EUR", seller_id=film.organisation_id, lines=[
                {**line("JP", "svod", "2027-01-01", "2029-12-31"), "title_id": film.id, "price": 5}] * 2)
            for email, action in ((BUYER, "submit"), (AGENT, "accept")):
                step(offer, email, action)

        def count():
            db.session.expunge_all()
            statements = []
            listen = lambda *call: statements.append(call[2])  # noqa: E731
            event.listen(db.engine, "before_cursor_execute", listen)
            found, total = morning.groups(manager)
            shown = sum(len(each.whys) > 0 for some in found.values() for each in some)
            event.remove(db.engine, "before_cursor_execute", listen)
            assert shown == total
            counted.append((total, len(statements)))

        wait()
        db.session.commit()
        count()
        film = db.session.merge(film)
        for _ in range(5):
            wait()
        db.session.commit()
        count()
        assert counted[1][0] == counted[0][0] + 5 and counted[1][1] == counted[0][1]


def test_what_blocks_stands_first_with_its_reason(house, film):
    blocked, free = agreed(house, film), agreed(house, film, territories=["FR"])
    taken = house(AGENT).post(f"/titles/{film}/licences", {**a_line("DE"), "licensee": "Donau Pay", "contract": "D-88"})
    assert taken.status_code == 201
    groups = {each["offer"]["id"]: each for each in house(MANAGER).get("/approvals?page_size=100").json}
    assert groups[blocked]["group"] == "blocked" and "Donau Pay" in groups[blocked]["blocking"][0]
    assert groups[free]["group"] == "clear" and groups[free]["blocking"] == []
    assert take(house, blocked, MANAGER, "approve", note="All the same").status_code == 409, "it has no override"


def test_a_policy_object_is_what_its_row_says(house):
    with house.app.app_context():
        rules = Policy(True, False, 2, True, False, Decimal("12.5"), "EUR")
        policy.set_rules(viewer(MANAGER), rules)
        db.session.expire_all()
        assert policy.of(viewer(MANAGER).organisation_id) == rules
        assert db.session.scalars(select(Approval)).first() is not None, "the demo world's deals are bound"
        for each in db.session.scalars(select(Offer).where(Offer.state.in_(("approved", "memo_issued", "signed_one")))):
            given.check(offers.get(each.id, viewer(MANAGER)))
