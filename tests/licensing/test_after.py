"""After the signature: amendment, extension, termination and reversion from a day, expiry; rights free at once."""
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from core import clock
from core.database import db
from core.errors import Conflict, Invalid, NotAllowed
from licensing import avails, checks, clockwork, contracts, drafts, offers, terms
from licensing.after import amendments
from licensing.delivery.models import Material
from licensing.models import Licence, Line, Offer, Step
from licensing.paper import memos
from licensing.rights.availability import Verdict
from seed import line
from tests.conftest import Caller, a_line, both
from tests.licensing.deals import AGENT, BUYER, MANAGER, OTHER, RIVAL, step, title, viewer
from tests.test_pages import Visitor

ASKED = line("JP", "svod", "2027-01-01", "2034-12-31")


@pytest.fixture
def deal(world):
    """A signed deal over one film, exclusively: JP, SVOD, 2027 to 2029."""
    with world.app_context():
        film = title()
        yield made(said(film))


def said(film, ends="2029-12-31", where="JP", media="svod", price=1000, languages="ja:sub", **more):
    return {**line(where, media, "2027-01-01", ends, languages=languages), "title_id": film.id, "price": price, **more}


def made(*lines, buyer=BUYER):
    offer = drafts.create(viewer(buyer), currency="EUR", seller_id=viewer(AGENT).organisation_id, lines=list(lines))
    for who, action in ((buyer, "submit"), (AGENT, "accept"), *LEFT):
        step(offer, who if who != BUYER else buyer, action)
    return offer


LEFT = ((MANAGER, "approve"), (AGENT, "issue_memo"), (BUYER, "sign"), (MANAGER, "sign"))


def advance(offer, email, action, **more):
    by = viewer(email)
    return offers.advance(offers.lock(offer.id, by), by, action, **more)


def amend(deal, *lines, by=BUYER, note=None):
    return advance(deal, by, "amend", lines=list(lines), note=note).amendment


def settle(amendment):
    """Lead an amendment of the buyer to its signatures."""
    advance(amendment, AGENT, "accept", version=amendment.number)
    for who, action in LEFT:
        advance(amendment, who, action)


def free_days(film, where="JP", media="svod", languages="ja:sub"):
    """The windows that are free of 2027 to 2034."""
    asked = terms.read({**ASKED, "territories": [where], "media": [media], "languages": [languages]})
    return [block.dates.window for block in avails.ask(film.id, asked).free]


def counting_lines(deal):
    return db.session.scalars(select(Line).join(Line.licence).where(
        Licence.offer_id == deal.id, Line.counts_until.is_(None)).order_by(Line.id)).all()


def nothing_broken():
    assert checks.sold_twice() == checks.outside_mandates() == []


# ------------------------------------------------------------------ amendment

def test_an_extension_replaces_the_licence_in_one_step_and_is_right_at_once(deal):
    film = deal.current.lines[0].title
    assert free_days(film) == [(date(2030, 1, 1), date(2034, 12, 31))]
    old = counting_lines(deal)[0]
    longer = amend(deal, said(film, "2031-12-31", price=1500), note="Two more years?")
    assert (longer.state, longer.root_id, longer.number, longer.current.side) == ("submitted", deal.id, 2, "buyer")
    assert amendments.is_extension(longer.versions[0], longer.current)
    assert (deal.state, counting_lines(deal)) == ("signed", [old]), "the deal goes on meanwhile"
    assert free_days(film) == [(date(2030, 1, 1), date(2034, 12, 31))]
    settle(longer)
    new, = counting_lines(deal)
    assert (new.ends_on, new.licence.amendment_id, new.licence.offer_id) == (date(2031, 12, 31), longer.id, deal.id)
    assert old.counts_until == new.counts_from and old.note == f"Amended by offer {longer.id}."
    assert free_days(film) == [(date(2032, 1, 1), date(2034, 12, 31))]
    for moment in (new.counts_from - timedelta(microseconds=1), new.counts_from):
        assert avails.ask(film.id, terms.read(said(film)), at=moment).verdict == Verdict.UNAVAILABLE, "never between"
    assert [each.action for each in deal.steps][-2:] == ["amend", "take_in"]
    nothing_broken()


def test_the_versions_of_an_amendment_show_what_it_changes_of_the_deal(world):
    with world.app_context():
        film = title()
        deal_id = made(said(film)).id
        db.session.commit()
        film_id = film.id
    buyer = Caller(world, BUYER)
    sent = {**a_line("JP,KR", "svod", "2027-01-01", "2031-12-31", languages="ja:sub"), "title_id": str(film_id),
            "price": "1500"}
    taken = buyer.post(f"/offers/{deal_id}/steps", {"action": "amend", "lines": [sent]})
    assert taken.status_code == 201 and taken.json["state"] == "signed"
    shown = buyer.get(f"/offers/{taken.json['amendment_id']}").json
    assert shown["amends"] == str(deal_id) and shown["version"] == 2
    assert {each["term"]: (each["before"], each["after"]) for each in shown["versions"][1]["changes"]} == {
        "territories": ("Japan", "Japan + South Korea"), "ends_on": ("31 Dec 2029", "31 Dec 2031"),
        "price": ("1,000", "1,500")}
    assert shown["lines"][0]["avails"]["verdict"] == "available", "what it replaces does not stand in its way"
    assert "amend" not in buyer.get(f"/offers/{deal_id}").json["actions"], "one at a time"
    again = buyer.post(f"/offers/{deal_id}/steps", {"action": "amend", "lines": [sent]})
    assert again.status_code == 409
    for email in (OTHER, RIVAL):
        assert Caller(world, email).get(f"/offers/{taken.json['amendment_id']}").status_code == 404


def test_an_amendment_may_give_up_what_the_deal_had_and_take_what_is_free(deal):
    film, other = deal.current.lines[0].title, title(name="第二")
    smaller = amend(deal, said(film, "2028-06-30", where="KR"), said(other, media="pay_tv", languages="ko:dub"))
    settle(smaller)
    assert free_days(film) == [(date(2027, 1, 1), date(2034, 12, 31))]
    assert free_days(film, "KR") == [(date(2028, 7, 1), date(2034, 12, 31))]
    assert free_days(other, media="pay_tv", languages="ko:dub") == [(date(2030, 1, 1), date(2034, 12, 31))]
    ordered = db.session.scalars(select(Material).where(Material.offer_id == deal.id)).all()
    assert {"dub", "master"} <= {each.kind for each in ordered if each.title_id == other.id}
    kept = [(each.title_id, each.kind, each.language) for each in ordered]
    assert len(kept) == len(set(kept)), "what was ordered is not ordered again"
    nothing_broken()


def test_an_amendment_of_an_amended_deal_begins_with_what_holds_now(deal):
    film = deal.current.lines[0].title
    settle(amend(deal, said(film, "2031-12-31")))
    second = amend(deal, said(film, "2033-12-31"), by=MANAGER)
    assert second.versions[0].lines[0].ends_on == date(2031, 12, 31)
    advance(second, BUYER, "accept", version=2)
    advance(second, MANAGER, "request_changes", note="A higher price, please.")
    advance(second, AGENT, "counter", lines=[said(film, "2033-12-31", price=3000)], version=2)
    advance(second, BUYER, "accept", version=3)
    for who, action in LEFT:
        advance(second, who, action)
    assert [each.ends_on for each in counting_lines(deal)] == [date(2033, 12, 31)]
    assert len({each.licence_id for each in counting_lines(deal)}) == 1
    nothing_broken()


def test_an_amendment_cannot_take_what_another_has(deal):
    film = deal.current.lines[0].title
    wider = amend(deal, said(film, where="JP,KR"))
    made(said(film, where="KR"), buyer=OTHER)
    with pytest.raises(contracts.RightsTaken):
        advance(wider, AGENT, "accept", version=2)
    db.session.rollback()


def test_a_licence_signed_first_supersedes_the_amendment_and_leaves_the_deal(deal):
    film = deal.current.lines[0].title
    wider = amend(deal, said(film, where="JP,KR"))
    advance(wider, AGENT, "accept", version=2)
    for who, action in LEFT[:-1]:
        advance(wider, who, action)
    made(said(film, where="KR"), buyer=OTHER)
    assert advance(wider, MANAGER, "sign").action == "supersede"
    assert deal.state == "signed" and [each.ends_on for each in counting_lines(deal)] == [date(2029, 12, 31)]
    nothing_broken()


def test_the_memo_of_an_amendment_names_the_deal_and_a_signed_one_takes_no_step_more(deal):
    film = deal.current.lines[0].title
    longer = amend(deal, said(film, "2031-12-31"))
    settle(longer)
    document = memos.get(longer).document
    assert f'"amends":"{deal.id}"' in document and f"Amendment of deal {deal.id}" in document
    for action, more in (("terminate", {"note": "No"}), ("revert", {"note": "No"}), ("amend", {"lines": [said(film)]})):
        with pytest.raises((Conflict, NotAllowed)):
            advance(longer, MANAGER, action, **more)
        db.session.expire_all()
    assert all(not offers.moves.actions(longer, viewer(email)) for email in (AGENT, MANAGER, BUYER))
    with clock.stopped_at(clock.begins(date(2027, 3, 1))):
        assert longer.id not in clockwork.due() and deal.id in clockwork.due(), "the clock moves the deal alone"


def test_nobody_amends_a_draft_a_strangers_deal_or_without_terms_or_prices(deal):
    film = deal.current.lines[0].title
    with pytest.raises(Invalid):
        amend(deal)
    with pytest.raises(Invalid):
        amend(deal, said(film, price=None))
    db.session.rollback()
    with pytest.raises(Exception, match="nothing here"):
        offers.lock(deal.id, viewer(OTHER))


def test_an_amendment_dies_with_its_deal(deal):
    film = deal.current.lines[0].title
    longer = amend(deal, said(film, "2031-12-31"))
    advance(deal, MANAGER, "terminate", note="The first instalment never came.")
    assert longer.state == "superseded" and longer.steps[-1].note == f"The deal it amends, offer {deal.id}, was ended."
    with pytest.raises(Conflict):
        advance(longer, AGENT, "accept", version=2)


def test_the_databases_own_guard_knows_the_replacement(deal):
    """What the database itself guards is what counts: the old window is free for others, the new one is not."""
    film = deal.current.lines[0].title
    settle(amend(deal, said(film, "2029-12-31", where="KR")))
    made(said(film, where="JP"), buyer=OTHER)
    nothing_broken()


# ------------------------------------------------------------------ termination, reversion

@both
@pytest.mark.parametrize("action, state", [("terminate", "terminated"), ("revert", "reverted")])
def test_ending_a_deal_frees_the_rest_from_a_day(world, action, state):
    with world.app_context():
        film = title()
        deal = made(said(film))
        taken = advance(deal, MANAGER, action, note="By agreement.", first_day_gone=date(2028, 7, 1))
        assert (deal.state, taken.first_day_gone) == (state, date(2028, 7, 1))
        assert free_days(film) == [(date(2028, 7, 1), date(2034, 12, 31))]
        assert [each.ends_on for each in counting_lines(deal)] == [date(2028, 6, 30)]
        made(said(film, "2030-12-31") | {"starts_on": date(2028, 7, 1)}, buyer=OTHER)
        with pytest.raises(contracts.RightsTaken):
            made(said(film, "2028-06-30"), buyer=OTHER)
        db.session.rollback()


def test_without_a_day_the_rest_is_free_from_today(deal):
    taken = advance(deal, MANAGER, "terminate", note="Insolvent.")
    assert taken.first_day_gone == clock.today()
    assert free_days(deal.current.lines[0].title) == [(date(2027, 1, 1), date(2034, 12, 31))]


@pytest.mark.parametrize("day", [clock.today() - timedelta(days=1), date(2030, 1, 1), date(2999, 1, 1)])
def test_a_day_that_has_passed_or_lies_behind_the_end_is_refused(deal, day):
    with pytest.raises(Invalid) as refused:
        advance(deal, MANAGER, "terminate", note="No.", first_day_gone=day)
    assert "from" in refused.value.errors


def test_ending_an_amended_deal_ends_what_was_amended(deal):
    film, other = deal.current.lines[0].title, title(name="第二")
    settle(amend(deal, said(film, "2031-12-31"), said(other)))
    advance(deal, MANAGER, "revert", note="Handed back.", first_day_gone=date(2028, 1, 1))
    assert free_days(film) == free_days(other) == [(date(2028, 1, 1), date(2034, 12, 31))]


def test_over_the_api_a_termination_names_its_day(world):
    with world.app_context():
        deal_id = made(said(title())).id
        db.session.commit()
    manager, buyer, path = Caller(world, MANAGER), Caller(world, BUYER), f"/offers/{deal_id}/steps"
    ask = {"action": "terminate", "note": "Insolvent.", "from": "2028-01-01"}
    assert buyer.post(path, ask).status_code == 403
    assert manager.post(path, {**ask, "from": "2020-01-01"}).json["errors"]["from"]
    assert manager.post(path, {**ask, "from": "yesterday"}).status_code == 422
    assert manager.get(f"/offers/{deal_id}").json["state"] == "signed", "what was refused left nothing"
    assert manager.post(path, ask).json["from_day"] == "2028-01-01"
    assert buyer.get(f"/offers/{deal_id}").json["steps"][-1]["from_day"] == "2028-01-01"


# ------------------------------------------------------------------ the clock

def days_of(deal):
    """When the clock moves a deal, day by day around what it says."""
    moved = []
    for day in (date(2026, 12, 31), date(2027, 1, 1), date(2029, 12, 31), date(2030, 1, 1), date(2031, 12, 31),
                date(2032, 1, 1)):
        with clock.stopped_at(clock.begins(day)):
            for each in clockwork.due():
                clockwork.tick(each)
        db.session.expire(deal)
        moved.append(deal.state)
    return moved


def test_a_deal_begins_on_its_first_day_and_expires_after_its_last(deal):
    assert days_of(deal) == ["signed", "active", "active", "expired", "expired", "expired"]


def test_an_extended_deal_expires_after_its_new_last_day(deal):
    settle(amend(deal, said(deal.current.lines[0].title, "2031-12-31")))
    assert days_of(deal) == ["signed", "active", "active", "active", "active", "expired"]


def test_an_amendment_under_way_ends_when_its_deal_expires(deal):
    longer = amend(deal, said(deal.current.lines[0].title, "2031-12-31"))
    days_of(deal)
    assert longer.state == "superseded"


# ------------------------------------------------------------------ on the page

def test_the_page_offers_an_extension_and_a_day_to_end_from(world):
    with world.app_context():
        film = title()
        deal_id = made(said(film)).id
        db.session.commit()
        film_id = film.id
    buyer, manager = Visitor(world, BUYER), Visitor(world, MANAGER)
    page, path = f"/offers/{deal_id}", f"/offers/{deal_id}/steps"
    assert "Propose an amendment or an extension" in buyer.get(page).text
    form = {"lines-0-title_id": film_id, "lines-0-territories": "JP", "lines-0-media": "svod",
            "lines-0-languages": "ja:sub", "lines-0-starts_on": "2027-01-01", "lines-0-ends_on": "2031-12-31",
            "lines-0-exclusive": "true", "lines-0-price": "1,500", "action": "amend"}
    assert "The end lies before the start" in buyer.submit(path, form | {"lines-0-ends_on": "2026-01-01"}, page).text
    sent = buyer.submit(path, form, page)
    assert sent.status_code == 302
    amendment = manager.get(sent.location).text
    assert f'amends <a href="/offers/{deal_id}">' in amendment and "<del>31 Dec 2029</del><ins>31 Dec 2031" in amendment
    assert "Extension, offer" in manager.get(page).text
    ended = manager.submit(path, {"action": "terminate", "note": "Insolvent.", "from": "2028-01-01"}, page)
    assert ended.status_code == 302
    after = buyer.get(page).text
    assert "free again from" in after and "2028-01-01" in after
    with world.app_context():
        assert db.session.scalar(select(Offer.state).where(Offer.root_id == deal_id)) == "superseded"
        assert db.session.scalar(select(Step.first_day_gone).where(
            Step.action == "terminate", Step.offer_id == deal_id)) == date(2028, 1, 1)
