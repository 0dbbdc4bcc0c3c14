"""Two signatures over overlapping rights, fired together from separate processes: exactly one wins."""
import json
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

import seed
from accounts import people, tokens
from catalogue import titles
from core.database import db
from licensing import checks, drafts, mandates, offers, terms
from licensing.models import Offer
from tests.conftest import both
from tests.scale import at

ROUNDS = at(ci=4, long=100)  # each of the pairs below at least once
CONTROL_ROUNDS = at(ci=2, long=50)
PAIRS = [("HK,TW", "TW,SG"), ("World", "MO"), ("CA", "CA-QC"), ("DE", "DE")]


@contextmanager
def contenders(app, *flags):
    """Two processes that wait for orders."""
    with app.app_context():
        url = db.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-W", "ignore", "-m", "tests.race.contender", url, app.config["INSTANCE"], *flags]
    running = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        for each in running:
            assert each.stdout.readline().strip() == "ready"
        yield running
    finally:
        for each in running:
            each.stdin.close()
            each.wait(20)
            each.stdout.close()


def set_up(app):
    """A seller's manager, two buyers, and a token for the manager."""
    with app.app_context():
        who = {email: people.viewer(people.find(f"{email}.test").id)
               for email in ("agent@harbour", "rights@harbour", "buyer@sakura", "buyer@nordlys")}
        token = tokens.issue_whole(people.find("rights@harbour.test"))
        db.session.commit()
    return who, token


def two_offers(app, who, number):
    """A title of its own, and two offers over rights that overlap, each signed by its buyer alone."""
    where = PAIRS[number % len(PAIRS)]
    with app.app_context():
        seller = who["agent@harbour"]
        title = titles.create(seller.organisation_id, kind="film", original_title=f"Race {number}", titles=[],
                              status="published")
        titles.lock([title.id])
        mandates.record(title, terms.read(seed.line("World", "all", "2020-01-01", None)))
        ids = []
        for buyer, places in zip(("buyer@sakura", "buyer@nordlys"), where, strict=True):
            offer = drafts.create(who[buyer], currency="USD", seller_id=seller.organisation_id, lines=[
                {**seed.line(places, "svod", "2027-01-01", "2029-12-31"), "title_id": title.id, "price": 1}])
            for actor, action in ((buyer, "submit"), ("agent@harbour", "accept"), ("rights@harbour", "approve"),
                                  ("agent@harbour", "issue_memo"), (buyer, "sign")):
                offers.advance(offer, who[actor], action, version=1)
            ids.append(offer.id)
        db.session.commit()
        db.session.remove()
    return ids


def fire(running, ids, token):
    """Both sign at the same instant; their answers."""
    moment = time.time() + 0.03
    for each, offer_id in zip(running, ids, strict=True):
        each.stdin.write(json.dumps({"offer": offer_id, "token": token, "at": moment}) + "\n")
        each.stdin.flush()
    return [json.loads(each.stdout.readline()) for each in running]


@both
def test_exactly_one_of_two_signings_wins_in_every_round(fresh):
    app = fresh(seeded=True)
    who, token = set_up(app)
    with contenders(app) as running:
        for number in range(ROUNDS):
            ids = two_offers(app, who, number)
            answers = fire(running, ids, token)
            assert sorted(each["status"] for each in answers) == [201, 409], (number, answers)
            lost = next(each for each in answers if each["status"] == 409)
            assert [reason["code"] for reason in lost["body"]["reasons"]] == ["RIGHTS_OUT"]
            with app.app_context():
                assert {db.session.get(Offer, each).state for each in ids} == {"signed", "superseded"}
                db.session.remove()
    with app.app_context():
        assert checks.sold_twice() == []
        assert checks.outside_mandates() == []


@both
def test_without_lock_and_guard_the_same_race_sells_twice(fresh):
    """The positive control: a race test that cannot fail proves nothing."""
    app = fresh(seeded=True)
    who, token = set_up(app)
    twice = 0
    with contenders(app, "--control") as running:
        for number in range(CONTROL_ROUNDS):
            answers = fire(running, two_offers(app, who, number), token)
            twice += [each["status"] for each in answers] == [201, 201]
    assert twice >= 0.95 * CONTROL_ROUNDS, twice
    with app.app_context():
        assert len(checks.sold_twice()) >= twice, "flask check must see it"


@pytest.mark.postgresql
@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_the_guard_alone_refuses_what_the_lock_would_have(fresh):
    """The database as the last word: no lock, no check, and still nothing is sold twice."""
    from core.errors import Conflict
    from licensing import contracts
    app = fresh(seeded=True)
    who, _ = set_up(app)
    with app.app_context():
        contracts_refused, contracts.refused = contracts.refused, lambda *_, **__: []
        try:
            title = titles.create(who["agent@harbour"].organisation_id, kind="film", original_title="Guarded",
                                  titles=[], status="published")

            def grant(**more):
                said = {"territories": "HK,TW", "media": "svod", "starts_on": "2027-01-01", "ends_on": "2029-12-31",
                        **more}
                return contracts.grant(title.organisation_id, [(title, terms.read(seed.line(**said)))],
                                       licensee_id=None, licensee_name="Somebody", recording=True)

            grant()
            for clash in ({}, {"territories": "World"}, {"media": "all", "exclusive": False}, {"languages": "fr:dub"},
                          {"starts_on": "2029-12-31", "ends_on": None}):
                with pytest.raises(Conflict), db.session.begin_nested():
                    grant(**clash)
            for fit in ({"territories": "SG"}, {"media": "free_tv", "exclusive": False},
                        {"media": "free_tv", "exclusive": False}, {"starts_on": "2030-01-01", "ends_on": None}):
                grant(**fit)
        finally:
            contracts.refused = contracts_refused
        db.session.rollback()
