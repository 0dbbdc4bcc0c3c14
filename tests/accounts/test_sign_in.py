"""Signing in and staying in: passwords, sessions and their ends, no word on who has an account."""
import re
import statistics
import time
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import event, select

import config
from accounts import people, security
from accounts.models import Person
from accounts.sessions import Session, program
from core import clock
from core.audit import AuditRow
from core.database import db
from tests.accounts.entry import AGENT, BUYER, letters
from tests.conftest import settings
from tests.test_pages import Visitor, alike, text
from wsgi import create_app


@pytest.fixture
def visitor(world):
    return lambda email=None: Visitor(world, email)


def signs_in(visitor, email, password):
    return visitor.submit("/sign-in", {"email": email, "password": password})


def shut_out(world, email):
    with world.app_context():
        people.find(email).active = False
        db.session.commit()


# ------------------------------------------------------------------ passwords

def test_passwords_are_kept_as_argon2id_with_the_real_parameters(tmp_path):
    real = {name: value for name, value in settings(f"sqlite:///{tmp_path / 'slate.db'}", tmp_path).items()
            if name != "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS"}
    with create_app(real).app_context():
        kept = security.hashed("demo")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_a_new_password_is_long_and_not_made_of_what_everybody_knows(visitor):
    someone = visitor(BUYER)
    for bad in ("short-one", "aaaaaaaaaaaaaa", "buyerbuyerbuyer", "passwordpassword"):
        answer = someone.submit("/account/password", {
            "password": "demo", "new_password": bad, "new_password_confirm": bad})
        assert answer.status_code == 200 and 'id="new_password-error"' in text(answer), bad


def test_a_changed_password_signs_out_everywhere_else_and_stays_signed_in_here(world, visitor):
    here, there = visitor(BUYER), visitor(BUYER)
    stolen = here.client.get_cookie("session").value
    new = "seven lanterns in a harbour"
    done = here.submit("/account/password", {"password": "demo", "new_password": new, "new_password_confirm": new})
    assert done.status_code == 302
    assert here.get("/account").status_code == 200 and there.get("/account").status_code == 302
    thief = visitor()
    thief.client.set_cookie("session", stolen)
    assert thief.get("/account").status_code == 302
    assert signs_in(visitor(), BUYER, "demo").status_code == 200 and signs_in(visitor(), BUYER, new).status_code == 302
    assert [each["Subject"] for each in letters(world)] == ["Your password was changed"]


# ------------------------------------------------------------------ no word on who has an account

def test_signing_in_answers_alike_for_a_wrong_password_an_unknown_address_and_who_was_shut_out(world, visitor):
    shut_out(world, "buyer@skyway.test")
    tries = [(BUYER, "wrong"), ("nobody@nowhere.test", "demo"), ("buyer@skyway.test", "demo"),
             ("buyer@skyway.test", "wrong")]
    answers = [signs_in(visitor(), *each) for each in tries]
    assert {each.status_code for each in answers} == {200}
    pages = [alike(each).replace(f'value="{name}"', "") for each, (name, _) in zip(answers, tries, strict=True)]
    assert len(set(pages)) == 1


def test_recovery_answers_alike_whether_or_not_anybody_has_the_address(world, visitor):
    shut_out(world, "buyer@skyway.test")
    answers = [visitor().submit("/recovery", {"email": email})
               for email in (BUYER, "nobody@nowhere.test", "buyer@skyway.test", "no address")]
    assert {(each.status_code, alike(each)) for each in answers} == {(200, alike(answers[0]))}
    assert [each["To"] for each in letters(world)] == [f"buyer and signatory <{BUYER}>".capitalize()]


@pytest.mark.parametrize("path, extra", [("/sign-in", {"password": "wrong"}), ("/recovery", {})])
def test_it_takes_as_long_whether_or_not_anybody_has_the_address(world, visitor, path, extra):
    shut_out(world, "buyer@skyway.test")
    someone = visitor()
    token, taken = someone.token(path), {BUYER: [], "nobody@nowhere.test": [], "buyer@skyway.test": []}
    for _ in range(5):
        for email, times in taken.items():
            began = time.perf_counter()
            someone.client.post(path, data={"email": email, "csrf_token": token, **extra})
            times.append(time.perf_counter() - began)
    quickest = {email: statistics.median(sorted(times)[:3]) for email, times in taken.items()}
    assert max(quickest.values()) < 1.5 * min(quickest.values()) + 0.002, quickest


@pytest.mark.parametrize("path, extra", [("/sign-in", {"password": "wrong"}), ("/recovery", {})])
def test_it_takes_the_same_statements_whether_or_not_anybody_has_the_address(world, visitor, path, extra):
    someone = visitor()
    token, said = someone.token(path), {}
    with world.app_context():
        engine = db.engine
    for email in ("nobody@nowhere.test", BUYER):
        ran = []

        def hear(_connection, _cursor, statement, *_, ran=ran):
            ran.append(statement.split(" WHERE ")[0])
        event.listen(engine, "before_cursor_execute", hear)
        someone.client.post(path, data={"email": email, "csrf_token": token, **extra})
        event.remove(engine, "before_cursor_execute", hear)
        said[email] = [each for each in ran if "FROM membership" not in each]  # whose audit it belongs to
    assert said[BUYER] == said["nobody@nowhere.test"] and any("INSERT INTO audit" in each for each in said[BUYER])


def test_a_failure_is_noted_without_a_word_of_what_was_typed(world, visitor):
    signs_in(visitor(), BUYER, "my-secret-password")
    signs_in(visitor(), "my-secret-password@typed.here", "demo")
    with world.app_context():
        rows = db.session.scalars(select(AuditRow).where(AuditRow.action == "failed to sign in")
                                  .order_by(AuditRow.id)).all()
        known = people.viewer(people.find(BUYER).id)
        assert [(each.subject_id, each.organisation_id, each.person_id, each.after) for each in rows] == [
            (known.person_id, known.organisation_id, None, {"by": "password"}), (None, None, None, {"by": "password"})]
        assert "my-secret-password" not in str([vars(each) for each in db.session.scalars(select(AuditRow))])


# ------------------------------------------------------------------ sessions

def test_signing_in_begins_a_session_that_nobody_knew_before(visitor):
    victim, attacker = visitor(), visitor()
    attacker.token("/sign-in")
    with attacker.client.session_transaction() as cookie:
        known = cookie["csrf_token"]
    planted = attacker.client.get_cookie("session").value
    victim.client.set_cookie("session", planted)
    assert signs_in(victim, BUYER, "demo").status_code == 302
    victim.token()
    with victim.client.session_transaction() as cookie:
        assert cookie["csrf_token"] != known, "what signs the forms is another one, too"
    assert attacker.get("/account").status_code == 302
    assert victim.client.get_cookie("session").value != planted


def test_signing_out_ends_the_session_itself_and_not_only_its_cookie(visitor):
    someone = visitor(BUYER)
    copied = someone.client.get_cookie("session").value
    someone.submit("/sign-out", {}, form="/account")
    someone.client.set_cookie("session", copied)
    assert someone.get("/account").status_code == 302


def test_every_session_is_listed_and_one_that_is_ended_is_out_at_its_next_request(world, visitor):
    here, there, third = visitor(BUYER), visitor(BUYER), visitor(BUYER)
    page = text(here.get("/account"))
    assert page.count("this one") == 1 and page.count("/end") == 3  # two others, and all of them
    paths = re.findall(r"/account/sessions/\d+/end", page)
    assert here.submit(paths[-1], {}, form="/account").status_code == 302
    assert {here.get("/account").status_code, third.get("/account").status_code} == {200}
    assert there.get("/account").status_code == 302
    assert there.client.post("/sign-out", data={"csrf_token": "old"}).status_code in (302, 400)
    here.submit("/account/sessions/end", {}, form="/account")
    assert here.get("/account").status_code == 200 and third.get("/account").status_code == 302


def test_what_an_ended_session_sends_does_nothing_and_leads_to_the_way_in(world, visitor):
    here, there = visitor(AGENT), visitor(AGENT)
    token = there.token("/slate")
    here.submit("/account/sessions/end", {}, form="/account")
    answer = there.client.post("/slate", data={"original_title": "Never", "kind": "film", "csrf_token": token})
    assert answer.status_code == 302 and answer.location == "/sign-in"


def test_nobody_ends_anybody_elses_session(world, visitor):
    someone, other = visitor(BUYER), visitor(AGENT)
    with world.app_context():
        theirs = db.session.scalar(select(Session.id).join(Person, Person.id == Session.person_id).where(
            Person.email == AGENT))
    assert someone.submit(f"/account/sessions/{theirs}/end", {}, form="/account").status_code == 404
    assert other.get("/account").status_code == 200


@pytest.mark.parametrize("later, every, lasts", [
    (timedelta(hours=7), 7, True), (timedelta(hours=9), 9, False), (timedelta(days=6), 6, True),
    (timedelta(days=8), 6, False)])
def test_a_session_ends_when_it_was_idle_or_is_too_old(world, visitor, later, every, lasts):
    """Used every so many hours, it lasts seven days; not used for more than eight hours it ends."""
    world.config.update({name: config.read({})[name] for name in ("SESSION_IDLE", "SESSION_WHOLE")})
    someone, began = visitor(BUYER), clock.now()
    moment = began
    while moment < began + later:
        moment = min(moment + timedelta(hours=every), began + later)
        with clock.stopped_at(moment):
            answer = someone.get("/account")
            answer.close()
    assert (answer.status_code == 200) == lasts


def test_a_page_that_is_read_writes_nothing_until_its_answer_went_out(world, visitor):
    someone, ran = visitor(BUYER), []
    with world.app_context():
        engine = db.engine

    def hear(_connection, _cursor, statement, *_):
        if not statement.startswith("SELECT"):
            ran.append(statement)
    event.listen(engine, "before_cursor_execute", hear)
    with clock.stopped_at(clock.now() + timedelta(minutes=4)):
        someone.get("/account").close()
    assert [each for each in ran if not each.startswith("BEGIN")] == []
    with clock.stopped_at(clock.now() + timedelta(minutes=6)):
        answer = someone.get("/account")
        assert [each for each in ran if not each.startswith("BEGIN")] == []
        answer.close()
    event.remove(engine, "before_cursor_execute", hear)
    assert [each[:14] for each in ran if not each.startswith("BEGIN")] == ["UPDATE session"]


def test_the_key_of_a_session_is_kept_nowhere_but_in_its_cookie(world, visitor):
    someone = visitor(BUYER)
    with someone.client.session_transaction() as cookie:
        key = cookie["key"]
    with world.app_context():
        assert key not in str([vars(each) for each in db.session.scalars(select(Session))])


@pytest.mark.parametrize("agent, words", [
    ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
    ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140",
     "Edge on Windows"),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 (KHTML, like Gecko) Safari/604",
     "Safari on iPhone"),
    ("<script>alert(1)</script>" * 50, "A browser"), ("", "A browser")])
def test_a_program_is_told_in_short_words(agent, words):
    assert program(agent) == words


@pytest.mark.parametrize("next_, leads", [("/offers", "/offers"), ("https://evil.test/", None), ("//evil.test", None),
                                          ("/\\evil.test", None), ("javascript:alert(1)", None)])
def test_signing_in_leads_nowhere_but_to_a_page_of_ours(visitor, next_, leads):
    someone = visitor()
    answer = someone.client.post("/sign-in", query_string={"next": next_}, data={
        "email": BUYER, "password": "demo", "csrf_token": someone.token("/sign-in")})
    where = urlsplit(answer.location or "/")
    assert not where.netloc and not where.scheme and re.match("/(?![/\\\\])", answer.location or "/")
    if leads:
        assert answer.location == leads


def test_a_program_that_sends_json_gets_no_token_by_the_way_in_for_people(visitor):
    someone = visitor()
    answer = someone.client.post("/sign-in?include_auth_token=1", json={"email": BUYER, "password": "demo"},
                                 headers={"Accept": "application/json", "X-CSRFToken": someone.token("/sign-in")})
    assert "authentication_token" not in text(answer) and not answer.is_json


DOORS = {
    None: [("/sign-in", "email"), ("/sign-in", "password"), ("/recovery", "email"), ("/recovery/x", "password"),
           ("/sign-in/passkey/x", "credential")],
    BUYER: [("/account/passkeys/x", "credential"), ("/account/passkeys", "name"), ("/account/passkeys/removal", "name"),
            ("/account/password", "password"), ("/account/password", "new_password"), ("/account/codes", "code"),
            ("/account/codes", "state"), ("/account/address", "address"), ("/proof", "proof-password"),
            ("/proof", "proof-code"), ("/proof", "proof-passkey")]}
HOSTILE = ("\0", "x" * 100_000, "[" * 5_000, "\u202e<script>", "%s%n", "{}")


@pytest.mark.parametrize("email", DOORS)
def test_nothing_that_is_typed_at_the_door_breaks_it(visitor, email):
    someone = visitor(email)
    token = someone.token("/account" if email else "/sign-in")
    other = {"email": BUYER, "password": "x", "new_password": "x", "name": "x", "usage": "first", "code": "1"}
    for path, field in DOORS[email]:
        for hostile in HOSTILE:
            with clock.stopped_at(clock.now() + timedelta(minutes=16 * (path == "/proof"))):
                answer = someone.client.post(path, data={**other, "csrf_token": token, field: hostile})
            assert answer.status_code < 500, (path, field, hostile[:10])
            assert "<script>" not in text(answer), (path, field)
