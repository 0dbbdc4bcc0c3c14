"""Signed deals for tests of what follows a signature, made by the steps people take."""
from accounts import people
from catalogue import titles
from core.database import db
from licensing import drafts, mandates, offers, terms
from seed import line

AGENT, MANAGER, BUYER, OTHER, RIVAL, OPERATOR = (
    "agent@harbour.test", "rights@harbour.test", "buyer@sakura.test", "buyer@nordlys.test", "rights@lotus.test",
    "operator@market.test")


def viewer(email):
    return people.viewer(people.find(email).id)


def title(kind="film", name="海霧", language="yue", parent=None, **more):
    """A published title of Harbour Pictures, with the whole world in."""
    house = viewer(AGENT).organisation_id
    made = titles.create(house, kind=kind, original_title=name, original_language=language, status="published",
                         titles=[], parent=parent, **more)
    if parent is None:
        titles.lock([made.id])
        mandates.record(made, terms.read(line("World", "all", "2020-01-01", None)))
    return made


def agreed(*lines, buyer=BUYER):
    """An offer that one signature is missing from: `lines` are (title, languages) or (title, languages, last day)."""
    said = [{**line("JP", "svod", "2027-01-01", (*more, "2029-12-31")[0], languages=tongues), "title_id": each.id,
             "price": 1000} for each, tongues, *more in lines]
    offer = drafts.create(viewer(buyer), currency="EUR", seller_id=viewer(AGENT).organisation_id, lines=said)
    for who, action in ((buyer, "submit"), (AGENT, "accept"), (MANAGER, "approve"), (AGENT, "issue_memo"),
                        (buyer, "sign")):
        step(offer, who, action)
    return offer


def step(offer, email, action, note=None):
    by = viewer(email)
    return offers.advance(offers.lock(offer.id, by), by, action, version=offer.number, note=note)


def signed(*lines, buyer=BUYER):
    """The id of a signed offer."""
    offer = agreed(*lines, buyer=buyer)
    step(offer, MANAGER, "sign")
    db.session.commit()
    return offer.id
