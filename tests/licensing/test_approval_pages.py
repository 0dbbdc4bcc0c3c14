"""The pages of approval and of first words, without script: what stands there, what they do, what they refuse."""
import re

import pytest

from core.database import db
from licensing import promises, terms
from licensing.models import Offer
from search import worker
from seed import line
from tests.conftest import Caller
from tests.licensing.deals import AGENT, BUYER, MANAGER, OPERATOR, OTHER, step, title, viewer
from tests.test_pages import Visitor, text


@pytest.fixture
def visit(world):
    known = {}

    def come(email):
        if email not in known:
            known[email] = Visitor(world, email)
        return known[email]
    return come


@pytest.fixture
def waits(world):
    """{name: offer id} of three deals that wait: one whose rights are gone, one with a warning, one clear."""
    from licensing import contracts, drafts
    with world.app_context():
        film = title(name="Nebelhorn")
        promises.hold_back(film, terms.read(line("FR", "svod", "2027-01-01", "2027-06-30")), hard=False,
                           binds=promises.LICENSOR, note="A quiet summer")
        made = {}
        for name, where in (("gone", "JP,KR"), ("warned", "FR"), ("clear", "PT")):
            offer = drafts.create(viewer(BUYER), currency="EUR", seller_id=film.organisation_id, lines=[
                {**line(where, "svod,pay_tv", "2027-01-01", "2029-12-31"), "title_id": film.id, "price": 1500}])
            for email, action in ((BUYER, "submit"), (AGENT, "accept")):
                step(offer, email, action)
            made[name] = offer.id
        contracts.grant(film.organisation_id, [(film, terms.read(line("JP", "pay_tv", "2026-01-01", "2027-03-31")))],
                        licensee_id=None, licensee_name="Donau Pay", contract="D-88", recording=True)
        db.session.commit()
    return made


def case(page, offer):
    """The part of the approvals page that is about one offer."""
    return re.search(rf'<details class="case" id="offer-{offer}".*?</details>', page, re.S)[0]


def decide(visit, offer, action, **more):
    return visit(MANAGER).submit(f"/approvals/{offer}", {"action": action, "version": 1, **more}, "/approvals")


def state(world, offer):
    with world.app_context():
        return str(db.session.get(Offer, offer).state)


def test_what_blocks_stands_first_with_the_other_deal_and_both_windows(visit, waits):
    page = text(visit(MANAGER).get("/approvals"))
    order = [page.index(f'id="{group}"') for group in ("blocked", "decide", "clear")]
    assert order == sorted(order)
    gone = case(page, waits["gone"])
    for words in ("Licensed exclusively to Donau Pay", "D-88", '<span class="hit">Japan</span>', "South Korea",
                  "1 Jan 2027–31 Dec 2029", "1 Jan 2026–31 Mar 2027", "In both: 90 days", "Cannot be approved",
                  "Send back: Without Japan"):
        assert words in gone, words
    assert 'value="approve"' not in gone
    warned = case(page, waits["warned"])
    for words in ("soft holdback", "A quiet summer", "You may approve, with a reason", 'value="approve"'):
        assert words in warned, words
    assert "Approve version 1" in case(page, waits["clear"])


def test_one_click_sends_it_back_with_what_is_free(world, visit, waits):
    gone = case(text(visit(MANAGER).get("/approvals")), waits["gone"])
    note = re.search(r'name="note" value="([^"]+)"', gone)[1]
    assert "Without Japan" in note
    assert decide(visit, waits["gone"], "request_changes", note=note).status_code == 302
    assert state(world, waits["gone"]) == "changes_requested"


def test_a_warning_needs_its_reason_and_only_what_was_read_is_passed_over(world, visit, waits):
    offer = waits["warned"]
    seen = re.findall(r'name="seen" value="([^"]+)"', case(text(visit(MANAGER).get("/approvals")), offer))
    assert len(seen) == 1
    refused = decide(visit, offer, "approve", seen=seen)
    assert refused.status_code == 422 and "Say why this may be passed over" in text(refused)
    unread = decide(visit, offer, "approve", note="Fine.")
    assert unread.status_code == 409 and "Something more is to be minded" in text(unread) and "Fine." in text(unread)
    assert state(world, offer) == "pending_approval"
    assert decide(visit, offer, "approve", note="The festival agreed.", seen=seen).status_code == 302
    page = text(visit(AGENT).get(f"/offers/{offer}"))
    assert "Version 1</b> is approved" in page or "Version 1 is approved" in page
    assert "The festival agreed." not in text(visit(BUYER).get(f"/offers/{offer}"))


def test_rights_that_are_gone_are_not_approved_by_a_form_of_ones_own(world, visit, waits):
    refused = decide(visit, waits["gone"], "approve", note="All the same")
    assert refused.status_code == 409 and "Donau Pay" in text(refused)
    assert state(world, waits["gone"]) == "pending_approval"
    assert decide(visit, waits["clear"], "sign").status_code == 422
    assert decide(visit, waits["clear"], "reject").status_code == 422, "why?"
    assert decide(visit, waits["clear"], "approve", version=7).status_code == 409


def test_an_agent_passes_over_on_the_offers_page(world, visit, waits):
    page = text(visit(AGENT).get(f"/offers/{waits['warned']}"))
    keys = re.findall(r'name="warnings" value="([^"]+)"', page)
    assert len(keys) == 1 and "every deal is approved" in page
    sent = visit(AGENT).submit(f"/offers/{waits['warned']}/overrides", {"warnings": keys, "note": "A package."},
                               f"/offers/{waits['warned']}")
    assert sent.status_code == 302
    assert "A package." in case(text(visit(MANAGER).get("/approvals")), waits["warned"])
    assert "A package." in text(visit(AGENT).get(f"/offers/{waits['warned']}"))
    other = visit(BUYER).submit(f"/offers/{waits['warned']}/overrides", {"warnings": keys, "note": "x"},
                                "/account")
    assert other.status_code == 403


def test_the_policy_is_set_on_its_page(visit):
    page = text(visit(MANAGER).get("/approvals/policy"))
    assert "nobody has set it yet" in page and page.count(" checked") == 5
    for years, amount in (("0", ""), ("many", ""), ("5", "cheap")):
        refused = visit(MANAGER).submit("/approvals/policy", {"years": years, "amount": amount, "currency": "EUR"})
        assert refused.status_code == 422, (years, amount)
    sent = visit(MANAGER).submit("/approvals/policy", {"exclusive": "1", "years": "7", "amount": "40,000",
                                                       "currency": "EUR"})
    assert sent.status_code == 302
    page = text(visit(MANAGER).get("/approvals/policy"))
    assert "Set by" in page and page.count(" checked") == 1 and 'value="7"' in page and "40000" in page
    assert "Set the policy" not in text(visit(AGENT).get("/approvals/policy"))
    assert visit(AGENT).submit("/approvals/policy", {"years": "1"}, "/account").status_code == 403
    for email in (BUYER, OPERATOR):
        assert visit(email).get("/approvals/policy").status_code == 403


# ------------------------------------------------------------------ first words

@pytest.fixture
def saga(world):
    """(a film, its sequel to be) of Harbour Pictures."""
    with world.app_context():
        made = title(name="Nebelhorn").id, title(name="Nebelhorn II").id
        db.session.commit()
        worker.turn(world.extensions["index"])
    return made


def test_from_the_word_that_is_given_to_the_answer(world, visit, saga):
    first, second = saga
    agent = visit(AGENT)
    for wrong in ({"days": "x"}, {"territories": "Narnia"}, {"media": ""}, {"organisation": "999999"}):
        given = {"kind": "last_refusal", "organisation": viewer_id(world, BUYER), "days": "20",
                 "territories": "Nordics", "media": "svod", **wrong}
        refused = agent.submit(f"/titles/{first}/options", given, f"/titles/{first}/franchise")
        assert refused.status_code == 422 and "Not yet." in text(refused), wrong
    given = {"kind": "last_refusal", "organisation": viewer_id(world, BUYER), "days": "20", "territories": "Nordics",
             "media": "svod"}
    assert agent.submit(f"/titles/{first}/options", given, f"/titles/{first}/franchise").status_code == 302
    assert "Last refusal of Sakura TV" in text(agent.get(f"/titles/{first}/franchise"))

    path = f"/titles/{second}/franchise"
    for target, status in ((second, 409), (first, 302)):
        sent = agent.submit(f"/titles/{second}/links", {"kind": "sequel_of", "target": str(target)}, path)
        assert sent.status_code == status
    page = text(agent.get(path))
    for words in ("To be asked first: Sakura TV", "Must be asked", "1 first word still open", "Nordics"):
        assert words in page, words
    with world.app_context():
        worker.turn(world.extensions["index"])
    page = text(visit(BUYER).get("/refusals"))
    for words in ("Nebelhorn II", "20 days left", "Last refusal", "Harbour Pictures"):
        assert words in page, words
    asked = re.search(r'action="/refusals/(\d+)/answer', page)[1]
    assert visit(BUYER).submit(f"/refusals/{asked}/answer", {"answer": "perhaps"}, "/refusals").status_code == 422
    assert visit(OTHER).submit(f"/refusals/{asked}/answer", {"answer": "pass"}, "/refusals").status_code == 404
    taken = visit(BUYER).submit(f"/refusals/{asked}/answer", {"answer": "take", "note": "Gladly"}, "/refusals")
    assert taken.status_code == 302 and "/offers/" in taken.location
    assert "Draft for Harbour Pictures" in text(visit(BUYER).get(taken.location))
    page = text(agent.get(path))
    assert "Taken" in page and "their offer is to come by" in page and "Gladly" in page
    again = visit(BUYER).submit(f"/refusals/{asked}/answer", {"answer": "pass"}, "/account")
    assert again.status_code == 409 and "You took it" in text(again)


def viewer_id(world, email):
    with world.app_context():
        return str(viewer(email).organisation_id)


def test_nobody_but_the_seller_reads_who_must_be_asked(world, visit):
    mine, theirs = (text(visit(email).get("/titles/2/franchise")) for email in (AGENT, BUYER))
    assert "Must be asked" in mine and "Nordlys" in mine and "Give a first word" in mine
    for secret in ("Must be asked", "Nordlys", "Give a first word", "first words"):
        assert secret not in theirs.split("<main")[1]
    assert visit(BUYER).submit("/titles/2/links", {"kind": "sequel_of", "target": "1"}, "/account").status_code == 403
    assert visit(BUYER).submit("/titles/2/options", {"kind": "first_refusal"}, "/account").status_code == 403
    assert visit(OPERATOR).get("/refusals").status_code == 403


def test_a_title_of_another_seller_may_be_linked_and_binds_nobody(world, visit, saga):
    lotus = Caller(world, "agent@lotus.test")
    theirs = lotus.post("/titles", {"kind": "film", "original_title": "Lotus", "status": "published"}).json["id"]
    lotus.post(f"/titles/{theirs}/options", {"kind": "last_refusal", "organisation": viewer_id(world, BUYER),
                                             "territories": ["World"], "media": ["all"], "days": 9})
    sent = visit(AGENT).submit(f"/titles/{saga[1]}/links", {"kind": "remake_of", "number": theirs},
                               f"/titles/{saga[1]}/franchise")
    assert sent.status_code == 302
    page = text(visit(AGENT).get(f"/titles/{saga[1]}/franchise"))
    assert "Lotus" in page and "Nobody has to be asked" in page and "Must be asked" not in page
