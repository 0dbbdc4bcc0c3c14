"""What is sent five times in parallel happens once; a mandate that ends while a deal over it is signed."""
from threading import Barrier, Thread

import pytest

from core.database import db
from licensing import checks, terms
from licensing.models import Licence, Mandate, Offer, Step
from tests.conftest import Caller, a_line, both
from tests.licensing import deals
from tests.licensing.deals import AGENT, BUYER, MANAGER
from tests.scale import at

FIVE = 5


def at_once(*acts):
    """What each of them answers, begun together."""
    together, answers = Barrier(len(acts)), [None] * len(acts)

    def run(place, act):
        together.wait(30)
        answers[place] = act()

    threads = [Thread(target=run, args=each) for each in enumerate(acts)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(120)
    return answers


def count(app, model, **wanted):
    with app.app_context():
        found = db.session.scalar(db.select(db.func.count()).select_from(model).filter_by(**wanted))
        db.session.rollback()
    return found


@pytest.fixture
def shop(fresh):
    """(app, `five(email, path, body, key)`: the answers of five equal requests at once)."""
    app = fresh(seeded=True)

    def five(email, path, body, key):
        callers = [Caller(app, email) for _ in range(FIVE)]
        return at_once(*(lambda each=each: each.post(path, body, Idempotency_Key=key) for each in callers))
    return app, five


def once(answers, status=201):
    """All say the same, and all but one say that they repeat it."""
    assert [each.status_code for each in answers] == [status] * FIVE, [each.json for each in answers]
    assert len({each.get_data() for each in answers}) == 1
    assert sorted("Idempotent-Replay" in each.headers for each in answers) == [False] + [True] * (FIVE - 1)


@both
def test_the_same_key_five_times_in_parallel_is_one_offer_one_step_and_one_licence(shop):
    app, five = shop
    with app.app_context():
        made = deals.title()
        offer_id, title_id, seller = deals.agreed((made, "*")).id, made.id, made.organisation_id
        db.session.commit()
    for number in range(at(ci=1, long=10)):
        before = count(app, Offer)
        line = {**a_line("SE", "avod"), "title_id": str(title_id), "price": 10}
        drafted = five(BUYER, "/offers", {"seller": str(seller), "currency": "EUR", "lines": [line]}, f"draft{number}")
        once(drafted)
        assert count(app, Offer) == before + 1
        path = f"/offers/{drafted[0].json['id']}/steps"
        once(five(BUYER, path, {"action": "submit"}, f"submit{number}"))
        once(five(AGENT, path, {"action": "counter", "lines": [{**line, "price": 20}]}, f"counter{number}"))
        assert count(app, Step, offer_id=int(drafted[0].json["id"])) == 2
        Caller(app, BUYER).post("/basket", {**a_line("SE", "avod", exclusive=False), "title_id": str(title_id)})
        [line] = Caller(app, BUYER).get("/basket").json
        before = count(app, Offer)
        once(five(BUYER, "/basket/sending", {"offers": [{"seller": str(seller), "as": "request", "currency": "EUR",
                                                         "lines": [{"id": line["id"]}]}]}, f"send{number}"))
        assert count(app, Offer) == before + 1
    once(five(MANAGER, f"/offers/{offer_id}/steps", {"action": "sign"}, "sign"))
    assert count(app, Licence, offer_id=offer_id) == 1


@both
def test_a_deal_is_not_signed_outside_a_mandate_that_ends_at_that_moment(shop):
    """Either the licence is granted first and stands, or the mandate has ended and there is none."""
    app, _ = shop
    seen = set()
    for _ in range(at(ci=3, long=60)):
        with app.app_context():
            made = deals.title()
            offer_id = deals.agreed((made, "*")).id
            mandate = db.session.scalar(db.select(Mandate.id).filter_by(title_id=made.id))
            db.session.commit()
        signer, ender = Caller(app, MANAGER), Caller(app, MANAGER)
        signed, ended = at_once(
            lambda: signer.post(f"/offers/{offer_id}/steps", {"action": "sign"}),  # noqa: B023 - run at once
            lambda: ender.post(f"/mandates/{mandate}/ending", {"from": "2026-01-01"}))  # noqa: B023
        assert ended.status_code == 201 and signed.status_code in (201, 409), (ended.json, signed.json)
        if signed.status_code == 409:
            assert {each["code"] for each in signed.json["reasons"]} == {"NO_RIGHTS_IN"}
        seen.add(signed.status_code)
        assert count(app, Licence, offer_id=offer_id) == (signed.status_code == 201)
    with app.app_context():
        assert checks.outside_mandates() == [] and checks.sold_twice() == []
    print(seen)


@both
@pytest.mark.parametrize("step, email", [("accept", AGENT), ("approve", MANAGER), ("sign", MANAGER)])
def test_no_step_towards_a_licence_is_taken_outside_the_mandates(shop, step, email):
    app, _ = shop
    way = [(BUYER, "submit"), (AGENT, "accept"), (MANAGER, "approve"), (AGENT, "issue_memo"), (BUYER, "sign"),
           (MANAGER, "sign")]
    with app.app_context():
        made = deals.title()
        said = {**terms.read(deals.line("JP", "svod", "2027-01-01", "2029-12-31")).again(), "title_id": made.id}
        offer = deals.drafts.create(deals.viewer(BUYER), currency="EUR", seller_id=made.organisation_id,
                                    lines=[{**said, "price": 1000}])
        for who, action in way[:way.index((email, step))]:
            deals.step(offer, who, action)
        mandate, offer_id, state = db.session.scalar(db.select(Mandate.id).filter_by(title_id=made.id)), offer.id, str(
            offer.state)
        db.session.commit()
    assert Caller(app, MANAGER).post(f"/mandates/{mandate}/ending", {"from": "2028-06-01"}).status_code == 201
    refused = Caller(app, email).post(f"/offers/{offer_id}/steps", {"action": step, "version": 1})
    assert refused.status_code == 409 and {each["code"] for each in refused.json["reasons"]} == {"NO_RIGHTS_IN"}
    assert Caller(app, BUYER).get(f"/offers/{offer_id}").json["state"] == state
    assert count(app, Licence, offer_id=offer_id) == 0
