"""A fresh proof before signing, approving and changing how one signs in; whoever gives it loses nothing."""
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from accounts import people, permissions
from core import clock
from core.audit import AuditRow
from core.database import db
from core.errors import NotProven
from licensing import offers
from licensing.approvals import policy
from licensing.approvals.policy import Policy
from licensing.models import Offer
from tests.accounts.entry import MANAGER, fields, sets_up_codes
from tests.test_pages import Visitor, text

LATER = timedelta(minutes=16)
FORM = 'class="stack after"'


@pytest.fixture
def visitor(world):
    return lambda email=None: Visitor(world, email)


@pytest.fixture
def manager(visitor):
    return visitor(MANAGER)


def waiting(world, state):
    """An offer of Harbour in a state, with its version."""
    with world.app_context():
        seller = people.viewer(people.find(MANAGER).id).organisation_id
        offer = db.session.scalars(select(Offer).where(Offer.state == state, Offer.seller_id == seller)).first()
        return offer.id, offer.number


def state_of(world, offer_id):
    with world.app_context():
        return db.session.get(Offer, offer_id).state


def approves(world, who):
    """The form of the approvals page, as it was filled in."""
    offer_id, number = waiting(world, "pending_approval")
    page = text(who.get("/approvals"))
    seen = re.findall(r'name="seen" value="([^"]+)"', page)
    return offer_id, {"action": "approve", "version": number, "note": "Good,\nand <agreed> & done", "seen": seen}


def test_whoever_just_signed_in_approves_without_being_asked(world, manager):
    offer_id, form = approves(world, manager)
    assert manager.submit(f"/approvals/{offer_id}", form, form="/approvals").status_code == 302
    assert state_of(world, offer_id) != "pending_approval"


def test_after_a_while_the_proof_is_asked_for_and_what_was_typed_goes_on_with_it(world, manager):
    offer_id, form = approves(world, manager)
    with clock.stopped_at(clock.now() + LATER):
        asked = manager.submit(f"/approvals/{offer_id}", form, form="/approvals")
        assert asked.status_code == 403 and "Is it you?" in text(asked)
        assert state_of(world, offer_id) == "pending_approval"
        kept = fields(text(asked), FORM)
        assert kept["note"].replace("\r\n", "\n") == form["note"] and kept["version"] == str(form["version"])
        wrong = manager.client.post(f"/approvals/{offer_id}", data={**kept, "proof-password": "wrong"})
        assert wrong.status_code == 403 and "That is not your password" in text(wrong)
        assert fields(text(wrong), FORM)["note"].replace("\r\n", "\n") == form["note"]
        assert state_of(world, offer_id) == "pending_approval"
        done = manager.client.post(f"/approvals/{offer_id}", data={**kept, "proof-password": "demo"})
        assert done.status_code == 302, text(done)
        assert state_of(world, offer_id) != "pending_approval"
    with world.app_context():
        failed = db.session.scalars(select(AuditRow).where(AuditRow.action == "failed to prove it")).all()
        assert [(each.who, each.after) for each in failed] == [(failed[0].who, {"by": "password"})]
        assert "wrong" not in str(vars(failed[0]))


def test_a_proof_lasts_for_what_follows_it(world, manager):
    now = clock.now() + LATER
    with clock.stopped_at(now):
        sent = manager.get("/account/codes")
        assert sent.status_code == 302 and sent.location == "/proof?next=/account/codes"
        there = manager.client.post("/proof?next=/account/codes", data={
            **fields(text(manager.get(sent.location)), FORM), "proof-password": "demo"})
        assert there.status_code == 302 and there.location == "/account/codes"
        assert manager.get("/account/codes").status_code == 200
    with clock.stopped_at(now + timedelta(minutes=14)):
        assert manager.get("/account/codes").status_code == 200
    with clock.stopped_at(now + LATER):
        for path in ("/account/codes", "/account/passkeys"):
            assert manager.get(path).status_code == 302


@pytest.mark.parametrize("action, state, email, words", [
    ("sign", "signed_one", MANAGER, "sign"), ("sign", "memo_issued", MANAGER, "sign"),
    ("approve", "pending_approval", MANAGER, "approve"),
    ("request_changes", "pending_approval", MANAGER, "ask for changes to")])
def test_the_page_of_an_offer_asks_before_it_is_signed_or_approved_and_says_what_for(world, visitor, action, state,
                                                                                     email, words):
    someone = visitor(email)
    with world.app_context():
        theirs = people.viewer(people.find(email).id).organisation_id
        offer = db.session.scalars(select(Offer).where(Offer.state == state, (
            Offer.seller_id if email == MANAGER else Offer.buyer_id) == theirs)).first()
        offer_id, number, buyer = offer.id, offer.number, offer.buyer.name
    purpose = f"To {words} offer {offer_id} with {buyer}, show once more that it is you"
    rival = visitor("agent@lotus.test")
    with clock.stopped_at(clock.now() + LATER):
        sent = {"action": action, "version": number}, f"/offers/{offer_id}"
        for more in ({}, {"proof-password": "wrong"}):
            answer = someone.submit(f"/offers/{offer_id}/steps", {**sent[0], **more}, form=sent[1])
            assert answer.status_code == 403 and "Is it you?" in text(answer) and purpose in text(answer)
            assert ("That is not your password" in text(answer)) == bool(more)
        hidden = rival.submit(f"/offers/{offer_id}/steps", sent[0], form="/account")
        assert hidden.status_code == 404 and f"offer {offer_id}" not in text(hidden) and buyer not in text(hidden)
    assert state_of(world, offer_id) == state


@pytest.mark.parametrize("door", ["/approvals/{}", "/offers/{}/steps"])
def test_no_door_leads_round_it_and_each_opens_with_a_fresh_proof(world, manager, door):
    offer_id, form = approves(world, manager)
    with clock.stopped_at(clock.now() + LATER):
        assert manager.submit(door.format(offer_id), form, form="/approvals").status_code == 403
    assert state_of(world, offer_id) == "pending_approval"
    assert manager.submit(door.format(offer_id), form, form="/approvals").status_code == 302
    assert state_of(world, offer_id) != "pending_approval"


def test_the_policy_is_set_with_a_fresh_proof_alone(world, manager):
    with clock.stopped_at(clock.now() + LATER):
        asked = manager.submit("/approvals/policy", {"exclusive": "1", "years": "3"})
        assert asked.status_code == 403
        done = manager.client.post("/approvals/policy", data={**fields(text(asked), FORM), "proof-password": "demo"})
        assert done.status_code == 302
    with world.app_context():
        viewer = people.viewer(people.find(MANAGER).id)
        assert policy.of(viewer.organisation_id).years == 3


@pytest.mark.parametrize("path, purpose", [
    ("/approvals/policy", "set the approval policy"), ("/account/address", "change how you sign in"),
    ("/account/sessions/end", "sign out elsewhere"), ("/proof", "change how you sign in")])
def test_the_proof_says_what_kind_of_act_it_is_for(manager, path, purpose):
    with clock.stopped_at(clock.now() + LATER):
        for proof in ({}, {"proof-password": "wrong"}):
            asked = manager.submit(path, proof, form="/account")
            assert asked.status_code == 403 and f"To {purpose}, show once more that it is you" in text(asked)


def test_what_is_only_looked_at_asks_for_nothing(manager):
    with clock.stopped_at(clock.now() + LATER):
        assert {manager.get(path).status_code for path in ("/approvals", "/approvals/policy", "/account")} == {200}


def test_the_domain_itself_refuses_an_old_proof(world):
    """Not only the pages: whoever carries an old proof neither signs nor approves nor sets a policy."""
    from dataclasses import replace
    offer_id, number = waiting(world, "pending_approval")
    with world.app_context():
        viewer = replace(people.viewer(people.find(MANAGER).id), proven=False)
        with pytest.raises(NotProven):
            offers.advance(offers.lock(offer_id, viewer), viewer, "approve", version=number)
        with pytest.raises(NotProven):
            policy.set_rules(viewer, Policy())
    assert {"offer.sign", "offer.approve", "policy.set"} <= permissions.PROVEN.keys()


def test_a_bearer_token_is_a_thing_of_its_own(world, caller):
    offer_id, number = waiting(world, "pending_approval")
    manager = caller(MANAGER)
    with clock.stopped_at(clock.now() + LATER):
        answer = manager.post(f"/offers/{offer_id}/steps", {"action": "approve", "version": number, "note": "Seen."})
    assert answer.status_code == 201, answer.json


def test_whoever_has_codes_proves_it_by_a_code_and_not_by_the_password(world, manager):
    app, _ = sets_up_codes(manager)
    offer_id, form = approves(world, manager)
    with clock.stopped_at(clock.now() + LATER):
        asked = manager.submit(f"/approvals/{offer_id}", form, form="/approvals")
        assert "Code of your app" in text(asked) and "proof-password" not in text(asked)
        kept = fields(text(asked), FORM)
        assert manager.client.post(f"/approvals/{offer_id}", data={
            **kept, "proof-password": "demo"}).status_code == 403
    later = manager.client.post  # a code is of the real clock
    with clock.stopped_at(clock.now() + LATER):
        refused = later(f"/approvals/{offer_id}", data={**kept, "proof-code": "000000"})
        assert refused.status_code == 403 and "not the code of this moment" in text(refused)
    assert state_of(world, offer_id) == "pending_approval"
    code = app.code()
    with clock.stopped_at(clock.now() + LATER):
        done = later(f"/approvals/{offer_id}", data={**kept, "proof-code": code})
    assert done.status_code == 302 and state_of(world, offer_id) != "pending_approval"


@pytest.mark.parametrize("onto", ["https://evil.test/", "//evil.test", "javascript:alert(1)"])
def test_a_proof_leads_nowhere_but_to_a_page_of_ours(manager, onto):
    answer = manager.client.post("/proof", query_string={"next": onto}, data={"csrf_token": manager.token()})
    assert answer.location == "/account"


def test_a_proof_without_the_token_of_its_form_proves_nothing(manager):
    with clock.stopped_at(clock.now() + LATER):
        assert manager.client.post("/proof", data={"proof-password": "demo"}).status_code == 400
        assert manager.get("/account/codes").status_code == 302
