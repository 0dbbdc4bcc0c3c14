"""The pages of a deal's materials, without script: each side's buttons, refusals, and nothing for anybody else."""
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from core import clock
from core.database import db
from licensing.delivery import lists
from licensing.delivery.models import Material
from licensing.delivery.states import State
from media.models import Asset
from tests.licensing.deals import AGENT, BUYER, MANAGER, OPERATOR, OTHER, signed, title, viewer
from tests.licensing.test_delivery import deliver, file, listed
from tests.test_pages import Visitor, text


@pytest.fixture
def deal(world):
    """(offer, {kind: item id}) of a deal whose master is delivered and whose dubs are to be named."""
    with world.app_context():
        film = title()
        offer = signed((film, "*"))
        by_kind = {item.kind: item.id for item in listed(offer)}
        deliver(db.session.get(Material, by_kind["master"]))
        db.session.commit()
    return offer, by_kind


@pytest.fixture
def visit(world):
    known = {}

    def come(email):
        if email not in known:
            known[email] = Visitor(world, email)
        return known[email]
    return come


def test_both_sides_find_the_list_from_the_offer_each_with_their_buttons(deal, visit):
    offer, items = deal
    for email, mine, theirs in ((AGENT, "Replace Master", "Accept Master"), (BUYER, "Accept Master", "Replace Master")):
        assert f'href="/offers/{offer}/materials">Materials</a>' in text(visit(email).get(f"/offers/{offer}"))
        page = text(visit(email).get(f"/offers/{offer}/materials"))
        assert mine in page and theirs not in page
        assert "languages to be named" in page and "delivered" in page
        assert ("Name languages" in page) == (email == BUYER)
        for each in items.values():
            drawn = text(visit(email).get(f"/materials/{each}"))
            assert not re.search(r'\sstyle="|<script>|\son\w+="', drawn)
    assert "accepted on " in text(visit(BUYER).get(f"/offers/{offer}/materials"))


def test_every_button_drawn_is_a_step_that_is_possible(deal, visit, world):
    _, items = deal
    for state in State:
        with world.app_context():
            item = db.session.get(Material, items["dub"])
            item.state, item.answer_by = state.value, clock.today() + timedelta(days=3)
            item.asset = item.asset or file(item.title_id, item.kind)
            db.session.commit()
        for email in (AGENT, BUYER):
            page = text(visit(email).get(f"/materials/{items['dub']}"))
            drawn = set(re.findall(r'name="action" value="(\w+)"', page))
            with world.app_context():
                by = viewer(email)
                found, item = lists.find(items["dub"], by)
                assert drawn == set(found.actions(item, by)), (state, email)


def test_a_step_is_taken_and_what_is_wrong_is_named(deal, visit):
    offer, items = deal
    buyer, agent = visit(BUYER), visit(AGENT)
    master, dub = f"/materials/{items['master']}", f"/materials/{items['dub']}"
    wrong = buyer.submit(f"{master}/steps", {"action": "reject", "note": " "}, form=master)
    assert wrong.status_code == 422 and "Say why" in text(wrong)
    assert buyer.submit(f"{master}/steps", {"action": "accept"}, form=master).status_code == 302
    late = buyer.submit(f"{master}/steps", {"action": "reject", "note": "No."}, form="/account")
    assert late.status_code == 409 and "accepted" in text(late)
    wrong = buyer.submit(f"{dub}/steps", {"action": "name", "languages": "Klingon"}, form=dub)
    assert wrong.status_code == 422 and "Klingon" in text(wrong)
    assert buyer.submit(f"{dub}/steps", {"action": "name", "languages": "Japanese, de"}, form=dub).status_code == 302
    page = text(agent.get(f"/offers/{offer}/materials"))
    assert "Dub, Japanese" in page and "Dub, German" in page
    wrong = agent.submit(f"{dub}/steps", {"action": "set_dates", "qc_days": "soon"}, form=dub)
    assert wrong.status_code == 422 and "qc days" in text(wrong)
    assert agent.submit(f"{dub}/steps", {"action": "set_dates", "due_on": "2999-01-01", "qc_days": "14"},
                        form=dub).status_code == 302
    assert "1 Jan 2999" in text(buyer.get(dub))


def test_an_item_more_is_asked_for_and_a_wrong_form_comes_back(deal, visit, world):
    offer, _ = deal
    path = f"/offers/{offer}/materials"
    with world.app_context():
        film = db.session.scalar(select(Material.title_id).where(Material.offer_id == offer))
    wrong = visit(BUYER).submit(path, {"title_id": str(film), "kind": "dub", "language": ""}, form=path)
    assert wrong.status_code == 422 and "Say the language" in text(wrong)
    assert visit(BUYER).submit(path, {"title_id": str(film), "kind": "art", "note": "Layers"}).status_code == 302
    assert "asked for" in text(visit(AGENT).get(path)) and "Layers" in text(visit(AGENT).get(path))


def test_the_file_is_fetched_from_the_store_by_a_short_address(deal, visit):
    _, items = deal
    sent = visit(BUYER).get(f"/materials/{items['master']}/file")
    assert sent.status_code == 302 and "/stored/kept/" in sent.location and "signature=" in sent.location
    assert sent.headers["Cache-Control"] == "no-store"
    assert visit(BUYER).get(f"/materials/{items['art']}/file").status_code == 404


def test_nobody_else_sees_a_page_or_announces_a_file(deal, visit, world):
    offer, items = deal
    item = items["art"]
    for email, status in ((OTHER, 404), ("agent@lotus.test", 404), (OPERATOR, 403)):
        who = visit(email)
        for path in (f"/offers/{offer}/materials", f"/materials/{item}", f"/materials/{items['master']}/file"):
            assert who.get(path).status_code == status, (email, path)
        assert who.submit(f"/materials/{item}/steps", {"action": "accept"}, form="/account").status_code == status
    body = {"filename": "art.zip", "content_type": "application/zip", "size": 9, "kind": "screener", "language": "ja"}
    for email, status in ((AGENT, 201), (MANAGER, 201), (BUYER, 403), ("agent@lotus.test", 404)):
        who = visit(email)
        answer = who.client.post(f"/materials/{item}/files", json=body, headers={
            "X-CSRFToken": who.token(), "Accept": "application/json"})
        assert answer.status_code == status, email
    with world.app_context():
        last = db.session.scalars(select(Asset).order_by(Asset.id.desc())).first()
        assert (last.kind, last.language) == ("art", None), "kind and language are the item's"
