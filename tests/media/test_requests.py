"""Requests for screeners: asked on a title's page or over the API, granted in two clicks or declined."""
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import IntegrityError

from accounts import people, security
from accounts.notices import Notice
from accounts.permissions import Role
from core import clock
from core.database import db
from media import grants
from media.models import Asset, Grant, ScreenerRequest, State
from tests.media.test_assets import AGENT, BUYER, MANAGER, OPERATOR, RIVAL, TITLE, Studio
from tests.stores import Place
from tests.test_pages import Visitor, text

NEIGHBOUR, COLLEAGUE = "buyer@nordlys.test", "second@sakura.test"


@pytest.fixture
def house(world):
    return Studio(world, Place(world.extensions["store"]))


@pytest.fixture
def visitor(world):
    known = {}

    def visit(email):
        if email not in known:
            known[email] = Visitor(world, email)
        return known[email]
    return visit


def screener(house, kind="screener", **more):
    """The id of a screener that is ready."""
    with house.app.app_context():
        asset = house.announce(kind, **more)["asset"]["id"]
        db.session.get(Asset, int(asset)).state = State.READY.value
        db.session.commit()
    return asset


def ask(house, email=BUYER, status=201, title=TITLE, **body):
    answer = house(email).post(f"/titles/{title}/screener-requests", body)
    assert answer.status_code == status, answer.json
    return answer.json


def days(first=0, last=13):
    return {name: str(clock.today() + timedelta(days=day)) for name, day in (("starts_on", first), ("ends_on", last))}


def colleague(house, email=COLLEAGUE, of=BUYER, roles=(Role.BUYER,)):
    """Somebody else of an organisation."""
    with house.app.app_context():
        theirs = people.organisation(people.viewer(people.find(of).id).organisation_id)
        people.join(people.enrol(email, "Second", security.hashed("demo")), theirs, roles)
        db.session.commit()
    return email


# ------------------------------------------------------------------ who is told

def test_the_seller_is_told_who_asks_and_the_buyer_what_is_answered_and_nobody_else(house):
    film = screener(house)

    def told():
        with house.app.app_context():
            return {(each.person.email, each.subject.partition(":")[0], each.path) for each in db.session.scalars(
                select(Notice).where(Notice.kind == "screeners"))}

    first = ask(house, note="For the autumn")
    asked = {(email, "Sakura TV asks for a screener", "/screeners") for email in (AGENT, MANAGER)}
    assert told() == asked
    assert house(AGENT).post(f"/screener-requests/{first['id']}/declining", {"reply": "Not yet."}).status_code == 200
    declined = {(BUYER, "Harbour Pictures sends no screener", f"/titles/{TITLE}")}
    assert told() == asked | declined
    given = house(AGENT).post(f"/assets/{film}/grants", {"organisation": first["organisation"]["id"], **days()})
    assert given.status_code == 201, given.json
    assert told() == asked | declined | {(BUYER, "Harbour Pictures granted you a screener", "/your-screeners")}


# ------------------------------------------------------------------ asking

def test_a_title_is_asked_for_once_while_open_and_again_when_it_was_answered(house):
    asked = ask(house, note="  For the autumn  ")
    assert (asked["state"], asked["note"], asked["seller"]["name"]) == ("open", "For the autumn", "Harbour Pictures")
    assert "asked already" in ask(house, status=409)["detail"]
    assert "asked already" in ask(house, colleague(house), status=409)["detail"]
    ask(house, NEIGHBOUR)
    house(AGENT).post(f"/screener-requests/{asked['id']}/declining", {"reply": "Not yet."})
    assert ask(house)["id"] != asked["id"]


def test_the_database_itself_keeps_two_requests_at_once_from_both_being_open(world):
    with world.app_context():
        buyer = people.viewer(people.find(BUYER).id)
        for _ in range(2):
            db.session.add(ScreenerRequest(title_id=TITLE, seller_id=1, organisation_id=buyer.organisation_id,
                                           person_id=buyer.person_id, asked_at=clock.now()))
        with pytest.raises(IntegrityError):
            db.session.flush()
        db.session.rollback()


def test_who_may_ask(house):
    for email, status in ((BUYER, 201), (RIVAL, 403), (AGENT, 403), (OPERATOR, 403), (None, 401)):
        ask(house, email, status)
    signatory = colleague(house, "signs@nordlys.test", NEIGHBOUR, [Role.SIGNATORY])
    ask(house, signatory, 403)
    both_trades = colleague(house, "buys@harbour.test", AGENT, [Role.BUYER])
    with house.app.app_context():
        people.organisation(people.viewer(people.find(AGENT).id).organisation_id).trades = ["seller", "buyer"]
        db.session.commit()
    assert "your own house" in ask(house, both_trades, 403)["detail"]
    ask(house, title=999_999, status=404)
    assert house(AGENT).patch(f"/titles/{TITLE}", {"status": "draft"}, If_Match="*").status_code == 200
    ask(house, NEIGHBOUR, 404)


@pytest.mark.parametrize("note", ["x" * 501, "a\x00b", 7])
def test_a_note_is_a_line_of_words(house, note):
    assert "note" in ask(house, status=422, note=note)["errors"]


def test_what_may_be_watched_already_is_not_asked_for(house):
    asset = screener(house)
    house(AGENT).post(f"/assets/{asset}/grants", {"organisation": "4", **days(), "max_views": 1})
    with house.app.app_context():
        assert people.organisation(4).name == "Sakura TV"
    assert "You may watch" in ask(house, status=409)["detail"]
    assert house(BUYER).post(f"/assets/{asset}/plays").status_code == 201
    ask(house)  # its one view is used


def test_nobody_learns_of_anothers_requests(house, visitor):
    mine, theirs = ask(house, note="SECRET-OURS"), ask(house, NEIGHBOUR, note="SECRET-THEIRS")

    def listed(email, query=""):
        answer = house(email).get(f"/screener-requests{query}")
        return [each["id"] for each in answer.json] if answer.status_code == 200 else answer.status_code
    second = colleague(house)
    assert listed(BUYER) == listed(second) == [mine["id"]] and listed(NEIGHBOUR) == [theirs["id"]]
    assert listed(AGENT) == listed(MANAGER) == [theirs["id"], mine["id"]]
    assert listed(RIVAL) == [] and listed(OPERATOR) == 403 and listed(None) == 401
    for email in (BUYER, NEIGHBOUR, RIVAL, OPERATOR):
        for act, body in (("grant", {"asset_id": "1", **days()}), ("declining", {"reply": "No"})):
            status = house(email).post(f"/screener-requests/{mine['id']}/{act}", body).status_code
            assert status == (404 if email == RIVAL else 403), (email, act)
    for path in ("/your-screeners", f"/titles/{TITLE}"):
        page = text(visitor(BUYER).get(path))
        assert "SECRET-THEIRS" not in page and "Nordlys" not in page
        page = text(visitor(NEIGHBOUR).get(path))
        assert "SECRET-OURS" not in page and "Sakura" not in page
    for email in (RIVAL, OPERATOR):
        assert "SECRET" not in text(visitor(email).get("/your-screeners"))
    assert "SECRET" not in text(visitor(RIVAL).get("/screeners"))
    assert visitor(BUYER).get("/screeners").status_code == visitor(OPERATOR).get("/screeners").status_code == 403


# ------------------------------------------------------------------ answering over the API

def test_a_request_is_granted_to_the_organisation_or_the_person_who_asked(house):
    asset, second = screener(house), colleague(house)
    asked = ask(house)
    given = house(MANAGER).post(f"/screener-requests/{asked['id']}/grant", {"asset_id": asset, **days()})
    assert given.status_code == 201 and given.json["organisation"] == asked["organisation"]["id"]
    [told] = house(BUYER).get("/screener-requests?state=granted").json
    assert (told["state"], told["grant_id"]) == ("granted", given.json["id"])
    for email, status in ((BUYER, 201), (second, 201), (NEIGHBOUR, 404)):
        assert house(email).post(f"/assets/{asset}/plays").status_code == status
    theirs = ask(house, NEIGHBOUR)
    alone = house(AGENT).post(f"/screener-requests/{theirs['id']}/grant", {
        "asset_id": asset, **days(), "person": theirs["person"]["id"]}).json
    assert alone["person"] == theirs["person"]["id"] and alone.get("organisation") is None
    assert house(BUYER).get("/screener-requests?state=open").json == []


def test_a_request_is_answered_once(house):
    asset, asked = screener(house), ask(house)
    assert house(AGENT).post(f"/screener-requests/{asked['id']}/declining", {"reply": ""}).status_code == 422
    declined = house(AGENT).post(f"/screener-requests/{asked['id']}/declining", {"reply": "Ask in March."}).json
    assert (declined["state"], declined["reply"]) == ("declined", "Ask in March.")
    for act, body in (("declining", {"reply": "No."}), ("grant", {"asset_id": asset, **days()})):
        assert house(AGENT).post(f"/screener-requests/{asked['id']}/{act}", body).status_code == 409
    assert house(AGENT).get(f"/assets/{asset}/grants").json == [], "a refused answer leaves no grant behind"


def test_only_a_screener_of_the_title_that_was_asked_for_answers(house):
    asked = ask(house)
    for asset, status in (("999999", 404), (house.announce("master")["asset"]["id"], 409)):
        assert house(AGENT).post(f"/screener-requests/{asked['id']}/grant", {
            "asset_id": asset, **days()}).status_code == status
    with house.app.app_context():
        other = db.session.get(Asset, int(screener(house)))
        other.title_id = 2
        db.session.commit()
        other = other.id
    refused = house(AGENT).post(f"/screener-requests/{asked['id']}/grant", {"asset_id": str(other), **days()})
    assert refused.status_code == 422 and "asset" in refused.json["errors"]


def test_a_grant_that_nobody_waited_for_answers_what_was_asked(house):
    asset, asked, theirs = screener(house), ask(house), ask(house, NEIGHBOUR)
    given = house(AGENT).post(f"/assets/{asset}/grants", {"organisation": asked["organisation"]["id"], **days()}).json
    told = {each["id"]: each for each in house(AGENT).get("/screener-requests").json}
    assert told[asked["id"]]["grant_id"] == given["id"] and told[theirs["id"]]["state"] == "open"
    house(AGENT).post(f"/assets/{asset}/grants", {"person": theirs["person"]["id"], **days()})
    assert house(AGENT).get("/screener-requests?state=open").json == []


# ------------------------------------------------------------------ pages

def form_of(page, action):
    """{name: value} of a form as a browser without script would send it, unchanged."""
    found = re.search(rf'<form method="post" action="{action}">(.*?)</form>', page, re.S)[1]
    fields = dict(re.findall(r'<input[^>]*? name="(\w+)"[^>]*? value="([^"]*)"', re.sub(
        r'<input type="(\w+)" name="(\w+)"', r'<input name="\2" type="\1"', re.sub(
            r'<input[^>]*type="checkbox"[^>]*>', "", found))))
    chosen = {name: re.search(r'<option value="([^"]*)"', rest)[1]
              for name, rest in re.findall(r'<select[^>]*name="(\w+)">(.*?)</select>', found, re.S)}
    return {**fields, **chosen}


def test_the_title_page_says_where_a_buyer_stands(house, visitor):
    path, buyer = f"/titles/{TITLE}", visitor(BUYER)
    assert "Request a screener" in text(buyer.get(path)), "also where there is none: its seller learns what is wanted"
    for email in (AGENT, RIVAL, OPERATOR):
        assert "Request a screener" not in text(visitor(email).get(path))
    assert buyer.submit(f"{path}/screener-requests", {"note": "For spring"}, form=path).status_code == 302
    page = text(buyer.get(path))
    assert "Harbour Pictures has not answered yet" in page and "Request a screener" not in page
    assert buyer.submit(f"{path}/screener-requests", {}, form="/account").status_code == 409
    [asked] = house(AGENT).get("/screener-requests").json
    assert asked["note"] == "For spring"
    house(AGENT).post(f"/screener-requests/{asked['id']}/declining", {"reply": "Not before Cannes."})
    page = text(buyer.get(path))
    assert "Not before Cannes." in page and "Request a screener" in page
    assert "Not before Cannes." not in text(visitor(NEIGHBOUR).get(path))
    asset = screener(house)
    grant = house(AGENT).post(f"/assets/{asset}/grants", {"organisation": "4", **days()}).json["id"]
    page = text(buyer.get(path))
    assert "Watch the screener" in page and f'href="/media/{asset}/watch"' in page and "Request a" not in page
    assert "Watch the screener" not in text(visitor(NEIGHBOUR).get(path))
    trailer = screener(house, "trailer")
    for email in (AGENT, BUYER, NEIGHBOUR):
        page = text(visitor(email).get(path))
        assert "Watch the trailer" in page and f'href="/media/{trailer}/watch"' in page
    house(AGENT).delete(f"/assets/{asset}/grants/{grant}")
    assert "Request a screener" in text(buyer.get(path))


def test_a_seller_grants_in_two_clicks(house, visitor):
    asset, asked = screener(house), ask(house, note="For the autumn")
    agent = visitor(AGENT)
    assert re.search(r'href="/screeners".*?waiting: </span>1<', text(agent.get("/")), re.S)
    page = text(agent.get("/screeners"))  # the first
    assert "Sakura TV" in page and "For the autumn" in page
    action = f"/screener-requests/{asked['id']}/grant"
    form = form_of(page, action)
    form.pop("csrf_token")
    assert form == {"asset_id": asset, "whom": "organisation", "max_views": "3", **days()}
    assert agent.submit(action, form, form="/screeners").status_code == 302  # the second
    [grant] = house(AGENT).get(f"/assets/{asset}/grants").json
    assert (grant["organisation"], grant["max_views"], grant["download"]) == ("4", 3, False)
    assert {name: grant[name] for name in days()} == days()
    assert not re.search(r'href="/screeners".*?waiting: ', text(agent.get("/")), re.S)
    page = text(visitor(BUYER).get("/your-screeners"))
    assert "14 days left" in page and "3 views left of 3" in page and f"/media/{asset}/watch" in page
    assert "Download" not in page


def test_a_day_is_the_installations(house, visitor):
    asked, _ = ask(house), screener(house)
    clock.configure(ZoneInfo("Asia/Tokyo"))
    try:
        with clock.stopped_at(datetime(2027, 3, 9, 16, tzinfo=UTC)):
            form = form_of(text(visitor(AGENT).get("/screeners")), f"/screener-requests/{asked['id']}/grant")
    finally:
        clock.configure(UTC)
    assert (form["starts_on"], form["ends_on"]) == ("2027-03-10", "2027-03-23")


def test_the_choices_may_be_changed_and_a_mistake_is_named_beside_them(house, visitor):
    asset, newer = screener(house), screener(house, language="en")
    asked, agent = ask(house), visitor(AGENT)
    action = f"/screener-requests/{asked['id']}/grant"
    form = {"asset_id": asset, "whom": "person", **days(2, 1), "max_views": "many", "download": "1"}
    wrong = agent.submit(action, form, form="/screeners")
    assert wrong.status_code == 422 and "Not a valid integer" in text(wrong)
    wrong = agent.submit(action, {**form, "max_views": ""}, form="/screeners")
    assert wrong.status_code == 422 and "Lies before the first day." in text(wrong)
    assert re.search(rf'<option value="{asset}" selected>', text(wrong)) and "Second" not in text(wrong)
    assert agent.submit(action, {**form, **days(2, 3), "max_views": ""}, form="/screeners").status_code == 302
    [grant] = house(AGENT).get(f"/assets/{asset}/grants").json
    assert grant["person"] == asked["person"]["id"] and grant["max_views"] is None and grant["download"]
    assert house(AGENT).get(f"/assets/{newer}/grants").json == []
    assert agent.submit(action, form | {**days(), "max_views": ""}, form="/screeners").status_code == 409


def test_a_request_is_declined_with_a_sentence(house, visitor):
    asked, agent = ask(house), visitor(AGENT)
    action = f"/screener-requests/{asked['id']}/declining"
    assert agent.submit(action, {"reply": " "}, form="/screeners").status_code == 422
    assert agent.submit(action, {"reply": "Ask after the festival."}, form="/screeners").status_code == 302
    assert "Ask after the festival." in text(visitor(BUYER).get("/your-screeners"))
    assert "Declined. Sakura TV reads why." in text(agent.get("/screeners"))
    assert "Sakura" not in text(agent.get("/screeners")), "it waits no more"
    for email in (BUYER, RIVAL, OPERATOR):
        status = visitor(email).submit(action, {"reply": "No"}, form="/account").status_code
        assert status == (404 if email == RIVAL else 403)


def test_a_title_without_a_screener_leads_to_sending_one(house, visitor):
    ask(house)
    page = text(visitor(AGENT).get("/screeners"))
    assert "no screener of it that is ready" in page and f'href="/titles/{TITLE}/media"' in page
    assert not re.search(r'action="/screener-requests/\d+/grant"', page)


def test_a_grant_without_a_request_is_given_from_the_titles_media(house, visitor):
    asset, agent = screener(house), visitor(AGENT)
    media, action = f"/titles/{TITLE}/media", f"/titles/{TITLE}/grants"
    page = text(agent.get(media))
    assert "Let somebody watch" in page and "buyer@" not in page and "Buyer and signatory" not in page
    for email in (BUYER, RIVAL, OPERATOR):
        assert "Let somebody watch" not in text(visitor(email).get(media))
        assert visitor(email).submit(action, {}, form="/account").status_code == 403
        assert visitor(email).get(action).status_code == 403
    form = {"asset_id": asset, "organisation": "", "email": "", **days(), "max_views": "2"}
    for changed, words in (
            ({}, "Name an organisation or a person"), ({"email": "buyer@"}, "Write an address"),
            ({"organisation": "4", "email": BUYER}, "not both"),
            *(({"email": BUYER, name: ""}, "Not a valid date") for name in days()),
            ({"email": BUYER, **days(1, 0)}, "Lies before the first day.")):
        wrong = agent.submit(action, form | changed, form=media)
        assert wrong.status_code == 422 and words in text(wrong), (changed, text(wrong))
    assert house(AGENT).get(f"/assets/{asset}/grants").json == []
    assert agent.submit(action, form | {"email": NEIGHBOUR.upper()}, form=media).status_code == 302
    assert agent.submit(action, form | {"organisation": "4", "download": "1"}, form=media).status_code == 302
    to_house, to_person = house(AGENT).get(f"/assets/{asset}/grants").json
    assert to_house["organisation"] == "4" and to_house["download"]
    assert to_person["email"] == NEIGHBOUR and to_person["person"] is None and not to_person["download"]


def test_the_house_sees_who_watched_how_far_how_often_and_takes_back(house, visitor):
    asset, second = screener(house), colleague(house)
    house(AGENT).post(f"/assets/{asset}/grants", {"organisation": "4", **days(0, 4), "max_views": 5})
    house(AGENT).post(f"/assets/{asset}/grants", {"organisation": "3", **days(2, 4)})
    first = house(BUYER).post(f"/assets/{asset}/plays").json["id"]
    house(BUYER).post(f"/plays/{first}/progress", {"seconds": 3130})
    house(BUYER).post(f"/assets/{asset}/plays")
    house(second).post(f"/assets/{asset}/plays")
    page = re.sub(r"<[^>]+>", " ", text(visitor(MANAGER).get("/screeners")))
    page = re.sub(r"\s+", " ", page)
    assert "5 days left 3 of 5 2 left" in page, page
    assert "Buyer and signatory 52 of 104 min (50 %), 2 times, last on" in page
    assert "Second 0 of 104 min (0 %), 1 time, last on" in page
    assert "Nordlys Distribution everyone there" in page and "nobody yet to come Take back" in page
    for words, there in (("潮", True), ("KEEPS time", True), ("salt", False), ("%", False), ("_", False)):
        assert ("Sakura TV" in text(visitor(AGENT).get(f"/screeners?q={words}"))) == there, words
    rival = text(visitor(RIVAL).get("/screeners"))
    assert "Sakura" not in rival and "Nothing has been granted yet" in rival
    grant = house(AGENT).get(f"/assets/{asset}/grants").json[-1]["id"]
    ending = f"/media/{asset}/grants/{grant}/ending"
    for email in (RIVAL, BUYER):
        assert visitor(email).submit(ending, {}, form="/account").status_code == (404 if email == RIVAL else 403)
    assert visitor(AGENT).submit(ending, {"q": "潮"}, form="/screeners").location.startswith("/screeners?q=")
    assert house(BUYER).post(f"/assets/{asset}/plays").status_code == 404
    assert house(BUYER).post(f"/plays/{first}/progress", {"seconds": 3200}).status_code == 404
    assert "taken back" in text(visitor(AGENT).get("/screeners"))
    page = text(visitor(BUYER).get("/your-screeners"))
    assert "There is nothing for you to watch" in page and f"/media/{asset}/watch" not in page


def test_your_screeners_are_those_you_may_watch_now_each_once(house, visitor):
    asset, other = screener(house), screener(house)
    for organisation, body in (("4", {**days(0, 4), "max_views": 1}), ("4", {**days(0, 9), "download": True}),
                               ("3", days())):
        house(AGENT).post(f"/assets/{asset}/grants", {"organisation": organisation, **body})
    house(AGENT).post(f"/assets/{other}/grants", {"organisation": "4", **days(1)})
    page = text(visitor(BUYER).get("/your-screeners"))
    assert page.count("/watch\"") == 1 and "10 days left" in page and "as often as you like" in page
    sent = visitor(BUYER).get(f"/media/{asset}/download")
    assert sent.status_code == 302 and "name=" in sent.location
    assert visitor(NEIGHBOUR).get(f"/media/{asset}/download").status_code == 403
    assert visitor(OPERATOR).get(f"/media/{asset}/download").status_code == 404
    with clock.stopped_at(clock.now() + timedelta(days=1)):
        assert text(visitor(BUYER).get("/your-screeners")).count("/watch\"") == 2


def test_how_a_grant_stands(app):
    with app.app_context():
        today = clock.today()
        said = {grants.standing(Grant(starts_on=today + timedelta(first), ends_on=today + timedelta(last), views=views,
                                      max_views=2, ended_at=ended)): grants.days_left(Grant(
                                          starts_on=today + timedelta(first), ends_on=today + timedelta(last)))
                for first, last, views, ended in ((0, 0, 1, None), (1, 3, 0, None), (-3, -1, 0, None), (-1, 1, 2, None),
                                                  (0, 5, 0, clock.now()))}
    assert said == {"live": 1, "to come": 3, "over": 0, "used up": 2, "taken back": 6}


def test_pages_of_screeners_ask_as_often_for_many_as_for_one(house, visitor):
    asset, counts = screener(house), []
    with house.app.app_context():
        engine = db.engine
    for round in range(2):
        for number in range(2, 6 if round else 3):  # the first is granted, which answers what was asked for it
            for email in (BUYER, NEIGHBOUR, "buyer@skyway.test"):
                house(email).post(f"/titles/{number}/screener-requests")
            for organisation in "345":
                house(AGENT).post(f"/assets/{asset}/grants", {"organisation": organisation, **days()})
        house(BUYER).post(f"/assets/{asset}/plays")
        found = []
        for email, path in ((AGENT, "/screeners"), (BUYER, "/your-screeners")):
            visitor(email).get(path)
            statements = []
            listen = lambda *args, statements=statements: statements.append(args[2])  # noqa: E731
            event.listen(engine, "before_cursor_execute", listen)
            assert visitor(email).get(path).status_code == 200
            event.remove(engine, "before_cursor_execute", listen)
            found.append(len(statements))
        counts.append(found)
    assert counts[0] == counts[1] and max(counts[1]) <= 16, counts
