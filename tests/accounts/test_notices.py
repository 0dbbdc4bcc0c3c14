"""Notices: told with the change or not at all, as each person chose, by the bell and by mail, once."""
import email
import email.policy
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from accounts import notices, people
from accounts import post as mailing
from accounts.models import Membership, Person
from accounts.notices import Notice
from accounts.permissions import Role
from core import mail, outbox
from core.database import db
from licensing import clockwork, offers
from licensing.models import Step
from tests import scale
from tests.accounts.kills import mortal as mortal
from tests.conftest import Caller, a_line, both
from tests.licensing.deals import AGENT, BUYER, MANAGER, OTHER, RIVAL, step, title, viewer
from tests.test_pages import Visitor, text

SITE = "https://slate.test"


@pytest.fixture
def world(world):
    """The demo world, of which everybody has read what there is."""
    with world.app_context():
        db.session.execute(delete(outbox.OutboxRow).where(outbox.OutboxRow.topic.in_(mailing.TOPICS)))
        db.session.execute(delete(Notice))
        db.session.commit()
    return world


def an_offer(world, places="HK,CH", **more):
    """The id of an offer that Sakura sends to Harbour over the API."""
    with world.app_context():
        film = title()
        db.session.commit()
        body = {"seller": str(film.organisation_id), "currency": "USD",
                "lines": [{"title_id": str(film.id), "price": "40000", **a_line(places, **more)}]}
    buyer = Caller(world, BUYER)
    offer = buyer.post("/offers", body).json
    assert buyer.post(f"/offers/{offer['id']}/steps", {"action": "submit", "note": "For autumn."}).status_code == 201
    return offer["id"], body["lines"]


def told(who, kind=None):
    return db.session.scalars(select(Notice).where(Notice.person_id == viewer(who).person_id).where(
        Notice.kind == kind if kind else True).order_by(Notice.id)).all()


def letters(world):
    """Every letter in the folder, by whom it is to."""
    found = {}
    for path in sorted(Path(world.config["MAIL_FOLDER"]).glob("*.eml")):
        one = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        found.setdefault(one["To"].addresses[0].addr_spec, []).append(one)
    return found


def post(world):
    return mailing.deliver(world.extensions["mailer"], SITE)


@both
def test_the_other_side_reads_what_happened_the_difference_what_to_do_next_and_where(world):
    offer, lines = an_offer(world)
    counter = [{**lines[0], "territories": ["HK", "AT"], "ends_on": "2030-06-30", "price": "46000"}]
    assert Caller(world, AGENT).post(f"/offers/{offer}/steps", {
        "action": "counter", "lines": counter, "note": "Half a year <more>."}).status_code == 201
    with world.app_context():
        [notice] = told(BUYER)
        assert notice.subject == "Harbour Pictures countered with version 2: 海霧" and notice.kind == "offers"
        assert [(each["term"], each["delta"]) for each in notice.body["changes"]] == [
            ("Territories", "− Switzerland, + Austria"), ("To", "+ 6 months"), ("Price", "USD 40,000 → 46,000")]
        assert notice.body["todo"] == "You can counter, accept or decline now."
        assert {each.person.email for each in db.session.scalars(select(Notice))} == {AGENT, MANAGER, BUYER}
        assert post(world) == 3
        [letter] = letters(world)[BUYER]
        assert letter["Subject"] == notice.subject
    plain, html = (letter.get_body((kind,)).get_content() for kind in ("plain", "html"))
    for words in ("− Switzerland, + Austria", "+ 6 months", "USD 40,000 → 46,000", "counter, accept or decline now",
                  f"{SITE}/offers/{offer}", "海霧"):
        assert words in plain and words in html, words
    assert "“Half a year <more>.”" in plain and "&lt;more&gt;" in html and "<more>" not in html
    assert RIVAL not in letters(world) and OTHER not in letters(world)


def test_each_is_told_what_they_can_do_and_who_did_it_is_told_nothing(world):
    offer, _ = an_offer(world)
    with world.app_context():
        assert told(BUYER) == [] and [each.kind for each in told(AGENT)] == ["offers"]
        assert "海霧: SVOD · Hong Kong + Switzerland" in told(AGENT)[0].body["said"][1]
        assert "USD 40,000" in told(AGENT)[0].body["said"][1] and told(AGENT)[0].body["said"][2] == "“For autumn.”"
    for who, action in ((AGENT, "accept"), (MANAGER, "approve"), (AGENT, "issue_memo"), (BUYER, "sign"),
                        (MANAGER, "sign")):
        assert Caller(world, who).post(f"/offers/{offer}/steps", {"action": action, "version": 1}).status_code == 201
    with world.app_context():
        assert [each.kind for each in told(MANAGER)] == ["offers", "approvals", "signatures", "signatures"]
        assert told(MANAGER)[1].body["todo"] == "You can approve, reject or ask for changes now."
        assert told(MANAGER)[1].subject == "Sales agent accepted version 1: 海霧", "a colleague by name"
        assert [each.kind for each in told(BUYER)] == ["offers", "offers", "signatures", "offers"]
        assert [each.subject for each in told(BUYER)] == [
            "Harbour Pictures accepted version 1: 海霧", "Harbour Pictures approved the deal: 海霧",
            "Harbour Pictures issued the deal memo: 海霧", "Harbour Pictures signed the deal: 海霧"]
        assert [each.kind for each in told(AGENT)] == ["offers", "colleagues", "offers", "colleagues"]
        assert all(each.seen_at for each in told(MANAGER)), "whoever takes a step has read what led to it"
        assert not told(AGENT)[-1].seen_at


def test_the_clock_tells_both_sides(world):
    from datetime import timedelta

    from core import clock
    offer, _ = an_offer(world)
    with world.app_context():
        db.session.get(offers.Offer, int(offer)).valid_until = clock.today()
        db.session.commit()
        with clock.stopped_at(clock.now() + timedelta(days=2)):
            clockwork.tick(int(offer))
        db.session.commit()
        for who in (BUYER, AGENT, MANAGER):
            assert told(who)[-1].subject == f"Offer {offer} lapsed: nobody accepted it in time (海霧)"


# ------------------------------------------------------------------ choices

def test_each_person_chooses_by_kind_and_the_choice_is_kept(world):
    agent = Caller(world, AGENT)
    assert agent.get("/notices/choices").json["choices"]["offers"] == {"bell": True, "mail": True}
    chosen = agent.client.put("/api/v1/notices/choices", headers=agent.headers, json={
        "choices": {"offers": {"mail": False}, "rights": {"bell": False, "mail": False}}})
    assert chosen.json["choices"]["offers"] == {"bell": True, "mail": False}
    assert chosen.json["choices"]["approvals"] == {"bell": True, "mail": True}
    wrong = agent.client.put("/api/v1/notices/choices", headers=agent.headers, json={"choices": {"gossip": {}}})
    assert wrong.status_code == 422 and "gossip" in wrong.json["errors"]
    manager = Visitor(world, MANAGER)
    page = text(manager.get("/account"))
    assert all(words in page for words in notices.KINDS.values()) and page.count(" checked") == 2 * len(notices.KINDS)
    assert manager.submit("/account/notices", {"offers-mail": "1"}, form="/account").status_code == 302
    assert text(manager.get("/account")).count(" checked") == 1
    offer, _ = an_offer(world)
    with world.app_context():
        assert post(world) == 1
        assert set(letters(world)) == {MANAGER}
    assert [each["subject"] for each in agent.get("/notices").json] == ["Sakura TV sent you an offer: 海霧"]
    assert Caller(world, MANAGER).get("/notices").json == [], "by mail alone"
    manager.submit("/account/notices", {}, form="/account")
    Caller(world, BUYER).post(f"/offers/{offer}/steps", {"action": "withdraw"})
    with world.app_context():
        assert len(told(MANAGER)) == 1 and len(told(AGENT)) == 2, "neither: not even a row"


def test_the_bell_counts_what_one_has_not_seen_and_nobody_elses(world):
    offer, _ = an_offer(world)
    agent, manager, rival = Visitor(world, AGENT), Visitor(world, MANAGER), Visitor(world, RIVAL)
    assert 'not seen: </span>1' in text(agent.get("/account")) and "not seen:" not in text(rival.get("/account"))
    page = text(agent.get("/notices"))
    told = '>Sakura TV sent you an offer: <span lang="zh-Hant-HK">海霧'
    assert f'href="/offers/{offer}"{told}' in page and ">new<" in page
    assert "Nothing yet" in text(rival.get("/notices"))
    [shown] = Caller(world, AGENT).get("/notices").json
    assert rival.submit("/notices/seen", {"upto": shown["id"]}, form="/account").status_code == 302
    assert 'not seen: </span>1' in text(agent.get("/notices")), "another's are not ours to tick"
    for wrong in ("", "x", "²", "99999999999"):
        assert agent.submit("/notices/seen", {"upto": wrong}, form="/notices").status_code == 422
    assert agent.submit("/notices/seen", {"upto": shown["id"]}, form="/notices").status_code == 302
    assert "not seen:" not in text(agent.get("/notices")) and "not seen:" in text(manager.get("/notices"))
    assert Caller(world, MANAGER).post("/notices/seen", {"upto": 2**31 - 1}).status_code == 204
    assert "not seen:" not in text(manager.get("/notices"))
    assert Caller(world, MANAGER).post("/notices/seen", {"upto": 0}).status_code == 422


def test_every_path_that_is_told_is_a_page(world):
    offer, _ = an_offer(world)
    with world.app_context():
        paths = {each.path.partition("#")[0] for each in db.session.scalars(select(Notice))}
    assert paths == {f"/offers/{offer}"}
    assert {Visitor(world, AGENT).get(path).status_code for path in paths} == {200}


def test_whoever_leaves_reads_and_gets_nothing_any_more(world):
    an_offer(world)
    with world.app_context():
        someone = people.find(AGENT)
        db.session.execute(delete(Membership).where(Membership.person_id == someone.id))
        people.join(someone, people.organisation_named("Lotus Sales"), [Role.AGENT])
        people.find(MANAGER).active = False
        db.session.commit()
        assert post(world) == 2 and letters(world) == {}
    assert Caller(world, AGENT).get("/notices").json == []


def test_hostile_words_are_words_on_the_page_in_the_subject_and_in_the_letter(world):
    name = "<script>alert(1)</script>\r\nBcc: all@rival.test " + "長" * 300
    with world.app_context():
        notices.tell([viewer(AGENT)], "offers", notices.News(
            name, "/offers/1", [name], [notices.Change(name, "Price", "<b>1</b> → 2")], "<i>now</i>"))
        db.session.commit()
        post(world)
        [letter] = letters(world)[AGENT]
    page = text(Visitor(world, AGENT).get("/notices"))
    html = letter.get_body(("html",)).get_content()
    for each in (page, html):
        assert not any(f"<{tag}" in each for tag in ("script>alert", "b>1", "i>now"))
        assert "&lt;script&gt;alert(1)" in each
    assert letter["Bcc"] is None and letter["Subject"].startswith("<script>alert(1)</script> Bcc: all@rival.test 長")
    assert [each.addr_spec for each in letter["To"].addresses] == [AGENT]


def test_nobody_is_told_the_same_twice_where_once_is_said(world):
    news = notices.News("New in your search", "/searches#s1")
    with world.app_context():
        who = viewer(AGENT)
        for _ in range(3):
            notices.tell([who, who], "searches", news, once=True)
        assert len(told(AGENT)) == 1
        notices.see(who, path="/searches#s1")
        notices.tell([who], "searches", news, once=True)
        assert len(told(AGENT)) == 2
        with pytest.raises(KeyError):
            notices.tell([who], "gossip", news)


# ------------------------------------------------------------------ never for what was rolled back

def rows():
    """(steps, notices, letters to be sent)"""
    db.session.expire_all()
    return tuple(db.session.scalar(select(func.count()).select_from(each)) for each in (
        Step, Notice, select(outbox.OutboxRow).where(outbox.OutboxRow.topic == notices.TOPIC).subquery()))


def test_what_is_rolled_back_is_told_to_nobody(world):
    offer, _ = an_offer(world)
    with world.app_context():
        post(world)
        before = rows()
        step(db.session.get(offers.Offer, int(offer)), AGENT, "accept")
        assert rows()[1] > before[1]
        db.session.rollback()
        assert rows() == before and post(world) == 0
    for body in ({"action": "accept", "version": 7}, {"action": "counter"}, {"action": "decline"},
                 {"action": "accept", "version": 1, "attachments": ["999"]}):  # the last fails after the step
        assert Caller(world, AGENT).post(f"/offers/{offer}/steps", body).status_code in (409, 422)
    with world.app_context():
        assert rows() == before and post(world) == 0


@both
def test_a_step_that_is_killed_anywhere_is_whole_with_its_notices_or_absent(world, mortal):
    offer, _ = an_offer(world)
    with world.app_context():
        post(world)
        before = rows()
        db.session.rollback()
    at = 0
    while mortal("decline", at := at + scale.at(ci=3, long=1), int(offer)):
        with world.app_context():
            now = rows()
            db.session.rollback()
        assert now in (before, (before[0] + 1, before[1] + 1, 1)), (at, now)
        if now != before:
            break
    assert at > 10, "killed between all of its statements"
    with world.app_context():
        assert rows() == (before[0] + 1, before[1] + 1, 1)
        assert post(world) == 1 and len(letters(world)[BUYER]) == 1


@both
def test_a_letter_goes_out_though_its_sender_is_killed_at_any_moment_and_it_is_one_letter(world, mortal):
    sent = 0
    for at in range(1, 90, scale.at(ci=4, long=1)):
        an_offer(world)
        sent += 1
        killed = mortal("post", at)
        with world.app_context():
            post(world)
            found = letters(world)
        for who in (AGENT, MANAGER):
            assert len(found[who]) == sent, (at, who)
            assert len({one["Message-ID"] for one in found[who]}) == sent
        if not killed:
            break
    assert not killed and sent > 4, "killed before and after each statement and each letter"


def test_a_server_that_took_it_gets_the_same_message_id_again(world, mortal):
    """Between a server's yes and our commit nobody can know: the letter goes again, and says that it is the same."""
    class Server(mail.Mailer):
        ids = []

        def send(self, letter):
            self.ids.append(self.message(letter)["Message-ID"])

        def lacks(self):
            return None

    an_offer(world)
    with world.app_context():
        server = Server("slate@slate.test", "slate.test")
        [first, _] = ids = db.session.scalars(select(Notice.id).order_by(Notice.id)).all()
        notices.post([first], server, SITE)
        db.session.rollback()  # killed before the commit
        assert mailing.deliver(server, SITE) == 2
        notices.post(ids, server, SITE)  # handled late, or twice
        assert mailing.deliver(server, SITE) == 0
    assert len(server.ids) == 3 and len(set(server.ids)) == 2 and server.ids[0] in server.ids[1:]


def test_a_server_that_is_away_holds_up_nothing_and_loses_nothing(world):
    class Gone(mail.Folder):
        away = True

        def send(self, letter):
            if self.away:
                raise mail.Away("451 Later")
            super().send(letter)

    offer, _ = an_offer(world)
    gone = Gone(world.config["MAIL_FOLDER"], "slate@slate.test", "slate.test")
    with world.app_context():
        for _ in range(3):
            with pytest.raises(mail.Away):
                mailing.deliver(gone, SITE)
        assert outbox.failing() == [] and outbox.waiting(notices.TOPIC) == 2
    assert Caller(world, AGENT).post(f"/offers/{offer}/steps", {"action": "accept", "version": 1}).status_code == 201
    gone.away = False
    with world.app_context():
        assert mailing.deliver(gone, SITE) == 4
        assert sorted(letters(world)) == [AGENT, MANAGER, BUYER][:1] + [BUYER, MANAGER]


def test_an_address_that_is_refused_for_good_is_said_to_its_owner_and_not_tried_again(world):
    with world.app_context():
        db.session.get(Person, people.find(AGENT).id).email = "agent@harbour.test\nBcc: x@y.test"
        db.session.commit()
        who = db.session.scalar(select(Person).where(Person.email.contains("Bcc")))
        notices.tell([people.viewer(who.id)], "offers", notices.News("Something", "/offers/1"))
        db.session.commit()
        assert post(world) == 1 and post(world) == 0 and letters(world) == {}
        assert "no address" in notices.refusal(people.viewer(who.id))


