"""Two people change the same record: the second reads what changed before theirs replaces it."""
import re

import pytest

from core.database import db
from licensing import drafts
from licensing.models import Offer
from seed import line
from tests.conftest import Caller
from tests.licensing.deals import AGENT, BUYER, MANAGER, title, viewer
from tests.test_pages import Visitor, text


@pytest.fixture
def draft(world):
    with world.app_context():
        film = title(name="Ebbe")
        offer = drafts.create(viewer(BUYER), currency="USD", seller_id=viewer(AGENT).organisation_id,
                              lines=[{**line("JP", "pay_tv", "2027-01-01", "2029-12-31"), "title_id": film.id}])
        db.session.commit()
        return offer.id, {"lines-0-title_id": str(film.id), "lines-0-territories": "JP", "lines-0-media": "pay_tv",
                          "lines-0-languages": "*", "lines-0-exclusive": "true", "lines-0-starts_on": "2027-01-01",
                          "lines-0-ends_on": "2029-12-31", "currency": "USD", "action": "save"}


def revision(page):
    return re.search(r'name="revision" value="(\w+)"', text(page))[1]


def price(world, offer_id):
    with world.app_context():
        return db.session.get(Offer, offer_id).current.lines[0].price


def test_a_draft_changed_meanwhile_is_not_replaced_before_its_sender_reads_what_it_says_now(world, draft):
    offer, fields = draft
    first, second = Visitor(world, BUYER), Visitor(world, BUYER)
    opened = revision(second.get(f"/offers/{offer}"))
    sent = {**fields, "revision": revision(first.get(f"/offers/{offer}")), "lines-0-price": "500"}
    assert first.submit(f"/offers/{offer}/draft", sent, form="/account").status_code == 302
    late = {**fields, "revision": opened, "lines-0-price": "400"}
    refused = second.submit(f"/offers/{offer}/draft", late, form="/account")
    assert refused.status_code == 412 and price(world, offer) == 500
    assert "A colleague changed this draft" in text(refused) and "is now 500." in text(refused)
    assert 'value="400"' in text(refused), "what was typed is kept"
    again = second.submit(f"/offers/{offer}/draft", {**late, "revision": revision(refused)}, form="/account")
    assert again.status_code == 302 and price(world, offer) == 400


def test_a_policy_set_meanwhile_is_read_before_it_is_replaced(world):
    first, second = Visitor(world, MANAGER), Visitor(world, MANAGER)
    opened = revision(second.get("/approvals/policy"))
    assert first.submit("/approvals/policy", {"years": "3", "revision": opened}).status_code == 302
    refused = second.submit("/approvals/policy", {"exclusive": "1", "revision": opened})
    assert refused.status_code == 412 and "more than 3 years" in text(refused)
    assert second.submit("/approvals/policy", {"exclusive": "1", "revision": revision(refused)}).status_code == 302


def test_a_draft_is_thrown_away_only_as_it_was_read_where_that_is_said(world, draft):
    offer, _ = draft
    buyer = Caller(world, BUYER)
    assert buyer.delete(f"/offers/{offer}", If_Match='"999"').status_code == 412
    assert buyer.delete(f"/offers/{offer}", If_Match=buyer.get(f"/offers/{offer}").headers["ETag"]).status_code == 204


# ------------------------------------------------------------------ forms over records that keep no revision

def test_a_brief_corrected_meanwhile_is_read_before_it_is_corrected_again(world):
    first, second = Visitor(world, AGENT), Visitor(world, MANAGER)
    path = first.submit("/briefs", {"text": "Drama series, SVOD, Japan, 2027 to 2028"}).location
    opened = revision(second.get(path))
    said = {"territories": "HK", "media": "svod", "languages": "*", "starts_on": "2027-01-01",
            "ends_on": "2028-12-31", "q": "tide"}
    assert first.submit(path, {**said, "revision": revision(first.get(path))}).status_code == 302
    late = {**said, "territories": "TW", "q": "salt", "revision": opened}
    refused = second.submit(path, late)
    assert refused.status_code == 412 and "A colleague corrected this brief" in text(refused)
    assert "“tide”" in text(refused) and 'value="salt"' in text(refused), "theirs to be read, ours as it was typed"
    assert "“tide”" in text(first.get(path))
    assert second.submit(path, {**late, "revision": revision(refused)}).status_code == 302
    assert "“salt”" in text(first.get(path))


def test_who_sees_a_title_is_not_replaced_unread(world):
    with world.app_context():
        path = f"/titles/{title(name='Ebbe').id}/audience"
        db.session.commit()
    first, second = Visitor(world, AGENT), Visitor(world, MANAGER)
    opened = revision(second.get(path))
    assert first.submit(path, {"who": "own", "revision": opened}).status_code == 302
    refused = second.submit(path, {"who": "public", "revision": opened})
    assert refused.status_code == 412 and "A colleague changed who sees this title" in text(refused)
    assert 'value="public" checked' in text(refused) and 'value="own" checked' in text(first.get(path))
    assert second.submit(path, {"who": "public", "revision": revision(refused)}).status_code == 302
