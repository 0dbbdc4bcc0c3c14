"""Whoever sends letters about accounts or calls receivers is killed at any moment: nothing is lost, what goes out twice
is the same or says that it is, and what stands in the last letter works."""
import json
import random
from collections import Counter, defaultdict

import pytest
from sqlalchemy import delete, select

from accounts import invitations, mailings, people, post
from accounts.mailings import Mailing
from accounts.models import Invitation
from accounts.webhooks import deliveries, endpoints, worker
from accounts.webhooks.models import Delivery
from accounts.webhooks.worker import Sender
from core import outbox
from core.database import db
from core.outbound import Outbound
from tests.accounts.entry import BUYER, SITE, letters, link_in
from tests.accounts.kills import mortal as mortal
from tests.conftest import both
from tests.licensing.deals import viewer
from tests.receivers import Receiver
from tests.scale import at
from tests.test_pages import Visitor, text

DICE = random.Random(11)
KILLS = at(ci=4, long=50)


@pytest.fixture
def world(world):
    """The demo world, of which all letters were sent."""
    with world.app_context():
        db.session.execute(delete(outbox.OutboxRow).where(outbox.OutboxRow.topic.in_([*post.TOPICS, mailings.TOPIC])))
        db.session.commit()
    return world


def moments(most):
    """When to kill: in as many parts of what takes `most` moments at one place each, and once never."""
    size = most / KILLS
    return [*(1 + int(size * part + DICE.random() * size) for part in range(KILLS)), 10 * most]


@both
def test_an_invitation_reaches_whoever_it_is_for_though_its_senders_are_killed_and_the_last_link_opens(world, mortal):
    killed, found = [], {}
    for number, moment in enumerate(moments(20)):
        address = f"new{number}@sakura.test"
        with world.app_context():
            invitations.offer(people.organisation(viewer(BUYER).organisation_id), address, ["buyer"])
            db.session.commit()
        killed.append(mortal("post", moment))
        with world.app_context():
            post.deliver(world.extensions["mailer"], SITE)
            assert outbox.waiting(invitations.TOPIC) == 0, moment
        sent = [each for each in letters(world) if each["To"].addresses[0].addr_spec == address]
        assert 1 <= len(sent) <= 2 and len({each["Message-ID"] for each in sent}) == len(sent), moment
        opening = [link for link in map(link_in, sent) if "Sakura TV" in text(Visitor(world).get(link))]
        assert len(opening) == 1, moment
        found[address] = len(sent)
    assert sum(killed) >= len(killed) / 2 and not killed[-1]
    with world.app_context():
        kept = db.session.scalars(select(Invitation.email).where(Invitation.email.in_(found))).all()
        assert sorted(kept) == sorted(found)


@both
def test_a_letter_about_an_account_goes_out_though_its_senders_are_killed_and_is_one_letter(world, mortal):
    killed = []
    for moment in moments(16):
        with world.app_context():
            for kind in ("recovery", "factor_changed"):
                mailings.put(kind, people.find(BUYER))
            db.session.commit()
        killed.append(mortal("account post", moment))
        sent = letters(world)
        assert Counter(each["Subject"] for each in sent) == {
            "Set a new password": 1, "Your way of signing in was changed": 1}, moment
        link = next(link_in(each) for each in sent if each["Subject"] == "Set a new password")
        assert "New password" in text(Visitor(world).get(link)), moment
        with world.app_context():
            assert outbox.waiting(mailings.TOPIC) == 0 and db.session.scalars(select(Mailing)).all() == []
    assert sum(killed) >= len(killed) / 2 and not killed[-1]


@both
def test_receivers_are_told_of_everything_at_least_once_though_who_calls_is_killed(world, mortal):
    killed, told = [], defaultdict(int)
    with world.app_context(), Receiver() as receiver:
        sender = Sender(Outbound(local=True), world.extensions["webhooks"].seal)
        endpoint, _ = endpoints.create(viewer(BUYER), sender.seal, sender.outbound, url=receiver.url,
                                       events=["offer.step"])
        endpoint_id = endpoint.id
        db.session.commit()
        for moment in moments(24):
            said = {deliveries.put(endpoint_id, "offer.step", {"number": number}).key for number in range(3)}
            db.session.commit()
            killed.append(mortal("webhooks", moment))
            worker.deliver(sender)
            bodies = defaultdict(set)
            for _, headers, body in receiver.got:
                key = {name.lower(): value for name, value in headers.items()}["webhook-id"]
                told[key] += 1
                bodies[key].add(body)
            receiver.got.clear()
            assert bodies.keys() == said, moment
            assert all(len(each) == 1 for each in bodies.values()), "the same under the same id"
            assert {json.loads(*each)["data"]["number"] for each in bodies.values()} == {0, 1, 2}
            db.session.expire_all()
            assert set(db.session.scalars(select(Delivery.state).where(Delivery.key.in_(said)))) == {"sent"}, moment
    assert sum(killed) >= len(killed) / 2 and not killed[-1]
    assert max(told.values()) <= 2 and len(told) == 3 * len(killed)
