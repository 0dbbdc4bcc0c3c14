"""Codes of an app and recovery codes: asked for once they are set up, taken once, kept encrypted."""
import json
from datetime import timedelta

import pytest
from cryptography.fernet import InvalidToken
from sqlalchemy import select

from accounts.security import factors
from core import clock
from core.audit import AuditRow
from core.database import db
from tests.accounts.authenticator import Authenticator
from tests.accounts.entry import AGENT, BUYER, letters, person, sets_up_codes
from tests.conftest import both
from tests.test_pages import Visitor, text


@pytest.fixture
def visitor(world):
    return lambda email=None: Visitor(world, email)


@pytest.fixture
def buyer(visitor):
    """(the buyer's app, their recovery codes) once codes are set up."""
    return sets_up_codes(visitor(BUYER))


def password(visitor):
    """Someone whose password was right."""
    someone = visitor()
    answer = someone.submit("/sign-in", {"email": BUYER, "password": "demo"})
    assert answer.status_code == 302 and answer.location.startswith("/sign-in/code")
    assert someone.get("/account").status_code == 302, "not in yet"
    return someone


def test_whoever_set_up_codes_needs_one_to_sign_in(visitor, buyer):
    app, _ = buyer
    someone = password(visitor)
    assert someone.submit("/sign-in/code", {"code": "000000"}).status_code == 200
    assert someone.get("/account").status_code == 302
    assert someone.submit("/sign-in/code", {"code": app.code()}).status_code == 302
    assert someone.get("/account").status_code == 200


def test_a_code_is_taken_once(visitor, buyer):
    app, _ = buyer
    code = app.code()
    assert password(visitor).submit("/sign-in/code", {"code": code}).status_code == 302
    other = password(visitor)
    assert other.submit("/sign-in/code", {"code": code}).status_code == 200
    assert other.get("/account").status_code == 302


def test_whoever_is_in_and_comes_back_to_a_page_of_signing_in_stays_in(visitor, buyer):
    app, _ = buyer
    someone = password(visitor)
    someone.submit("/sign-in/code", {"code": app.code()})
    for each in (someone, visitor(AGENT)):
        token = each.token()
        assert each.get("/sign-in/code").location == each.get("/sign-in/second").location == "/"
        assert each.client.post("/sign-in/code", data={"code": "000000", "csrf_token": token}).location == "/"
        assert each.get("/account").status_code == 200


def test_a_recovery_code_opens_once_and_is_the_way_for_a_lost_phone(visitor, buyer):
    _, codes = buyer
    assert len(set(codes)) == factors.CODES
    someone = password(visitor)
    assert someone.get("/sign-in/lost").location == "/sign-in/recovery-code"
    assert someone.submit("/sign-in/recovery-code", {"code": codes[3].upper() + " "}).status_code == 302
    assert someone.get("/account").status_code == 200 and f"{factors.CODES - 1} left" in text(someone.get("/account"))
    other = password(visitor)
    assert other.submit("/sign-in/recovery-code", {"code": codes[3]}).status_code == 200
    assert other.get("/account").status_code == 302


def test_without_the_password_no_code_opens_anything(visitor, buyer):
    app, codes = buyer
    for path, code in (("/sign-in/code", app.code()), ("/sign-in/recovery-code", codes[0])):
        someone = visitor()
        token = someone.token("/sign-in")
        assert someone.client.post(path, data={"code": code, "csrf_token": token}).location == "/sign-in"
        assert someone.get("/account").status_code == 302


def test_codes_begin_when_the_first_is_right_and_a_wrong_one_shows_the_same_picture(visitor):
    someone = visitor(BUYER)
    page = text(someone.get("/account/codes"))
    key, state = page.split('<code class="key">')[1].split("<")[0], page.split('name="state" value="')[1].split('"')[0]
    wrong = someone.submit("/account/codes", {"code": "000000", "state": state})
    assert wrong.status_code == 422 and key in text(wrong)
    assert visitor().submit("/sign-in", {"email": BUYER, "password": "demo"}).location == "/"


def test_a_picture_of_somebody_else_sets_up_nothing(visitor, world):
    page = text(visitor(AGENT).get("/account/codes"))
    state = page.split('name="state" value="')[1].split('"')[0]
    answer = visitor(BUYER).submit("/account/codes", {"code": "000000", "state": state})
    assert answer.status_code == 422 and "took too long" in text(answer)
    assert visitor(BUYER).submit("/account/codes", {"code": "000000", "state": "forged"}).status_code == 422


def test_secrets_are_encrypted_and_stand_in_no_audit_and_no_letter(world, visitor, buyer):
    app, codes = buyer
    with world.app_context():
        kept = person(BUYER)
        assert app.totp.base32_key not in kept.tf_totp_secret and '"enckey"' in kept.tf_totp_secret
        assert not set(codes) & set(kept.mf_recovery_codes) and len(kept.mf_recovery_codes) == factors.CODES
        noted = str([vars(each) for each in db.session.scalars(select(AuditRow))])
        assert not [each for each in (*codes, kept.tf_totp_secret, *kept.mf_recovery_codes) if each in noted]
    sent = letters(world)
    assert [each["Subject"] for each in sent] == ["Your way of signing in was changed"]
    assert not [code for code in codes if code in sent[0].as_string()]


def test_a_secret_that_was_changed_in_the_database_makes_no_code(world, buyer):
    with world.test_request_context():
        kept, factory = person(BUYER).tf_totp_secret, factors._security().totp_factory
        assert factory.generate_totp_password(kept)
        sealed = json.loads(kept)["enckey"]["sealed"]
        for place in (20, len(sealed) // 2, len(sealed) - 5):
            other = sealed[:place] + ("A" if sealed[place] != "A" else "B") + sealed[place + 1:]
            with pytest.raises(InvalidToken):
                factory.generate_totp_password(kept.replace(sealed, other))


def test_a_wrong_code_is_noted(world, visitor, buyer):
    password(visitor).submit("/sign-in/code", {"code": "123456"})
    with world.app_context():
        row = db.session.scalars(select(AuditRow).order_by(AuditRow.id.desc())).first()
        assert (row.action, row.subject_id, row.after) == ("failed to sign in", person(BUYER).id, {"by": "code"})


def test_codes_can_be_given_up_and_recovery_codes_made_anew(visitor, buyer):
    app, codes = buyer
    someone = password(visitor)
    someone.submit("/sign-in/code", {"code": app.code()})
    made = text(someone.submit("/account/recovery-codes", {}, form="/account"))
    assert "shown this once" in made and not [code for code in codes if code in made]
    assert password(visitor).submit("/sign-in/recovery-code", {"code": codes[0]}).status_code == 200
    assert someone.submit("/account/codes/removal", {}, form="/account").status_code == 302
    assert visitor().submit("/sign-in", {"email": BUYER, "password": "demo"}).location == "/"


@both
def test_the_last_code_that_was_taken_is_locked_while_it_is_compared(world):
    """Two requests with one code, at once: the second waits for the first, and finds the code used."""
    with world.app_context():
        buyer = person(BUYER)
        secret = factors._security().totp_factory.generate_totp_secret()
        buyer.tf_totp_secret, buyer.tf_primary_method = secret, factors.METHOD
        db.session.commit()
        code = factors._security().totp_factory.generate_totp_password(secret)
        statements = []
        from sqlalchemy import event
        event.listen(db.engine, "before_cursor_execute", lambda c, cu, statement, *_: statements.append(statement))
        assert factors.code_proves(buyer, code) and not factors.code_proves(buyer, code)
        db.session.commit()
        assert not factors.code_proves(buyer, code)
        if db.engine.dialect.name == "postgresql":
            assert any("FOR UPDATE" in each for each in statements)


def test_a_code_of_another_time_is_no_code(visitor, buyer):
    app, _ = buyer
    with clock.stopped_at(clock.now() + timedelta(minutes=5)):
        late = app.code()
    assert password(visitor).submit("/sign-in/code", {"code": late}).status_code == 200


def test_whoever_lost_everything_is_let_in_by_an_operator_and_told(world, visitor, buyer):
    someone, runner = password(visitor), world.test_cli_runner()
    assert someone.submit("/sign-in/code", {"code": buyer[0].code(1)}).status_code == 302
    assert someone.get("/account").status_code == 200
    Authenticator(world, BUYER, "first")
    letters(world)
    assert runner.invoke(args=["reset-factors", BUYER]).exit_code == 2, "without a reason it is not done"
    unknown = runner.invoke(args=["reset-factors", "nobody@nowhere.test", "--why", "Asked"])
    assert unknown.exit_code == 1 and "nobody with the address" in unknown.output
    done = runner.invoke(args=["reset-factors", BUYER, "--why", "Rang up; called back at their office"])
    assert done.exit_code == 0, done.output
    assert someone.get("/account").status_code == 302, "who was in is out"
    anew = visitor()
    assert anew.submit("/sign-in", {"email": BUYER, "password": "demo"}).status_code == 302
    page = text(anew.get("/account"))
    assert anew.get("/account").status_code == 200 and "A key" not in page
    [letter] = letters(world)
    assert letter["To"].addresses[0].addr_spec == BUYER and letter["Subject"] == "Your second factors were removed"
    with world.app_context():
        noted = db.session.scalars(select(AuditRow).where(AuditRow.action == "reset second factors")).one()
        assert noted.after == {"why": "Rang up; called back at their office"} and noted.organisation_id
        assert noted.before["codes"] is True and noted.before["recovery codes"] == 10
        assert len(noted.before["passkeys"]) == 1 and person(BUYER).webauthn == []
        assert person(BUYER).mf_recovery_codes is None and person(BUYER).tf_totp_secret is None
