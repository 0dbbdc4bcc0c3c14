"""One person in several organisations: acts for one at a time, visibly, and nothing of one shows in another; leaving
ends everything at once."""
import re

import pytest
from sqlalchemy import select

from accounts import members, notices, people, tokens
from accounts.models import Membership
from accounts.notices import News, Notice
from core import clock
from core.database import db
from media import grants
from media.models import Asset, Grant, Kind, State
from search import query, saved
from tests.accounts.organisations import ADMIN, AGENT, BUYER, OPERATOR, belong, house_of, letters
from tests.conftest import Caller, a_line, both
from tests.licensing.deals import step, title, viewer
from tests.test_pages import Visitor, text

HOUSES = "Harbour Pictures", "Sakura TV"


@pytest.fixture
def both_sides(world):
    """The agent of Harbour, who buys for Sakura, too: (world, {house: viewer})."""
    belong(world, AGENT, ("Sakura TV", ["buyer", "admin"]))
    with world.app_context():
        person = people.find(AGENT).id
        houses = {name: people.viewer(person, people.organisation_named(name).id) for name in HOUSES}
    return world, houses


def switch(someone, organisation_id):
    return someone.submit("/acting", {"organisation": organisation_id}, form="/account")


def whom(someone):
    return re.search(r'<div class="whoami">.*?class="(?:house|wide)">([^<]+)<', text(someone.get("/account")), re.S)[1]


def end(world, address, name):
    """The person is removed from an organisation."""
    with world.app_context():
        house, person = people.organisation_named(name).id, people.find(address).id
        db.session.delete(db.session.scalar(select(Membership).filter_by(person_id=person, organisation_id=house)))
        db.session.commit()


def test_the_masthead_says_for_whom_one_acts_and_switching_is_one_form(both_sides):
    world, houses = both_sides
    someone = Visitor(world, AGENT)
    assert whom(someone) == "Harbour Pictures" and someone.get("/slate").status_code == 200
    answer = switch(someone, houses["Sakura TV"].organisation_id)
    assert answer.status_code == 302 and someone.get(answer.location).status_code == 200
    assert whom(someone) == "Sakura TV" and someone.get("/slate").status_code == 403
    alone = text(Visitor(world, BUYER).get("/account"))
    assert 'class="switch"' not in alone, "who belongs to one has nothing to choose"


def test_one_switches_only_to_where_one_belongs(both_sides):
    world, _ = both_sides
    someone = Visitor(world, AGENT)
    for number in (house_of(world, "Lotus Sales"), 99999, "x", ""):
        assert switch(someone, number).status_code == 404, number
    assert whom(someone) == "Harbour Pictures"
    stranger = Visitor(world)
    assert stranger.client.post("/acting", data={
        "organisation": 1, "csrf_token": stranger.token("/sign-in")}).status_code == 404


def test_a_form_that_was_drawn_for_one_organisation_does_nothing_for_another(both_sides):
    """In two tabs: one is switched, the other still shows a form of the former."""
    world, houses = both_sides
    someone = Visitor(world, AGENT)
    old = someone.token("/account")
    switch(someone, houses["Sakura TV"].organisation_id)
    answer = someone.client.post("/account/tokens", data={"name": "X", "csrf_token": old})
    assert answer.status_code == 400 and "for another organisation of yours" in text(answer)


def test_each_token_acts_for_its_own_organisation(both_sides):
    world, houses = both_sides
    with world.app_context():
        held = {name: tokens.issue_whole(people.find(AGENT), each.organisation_id) for name, each in houses.items()}
        db.session.commit()
    for name, roles in (("Harbour Pictures", ["agent"]), ("Sakura TV", ["admin", "buyer"])):
        caller = Caller(world)
        caller.headers["Authorization"] = f"Bearer {held[name]}"
        me = caller.get("/me").json
        assert me["acting_for"]["name"] == name and me["roles"] == roles
        assert [each["name"] for each in me["organisations"]] == list(HOUSES)


def test_notices_searches_and_kept_answers_of_one_are_nothing_to_the_other(both_sides):
    world, houses = both_sides
    harbour, sakura = (houses[name] for name in HOUSES)
    with world.app_context():
        notices.tell([harbour, sakura], "offers", News("Secret of both", "/offers/1"))
        notices.tell([harbour], "offers", News("Secret of Harbour", "/offers/2"))
        assert notices.waiting(sakura) == 1, "each of the two was told of the first"
        before = notices.waiting(harbour)
        notices.see(sakura, path="/offers/1")
        assert notices.waiting(harbour) == before and notices.waiting(sakura) == 0
        number = saved.save(harbour, "Tides", query.Asked(q="tide"), world.extensions["index"]).id
        assert saved.count(harbour) == 1 and saved.listing(sakura) == [] and saved.count(sakura) == 0
        held = [tokens.issue_whole(people.find(AGENT), each.organisation_id) for each in (harbour, sakura)]
        db.session.commit()
    someone = Visitor(world, AGENT)
    switch(someone, sakura.organisation_id)
    for path in ("/notices", "/searches"):
        assert "Secret of Harbour" not in text(someone.get(path)) and "Tides" not in text(someone.get(path))
    assert someone.submit(f"/searches/{number}/removal", {}, form="/account").status_code == 404
    answers = []
    for each in held:
        caller = Caller(world)
        caller.headers["Authorization"] = f"Bearer {each}"
        answers.append(caller.post("/titles", {"kind": "film", "original_title": "Kept"}, Idempotency_Key="k"))
    assert [each.status_code for each in answers] == [201, 403], "the key of one is not the other's"


def test_everybody_with_a_membership_is_told_in_their_own_organisation(both_sides):
    world, houses = both_sides
    with world.app_context():
        film = title()
        db.session.commit()
        asked = {"seller": str(film.organisation_id), "currency": "EUR",
                 "lines": [{"title_id": str(film.id), "price": "1", **a_line("HK")}]}
    buyer = Caller(world, BUYER)
    number = buyer.post("/offers", asked).json["id"]
    buyer.post(f"/offers/{number}/steps", {"action": "submit"})
    with world.app_context():
        told = db.session.scalars(select(Notice).where(Notice.path == f"/offers/{number}")).all()
    assert (houses["Harbour Pictures"].person_id, houses["Harbour Pictures"].organisation_id) in {
        (each.person_id, each.organisation_id) for each in told}
    assert {each.kind for each in told} == {"offers"}, "the buyer's own house did it, and is told nothing"


# ------------------------------------------------------------------ leaving

@both
def test_leaving_ends_pages_and_tokens_at_once(both_sides):
    world, houses = both_sides
    someone, caller = Visitor(world, AGENT), Caller(world, AGENT)
    stranger = Caller(world)
    assert someone.get("/slate").status_code == 200 and caller.get("/me").status_code == 200
    end(world, AGENT, "Harbour Pictures")
    answer = caller.get("/me")
    assert answer.status_code == 401 and answer.data == stranger.get("/me").data
    gone = someone.get("/slate")
    assert (gone.status_code, gone.location) == (302, "/acting"), "and they do not silently act for another"
    page = text(someone.get("/acting"))
    assert "You do not act for the organisation you acted for any more" in page and "Act for Sakura TV" in page
    assert someone.client.post("/slate", data={"csrf_token": someone.token("/acting")}).status_code == 302
    assert someone.submit("/acting", {"organisation": houses["Sakura TV"].organisation_id}).status_code == 302
    assert whom(someone) == "Sakura TV"
    end(world, AGENT, "Sakura TV")
    again = Visitor(world)
    assert again.submit("/sign-in", {"email": AGENT, "password": "demo"}).status_code == 302
    for each in (someone, again):
        for path in ("/", "/sign-in", "/account", "/proof", "/no/such/page"):
            landed = each.client.get(path, follow_redirects=True)  # which ends, or raises
            assert landed.status_code == (404 if path == "/no/such/page" else 200), path
        page = text(each.get("/acting"))
        assert "You belong to no organisation" in page and f"invite {AGENT}" in page
        assert 'href="/apply"' in page
        for path in ("/acting", "/apply", "/no/such/page"):
            assert text(each.get(path)).count('action="/sign-out"') == 1, path
    assert 'action="/sign-out"' not in text(Visitor(world).get("/apply")), "a stranger has nothing to leave"
    assert someone.submit("/sign-out", {}, form="/apply").status_code == 302
    assert someone.get("/acting").location.startswith("/sign-in")


def test_leaving_ends_screeners_searches_notices_and_mail(both_sides):
    world, houses = both_sides
    sakura = houses["Sakura TV"]
    with world.app_context():
        asset = Asset(title=title(), person_id=1, kind=Kind.SCREENER.value, key="k", filename="f.mp4", size=1,
                      type="video/mp4", state=State.READY.value, created_at=clock.now(), changed_at=clock.now())
        db.session.add(asset)
        db.session.flush()
        grants.give(asset, viewer("agent@lotus.test"), starts_on=clock.today(), ends_on=clock.today(),
                    email=AGENT)
        grants.attend(db.session.scalars(select(Grant.id)))
        search = saved.save(sakura, "Fog", query.Asked(q="nothing-yet"), world.extensions["index"]).id
        notices.tell([sakura], "offers", News("For Sakura", "/offers/1"))
        db.session.commit()
        number = asset.id
        assert grants.find(asset, sakura) and not grants.find(asset, houses["Harbour Pictures"]), "for Sakura alone"
    end(world, AGENT, "Sakura TV")
    with world.app_context():
        asset = db.session.get(Asset, number)
        assert people.viewer(sakura.person_id, sakura.organisation_id) is None
        assert not grants.find(asset, people.viewer(sakura.person_id)), "acting for the other house changes nothing"
        assert sakura.person_id not in {each.person_id for each in people.acting_for([sakura.organisation_id])}
        saved.tick(search, world.extensions["index"])
        assert not saved.news(sakura)
        db.session.commit()
    assert "For Sakura" not in str(letters(world).get(AGENT))


def test_a_brief_is_the_houses_and_answered_though_its_author_left(world):
    manager = Visitor(world, "rights@harbour.test")
    with world.app_context():
        from search.models import Brief
        brief = db.session.scalar(select(Brief.id))
    assert manager.get(f"/briefs/{brief}").status_code == 200
    end(world, AGENT, "Harbour Pictures")
    assert manager.get(f"/briefs/{brief}").status_code == 200


def test_nobody_acts_for_a_suspended_organisation_until_it_is_resumed(world):
    operator, agent, caller = Visitor(world, OPERATOR), Visitor(world, AGENT), Caller(world, AGENT)
    house = house_of(world, "Harbour Pictures")
    assert operator.submit(f"/organisations/{house}/suspension", {}, form="/applications").status_code == 302
    assert agent.get("/slate").location == "/acting" and caller.get("/me").status_code == 401
    with world.app_context():
        assert people.acting_for([house]) == []
    other = Visitor(world, ADMIN)  # of Harbour and Nordlys
    assert whom(other) == "Nordlys Distribution"
    own = house_of(world, "Market Office")
    assert operator.submit(f"/organisations/{own}/suspension", {}, form="/applications").status_code == 409
    operator.submit(f"/organisations/{house}/resumption", {}, form="/applications")
    assert agent.get("/slate").status_code == 200 and caller.get("/me").status_code == 200


def test_whoever_signs_in_next_at_the_same_browser_acts_for_their_own(both_sides):
    world, houses = both_sides
    someone = Visitor(world, AGENT)
    switch(someone, houses["Sakura TV"].organisation_id)
    someone.submit("/sign-out", {}, form="/account")
    someone.submit("/sign-in", {"email": "agent@lotus.test", "password": "demo"})
    assert whom(someone) == "Lotus Sales"


def test_who_wrote_terms_for_one_house_does_not_approve_them_for_another(world):
    """Four eyes are four eyes of people, whichever organisation they act for."""
    belong(world, BUYER, ("Harbour Pictures", ["rights_manager"]))
    with world.app_context():
        film, buyer = title(), viewer(BUYER)
        from licensing import drafts, moves
        from seed import line
        offer = drafts.create(buyer, currency="EUR", seller_id=film.organisation_id, lines=[
            {**line("JP", "svod", "2027-01-01", "2029-12-31"), "title_id": film.id, "price": 1}])
        step(offer, BUYER, "submit")
        step(offer, AGENT, "accept")
        both_eyes = people.viewer(buyer.person_id, film.organisation_id)
        assert "approve" not in moves.actions(offer, both_eyes)
        assert "approve" in moves.actions(offer, viewer("rights@harbour.test"))


def test_members_are_listed_by_who_acts_for_the_organisation(both_sides):
    world, houses = both_sides
    with world.app_context():
        assert {each.person.email for each in members.listing(houses["Sakura TV"])} == {AGENT, BUYER}
