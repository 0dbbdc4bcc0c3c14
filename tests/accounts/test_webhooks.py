"""Webhooks: each organisation is told what it may see and no more, signed, at least once, beside the others."""
import base64
import hashlib
import hmac
import json
import re
import time
from contextlib import ExitStack
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from accounts import people
from accounts.models import Membership
from accounts.notices import Notice
from accounts.permissions import Role
from accounts.webhooks import deliveries, endpoints, worker
from accounts.webhooks.models import Delivery, Endpoint, State
from accounts.webhooks.signing import Seal, Unreadable
from accounts.webhooks.worker import Crew, Sender
from catalogue import titles, webhooks
from core import clock, outbound, outbox
from core.audit import AuditRow
from core.database import db
from core.outbound import Outbound
from licensing import contracts, promises, terms
from seed import line
from tests.conftest import Caller, both
from tests.licensing import deals
from tests.licensing.deals import AGENT, BUYER, MANAGER, OTHER, RIVAL, step, title, viewer
from tests.receivers import Dripping, Receiver
from tests.test_pages import Visitor
from tests.test_pages import text as words

SEAL = Seal("a key of the tests")
NEAR = Sender(Outbound(local=True), SEAL)  # which may call this machine
URL = "https://hooks.sakura.example/in"


@pytest.fixture
def world(world):
    """The demo world, in which the rights manager, both buyers and the rival administer their organisations."""
    with world.app_context():
        for email in (MANAGER, BUYER, OTHER, RIVAL):
            membership = db.session.scalar(select(Membership).where(
                Membership.person_id == viewer(email).person_id))
            membership.roles = [*membership.roles, Role.ADMIN.value]
        db.session.commit()
    return world


def listen(email, url=URL, events=tuple(endpoints.EVENTS)):
    """(id of an endpoint, its secret)."""
    endpoint, secret = endpoints.create(viewer(email), SEAL, NEAR.outbound, url=url, events=events)
    db.session.commit()
    return endpoint.id, secret


def told(endpoint_id):
    return [json.loads(each.body)["data"] for each in db.session.scalars(
        select(Delivery).where(Delivery.webhook_id == endpoint_id).order_by(Delivery.id))]


def later(delta):
    return clock.stopped_at(clock.now() + delta)


# ------------------------------------------------------------------ who is told what

@both
def test_each_side_is_told_of_each_step_in_the_steps_own_transaction_and_of_nothing_that_is_inside_the_other(world):
    with world.app_context():
        film = title(name="Kanarienvogel")
        made = deals.drafts.create(viewer(BUYER), currency="EUR", seller_id=viewer(AGENT).organisation_id, lines=[
            {**line("JP", "svod", "2027-01-01", "2029-12-31"), "title_id": film.id, "price": 98765}])
        db.session.commit()
        heard = {email: listen(email, events=["offer.step"])[0] for email in (MANAGER, BUYER, OTHER, RIVAL)}
        by = viewer(BUYER)
        deals.offers.advance(deals.offers.lock(made.id, by), by, "submit", note="Fuerdichallein",
                             internal_note="Hoechstens")
        db.session.rollback()
        assert db.session.scalar(select(func.count()).select_from(Delivery)) == 0, "nobody is told of what was undone"
        deals.offers.advance(deals.offers.lock(made.id, by), by, "submit", note="Fuerdichallein",
                             internal_note="Hoechstens")
        for who, action in ((AGENT, "accept"), (MANAGER, "approve")):
            step(made, who, action, "Zwischenuns" if action == "approve" else None)
        db.session.commit()
        seller, buyer = told(heard[MANAGER]), told(heard[BUYER])
        assert seller == buyer and [each["action"] for each in seller][:2] == ["submit", "accept"]
        assert seller[-1]["action"] == "approve" and seller[-1]["state"] == "approved"
        assert {each["offer_id"] for each in seller} == {str(made.id)}
        assert told(heard[OTHER]) == told(heard[RIVAL]) == []
        every = "".join(db.session.scalars(select(Delivery.body)))
        for canary in ("Kanarienvogel", "98765", "Fuerdichallein", "Hoechstens", "Zwischenuns", "Sakura", "Harbour",
                       "@", "note"):
            assert canary not in every, canary
    for email in (MANAGER, BUYER):  # what it says is what the API says to this side
        shown = Caller(world, email).get(f"/offers/{seller[0]['offer_id']}").json["steps"]
        assert [(each["step_id"], each["action"], each["state"]) for each in seller] == [
            (each["id"], each["action"], each["state"]) for each in shown]


@both
def test_a_change_of_rights_is_put_down_once_and_told_to_all_who_may_see_the_title(world):
    with world.app_context():
        film, draft = title(), title()
        draft.status = "draft"
        db.session.commit()
        heard = {email: listen(email, events=["avails.changed"])[0] for email in (MANAGER, BUYER, OTHER, RIVAL)}
        twice = listen(BUYER, "https://two.example.com/", ["avails.changed", "offer.step"])[0]
        before = {topic: outbox.waiting(topic) for topic in ("avails.changed",)}["avails.changed"]
        titles.lock([film.id, draft.id])
        contracts.grant(film.organisation_id, [(each, terms.read(line("HK", "svod", "2027-01-01", None)))
                                               for each in (film, draft)],
                        licensee_id=viewer(OTHER).organisation_id, licensee_name="Nordlys", viewer=viewer(MANAGER))
        assert told(heard[BUYER]) == [] and outbox.waiting("avails.changed") - before == 2
        db.session.commit()
        webhooks.follow()
        own, public = {str(film.id), str(draft.id)}, {str(film.id)}
        for endpoint, expected in ((heard[MANAGER], own), (heard[BUYER], public), (heard[OTHER], public),
                                   (heard[RIVAL], public), (twice, public)):
            [only] = told(endpoint)
            assert set(only) == {"title_ids"} and set(only["title_ids"]) == expected
        webhooks.follow()
        assert len(told(heard[BUYER])) == 1, "once"


def test_many_who_listen_write_nothing_more_in_the_transaction_of_a_change(world):
    with world.app_context():
        film, by = title(), viewer(MANAGER)
        house = viewer(RIVAL).organisation_id
        db.session.add_all(Endpoint(organisation_id=house, url=URL, events=["avails.changed"], active=True,
                                    secret=SEAL.close("whsec_"), person_id=by.person_id, made_at=clock.now())
                           for _ in range(300))
        db.session.commit()
        titles.lock([film.id])
        contracts.grant(film.organisation_id, [(film, terms.read(line("HK", "svod", "2027-01-01", None)))],
                        licensee_id=None, licensee_name="Somebody", viewer=by)
        assert db.session.scalar(select(func.count()).select_from(Delivery)) == 0
        assert outbox.waiting("avails.changed") == 1
        db.session.commit()
        webhooks.follow()
        assert db.session.scalar(select(func.count()).select_from(Delivery)) == 300


def test_where_nobody_listens_nothing_is_put_down(world):
    with world.app_context():
        endpoint = listen(BUYER)[0]
        db.session.get(Endpoint, endpoint).active = False
        db.session.commit()
        title()
        db.session.commit()
        assert outbox.waiting("avails.changed") == outbox.waiting("title.published") == 0


def test_the_words_of_a_record_are_no_change_of_rights_and_parents_and_parts_are(world):
    with world.app_context():
        series = title("series")
        episode, beside = (title("episode", parent=series, number=each) for each in (1, 2))
        db.session.commit()
        buyer = listen(BUYER, events=["avails.changed"])[0]
        titles.revise(series, synopsis={"en": "New words."})
        db.session.commit()
        webhooks.follow()
        assert told(buyer) == []
        for changed, touched in ((episode, {episode, series}), (series, {series, episode, beside})):
            titles.lock([series.id])
            contracts.grant(series.organisation_id, [(changed, terms.read(line("HK", changed.kind == "series" and "avod"
                                                                               or "svod", "2027-01-01", None)))],
                            licensee_id=None, licensee_name="Somebody", viewer=viewer(MANAGER))
            db.session.commit()
            webhooks.follow()
            assert set(told(buyer)[-1]["title_ids"]) == {str(each.id) for each in touched}


def test_a_holdback_of_one_licensee_is_told_to_its_two_parties_alone(world):
    with world.app_context():
        film = title()
        titles.lock([film.id])
        contracts.grant(film.organisation_id, [(film, terms.read(line("JP", "svod", "2027-01-01", None)))],
                        licensee_id=viewer(BUYER).organisation_id, licensee_name="Sakura", viewer=viewer(MANAGER))
        licence = contracts.listing(viewer(MANAGER))
        licence = db.session.scalars(licence.order_by(None).order_by(text("licence.id DESC")).limit(1)).first()
        db.session.commit()
        heard = {email: listen(email, events=["avails.changed"])[0] for email in (MANAGER, BUYER, OTHER)}
        titles.lock([film.id])
        made = promises.hold_back(film, terms.read(line("JP", "avod", "2027-01-01", None)), hard=True, binds="licensee",
                                  licence_id=licence.id)
        promises.end_holdback(made, clock.today() + timedelta(days=9))
        db.session.commit()
        webhooks.follow()
        assert told(heard[MANAGER]) == told(heard[BUYER]) == [{"title_ids": [str(film.id)]}] * 2
        assert told(heard[OTHER]) == []


def test_a_title_is_told_of_when_it_is_published_and_not_before(world):
    with world.app_context():
        buyer, own = listen(BUYER, events=["title.published"])[0], listen(MANAGER, events=["title.published"])[0]
        house = viewer(AGENT).organisation_id
        draft = titles.create(house, kind="film", original_title="Draft", status="draft")
        there = titles.create(house, kind="film", original_title="There", status="published")
        db.session.commit()
        webhooks.follow()
        assert told(buyer) == told(own) == [{"title_ids": [str(there.id)]}]
        titles.revise(draft, status="published")
        titles.revise(draft, year=2026)
        db.session.commit()
        webhooks.follow()
        assert told(buyer)[1:] == [{"title_ids": [str(draft.id)]}]


# ------------------------------------------------------------------ sending

def verified(secret, headers, body) -> bool:
    """As https://www.standardwebhooks.com says, in words of our own."""
    said = f"{headers['Webhook-Id']}.{headers['Webhook-Timestamp']}.{body}".encode()
    mac = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), said, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(mac).decode()}" in headers["Webhook-Signature"].split()


def canonical(headers):
    return {"-".join(part.capitalize() for part in name.split("-")): value for name, value in headers.items()}


@both
def test_a_delivery_is_signed_tried_again_later_each_time_under_one_id_and_ends_when_it_is_taken(world):
    with world.app_context(), Receiver((500, "Not now\x00", {}), (302, "", {"Location": "/x"})) as receiver:
        endpoint_id, secret = listen(BUYER, receiver.url)
        began = clock.now()
        with clock.stopped_at(began):
            deliveries.put(endpoint_id, "offer.step", {"offer_id": "1", "word": "海霧"})
            db.session.commit()
            assert worker.deliver(NEAR) == 0
            one = db.session.scalar(select(Delivery))
            assert (one.state, one.attempts, one.status, one.answer) == ("waiting", 1, 500, "Not now")
        for seconds, tried in ((1.9, 1), (2, 2), (5.9, 2)):  # later each time
            with clock.stopped_at(began + timedelta(seconds=seconds)):
                assert worker.deliver(NEAR) == 0 and len(receiver.got) == tried
        assert one.status == 302 and "redirect" in one.answer and one.attempts == 2
        with clock.stopped_at(began + timedelta(seconds=6)):
            assert worker.deliver(NEAR) == 1 and worker.deliver(NEAR) == 0
        assert (one.state, one.attempts, one.status) == ("sent", 3, 204)
        heads, bodies = [canonical(each[1]) for each in receiver.got], {each[2] for each in receiver.got}
        assert len(bodies) == 1 and {each["Webhook-Id"] for each in heads} == {one.key} == {one.key.strip()}
        assert len({each["Webhook-Timestamp"] for each in heads}) == 3
        body = bodies.pop()
        assert all(verified(secret, each, body) for each in heads)
        assert not verified(secret, {**heads[0], "Webhook-Timestamp": "1"}, body)
        assert not verified(secret, heads[0], body.replace("1", "2"))
        assert json.loads(body)["type"] == "offer.step" and json.loads(body)["data"]["word"] == "海霧"
        assert heads[0]["Content-Type"] == "application/json"


def test_the_signature_is_that_of_the_standard():
    """The example of the specification's own libraries."""
    from accounts.webhooks import signing
    assert signing.signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                             '{"test": 2432232314}') == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_for_a_day_after_a_new_secret_both_sign(world):
    with world.app_context(), Receiver() as receiver:
        endpoint_id, first = listen(BUYER, receiver.url)
        second = endpoints.renew_secret(db.session.get(Endpoint, endpoint_id), SEAL)
        deliveries.put(endpoint_id, "test", {})
        db.session.commit()
        worker.deliver(NEAR)
        with later(timedelta(hours=25)):
            deliveries.put(endpoint_id, "test", {})
            db.session.commit()
            worker.deliver(NEAR)
        (_, early, body), (_, late, after) = receiver.got
        assert first != second and all(verified(each, canonical(early), body) for each in (first, second))
        assert verified(second, canonical(late), after) and not verified(first, canonical(late), after)
        assert len(late["webhook-signature"].split()) == 1


def test_secrets_are_kept_encrypted_and_another_key_says_so(world):
    with world.app_context():
        endpoint_id, secret = listen(BUYER)
        kept = db.session.get(Endpoint, endpoint_id).secret
        assert secret.startswith("whsec_") and secret[6:20] not in kept and SEAL.open(kept) == secret
        with pytest.raises(Unreadable):
            Seal("another").open(kept)
        deliveries.put(endpoint_id, "test", {})
        db.session.commit()
        worker.deliver(Sender(Outbound(), Seal("another")))
        assert "Make a new one" in db.session.scalar(select(Delivery)).answer
        assert secret not in json.dumps([[row.before, row.after] for row in db.session.scalars(select(AuditRow))])


def test_nothing_leads_inside_without_the_setting_of_developers(world):
    with world.app_context(), Receiver() as inside:
        endpoint_id, _ = listen(BUYER, inside.url)
        deliveries.put(endpoint_id, "test", {})
        db.session.commit()
        assert worker.deliver(Sender(Outbound(ports=[inside.port]), SEAL)) == 0
        assert inside.got == [] and "https" in db.session.scalar(select(Delivery)).answer
    assert not world.extensions["webhooks"].outbound.local


def test_one_that_is_never_taken_holds_up_no_other_of_the_same_receiver(world):
    with world.app_context(), Receiver((500, "", {})) as receiver:
        endpoint_id, _ = listen(BUYER, receiver.url)
        began = clock.now()
        with clock.stopped_at(began):
            for place in range(3):
                deliveries.put(endpoint_id, "test", {"place": place})
                db.session.commit()
            worker.deliver(NEAR)
            assert len(receiver.got) == 1, "a receiver that fails is given a moment"
        with clock.stopped_at(began + timedelta(seconds=2)):
            while worker.deliver(NEAR):
                pass
        assert [json.loads(body)["data"]["place"] for _, _, body in receiver.got] == [0, 1, 2, 0]


def test_a_receiver_that_fails_for_days_is_switched_off_and_its_administrator_is_told(world):
    with world.app_context(), Receiver(*[(503, "gone", {})] * 200) as receiver:
        endpoint_id, _ = listen(BUYER, receiver.url)
        deliveries.put(endpoint_id, "offer.step", {})
        db.session.commit()
        tries, began = 0, clock.now()
        for hour in range(0, 80):
            with clock.stopped_at(began + timedelta(hours=hour)):
                worker.deliver(NEAR)
                endpoint = db.session.get(Endpoint, endpoint_id)
                if not endpoint.active:
                    break
                tries += 1
        assert hour == 72 and tries == 72 and "took nothing since" in endpoint.why_off
        assert db.session.scalar(select(Delivery.state)) == State.GIVEN_UP
        [notice] = db.session.scalars(select(Notice).where(Notice.kind == "webhooks"))
        assert notice.person.email == BUYER and notice.path == f"/webhooks/{endpoint_id}"
        deliveries.tell([viewer(BUYER).organisation_id], "offer.step", {})
        assert db.session.scalar(select(func.count()).select_from(Delivery)) == 1, "one that is off is told nothing"
        receiver.answers.clear()
        endpoints.revise(endpoint, NEAR.outbound, active=True)
        deliveries.send_again(db.session.scalar(select(Delivery)))
        db.session.commit()
        assert worker.deliver(NEAR) == 1 and endpoint.failing_since is None
        deliveries.send_again(db.session.scalar(select(Delivery)))
        db.session.commit()
        assert worker.deliver(NEAR) == 1 and len({each[1]["webhook-id"] for each in receiver.got}) == 1


def until(true, seconds=15):
    stop = time.monotonic() + seconds
    while not true() and time.monotonic() < stop:
        time.sleep(0.02)
    return true()


def test_receivers_that_answer_a_byte_at_a_time_hold_up_nobody_elses_deliveries(world, monkeypatch):
    monkeypatch.setattr(outbound, "ALL_SECONDS", 120)
    with world.app_context(), ExitStack() as stack:
        slow = stack.enter_context(Dripping())
        good = stack.enter_context(Receiver())
        for _ in range(4):
            endpoint_id, _ = listen(RIVAL, slow.url, ["offer.step"])
            deliveries.put(endpoint_id, "test", {})
        theirs, _ = listen(BUYER, good.url)
        for _ in range(5):
            deliveries.put(theirs, "test", {})
        db.session.commit()
        crew = Crew(NEAR, world.app_context)
        while len(good.got) < 5:
            crew.turn()  # which waits for nobody
            time.sleep(0.05)
        assert until(lambda: slow.taken == worker.OF_ONE)
        crew.turn()
        assert slow.taken == len(crew._busy.keys() - {theirs}) == worker.OF_ONE, "few of one organisation"
        db.session.rollback()
        db.session.add(Notice(person_id=1, organisation_id=1, kind="offers", subject="", path="/", body={}, bell=True,
                              at=clock.now()))
        db.session.commit()  # no transaction is open while somebody is called: SQLite's one writer is free
        stack.close()
        assert until(lambda: not crew._busy)


def test_what_is_a_month_old_is_forgotten_and_what_waits_is_not(world):
    with world.app_context():
        endpoint_id, _ = listen(BUYER)
        for state in State:
            deliveries.put(endpoint_id, "test", {}).state = state.value
        db.session.commit()
        with later(timedelta(days=31)):
            deliveries.sweep()
        assert db.session.scalars(select(Delivery.state)).all() == ["waiting"]


# ------------------------------------------------------------------ the API and the pages

def test_over_the_api_a_webhook_is_named_revised_made_anew_tried_and_removed(world):
    admin = Caller(world, BUYER)
    made = admin.post("/webhooks", {"url": URL, "events": ["offer.step"]})
    assert made.status_code == 201 and made.json["secret"].startswith("whsec_") and made.json["active"]
    path = f"/webhooks/{made.json['id']}"
    shown = admin.get(path)
    assert "secret" not in shown.json and "secret" not in admin.get("/webhooks").json[0]
    assert admin.patch(path, {"active": False}).status_code == 428
    assert admin.patch(path, {"active": False}, If_Match='"99"').status_code == 412
    revised = admin.patch(path, {"events": ["title.published", "offer.step"]}, If_Match=shown.headers["ETag"])
    assert revised.json["events"] == ["offer.step", "title.published"]
    renewed = admin.post(f"{path}/secret")
    assert renewed.status_code == 201 and renewed.json["secret"] != made.json["secret"]
    assert admin.post(f"{path}/tests").status_code == 201
    [delivery] = admin.get(f"{path}/deliveries").json
    assert delivery["event"] == "test" and delivery["state"] == "waiting"
    assert admin.get(f"{path}/deliveries?state=sent").json == []
    assert admin.post(f"/deliveries/{delivery['id']}/again").status_code == 202
    assert admin.patch(path, {"active": False}, If_Match="*").json["active"] is False
    assert admin.post(f"{path}/tests").status_code == 409
    assert admin.post(f"/deliveries/{delivery['id']}/again").status_code == 409
    for url in ("http://hooks.example.com/", "https://127.0.0.1/", "https://a:b@hooks.example.com/", "x"):
        wrong = admin.post("/webhooks", {"url": url, "events": ["offer.step"]})
        assert wrong.status_code == 422 and "url" in wrong.json["errors"], url
    assert admin.post("/webhooks", {"url": URL, "events": ["gossip"]}).status_code == 422
    assert admin.post("/webhooks", {"url": URL, "events": []}).status_code == 422
    for _ in range(endpoints.MOST - 1):
        assert admin.post("/webhooks", {"url": URL, "events": ["offer.step"]}).status_code == 201
    assert admin.post("/webhooks", {"url": URL, "events": ["offer.step"]}).status_code == 409
    assert admin.delete(path).status_code == 204 and admin.get(path).status_code == 404
    with world.app_context():
        noted = db.session.scalars(select(AuditRow.action).where(AuditRow.subject == "webhook").order_by(
            AuditRow.id)).all()
        assert noted[:4] == ["created", "changed", "secret made anew", "changed"] and noted[-1] == "removed"


def test_another_organisations_webhook_is_not_there_and_who_does_not_administer_may_not(world):
    admin = Caller(world, BUYER)
    path = f"/webhooks/{admin.post('/webhooks', {'url': URL, 'events': ['offer.step']}).json['id']}"
    delivery = f"/deliveries/{admin.post(f'{path}/tests').json['id']}/again"
    other, agent = Caller(world, OTHER), Caller(world, AGENT)
    for method, each in (("GET", path), ("PATCH", path), ("DELETE", path), ("POST", f"{path}/secret"),
                         ("POST", f"{path}/tests"), ("GET", f"{path}/deliveries"), ("POST", delivery)):
        assert other.call(method, each, {}, If_Match="*").status_code == 404, each
        assert agent.call(method, each, {}, If_Match="*").status_code == 403, each
    assert other.get("/webhooks").json == []
    visitor = Visitor(world, OTHER)
    for each in (path, f"{path}/secret", f"{path}/tests", f"{path}/removal", delivery):
        assert visitor.submit(each, {"url": URL, "events": "offer.step"}, form="/account").status_code == 404, each
    assert visitor.get(path).status_code == 404 and URL not in words(visitor.get("/webhooks"))
    assert "/webhooks" not in words(Visitor(world, AGENT).get("/account"))


def test_on_the_pages_the_secret_is_shown_once_and_an_answer_is_shown_harmless(world):
    admin = Visitor(world, BUYER)
    assert "/webhooks" in words(admin.get("/account"))
    wrong = admin.submit("/webhooks", {"url": "https://10.0.0.1/", "events": ["offer.step"]})
    assert wrong.status_code == 422 and "not a public one" in words(wrong) and "https://10.0.0.1/" in words(wrong)
    made = admin.submit("/webhooks", {"url": URL, "events": ["offer.step", "avails.changed"]})
    assert made.status_code == 201 and "whsec_" in words(made)
    with world.app_context():
        endpoint = db.session.scalar(select(Endpoint))
        path = f"/webhooks/{endpoint.id}"
        delivery = deliveries.put(endpoint.id, "offer.step", {})
        delivery.state, delivery.answer, delivery.status = "given_up", "<script>alert(1)</script>", 500
        delivery.tried_at = clock.now()
        db.session.commit()
        again = f"/deliveries/{delivery.id}/again"
    page = words(admin.get(path))
    assert "whsec_" not in page and "&lt;script&gt;" in page and "<script>alert" not in page and "given up" in page
    assert admin.submit(again, {}, form=path).status_code == 302 and "given up" not in words(admin.get(path))
    assert "whsec_" in words(admin.submit(f"{path}/secret", {}, form=path))
    assert admin.submit(f"{path}/tests", {}, form=path).status_code == 302
    assert admin.submit(path, {"url": "ftp://x/", "events": ["offer.step"]}).status_code == 422
    assert admin.submit(path, {"url": URL, "events": ["offer.step"]}).status_code == 302
    with world.app_context():
        assert not db.session.scalar(select(Endpoint.active)), "the box was not ticked"
        assert people.viewer(people.find(BUYER).id).organisation_id == db.session.scalar(select(
            Endpoint.organisation_id))
    assert "Send a test" not in words(admin.get(path))
    assert admin.submit(f"{path}/removal", {}, form=path).status_code == 302
    assert admin.get(path).status_code == 404


def test_a_webhook_changed_meanwhile_is_not_replaced_unread(world):
    first, second = Visitor(world, BUYER), Visitor(world, BUYER)
    first.submit("/webhooks", {"url": URL, "events": ["offer.step"]})
    with world.app_context():
        path = f"/webhooks/{db.session.scalar(select(Endpoint.id))}"
    opened = re.search(r'name="revision" value="(\d+)"', words(second.get(path)))[1]
    said = {"events": ["offer.step"], "active": "1"}
    assert first.submit(path, {**said, "url": f"{URL}/new", "revision": opened}).status_code == 302
    refused = second.submit(path, {**said, "url": f"{URL}/old", "revision": opened})
    assert refused.status_code == 412 and "A colleague changed this webhook" in words(refused)
    assert f'value="{URL}/new"' in words(refused) and f"{URL}/old" not in words(first.get(path))


def test_who_may_see_a_title_from_now_on_is_told_and_nobody_of_a_suspended_house(world):
    with world.app_context():
        listen(BUYER, events=["title.published"])
        film = title(name="Wider")
        db.session.commit()
        assert endpoints.listened("title.published")
        people.organisation(viewer(BUYER).organisation_id).suspended_at = clock.now()
        db.session.flush()
        assert not endpoints.listened("title.published") and not endpoints.listening("title.published"), film.id
