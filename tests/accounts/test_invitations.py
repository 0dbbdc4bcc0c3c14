"""Members by invitation: a link that works once, for one address, for a week; and what becomes of members."""
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from accounts import members, people
from accounts.models import ApiToken, Invitation, Membership
from core import clock
from core.audit import AuditRow
from core.database import db
from core.errors import Conflict
from tests.accounts.organisations import ADMIN, AGENT, BUYER, PASSWORD, belong, every_row, letters, links
from tests.conftest import Caller, both
from tests.test_pages import Visitor, text

NEW = "mina@harbour.test"
NOT_OPEN = "This invitation is not open"


@pytest.fixture
def admin(world):
    return Visitor(world, ADMIN)


def invite(admin, email=NEW, roles=("agent",)):
    return admin.submit("/invitations", {"email": email, "roles": list(roles)}, form="/members")


def joins(world, link, name="Mina Wong", password=PASSWORD, someone=None):
    someone = someone or Visitor(world)
    return someone, someone.submit(link, {"name": name, "password": password})


@both
def test_who_follows_the_link_chooses_a_name_and_a_password_and_acts_at_once(world, admin):
    assert invite(admin, roles=["agent", "finance"]).status_code == 302
    [link] = links(world, NEW)
    assert "dministrator invites you to act for Harbour Pictures: agent, finance." in letters(world)[NEW][0]
    page = text(Visitor(world).get(link))
    assert "Harbour Pictures invites you" in page and "negotiates offers" in page and NEW in page
    someone, answer = joins(world, link)
    assert answer.status_code == 302
    page = text(someone.get("/account"))
    assert "Mina Wong" in page and "agent, finance" in page and "Harbour Pictures" in page
    assert text(Visitor(world).get(link)).count(NOT_OPEN) == 1, "it works once"
    again = Visitor(world)
    again.submit("/sign-in", {"email": NEW, "password": PASSWORD})
    assert again.get("/slate").status_code == 200
    assert "has joined Harbour Pictures" in text(admin.get("/notices"))


def test_the_link_is_nowhere_but_in_its_letter(world, admin):
    invite(admin)
    secret = links(world, NEW)[0].rpartition("/")[2]
    assert len(secret) > 40
    with world.app_context():
        everything = every_row()
    assert NEW in everything and secret not in everything


def test_a_letter_that_is_sent_again_has_a_new_link_and_the_old_one_opens_nothing(world, admin):
    invite(admin)
    with world.app_context():
        number = db.session.scalar(select(Invitation.id).filter_by(email=NEW))
    [old] = links(world, NEW)
    admin.submit(f"/invitations/{number}/sending", {}, form="/members")
    assert NOT_OPEN in text(Visitor(world).get(old)), "from that moment"
    assert len(links(world, NEW)) == 2
    [new] = set(links(world, NEW)) - {old}
    assert NOT_OPEN in text(Visitor(world).get(old)) and joins(world, new)[1].status_code == 302


@pytest.mark.parametrize("end", ["taken back", "expired", "suspended"])
def test_what_was_taken_back_or_is_too_old_opens_nothing(world, admin, end):
    invite(admin)
    [link] = links(world, NEW)
    someone = Visitor(world)
    assert someone.get(link).status_code == 200
    with world.app_context():
        made = db.session.scalar(select(Invitation).filter_by(email=NEW))
        if end == "expired":
            made.expires_at = clock.now() - timedelta(seconds=1)
        elif end == "suspended":
            made.organisation.suspended_at = clock.now()
        db.session.commit()
        number = made.id
    if end == "taken back":
        admin.submit(f"/invitations/{number}/removal", {}, form="/members")
    token = someone.token("/sign-in")
    assert someone.get(link).status_code == 404
    answer = someone.client.post(link, data={"name": "X", "password": PASSWORD, "csrf_token": token})
    assert answer.status_code == 404 and NOT_OPEN in text(answer)
    with world.app_context():
        assert people.find(NEW) is None


def test_who_has_an_account_joins_with_it_and_nobody_else_does(world, admin):
    invite(admin, BUYER, ["signatory"])
    [link] = links(world, BUYER)
    assert "Sign in to join" in text(Visitor(world).get(link))
    other = Visitor(world, AGENT)
    page = text(other.get(link))
    assert "This is for somebody else" in page and BUYER in page and AGENT in page
    assert other.submit(link, {}, form="/account").status_code == 409
    stranger = Visitor(world)  # who holds the link, and takes no account of somebody's over
    answer = stranger.client.post(link, data={
        "name": "X", "password": PASSWORD, "csrf_token": stranger.token("/sign-in")})
    assert answer.status_code == 409
    buyer = Visitor(world, BUYER)
    assert buyer.submit(link, {}).status_code == 302
    assert "Welcome to Harbour Pictures: you act for it now" in text(buyer.get("/account"))
    with world.app_context():
        assert [each.organisation.name for each in people.find(BUYER).memberships] == ["Sakura TV", "Harbour Pictures"]
        joined = db.session.scalar(select(AuditRow).filter_by(action="joined"))
        assert joined.organisation_id == people.organisation_named("Harbour Pictures").id
        sakura = people.organisation_named("Sakura TV").id
        rows = db.session.scalars(select(AuditRow).filter_by(organisation_id=sakura)).all()
        noted = {row.action for row in rows if row.origin == "127.0.0.1"}
        assert noted == {"signed in"}, "the other house reads nothing of it"


@pytest.mark.parametrize("typed, said", [
    ({"password": "short"}, "at least 12"), ({"name": " "}, "what you are called")])
def test_a_weak_password_and_no_name_are_refused_and_the_link_still_works(world, admin, typed, said):
    invite(admin)
    [link] = links(world, NEW)
    someone, answer = joins(world, link, **{"name": "Mina", "password": PASSWORD} | typed)
    assert answer.status_code == 422 and said in text(answer)
    assert joins(world, link, someone=someone)[1].status_code == 302


@pytest.mark.parametrize("email, roles, said", [
    (AGENT, ["agent"], "belongs to Harbour Pictures already"), ("finance@harbour.test", ["agent"], "invited already"),
    ("nobody", ["agent"], "address that mail can go to"), (NEW, [], "at least one role"),
    (NEW, ["buyer"], "no role in Harbour Pictures"), (NEW, ["emperor"], "no role"),
    ("a@b.test\nBcc: all@b.test", ["agent"], "address that mail can go to")])
def test_what_cannot_be_invited_is_said_on_the_form(world, admin, email, roles, said):
    answer = invite(admin, email, roles)
    assert answer.status_code in (409, 422) and said in re.sub("&#39;|’", "'", text(answer))
    assert NEW not in letters(world)


def test_an_administrator_learns_nothing_of_addresses_elsewhere(world, admin):
    pages = []
    for email in ("rights@lotus.test", "nobody@lotus.test"):
        answer = invite(admin, email)
        assert answer.status_code == 302
        pages.append(re.sub(r"csrf_token\" value=\"[^\"]+|invitations/[0-9]+", "", text(admin.get("/members"))).replace(
            email, "ADDRESS").replace("rights@lotus.test", "OTHER"))
    known, unknown = (re.findall(r"ADDRESS.{0,400}", page, re.S)[0] for page in pages)
    assert known == unknown


def test_only_administrators_change_members_and_only_their_own(world):
    with world.app_context():
        theirs = db.session.scalar(select(Membership.id).where(Membership.person_id == people.find(BUYER).id))
        own = db.session.scalar(select(Membership.id).where(
            Membership.person_id == people.find("rights@harbour.test").id))
    agent, boss = Caller(world, AGENT), Caller(world, ADMIN)
    assert agent.get("/members").status_code == 200
    assert {each["person"]["email"] for each in agent.get("/members").json} == {AGENT, "rights@harbour.test", ADMIN}
    for caller, number, expected in ((agent, own, 403), (agent, theirs, 404), (boss, theirs, 404)):
        assert caller.delete(f"/members/{number}").status_code == expected, (expected, number)
    assert agent.patch(f"/members/{own}", {"roles": ["agent"]}).status_code == 403
    assert boss.patch(f"/members/{theirs}", {"roles": ["agent"]}).status_code == 404
    assert agent.post("/invitations", {"email": NEW, "roles": ["admin"]}).status_code == 403
    sent = Visitor(world, AGENT).submit("/invitations", {"email": NEW, "roles": "admin"}, form="/account")
    assert sent.status_code == 403
    assert boss.patch(f"/members/{own}", {"roles": ["buyer"]}).status_code == 422
    changed = boss.patch(f"/members/{own}", {"roles": ["signatory", "agent"]})
    assert changed.status_code == 200 and changed.json["roles"] == ["agent", "signatory"]
    assert Caller(world, "rights@harbour.test").get("/me").json["roles"] == ["agent", "signatory"]
    assert boss.get("/offers").status_code == 403, "an administrator sees no deals by that alone"


def test_the_last_administrator_neither_leaves_nor_steps_down(world, admin):
    with world.app_context():
        boss = db.session.scalar(select(Membership.id).join(Membership.organisation).where(
            Membership.person_id == people.find(ADMIN).id).order_by(Membership.id).limit(1))
    for path, data in ((f"/members/{boss}/roles", {"roles": "agent"}), ("/members/leaving", {}),
                       (f"/members/{boss}/removal", {})):
        answer = admin.submit(path, data, form="/members")
        assert answer.status_code == 409 and "You are the only administrator" in text(answer), path
    with world.app_context():
        agent = db.session.scalar(select(Membership.id).where(Membership.person_id == people.find(AGENT).id))
    admin.submit(f"/members/{agent}/roles", {"roles": ["agent", "admin"]}, form="/members")
    assert admin.submit("/members/leaving", {}, form="/members").status_code == 302
    stays = Visitor(world, AGENT).submit(f"/members/{agent}/roles", {"roles": "agent"}, form="/members")
    assert stays.status_code == 409


@both
def test_of_two_administrators_who_step_down_at_once_one_stays(world):
    """Both looked before either wrote; whoever comes second waits, and looks again."""
    from threading import Thread
    belong(world, "rights@lotus.test", ("Harbour Pictures", ["admin"]))
    with world.app_context():
        house = people.organisation_named("Harbour Pictures").id
        viewers = [people.viewer(people.find(each).id, house) for each in (ADMIN, "rights@lotus.test")]
    said = []

    def step_down(viewer):
        with world.app_context():
            try:
                members.leave(viewer)
                db.session.commit()
                said.append("left")
            except Conflict:
                db.session.rollback()
                said.append("stays")
    threads = [Thread(target=step_down, args=[each]) for each in viewers]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(said) == ["left", "stays"]


def test_everything_that_happens_to_members_is_in_the_audit(world, admin):
    invite(admin)
    [link] = links(world, NEW)
    joins(world, link)
    with world.app_context():
        number = db.session.scalar(select(Membership.id).where(Membership.person_id == people.find(NEW).id))
    admin.submit(f"/members/{number}/roles", {"roles": ["finance"]}, form="/members")
    admin.submit(f"/members/{number}/removal", {}, form="/members")
    with world.app_context():
        house = people.organisation_named("Harbour Pictures").id
        rows = [(row.subject, row.action) for row in db.session.scalars(select(AuditRow).where(
            AuditRow.subject.in_(("invitation", "membership")), AuditRow.organisation_id == house,
            AuditRow.origin == "127.0.0.1").order_by(AuditRow.id))]
        tokens = db.session.scalars(select(ApiToken).where(ApiToken.membership_id == number)).all()
    assert rows == [("invitation", "invited"), ("membership", "created"), ("membership", "joined"),
                    ("invitation", "used"), ("membership", "changed"), ("membership", "removed")] and tokens == []


@both
def test_a_name_of_an_organisation_is_only_a_name(app):
    """On the command line, where somebody is let in: what a pattern takes for "anything" stands for itself."""
    with app.app_context():
        house = people.found("100% Film_Haus", ["seller"])
        people.found("1000 Film-Haus", ["seller"])
        for name in ("100% Film_Haus", "100% FILM_haus", str(house.id)):
            assert people.organisation_named(name) is house, name
        for name in ("%", "1%", "100_ Film_Haus", "1000 Film_Haus", "100% Film\\_Haus", "", "²"):
            assert people.organisation_named(name) is None, name
