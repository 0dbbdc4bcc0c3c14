"""A forgotten password and a changed address: by letters, whose links stand nowhere else and work once."""
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy import text as sql

from accounts import addresses, mailings, people, security
from accounts.addresses import Side
from accounts.sessions import Session
from core import clock, mail, outbox
from core.audit import AuditRow
from core.database import db
from tests.accounts.entry import AGENT, BUYER, fields, letters, link_in, sets_up_codes
from tests.test_pages import Visitor, text

NEW = "seven lanterns in a harbour"


@pytest.fixture
def visitor(world):
    return lambda email=None: Visitor(world, email)


def asks(visitor, email=BUYER):
    assert visitor().submit("/recovery", {"email": email}).status_code == 200


def sets(visitor, link, password=NEW):
    someone = visitor()
    return someone.submit(link, {"password": password, "password_confirm": password})


def everything(world):
    """All that stands in the database, as text."""
    with world.app_context():
        tables = db.session.scalars(sql("SELECT name FROM sqlite_master WHERE type = 'table'")).all()
        return "\n".join(str(row) for table in tables for row in db.session.execute(sql(f'SELECT * FROM "{table}"')))


# ------------------------------------------------------------------ recovery

def test_the_link_in_the_letter_sets_a_new_password_once_and_ends_every_session(world, visitor):
    signed_in = visitor(BUYER)
    asks(visitor)
    letter, = letters(world)
    assert letter["Subject"] == "Set a new password" and BUYER in letter["To"]
    link = link_in(letter)
    assert sets(visitor, link).location.startswith("/sign-in")
    with world.app_context():
        assert db.session.scalar(select(Session.id)) is None
    assert signed_in.get("/account").status_code == 302
    assert visitor().submit("/sign-in", {"email": BUYER, "password": "demo"}).status_code == 200
    assert visitor().submit("/sign-in", {"email": BUYER, "password": NEW}).status_code == 302
    again = visitor().get(link)
    assert again.status_code == 302 and again.location == "/recovery?ended=yes"
    assert [each["Subject"] for each in letters(world)] == ["Your password was changed"]


def test_a_link_that_was_used_says_so_and_what_to_do(world, visitor):
    asks(visitor)
    link = link_in(letters(world)[0])
    sets(visitor, link)
    someone = visitor()
    assert "used already, or is too old" in text(someone.client.get(link, follow_redirects=True))


def test_opening_the_link_changes_nothing(world, visitor):
    asks(visitor)
    link = link_in(letters(world)[0])
    for _ in range(2):
        assert visitor().get(link).status_code == 200
    assert visitor().submit("/sign-in", {"email": BUYER, "password": "demo"}).status_code == 302


def test_the_link_stands_nowhere_but_in_the_letter(world, visitor, caplog):
    with caplog.at_level("DEBUG"):
        asks(visitor)
        before = everything(world)
        link = link_in(letters(world)[0])
        visitor().get(link)
        sets(visitor, link)
    token = link.rsplit("/", 1)[1]
    assert token not in before + everything(world) + caplog.text


def test_the_letter_is_of_the_transaction_that_asks_for_it(world):
    with world.app_context():
        mailings.put("recovery", people.find(BUYER))
        db.session.rollback()
        assert outbox.waiting(mailings.TOPIC) == 0
    assert letters(world) == []


def test_a_server_that_takes_no_mail_is_waited_for_and_what_it_refuses_is_not(world, visitor, monkeypatch):
    asks(visitor)
    mailer = world.extensions["mailer"]

    def away(_letter):
        raise mail.Away("421 later")
    monkeypatch.setattr(mailer, "send", away)
    with world.app_context():
        with pytest.raises(mail.Away):
            mailings.deliver(mailer, "https://slate.test", security.links.of, 60)
        assert outbox.waiting(mailings.TOPIC) == 1
    monkeypatch.undo()
    assert len(letters(world)) == 1


def test_a_link_that_is_too_old_opens_nothing(world, visitor):
    asks(visitor)
    link = link_in(letters(world)[0])
    world.config["SECURITY_RESET_PASSWORD_WITHIN"] = timedelta(seconds=-1)
    try:
        someone = visitor()
        answer = someone.submit(link, {"password": NEW, "password_confirm": NEW}, form="/recovery")
        assert answer.location == "/recovery?ended=yes"
    finally:
        world.config["SECURITY_RESET_PASSWORD_WITHIN"] = world.config["LINK_WITHIN"]


def test_recovery_leads_round_no_second_factor(world, visitor):
    sets_up_codes(visitor(BUYER))
    letters(world)
    asks(visitor)
    sets(visitor, link_in(letters(world)[0]))
    assert visitor().submit("/sign-in", {"email": BUYER, "password": NEW}).location.startswith("/sign-in/code")


def test_nobody_who_was_shut_out_gets_a_letter(world, visitor):
    with world.app_context():
        people.find(BUYER).active = False
        db.session.commit()
    asks(visitor)
    assert letters(world) == []
    with world.app_context():
        assert db.session.scalar(select(mailings.Mailing.id)) is None, "what is nobody's is thrown away"


def test_who_asked_is_noted_and_never_the_address_of_nobody(world, visitor):
    asks(visitor)
    asks(visitor, "my-secret-password@typed.here")
    with world.app_context():
        rows = db.session.scalars(select(AuditRow).where(AuditRow.action == "asked for a new password")).all()
        assert [each.subject_id for each in rows] == [people.find(BUYER).id, None]
    assert "my-secret-password" not in everything(world)


# ------------------------------------------------------------------ a change of address

def changes(visitor, someone, address="new@sakura.test"):
    answer = someone.submit("/account/address", {"address": address}, form="/account")
    assert answer.status_code == 302, text(answer)


def by_address(world):
    return {letter["To"].addresses[0].addr_spec: letter for letter in letters(world)}


def agrees(visitor, letter):
    someone, link = visitor(), link_in(letter)
    return someone.client.post(link, data=fields(text(someone.get(link)), 'class="after"'))


@pytest.mark.parametrize("first, second", [(BUYER, "new@sakura.test"), ("new@sakura.test", BUYER)])
def test_an_address_changes_when_it_was_confirmed_at_both(world, visitor, first, second):
    someone = visitor(BUYER)
    changes(visitor, someone)
    sent = by_address(world)
    assert set(sent) == {first, second}
    assert "Confirmed here" in text(agrees(visitor, sent[first]))
    assert visitor().submit("/sign-in", {"email": BUYER, "password": "demo"}).status_code == 302
    assert visitor().submit("/sign-in", {"email": "new@sakura.test", "password": "demo"}).status_code == 200
    assert "Done" in text(agrees(visitor, sent[second]))
    assert visitor().submit("/sign-in", {"email": BUYER, "password": "demo"}).status_code == 200
    assert visitor().submit("/sign-in", {"email": "new@sakura.test", "password": "demo"}).status_code == 302
    assert set(by_address(world)) == {BUYER, "new@sakura.test"}
    assert visitor().get(link_in(sent[first])).status_code == 404, "a link works once"


def test_one_side_twice_is_not_both(world, visitor):
    changes(visitor, visitor(BUYER))
    sent = by_address(world)
    for _ in range(2):
        assert "Confirmed here" in text(agrees(visitor, sent["new@sakura.test"]))
    with world.app_context():
        assert people.find(BUYER)


def test_opening_the_links_changes_no_address(world, visitor):
    changes(visitor, visitor(BUYER))
    for letter in by_address(world).values():
        assert visitor().get(link_in(letter)).status_code == 200
    with world.app_context():
        assert people.find(BUYER) and not people.find("new@sakura.test")


def test_nobody_learns_whether_an_address_is_taken(world, visitor):
    someone = visitor(BUYER)
    said = []
    for address in ("new@sakura.test", AGENT):
        changes(visitor, someone, address)
        said.append(text(someone.get("/account")).replace(address, ""))
        someone.submit("/account/address/withdrawal", {}, form="/account")
    plain = [each.split('id="address"')[1].split("</section>")[0] for each in said]
    assert plain[0].split('name="csrf_token"')[0] == plain[1].split('name="csrf_token"')[0]
    assert AGENT not in by_address(world), "who has the address is not bothered"


def test_an_address_that_was_taken_meanwhile_is_not_taken_twice(world, visitor):
    changes(visitor, visitor(BUYER))
    sent = by_address(world)
    agrees(visitor, sent[BUYER])
    with world.app_context():
        people.enrol("new@sakura.test", "Somebody", None)
        db.session.commit()
    assert agrees(visitor, sent["new@sakura.test"]).status_code == 409
    with world.app_context():
        assert people.find(BUYER)


def test_who_asks_again_or_thinks_better_of_it_voids_the_links_before(world, visitor):
    someone = visitor(BUYER)
    changes(visitor, someone)
    first = by_address(world)
    changes(visitor, someone, "other@sakura.test")
    assert visitor().get(link_in(first[BUYER])).status_code == 404
    second = by_address(world)
    someone.submit("/account/address/withdrawal", {}, form="/account")
    assert visitor().get(link_in(second["other@sakura.test"])).status_code == 404


@pytest.mark.parametrize("bad", ["", "nobody", "a b@c.test", "x@y.test\r\nBcc: all@z.test", BUYER,
                                 f"{'x' * 300}@y.test"])
def test_what_is_no_other_address_is_refused_beside_its_field(visitor, bad):
    answer = visitor(BUYER).submit("/account/address", {"address": bad}, form="/account")
    assert answer.status_code == 422 and 'id="new-address-error"' in text(answer)


def test_an_old_or_forged_link_confirms_nothing(world, visitor):
    changes(visitor, visitor(BUYER))
    link = link_in(by_address(world)[BUYER])
    assert visitor().get(link[:-3] + "abc").status_code == 404
    world.config["LINK_WITHIN"], kept = timedelta(seconds=-1), world.config["LINK_WITHIN"]
    try:
        assert visitor().get(link).status_code == 404
    finally:
        world.config["LINK_WITHIN"] = kept


def test_a_change_needs_a_fresh_proof(visitor):
    someone = visitor(BUYER)
    with clock.stopped_at(clock.now() + timedelta(minutes=16)):
        asked = someone.submit("/account/address", {"address": "new@sakura.test"}, form="/account")
        assert asked.status_code == 403 and fields(text(asked), 'class="stack after"')["address"] == "new@sakura.test"


def test_the_sides_are_told_apart_by_the_signed_link(world):
    with world.app_context():
        change = addresses.ask(people.find(BUYER), "new@sakura.test")
        token = security.links.address(change.key, Side.NEW).rsplit("/", 1)[1]
        assert security.links.read_address(token) == (change.key, Side.NEW)
