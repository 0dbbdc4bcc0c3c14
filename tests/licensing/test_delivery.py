"""The list of materials of a signed deal: what the signature opens, what each side may do, who may have what."""
import secrets
from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import delete, event, select

from accounts import people
from accounts.notices import Notice
from accounts.permissions import Role
from core import clock
from core.database import db
from core.errors import Conflict, NotAllowed, Refusal
from core.storage import probe
from licensing import contracts, offers
from licensing.delivery import items, lists
from licensing.delivery.models import FILES, Kind, Material
from licensing.delivery.states import ACTIONS, RULES, State
from licensing.models import Licence, Offer
from licensing.workflow import Side
from media.models import Asset
from media.models import State as AssetState
from search import worker
from tests.conftest import Caller, both
from tests.licensing.deals import AGENT, BUYER, MANAGER, OPERATOR, OTHER, RIVAL, agreed, signed, step, title, viewer
from tests.race.test_order_of_locks import on_postgresql, waiting_for_us
from tests.stores import Serving


def listed(offer_id):
    return db.session.scalars(select(Material).where(Material.offer_id == offer_id).order_by(Material.id)).all()


def found(offer_id, title_id):
    return {(item.kind, item.language, item.state) for item in listed(offer_id) if item.title_id == title_id}


def file(title_id, kind, language=None, state=AssetState.READY):
    """A row of a file that is ready; its bytes are another test's."""
    made = Asset(title_id=title_id, person_id=viewer(AGENT).person_id, kind=FILES[Kind(kind)].value, state=state.value,
                 key=secrets.token_hex(16), filename=f"{kind}.bin", type="video/mp4", size=9, sha256="0" * 64,
                 language=language, created_at=clock.now(), changed_at=clock.now())
    db.session.add(made)
    db.session.flush()
    return made


def take(email, item_id, action, **more):
    by = viewer(email)
    return items.advance(*items.lock(item_id, by), by, action, **more)


def deliver(item, email=AGENT):
    """Deliver a new file for an item. Returns the file's id."""
    asset = file(item.title_id, item.kind, item.language)
    take(email, item.id, "deliver", asset_id=asset.id)
    return asset.id


# ------------------------------------------------------------------ what the signature opens

def test_a_signature_opens_what_the_lines_call_for(world):
    with world.app_context():
        film, doc = title(), title(name="Ebbe", language="fr")
        offer = signed((film, "ja,fr:dub,de:sub"), (doc, "ja:sub,fr:original"))
        both_have = {("master", None, "ordered"), ("art", None, "ordered"), ("chain_of_title", None, "ordered")}
        assert found(offer, film.id) == both_have | {
            ("music_and_effects", None, "ordered"), ("dub", "ja", "ordered"), ("dub", "fr-FR", "ordered"),
            ("dub", "fr-CA", "ordered"), ("subtitles", "ja", "ordered"), ("subtitles", "de", "ordered")}
        assert found(offer, doc.id) == both_have | {("subtitles", "ja", "ordered")}, "no dub: no music and effects"
        assert all(len(item.steps) == 1 and item.steps[0].side == Side.SYSTEM for item in listed(offer))


def test_the_other_side_is_told_of_files_once_until_it_looks_and_of_a_reason_each_time(world):
    with world.app_context():
        film = title()
        offer = signed((film, "ja"))
        db.session.execute(delete(Notice))

        def told(email):
            return [(each.subject, each.path, each.body["said"][1:]) for each in db.session.scalars(
                select(Notice).where(Notice.person_id == viewer(email).person_id, Notice.kind == "materials")
                .order_by(Notice.id))]

        master, art = (next(each for each in listed(offer) if each.kind == kind) for kind in ("master", "art"))
        deliver(master)
        deliver(art)
        page = f"/offers/{offer}/materials"
        assert told(BUYER) == [("Harbour Pictures delivered: Master of 海霧", page, [])], "once, until it is seen"
        assert told(AGENT) == told(MANAGER) == told(OTHER) == told(RIVAL) == []
        take(BUYER, master.id, "reject", note="No sound on the left.")
        assert told(AGENT) == told(MANAGER) == [
            ("Sakura TV rejected: Master of 海霧", f"/materials/{master.id}", ["“No sound on the left.”"])]
        deliver(master)
        assert len(told(BUYER)) == 2, "whoever takes a step has seen the list"
        master.answer_by = clock.today() - timedelta(days=1)
        db.session.flush()
        items.tick(master.id)
        assert told(AGENT)[-1][:2] == told(BUYER)[-1][:2] == (
            "Accepted without an answer: Master of 海霧", f"/materials/{master.id}")


def test_where_every_language_is_licensed_the_licensee_names_them_later(world):
    with world.app_context():
        film = title()
        offer = signed((film, "*"))
        dub, sub = (next(item for item in listed(offer) if item.kind == kind) for kind in ("dub", "subtitles"))
        assert (dub.state, dub.language, sub.state) == ("open", None, "open")
        take(BUYER, dub.id, "name", tags=["ja", "de"])
        assert {each for each in found(offer, film.id) if each[0] == "dub"} == {
            ("dub", "ja", "ordered"), ("dub", "de", "ordered")}
        with pytest.raises(Conflict, match="on the list already"):
            by = viewer(AGENT)
            items.add(lists.lock(offer, by), by, title_id=film.id, kind="dub", language="de")
        many = signed((title(name="Many"), ",".join(f"{tag}:sub" for tag in (
            "aa", "ab", "af", "ak", "am", "an", "ar", "as", "av", "ay", "az", "ba", "be"))))
        assert ("subtitles", None, "open") in {(i.kind, i.language, i.state) for i in listed(many)}


def test_a_language_that_is_not_licensed_is_not_named(world, caller):
    with world.app_context():
        offer = signed((title(), ",".join(f"{tag}:dub" for tag in (
            "aa", "ab", "af", "ak", "am", "an", "ar", "as", "av", "ay", "az", "ba", "be"))))
        dub = next(item.id for item in listed(offer) if item.kind == "dub")
    for named, why in ((["fr-FR"], "does not license"), (["xx"], "language"), ([], "Name one language")):
        refused = caller(BUYER).post(f"/materials/{dub}/steps", {"action": "name", "languages": named})
        assert refused.status_code == 422 and why in str(refused.json["errors"])
    assert caller(BUYER).post(f"/materials/{dub}/steps", {"action": "name", "languages": ["be"]}).status_code == 201


def test_the_title_is_not_dubbed_into_its_own_language(world):
    with world.app_context():
        film = title(language="ja")
        offer = signed((film, "ja"))
        assert not [item for item in listed(offer) if item.kind in ("dub", "music_and_effects")]


def test_a_series_is_delivered_episode_by_episode(world):
    with world.app_context():
        series = title("series", "連續劇")
        episodes = [title("episode", f"第{number}集", parent=series, number=number) for number in (1, 2)]
        offer = signed((series, "ja:sub"))
        assert found(offer, series.id) == {("art", None, "ordered"), ("chain_of_title", None, "ordered")}
        for each in episodes:
            assert found(offer, each.id) == {("master", None, "ordered"), ("subtitles", "ja", "ordered")}


@both
def test_signature_licences_and_list_are_one_transaction(fresh, monkeypatch):
    """Where the process dies while the list is written, nothing was signed; the next signature does all of it."""
    app = fresh(seeded=True)

    class Died(BaseException):
        pass

    with app.app_context():
        offer = agreed((title(), "ja"))
        db.session.commit()
        begun = lists.order

        def die(offer, side, viewer, title_id, kind, *rest):
            if kind is Kind.ART:
                db.session.flush()
                raise Died
            return begun(offer, side, viewer, title_id, kind, *rest)
        monkeypatch.setattr(lists, "order", die)
        with pytest.raises(Died):
            step(offer, MANAGER, "sign")
        db.session.remove()
        offer = db.session.get(Offer, offer.id)
        assert offer.state == "signed_one" and not listed(offer.id) and not offers.licences(offer)
        monkeypatch.undo()
        step(offer, MANAGER, "sign")
        db.session.commit()
        assert offer.state == "signed" and len(listed(offer.id)) == 6 and offers.licences(offer)


# ------------------------------------------------------------------ states, actions, parties

def test_every_step_does_what_the_table_says(world):
    """The whole product of state, action and side: done where a row says so, else NotAllowed or Conflict."""
    with world.app_context():
        film = title()
        item_id = next(item.id for item in listed(signed((film, "ja:dub"))) if item.kind == "music_and_effects")
        asset = file(film.id, "music_and_effects").id
        db.session.commit()
        for (side, email), state, action in product(((Side.SELLER, AGENT), (Side.BUYER, BUYER)), State, ACTIONS):
            if action == "name":  # of items with a language alone, shown above
                continue
            by = viewer(email)
            deal, item = items.lock(item_id, by)
            item.state, item.asset, item.due_on = state.value, db.session.get(Asset, asset), None
            item.answer_by, item.qc_days = clock.today() + timedelta(days=3), 14
            db.session.flush()
            rule = RULES.get((state, action, side))
            others = any(each[:2] == (state, action) for each in RULES)
            assert (action in deal.actions(item, by)) == bool(rule), (state, action, side)
            days = {"qc_days": 20 if side is Side.SELLER else 13} if action == "set_dates" else {}
            try:
                done = items.advance(deal, item, by, action, note="Because.", asset_id=asset, **days).to_state
            except Refusal as refusal:
                done = type(refusal)
            assert done == (rule.to if rule else NotAllowed if others else Conflict), (state, action, side)
            assert item.state == (rule.to if rule else state)
            db.session.rollback()


def test_the_history_says_who_when_what_and_why(world, caller):
    with world.app_context():
        offer = signed((title(), "ja:sub"))
        item = listed(offer)[0]
        deliver(item)
        db.session.commit()
        item_id, second = item.id, file(item.title_id, "master").id
        db.session.commit()
    silent = caller(BUYER).post(f"/materials/{item_id}/steps", {"action": "reject"})
    assert silent.status_code == 422 and "Say why" in silent.json["errors"]["note"][0]
    for who, body in ((BUYER, {"action": "reject", "note": "Reel 3 is out of sync."}),
                      (AGENT, {"action": "deliver", "asset_id": str(second), "note": "A new reel 3."}),
                      (BUYER, {"action": "accept"})):
        assert caller(who).post(f"/materials/{item_id}/steps", body).status_code == 201
    told = caller(AGENT).get(f"/materials/{item_id}").json
    assert [(each["side"], each["action"], each["state"], each["note"]) for each in told["steps"]] == [
        ("system", "order", "ordered", None), ("seller", "deliver", "delivered", None),
        ("buyer", "reject", "rejected", "Reel 3 is out of sync."), ("seller", "deliver", "delivered", "A new reel 3."),
        ("buyer", "accept", "accepted", None)]
    assert all(each["at"] for each in told["steps"]) and told["steps"][2]["by"] and told["steps"][2]["filename"]


def test_items_are_added_and_left_out_by_agreement(world, caller):
    with world.app_context():
        film = title()
        offer = signed((film, "ja:sub"))
        wanted = {"title_id": str(film.id), "kind": "subtitles", "language": "de", "due_on": "2999-01-01"}
        master = listed(offer)[0].id
        other = title(name="Another")
        db.session.commit()
        other = str(other.id)
    assert caller(AGENT).post(f"/offers/{offer}/materials", wanted).json["state"] == "ordered"
    assert caller(AGENT).post(f"/offers/{offer}/materials", wanted).status_code == 409
    asked = caller(BUYER).post(f"/offers/{offer}/materials", {**wanted, "language": "fr-FR", "note": "For Belgium."})
    assert (asked.status_code, asked.json["state"], asked.json["steps"][0]["note"]) == (201, "asked", "For Belgium.")

    def go(who, item, action, **more):
        answer = caller(who).post(f"/materials/{item}/steps", {"action": action, **more})
        assert answer.status_code == 201, answer.json
        return answer.json["state"]

    assert go(AGENT, asked.json["id"], "agree") == "ordered"
    assert go(AGENT, master, "ask_to_drop", note="They have it from the festival.") == "dropping"
    assert go(BUYER, master, "decline", note="That one is HD.") == "ordered"
    assert go(AGENT, master, "ask_to_drop", note="The new one comes as an extra.") == "dropping"
    assert go(BUYER, master, "agree") == "dropped"
    for changed, field in (({"title_id": other}, "title_id"), ({"language": None}, "language"),
                           ({"kind": "master"}, "language"), ({"language": "fr"}, "language"),
                           ({"language": "zz"}, "language"), ({"due_on": "2020-01-01", "language": "ko"}, "due_on")):
        refused = caller(BUYER).post(f"/offers/{offer}/materials", {**wanted, **changed})
        assert refused.status_code == 422 and field in refused.json["errors"], (changed, refused.json)


def test_dates_are_changed_alone_only_by_whom_they_burden(world, caller):
    with world.app_context():
        item = listed(signed((title(), "ja:sub")))[0].id
    tell = [(BUYER, {"due_on": "2999-06-30"}, 403), (AGENT, {"due_on": "2999-06-30"}, 201),
            (AGENT, {"due_on": "2999-07-30"}, 403), (BUYER, {"due_on": "2999-07-30"}, 201),
            (BUYER, {"due_on": "2999-05-30"}, 403), (AGENT, {"qc_days": 10}, 403), (AGENT, {"qc_days": 21}, 201),
            (BUYER, {"qc_days": 30}, 403), (BUYER, {"qc_days": 10}, 201), (BUYER, {"qc_days": 10}, 422),
            (AGENT, {}, 422), (AGENT, {"due_on": "2020-01-01"}, 422)]
    for who, said, status in tell:
        assert caller(who).post(f"/materials/{item}/steps", {"action": "set_dates", **said}).status_code == status, said
    told = caller(AGENT).get(f"/materials/{item}").json
    assert (told["due_on"], told["qc_days"]) == ("2999-07-30", 10)
    assert told["steps"][1]["note"] == "Due 30 Jun 2999."


def test_only_a_ready_file_of_the_title_its_kind_and_language_is_delivered(world, caller):
    with world.app_context():
        film, other = title(), title(name="Another")
        dub = next(item for item in listed(signed((film, "ja:dub"))) if item.kind == "dub").id
        wrong = [file(other.id, "dub", "ja"), file(film.id, "master"), file(film.id, "dub", "de"),
                 file(film.id, "dub", "ja", AssetState.CHECKING), file(film.id, "dub", "ja", AssetState.DELETED)]
        theirs = db.session.scalar(select(Offer.id).where(Offer.seller_id == viewer(RIVAL).organisation_id))
        assert theirs is None, "the demo's deals are all Harbour's"
        wrong, right = [str(each.id) for each in wrong], str(file(film.id, "dub", "ja").id)
        db.session.commit()
    for each in (*wrong, None, "99999"):
        refused = caller(AGENT).post(f"/materials/{dub}/steps", {"action": "deliver", "asset_id": each})
        assert refused.status_code == 422 and "asset_id" in refused.json["errors"], each
    assert caller(AGENT).post(f"/materials/{dub}/steps", {"action": "deliver", "asset_id": right}).status_code == 201


# ------------------------------------------------------------------ the window, by the clock

def test_silence_is_acceptance_by_the_clock(world, caller):
    with world.app_context():
        offer = signed((title(), "ja:sub"))
        item = listed(offer)[0]
        deliver(item)
        db.session.commit()
        item_id, last = item.id, clock.today() + timedelta(days=14)
        noon = clock.now()
    told = caller(BUYER).get(f"/materials/{item_id}").json
    assert (told["state"], told["answer_by"], told["unanswered"]) == ("delivered", last.isoformat(), False)
    with clock.stopped_at(noon + timedelta(days=14)), world.app_context():
        assert items.due() == [] and "reject" in caller(BUYER).get(f"/materials/{item_id}").json["actions"]
    with clock.stopped_at(noon + timedelta(days=15)):
        told = caller(BUYER).get(f"/materials/{item_id}").json
        assert (told["state"], told["unanswered"], told["actions"]) == ("accepted", True, []), "also before the worker"
        late = caller(BUYER).post(f"/materials/{item_id}/steps", {"action": "reject", "note": "Late."})
        assert late.status_code == 409 and "accepted" in late.json["detail"]
        with world.app_context():
            assert items.due() == [item_id]
            worker.turn(world.extensions["index"])
            assert items.due() == []
        told = caller(AGENT).get(f"/materials/{item_id}").json
        assert (told["state"], told["unanswered"]) == ("accepted", True)
        assert told["steps"][-1]["side"] == "system" and told["steps"][-1]["note"].startswith("No answer by ")


def test_a_new_file_begins_the_window_anew_and_more_days_lengthen_it(world, caller):
    with world.app_context():
        item = listed(signed((title(), "ja:sub")))[0]
        deliver(item)
        item_id, noon, first = item.id, clock.now(), clock.today()
        with clock.stopped_at(noon + timedelta(days=5)):
            deliver(item)
            take(AGENT, item_id, "set_dates", qc_days=20)
        db.session.commit()
        assert db.session.get(Material, item_id).answer_by == first + timedelta(days=25)


def test_silence_accepts_nothing_that_was_deleted_or_whose_licence_had_ended(world):
    with world.app_context():
        first, second = signed((title(), "ja:sub")), signed((title(name="Two"), "ja:sub"))
        gone, over = listed(first)[0], listed(second)[0]
        db.session.get(Asset, deliver(gone)).state = AssetState.DELETED.value
        deliver(over)
        offer = db.session.get(Offer, second)
        step(offer, MANAGER, "terminate", note="Unpaid.")
        db.session.commit()
        with clock.stopped_at(clock.now() + timedelta(days=15)):
            assert items.due() == []
            deals = [lists.find(each.id, viewer(BUYER)) for each in (gone, over)]
            assert [deal.state(item) for deal, item in deals] == ["delivered", "delivered"]


# ------------------------------------------------------------------ who may have what

@pytest.fixture
def delivered(world):
    """A deal over two titles, the first until 2027, with all of each state: (offer, {state: item id}, asset ids)."""
    with world.app_context():
        one, two = title(), title(name="Two")
        offer = signed((one, "ja,de:sub", "2027-12-31"), (two, "ja:sub", "2029-12-31"))
        by_state, assets = {}, []
        for item, state in zip([each for each in listed(offer) if each.title_id == one.id], (
                State.ORDERED, State.DELIVERED, State.ACCEPTED, State.REJECTED), strict=False):
            if state is not State.ORDERED:
                assets.append(deliver(item))
            if state in (State.ACCEPTED, State.REJECTED):
                take(BUYER, item.id, {"accepted": "accept", "rejected": "reject"}[state], note="Thus.")
            by_state[state] = item.id
        later = next(item for item in listed(offer) if item.title_id == two.id)
        assets.append(deliver(later))
        take(BUYER, later.id, "accept")
        by_state["later"] = later.id
        db.session.commit()
        return offer, by_state, assets


def statuses(caller, email, by_state):
    return {state: caller(email).get(f"/materials/{item}/url").status_code for state, item in by_state.items()}


def test_the_licensee_has_what_was_delivered_and_accepted_also_before_the_licence_begins(delivered, caller):
    _, by_state, _ = delivered
    assert clock.today().year < 2027
    assert statuses(caller, BUYER, by_state) == {
        "ordered": 404, "delivered": 200, "accepted": 200, "rejected": 409, "later": 200}
    assert statuses(caller, AGENT, by_state) == {
        "ordered": 404, "delivered": 200, "accepted": 200, "rejected": 200, "later": 200}


def test_after_the_last_day_of_a_title_its_files_go_to_nobody_any_more(delivered, world):
    def caller(email):
        return Caller(world, email)  # with a new token each time: none lasts for the years between the days below

    _, by_state, _ = delivered
    day = clock.now().replace(year=2027, month=12, day=31)
    with clock.stopped_at(day):
        assert statuses(caller, BUYER, by_state)["accepted"] == 200, "the last day is included"
    with clock.stopped_at(day + timedelta(days=1)):
        assert statuses(caller, BUYER, by_state) == {
            "ordered": 404, "delivered": 403, "accepted": 403, "rejected": 403, "later": 200}
        assert statuses(caller, AGENT, by_state)["accepted"] == 200, "the licensor's own file stays its own"
    with clock.stopped_at(day.replace(year=2030)):
        assert statuses(caller, BUYER, by_state)["later"] == 403
        assert caller(BUYER).get(f"/materials/{by_state['later']}").json["actions"] == []
        step = caller(AGENT).post(f"/materials/{by_state['ordered']}/steps", {"action": "ask_to_drop", "note": "Over."})
        assert step.status_code == 409 and "closed" in step.json["detail"]


@pytest.mark.parametrize("how", ["terminate", "licence", "later"])
def test_a_terminated_deal_lets_nothing_go(delivered, caller, world, how):
    offer, by_state, _ = delivered
    if how == "terminate":
        body = {"action": how, "note": "Unpaid."}
        assert caller(MANAGER).post(f"/offers/{offer}/steps", body).status_code == 201
    else:
        with world.app_context():
            licence = db.session.scalar(select(Licence).where(Licence.offer_id == offer))
            contracts.terminate(licence, clock.today() + timedelta(days=5 if how == "later" else 0), "Unpaid.")
            db.session.commit()
    if how == "later":  # from a day on: until then it counts
        with clock.stopped_at(clock.now() + timedelta(days=5)):
            assert set(statuses(caller, BUYER, by_state).values()) == {403, 404}
        return
    assert statuses(caller, BUYER, by_state) == {
        "ordered": 404, "delivered": 403, "accepted": 403, "rejected": 403, "later": 403}
    assert caller(BUYER).get(f"/offers/{offer}/materials").status_code == 200, "its history stays readable"


def test_nobody_else_learns_that_there_is_a_list(delivered, caller, world):
    offer, by_state, assets = delivered
    with world.app_context():
        unsigned = agreed((title(name="Three"), "ja")).id
        db.session.commit()
        for email, house in (("materials@sakura.test", BUYER), ("sign@sakura.test", BUYER),
                             ("materials@harbour.test", AGENT), ("materials@nordlys.test", OTHER)):
            person = people.enrol(email, "Somebody", None)
            people.join(person, people.organisation(viewer(house).organisation_id),
                        [Role.MATERIALS if email.startswith("materials") else Role.SIGNATORY])
        db.session.commit()
    item = by_state[State.DELIVERED]
    reads = (f"/offers/{offer}/materials", f"/materials/{item}", f"/materials/{item}/url")
    for email, status in ((BUYER, 200), ("materials@sakura.test", 200), (AGENT, 200), (MANAGER, 200),
                          ("materials@harbour.test", 200), (OTHER, 404), ("materials@nordlys.test", 404),
                          (RIVAL, 404), (OPERATOR, 403), ("sign@sakura.test", 403), (None, 401)):
        who = Caller(world, email)
        assert [who.get(path).status_code for path in reads] == [status] * 3, email
        posts = [who.post(f"/materials/{item}/steps", {"action": "accept"}),
                 who.post(f"/offers/{offer}/materials", {"title_id": "1", "kind": "master"})]
        if status != 200:
            assert [each.status_code for each in posts] == [status] * 2, email
            assert who.get(f"/offers/{unsigned}/materials").status_code == status
        if email and "sakura" in email:  # by the item alone, and never another file of the seller
            assert {who.get(f"/assets/{each}/url").status_code for each in assets} == {404}
    assert caller(AGENT).get(f"/offers/{unsigned}/materials").status_code == 404, "nothing was signed"


def test_the_role_materials_delivers_and_answers_but_negotiates_nothing(world):
    with world.app_context():
        film = title()
        offer = signed((film, "ja:sub"))
        for email, house in (("m@harbour.test", AGENT), ("m@sakura.test", BUYER)):
            people.join(people.enrol(email, "Somebody", None), people.organisation(viewer(house).organisation_id),
                        [Role.MATERIALS])
        item = listed(offer)[0]
        deliver(item, "m@harbour.test")
        take("m@sakura.test", item.id, "accept")
        db.session.commit()
        seller, buyer = Caller(world, "m@harbour.test"), Caller(world, "m@sakura.test")
        title_id = film.id
    assert seller.post(f"/titles/{title_id}/assets", {
        "kind": "art", "filename": "a.zip", "content_type": "application/zip", "size": 9}).status_code == 201
    for who in (seller, buyer):
        assert who.get(f"/offers/{offer}").json["actions"] == []
        assert who.post("/offers", {"seller": "1", "currency": "EUR", "lines": []}).status_code in (403, 422)


def test_a_downloaded_file_is_the_one_that_was_delivered_and_its_address_opens_nothing_else(world):
    """From signature to bytes over HTTP: what is uploaded, checked and delivered is what the licensee fetches."""
    from tests.media.files import SOUND, sha256
    from tests.media.test_assets import Studio
    from tests.stores import Place
    with Serving(world) as serving:
        studio = Studio(world, Place(world.extensions["store"], serving.base))
        with world.app_context():
            film = title()
            offer = signed((film, "ja:dub"))
            dub = next(item.id for item in listed(offer) if item.kind == "dub")
            title_id = film.id
        told = studio(AGENT).post(f"/titles/{title_id}/assets", {
            "kind": "audio", "filename": "日本語 5.1.wav", "content_type": "audio/wav", "size": len(SOUND),
            "sha256": sha256(SOUND), "language": "ja"}).json
        assert studio.post(told["upload"], SOUND).status in (200, 204)
        asset = told["asset"]["id"]
        early = studio(AGENT).post(f"/materials/{dub}/steps", {"action": "deliver", "asset_id": asset})
        assert early.status_code == 422, "not before it is checked"
        studio(AGENT).post(f"/assets/{asset}/completion", {})
        studio.work()
        assert studio(AGENT).post(f"/materials/{dub}/steps", {
            "action": "deliver", "asset_id": asset}).status_code == 201
        told = studio(BUYER).get(f"/materials/{dub}/url").json
        answer = studio.place.ask("GET", studio.reached(told["url"]))
        assert answer.status == 200 and answer.body == SOUND
        assert "attachment" in answer.headers["content-disposition"]
        path = studio.reached(told["url"])
        for broken in (path.replace("/original", "/other"), path[:-1] + ("0" if path[-1] != "0" else "1")):
            assert probe.ask("GET", broken, None, None).status in (403, 404)
        with clock.stopped_at(clock.now() + timedelta(minutes=6)):
            assert probe.ask("GET", path, None, None).status == 403, "five minutes"


# ------------------------------------------------------------------ two at once, many at once

@on_postgresql
def test_two_who_answer_at_once_find_one_answer(fresh, backend):
    """The second waits for the first, and finds the world as that one left it."""
    app = fresh(seeded=True)
    with app.app_context():
        item = listed(signed((title(), "ja:sub")))[0]
        deliver(item)
        db.session.commit()
        item_id = item.id
        take(BUYER, item_id, "accept")

        def other():
            try:
                return take(BUYER, item_id, "reject", note="No.").to_state
            except Conflict as refusal:
                return refusal.detail

        with waiting_for_us(app, other) as said:
            db.session.commit()
        assert said == ["An item that is accepted cannot take the step reject."]


def test_a_list_is_read_in_as_many_queries_whatever_its_length(world):
    with world.app_context():
        short = signed((title(), "ja:sub"))
        series = title("series", "連續劇")
        for number in range(12):
            title("episode", f"第{number}集", parent=series, number=number)
        long = signed((series, "ja,de,fr:sub"))
        deliver(listed(long)[0])
        db.session.commit()
        engine, counts = db.engine, []
        assert len(listed(long)) > 60
        for offer in (short, long):
            db.session.expire_all()
            by, said = viewer(BUYER), []
            listen = lambda *args, said=said: said.append(args[2])  # noqa: E731
            event.listen(engine, "before_cursor_execute", listen)
            deal = lists.get(offer, by)
            for _, some in lists.by_title(deal, 1, 20)[0]:
                for item in some:
                    assert deal.actions(item, by) is not None and item.steps[0].side and item.title.names
            event.remove(engine, "before_cursor_execute", listen)
            counts.append(len(said))
            db.session.remove()
        assert counts[1] <= counts[0] + 2 <= 16, counts
