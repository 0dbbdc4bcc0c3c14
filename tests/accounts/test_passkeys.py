"""What a passkey signed opens once: whoever overhears the answer comes too late, also within its minute."""
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import func, select

from accounts.challenges import KEPT_FOR, Challenge
from accounts.sessions import Session
from core import clock
from core.audit import AuditRow
from core.database import db
from tests.accounts.authenticator import ORIGIN, Authenticator
from tests.accounts.entry import BUYER, MANAGER, fields
from tests.conftest import both
from tests.test_pages import Visitor, text


def asked(someone):
    """(where the answer goes, the page that asks for it) of somebody at the door."""
    page = text(someone.submit("/sign-in/passkey", {}))
    return re.search(r'action="(/sign-in/passkey/[^"]+)"', page)[1], page


def send(someone, path, answer):
    """From the origin that the passkey saw."""
    return someone.client.post(path, base_url=ORIGIN, data={
        "credential": answer, "csrf_token": someone.token("/sign-in/passkey")})


def is_in(someone):
    return someone.get("/account").status_code == 200


@both
def test_an_answer_at_the_door_opens_once(world):
    key, someone, thief = Authenticator(world, BUYER, "first"), Visitor(world), Visitor(world)
    path, page = asked(someone)
    answer = key.answer(page)
    assert send(someone, path, answer).status_code == 302 and is_in(someone)
    refused = send(thief, path, answer)
    assert refused.location.startswith("/sign-in/passkey?failed=yes") and not is_in(thief)
    again, page = asked(thief)
    assert send(thief, again, answer).location.startswith("/sign-in/passkey?failed=yes"), "signed for another question"
    assert send(thief, again, key.answer(page)).status_code == 302 and is_in(thief), "anew it is as good as ever"
    with world.app_context():
        noted = db.session.scalars(select(AuditRow.after).where(AuditRow.action == "failed to sign in")).all()
    assert {"by": "passkey"} in noted


@both
def test_of_two_who_send_it_at_once_one_is_in(world):
    key, people = Authenticator(world, BUYER, "first"), [Visitor(world) for _ in range(4)]
    path, page = asked(people[0])
    answer = key.answer(page)
    for each in people:
        each.token("/sign-in/passkey")
    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(lambda each: send(each, path, answer), people))
    assert [is_in(each) for each in people].count(True) == 1
    with world.app_context():
        assert db.session.scalar(select(func.count()).select_from(Session)) == 1


def test_a_proof_is_taken_once(world):
    manager = Visitor(world, MANAGER)
    key = Authenticator(world, MANAGER, "secondary")
    with clock.stopped_at(clock.now() + timedelta(minutes=16)):
        asked_for = manager.submit("/approvals/policy", {"years": "3"}, form="/approvals/policy")
        page = text(asked_for)
        kept, answer = fields(page, 'class="stack"'), key.answer(page)
        proof = {**kept, "proof-passkey": answer}
        assert asked_for.status_code == 403 and kept["proof-state"]
        assert manager.client.post("/approvals/policy", base_url=ORIGIN, data=proof).status_code == 302
    with clock.stopped_at(clock.now() + timedelta(minutes=16, seconds=1)):
        with manager.client.session_transaction() as session:
            session["fs_paa"] = 0  # another session of the same person, which proved nothing
        refused = manager.client.post("/approvals/policy", base_url=ORIGIN, data=proof)
        assert refused.status_code == 403 and "The passkey did not prove it" in text(refused)


def test_what_cannot_be_answered_any_more_is_forgotten(world):
    key = Authenticator(world, BUYER, "first")
    for hours in (0, 2):
        someone = Visitor(world)
        with clock.stopped_at(clock.now() + hours * KEPT_FOR):
            path, page = asked(someone)
            assert send(someone, path, key.answer(page)).status_code == 302
    with world.app_context():
        assert db.session.scalar(select(func.count()).select_from(Challenge)) == 1
