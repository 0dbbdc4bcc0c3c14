"""First negotiation and refusal: who is asked, by when, what they answer, and what it holds up meanwhile."""
from datetime import timedelta

import pytest
from sqlalchemy import select

from catalogue import titles
from core import clock
from core.database import db
from licensing.refusals import asked
from licensing.refusals.models import Refusal
from search import worker
from tests.conftest import Caller, a_line, both
from tests.licensing.deals import AGENT, BUYER, MANAGER, OPERATOR, OTHER, RIVAL, viewer

HOLDER = OTHER
KINDS = ("first_negotiation", "first_refusal", "last_refusal")


@pytest.fixture
def house(fresh):
    """`house(email)`: the API of the demo world on either database; `.turn()` is one turn of the worker."""
    app, known = fresh(seeded=True), {}

    def call_as(email):
        if email not in known:
            known[email] = Caller(app, email)
        return known[email]

    def turn():
        with app.app_context():
            worker.turn(app.extensions["index"])
            db.session.remove()
    call_as.app, call_as.turn = app, turn
    turn()  # what the demo world asks is asked
    return call_as


def listed(who, name="Nebelhorn", status="published"):
    made = who.post("/titles", {"kind": "film", "original_title": name, "status": status}).json["id"]
    who.post(f"/titles/{made}/mandates", a_line("World", "all", "2020-01-01", None))
    return made


def id_of(who):
    return who.get("/me").json["organisations"][0]["id"]


def give(house, title, kind="first_refusal", holder=HOLDER, territories=("Nordics",), media=("all",), days=20):
    made = house(AGENT).post(f"/titles/{title}/options", {
        "kind": kind, "organisation": id_of(house(holder)), "territories": list(territories), "media": list(media),
        "days": days})
    assert made.status_code == 201, made.json


def link(who, title, target, kind="sequel_of"):
    made = who.post(f"/titles/{title}/links", {"kind": kind, "title_id": target})
    assert made.status_code == 201, made.json


def saga(house, kind="first_refusal", status="published", **more):
    """(a film that carries a first word, its sequel)."""
    first, second = listed(house(AGENT)), listed(house(AGENT), "Nebelhorn II", status)
    give(house, first, kind, **more)
    link(house(AGENT), second, first)
    house.turn()
    return first, second


def questions(house, title, email=HOLDER):
    return [each for each in house(email).get("/refusals?page_size=100").json if each["title_id"] == title]


def encumbered(house, title, territories="NO", **more):
    answer = house(AGENT).post(f"/titles/{title}/avails", {**a_line(territories), **more})
    assert answer.status_code == 200, answer.json
    return [each["option"] for each in answer.json["reasons"] if each["code"] == "ENCUMBERED"]


def submitted(house, title, buyer=BUYER, territories="NO"):
    """The id of an offer that the seller may accept."""
    offer = house(buyer).post("/offers", {"seller": id_of(house(AGENT)), "currency": "EUR", "lines": [
        {**a_line(territories), "title_id": title, "price": 9000}]}).json["id"]
    assert house(buyer).post(f"/offers/{offer}/steps", {"action": "submit"}).status_code == 201
    return offer


def accept(house, offer, email=AGENT):
    version = house(email).get(f"/offers/{offer}").json["version"]
    return house(email).post(f"/offers/{offer}/steps", {"action": "accept", "version": version})


def answer(house, question, said, email=HOLDER, **more):
    return house(email).post(f"/refusals/{question['id']}/answer", {"answer": said, **more})


def later(days):
    return clock.stopped_at(clock.now() + timedelta(days=days))


# ------------------------------------------------------------------ asking

@both
@pytest.mark.parametrize("kind, back", [("sequel_of", False), ("remake_of", False), ("spin_off_of", False),
                                        ("prequel_of", True)])
def test_a_link_asks_the_holder_once(house, kind, back):
    first, second = listed(house(AGENT)), listed(house(AGENT), "Nebelhorn II")
    give(house, first)
    assert encumbered(house, second) == []
    link(house(AGENT), *((first, second) if back else (second, first)), kind)
    assert len(encumbered(house, second)) == 1, "from the link on, whether or not the worker has come to it"
    house.turn()
    house.turn()
    found = questions(house, second)
    assert [(each["state"], each["kind"], each["actions"]) for each in found] == [
        ("asked", "first_refusal", ["take", "pass"])]
    with house.app.app_context():
        assert found[0]["answer_by"] == (clock.today() + timedelta(days=20)).isoformat()
    assert encumbered(house, second)[0]["deadline"] == found[0]["answer_by"]
    assert questions(house, first) == [] and encumbered(house, first) == []


@pytest.mark.parametrize("kind", ["adaptation_of", "version_of", "compilation_of", "reboot_of"])
def test_other_links_ask_nobody(house, kind):
    first, second = listed(house(AGENT)), listed(house(AGENT), "Nebelhorn II")
    give(house, first)
    link(house(AGENT), second, first, kind)
    house.turn()
    assert questions(house, second) == [] and encumbered(house, second) == []


def test_a_word_given_after_the_link_is_asked_about_too_and_its_days_begin_then(house):
    with later(-100):
        first, second = listed(house(AGENT)), listed(house(AGENT), "Nebelhorn II")
        link(house(AGENT), second, first)
        house.turn()
    give(house, first)
    with house.app.app_context():
        last_day = (clock.today() + timedelta(days=20)).isoformat()
    assert encumbered(house, second)[0]["deadline"] == last_day
    house.turn()
    assert questions(house, second)[0]["answer_by"] == last_day


@both
def test_nobody_is_asked_about_a_draft_and_the_days_begin_when_it_is_published(house):
    _, second = saga(house, status="draft")
    assert questions(house, second) == [] and questions(house, second, AGENT) == []
    words = house(AGENT).get(f"/titles/{second}/first-words").json
    assert [(each["title_id"], each["state"], each["answer_by"]) for each in words] == [(second, "not asked yet", None)]
    assert len(encumbered(house, second)) == 1, "and yet somebody has the first word"
    with later(30):
        tag = house(AGENT).get(f"/titles/{second}").headers["ETag"]
        assert house(AGENT).patch(f"/titles/{second}", {"status": "published"}, If_Match=tag).status_code == 200
        house.turn()
        assert questions(house, second)[0]["answer_by"] == (clock.today() + timedelta(days=20)).isoformat()


def test_no_seller_encumbers_or_reads_another_by_a_link(house):
    """A link may name another seller's title, either way round; a first word binds the titles of who gave it."""
    first = listed(house(AGENT))
    give(house, first, "last_refusal")
    theirs = listed(house(RIVAL), "Lotus")
    link(house(RIVAL), theirs, first)
    give_theirs = house(RIVAL).post(f"/titles/{theirs}/options", {
        "kind": "last_refusal", "organisation": id_of(house(BUYER)), "territories": ["World"], "media": ["all"],
        "days": 3650})
    assert give_theirs.status_code == 201
    other = listed(house(AGENT), "Nebelhorn II")
    link(house(RIVAL), theirs, other, "prequel_of")
    house.turn()
    assert encumbered(house, other, "World") == []
    reasons = house(RIVAL).post(f"/titles/{theirs}/avails", a_line("NO")).json["reasons"]
    assert not [each for each in reasons if each["code"] == "ENCUMBERED"]
    assert questions(house, theirs) == questions(house, other, BUYER) == []
    assert house(RIVAL).get(f"/titles/{theirs}/first-words").json == []
    assert house(AGENT).get(f"/titles/{theirs}/first-words").status_code in (403, 404)


def test_asking_again_asks_nothing_new(house):
    """A worker that died between its list and its work, or two lists at once."""
    first, second = listed(house(AGENT)), listed(house(AGENT), "Nebelhorn II")
    give(house, first)
    link(house(AGENT), second, first)
    with house.app.app_context():
        pairs = asked.to_ask()
        assert len(pairs) == 1
        for _ in range(2):
            asked.ask(pairs[0])
            db.session.commit()
        assert asked.to_ask() == []
    assert len(questions(house, second)) == 1


# ------------------------------------------------------------------ answering

@both
@pytest.mark.parametrize("kind", KINDS)
def test_who_passes_has_the_first_word_no_more(house, kind):
    _, second = saga(house, kind)
    question = questions(house, second)[0]
    passed = answer(house, question, "pass", note="Not for us.")
    assert passed.status_code == 201 and passed.json["state"] == "passed" and passed.json["actions"] == []
    assert encumbered(house, second) == []
    assert questions(house, second, AGENT)[0]["note"] == "Not for us."
    for again in ("pass", "take"):
        assert answer(house, question, again).status_code == 409
    assert accept(house, submitted(house, second)).status_code == 201


@both
def test_who_takes_gets_a_draft_of_what_the_word_is_about(house):
    _, second = saga(house, territories=("Nordics", "-IS"), media=("svod", "television"))
    taken = answer(house, questions(house, second)[0], "take")
    assert taken.status_code == 201 and taken.json["state"] == "taken", taken.json
    draft = house(HOLDER).get(f"/offers/{taken.json['offer_id']}").json
    said = draft["lines"][0]
    assert draft["state"] == "draft" and said["title_id"] == second and said["avails"]["verdict"] == "available"
    assert said["exclusive"] and said["media"] == ["svod", "television"]
    free = said["avails"]["free"][0]["territories"]
    assert "DK" in free and "IS" not in free
    assert house(AGENT).get(f"/offers/{draft['id']}").status_code == 404, "a draft is its author's"
    assert len(encumbered(house, second)) == 1, "taken, and so still theirs"
    assert answer(house, taken.json, "take").status_code == 409


def test_a_draft_thrown_away_within_the_days_leaves_the_question_open(house):
    _, second = saga(house)
    offer = answer(house, questions(house, second)[0], "take").json["offer_id"]
    assert house(HOLDER).delete(f"/offers/{offer}").status_code == 204
    found = questions(house, second)[0]
    assert (found["state"], found["offer_id"]) == ("asked", None)
    assert answer(house, found, "pass").status_code == 201


@both
def test_what_is_taken_and_never_sent_lapses_and_what_is_sent_stands(house):
    _, second = saga(house)
    offer = answer(house, questions(house, second)[0], "take").json["offer_id"]
    with later(21):
        assert questions(house, second)[0]["state"] == "lapsed" and encumbered(house, second) == []
    draft = house(HOLDER).get(f"/offers/{offer}").json["lines"][0]
    lines = [{**{name: draft[name] for name in ("territories", "media", "languages", "starts_on", "ends_on",
                                                "exclusive", "title_id")}, "price": 5000}]
    tag = house(HOLDER).get(f"/offers/{offer}").headers["ETag"]
    assert house(HOLDER).patch(f"/offers/{offer}", {"lines": lines}, If_Match=tag).status_code == 200
    assert house(HOLDER).post(f"/offers/{offer}/steps", {"action": "submit"}).status_code == 201
    with later(21):
        house.turn()
        assert questions(house, second)[0]["state"] == "taken" and len(encumbered(house, second)) == 1
        declined = house(AGENT).post(f"/offers/{offer}/steps", {"action": "decline", "note": "Too little."})
        assert declined.status_code == 201
        assert questions(house, second)[0]["state"] == "lapsed" and encumbered(house, second) == []
        house.turn()
        with house.app.app_context():
            assert db.session.scalar(select(Refusal.state).where(Refusal.title_id == int(second))) == "lapsed"


def test_a_holder_who_licensed_it_holds_up_nobody(house):
    _, second = saga(house, "last_refusal", media=("svod",))
    offer = answer(house, questions(house, second)[0], "take").json["offer_id"]
    with house.app.app_context():
        offer_row = house(HOLDER).get(f"/offers/{offer}").json["lines"][0]
    lines = [{**{name: offer_row[name] for name in ("territories", "media", "languages", "starts_on", "ends_on",
                                                    "exclusive", "title_id")}, "price": 5000}]
    tag = house(HOLDER).get(f"/offers/{offer}").headers["ETag"]
    house(HOLDER).patch(f"/offers/{offer}", {"lines": lines}, If_Match=tag)
    for email, action in ((HOLDER, "submit"), (AGENT, "accept"), (MANAGER, "approve"), (AGENT, "issue_memo"),
                          (HOLDER, "sign"), (MANAGER, "sign")):
        version = 1 if action == "accept" else None
        step = house(email).post(f"/offers/{offer}/steps", {"action": action, "version": version})
        assert step.status_code == 201, step.json
    assert questions(house, second)[0]["state"] == "licensed" and encumbered(house, second) == []
    house.turn()
    assert questions(house, second)[0]["state"] == "licensed"


@pytest.mark.parametrize("email, answers, reads", [
    (AGENT, 403, 200), (MANAGER, 403, 200), (BUYER, 404, 404), (RIVAL, 403, 404), (OPERATOR, 403, 403)])
def test_nobody_else_answers_or_reads_it(house, email, answers, reads):
    _, second = saga(house)
    question = questions(house, second)[0]
    assert answer(house, question, "pass", email).status_code == answers
    assert house(email).get(f"/refusals/{question['id']}").status_code == reads
    assert questions(house, second)[0]["state"] == "asked"


def test_an_answer_is_take_or_pass(house):
    _, second = saga(house)
    refused = answer(house, questions(house, second)[0], "perhaps")
    assert refused.status_code == 422 and "answer" in refused.json["errors"]


# ------------------------------------------------------------------ the days

@both
def test_the_last_day_counts_whole_and_the_next_does_not(house):
    """By the calendar: the worker only writes it down."""
    _, second = saga(house, days=20)
    question = questions(house, second)[0]
    with later(20):
        assert questions(house, second)[0]["state"] == "asked" and len(encumbered(house, second)) == 1
        house.turn()
        assert questions(house, second)[0]["state"] == "asked"
    with later(21):
        assert questions(house, second)[0]["state"] == "lapsed" and encumbered(house, second) == []
        assert answer(house, question, "take").status_code == 409
        house.turn()
        assert questions(house, second)[0]["state"] == "lapsed"
    with house.app.app_context():
        row = db.session.scalar(select(Refusal).where(Refusal.title_id == int(second)))
        assert row.state == "lapsed" and row.person_id is None


def test_the_question_of_a_past_day_is_answered_as_it_stood(house):
    _, second = saga(house)
    with later(2):
        assert answer(house, questions(house, second)[0], "pass").status_code == 201
    with later(3):
        assert encumbered(house, second) == []
        then = (clock.now() - timedelta(days=2)).isoformat()
        assert len(encumbered(house, second, as_of=then)) == 1
        before = (clock.now() - timedelta(days=9)).isoformat()
        assert encumbered(house, second, as_of=before) == []


# ------------------------------------------------------------------ a last refusal, before agreed

@both
def test_a_last_refusal_is_answered_before_anybody_else_may_agree(house):
    _, second = saga(house, "last_refusal")
    offer = submitted(house, second)
    refused = accept(house, offer)
    assert refused.status_code == 409 and "Nordlys Distribution has the last refusal" in refused.json["detail"]
    assert house(AGENT).get(f"/offers/{offer}").json["state"] == "submitted"
    assert accept(house, submitted(house, second, territories="DE")).status_code == 201, "elsewhere nobody has a word"
    assert accept(house, submitted(house, second, HOLDER)).status_code == 201, "the holder agrees with themselves"
    assert answer(house, questions(house, second)[0], "pass").status_code == 201
    assert accept(house, offer).status_code == 201


@pytest.mark.parametrize("kind", ["first_negotiation", "first_refusal"])
def test_the_others_are_minded_at_approval_and_stop_no_agreement(house, kind):
    _, second = saga(house, kind)
    offer = submitted(house, second)
    assert accept(house, offer).status_code == 201
    waits = next(each for each in house(MANAGER).get("/approvals?page_size=100").json if each["offer"]["id"] == offer)
    assert "encumbrance" in [each["rule"] for each in waits["why"]] and waits["group"] == "decide"
    approve = {"action": "approve"}
    assert house(MANAGER).post(f"/offers/{offer}/steps", approve).status_code == 422
    told = house(MANAGER).post(f"/offers/{offer}/steps", {**approve, "note": "They told us by phone."})
    assert told.status_code == 201


def test_a_buyer_who_may_not_agree_yet_is_not_told_who_else_is_asked(house):
    _, second = saga(house, "last_refusal")
    offer = submitted(house, second)
    counter = {"action": "counter", "lines": [{**a_line("NO"), "title_id": second, "price": 9500}]}
    assert house(AGENT).post(f"/offers/{offer}/steps", counter).status_code == 201
    refused = accept(house, offer, BUYER)
    assert refused.status_code == 409
    for secret in ("Nordlys", "refusal", "ENCUMBERED"):
        assert secret not in refused.get_data(as_text=True)
    assert house(BUYER).post(f"/titles/{second}/avails", a_line("NO")).json["reasons"] == []
    assert house(BUYER).get(f"/titles/{second}/first-words").status_code in (403, 404)


def test_a_last_refusal_nobody_was_asked_about_yet_holds_all_the_same(house):
    """A draft title, proposed by its seller: nobody could be asked, so nobody has answered."""
    _, second = saga(house, "last_refusal", status="draft")
    offer = house(AGENT).post("/offers", {"buyer": id_of(house(BUYER)), "currency": "EUR", "lines": [
        {**a_line("NO"), "title_id": second, "price": 9000}]}).json["id"]
    assert house(AGENT).post(f"/offers/{offer}/steps", {"action": "submit"}).status_code == 201
    assert accept(house, offer, BUYER).status_code == 409


def test_what_encumbers_a_season_encumbers_its_episodes(house):
    seller = house(AGENT)
    series = [seller.post("/titles", {"kind": "series", "original_title": name, "status": "published"}).json["id"]
              for name in ("Deich", "Deich II")]
    for each in series:
        seller.post(f"/titles/{each}/mandates", a_line("World", "all", "2020-01-01", None))
    give(house, series[0], "last_refusal")
    link(seller, series[1], series[0])
    season = seller.post("/titles", {"kind": "season", "original_title": "1", "status": "published",
                                     "parent_id": series[1]}).json["id"]
    house.turn()
    assert len(encumbered(house, season)) == 1
    assert accept(house, submitted(house, season)).status_code == 409
    assert answer(house, questions(house, series[1])[0], "pass").status_code == 201
    assert encumbered(house, season) == []


def test_the_listing_shows_what_is_open_and_urgent_first(house):
    _, one = saga(house, days=30)
    _, two = saga(house, days=5)
    answer(house, questions(house, one)[0], "pass")
    mine = [each["title_id"] for each in house(HOLDER).get("/refusals?page_size=100").json]
    assert mine[0] == two and mine[-1] == one
    with house.app.app_context():
        assert asked.count(viewer(HOLDER)) == len(mine) - 1 and asked.count(viewer(BUYER)) is None
        assert asked.count(viewer(AGENT)) is None and titles.find(int(one), viewer(HOLDER))
