"""Passwords: what is taken, how they are compared, how long they last, and who is out when they change."""
import re
import secrets
from datetime import timedelta

import pytest
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from accounts import people
from accounts.security import factors
from accounts.sessions import Session
from core import clock
from core.database import db
from core.errors import Invalid
from tests.accounts.entry import AGENT, BUYER
from tests.scale import LONG
from tests.test_pages import Visitor, text

GOOD = "seven lanterns in a harbour"


def chosen(app, word):
    with app.test_request_context():
        try:
            return bool(factors.chosen(word))
        except Invalid:
            return False


def change(visitor, old, new):
    return visitor.submit("/account/password", {"password": old, "new_password": new, "new_password_confirm": new})


def comes_in(app, word):
    return Visitor(app).submit("/sign-in", {"email": BUYER, "password": word}).status_code == 302


def test_what_everybody_tries_first_is_refused(app):
    """Every common password that is long enough, and what people make of the short ones so that they are."""
    common = [word for word, _ in sorted(FREQUENCY_LISTS["passwords"].items(), key=lambda each: each[1])] if isinstance(
        FREQUENCY_LISTS["passwords"], dict) else list(FREQUENCY_LISTS["passwords"])
    long = [word for word in common if len(word) >= factors.LEAST_PASSWORD]
    made = [f"{word}{more}" for word in common[:2_000] for more in ("123456", "1234567890", "!", "2026", word)]
    made = [word for word in made if len(word) >= factors.LEAST_PASSWORD]
    assert len(long) > 200 and len({*long, *made}) > 3_000
    tried = [*long, *(made if LONG else made[::9])]
    with app.test_request_context():
        taken = []
        for word in tried:
            try:
                factors.chosen(word)
                taken.append(word)
            except Invalid:
                pass
    assert taken == []


@pytest.mark.parametrize("word", [
    "all small letters here", "ONLYGREATLETTERSOVERTHEHARBOUR", "83917264520916352847", "!#%&/()=?`^*;:_-",
    "潮信二回流雪線駅冬溫度夜光",
    "  spaces at both ends  ", "pass phrases may be long " * 4 + "end", "🦊 runs over 🌊 at 🌙 night"])
def test_a_password_may_be_of_any_characters_and_long(world, word):
    someone = Visitor(world, BUYER)
    assert change(someone, "demo", word).status_code == 302
    assert comes_in(world, word)


def test_it_is_compared_as_it_was_typed(world):
    word = "Seven Lanterns " + secrets.token_hex(50)
    assert len(word) > 100 and change(Visitor(world, BUYER), "demo", word).status_code == 302
    for other in (word.lower(), word.upper(), word[:-1], word[:72], f"{word} ", f" {word}", word + "x"):
        assert not comes_in(world, other), other
    assert comes_in(world, word)


@pytest.mark.parametrize("length, taken", [(11, False), (12, True), (64, True), (128, True), (129, False)])
def test_a_password_has_twelve_to_128_characters(app, length, taken):
    assert chosen(app, secrets.token_urlsafe(1_000)[:length]) is taken


@pytest.mark.parametrize("old", ["", "wrong", GOOD])
def test_nobody_changes_it_who_does_not_know_it(world, old):
    assert change(Visitor(world, BUYER), old, GOOD).status_code == 200
    assert comes_in(world, "demo") and not comes_in(world, GOOD)


def test_it_lasts_until_it_is_changed(world, monkeypatch):
    real, later = clock.now, timedelta(days=3_650)
    monkeypatch.setattr(clock, "now", lambda: real() + later)
    someone = Visitor(world)
    answer = someone.submit("/sign-in", {"email": BUYER, "password": "demo"})
    assert answer.status_code == 302 and answer.location == "/" and someone.get("/account").status_code == 200


def test_it_is_hidden_while_it_is_typed_and_managers_may_fill_it_in(world):
    someone, seen = Visitor(world, BUYER), 0
    for visitor, path in ((Visitor(world), "/sign-in"), (someone, "/account/password")):
        for field in re.findall(r"<input[^>]*name=\"(?:new_)?password(?:_confirm)?\"[^>]*>", text(visitor.get(path))):
            assert 'type="password"' in field and re.search(r'autocomplete="(?:current|new)-password"', field), field
            assert not re.search(r"maxlength|readonly|onpaste|minlength=\"(?!12)", field), field
            seen += 1
    assert seen == 4


def test_there_is_no_hint_and_no_question_to_be_guessed(app):
    columns = {f"{table.name}.{column.name}" for table in db.metadata.sorted_tables for column in table.columns}
    assert not [name for name in columns if re.search(r"hint|question|maiden|pet\b|phone|sms", name)]


def test_an_empty_installation_has_nobody_in_it(app):
    from accounts.models import Person
    with app.app_context():
        assert db.session.query(Person).count() == 0


def test_recovery_codes_have_128_bits_and_are_kept_as_digests_alone(world):
    with world.app_context():
        person = people.find(BUYER)
        codes = factors.new_recovery_codes(person)
        assert len(set(codes)) == factors.CODES and all(
            re.fullmatch(r"[0-9a-f]{4}(-[0-9a-f]{4}){7}", each) for each in codes)
        assert all(re.fullmatch(r"[0-9a-f]{64}", each) for each in person.mf_recovery_codes)
        assert not [each for each in codes if each.replace("-", "") in str(person.mf_recovery_codes)]


def test_the_ways_of_a_second_factor_are_apps_keys_and_codes_on_paper_alone(app):
    """Nothing goes over telephone or mail: what is no app, no key and no paper is no factor."""
    assert app.config["SECURITY_TWO_FACTOR_ENABLED_METHODS"] == ["authenticator"]
    assert app.config["SECURITY_TWO_FACTOR_RESCUE_EMAIL"] is False
    assert not any(app.config.get(f"SECURITY_{name}") for name in (
        "UNIFIED_SIGNIN", "PASSWORDLESS", "REGISTERABLE", "OAUTH_ENABLE", "CONFIRMABLE", "USERNAME_ENABLE"))


def test_who_is_shut_out_is_out_at_the_next_request(world):
    someone = Visitor(world, BUYER)
    assert someone.get("/account").status_code == 200
    with world.app_context():
        people.find(BUYER).active = False
        db.session.commit()
    assert someone.get("/account").status_code == 302 and not comes_in(world, "demo")


@pytest.mark.parametrize("words, out, ended", [([BUYER], {BUYER}, "2 ended."),
                                               (["--everybody"], {BUYER, AGENT}, "3 ended.")])
def test_whoever_runs_slate_ends_sessions_of_one_or_of_all(world, words, out, ended):
    visitors = [(BUYER, Visitor(world, BUYER)), (BUYER, Visitor(world, BUYER)), (AGENT, Visitor(world, AGENT))]
    assert world.test_cli_runner().invoke(args=["sign-out", *words]).output.strip() == ended
    for email, visitor in visitors:
        assert (visitor.get("/account").status_code == 302) == (email in out)
    assert world.test_cli_runner().invoke(args=["sign-out"]).exit_code
    assert "nobody" in world.test_cli_runner().invoke(args=["sign-out", "no@one.test"]).output


def test_one_may_be_signed_in_at_as_many_places_as_one_likes(world):
    visitors = [Visitor(world, BUYER) for _ in range(12)]
    assert all(each.get("/account").status_code == 200 for each in visitors)


def test_a_proof_gives_the_session_another_key_and_the_one_before_opens_nothing(world, monkeypatch):
    someone = Visitor(world, BUYER)
    stolen, real = someone.client.get_cookie("session").value, clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(hours=1))
    with world.app_context():
        before = db.session.query(Session).count()
    assert someone.submit("/proof", {"proof-password": "demo"}).status_code == 302
    thief = Visitor(world)
    thief.client.set_cookie("session", stolen)
    assert someone.get("/account").status_code == 200 and thief.get("/account").status_code == 302
    with world.app_context():
        assert db.session.query(Session).count() == before


def test_sessions_are_ended_with_a_fresh_proof_alone(world, monkeypatch):
    here, there = Visitor(world, BUYER), Visitor(world, BUYER)
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(hours=1))
    assert here.submit("/account/sessions/end", {}, form="/account").status_code == 403
    assert there.get("/account").status_code == 200
    answer = here.client.post("/account/sessions/end", data={"csrf_token": here.token(), "proof-password": "demo"})
    assert answer.status_code == 302 and there.get("/account").status_code == 302
