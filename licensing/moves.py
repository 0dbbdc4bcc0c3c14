"""Whose move it is: the sides of an offer, the parts they play, and what each person may do now."""
from accounts import permissions
from accounts.permissions import Relation, Viewer
from licensing import workflow
from licensing.models import Offer, Version
from licensing.workflow import Side, State

PERMISSIONS = {"approve": "offer.approve", "reject": "offer.approve", "request_changes": "offer.approve",
               "issue_memo": "offer.issue_memo", "sign": "offer.sign",
               "terminate": "offer.terminate", "revert": "offer.terminate"}
RELATIONS = {Side.BUYER: Relation.BUYER, Side.SELLER: Relation.SELLER}
FORWARD = {"submit", "propose", "counter", "accept", "approve", "issue_memo", "sign", "resume"}


def side_of(offer: Offer, viewer: Viewer) -> Side:
    """The side the viewer's organisation is on; never taken from a request."""
    return Side.SELLER if offer.seller_id == viewer.organisation_id else Side.BUYER


def signed_by(offer: Offer) -> Side | None:
    """The side that has signed alone."""
    signed = [step.side for step in offer.steps if step.action == "sign"]
    return Side(signed[-1]) if offer.state == State.SIGNED_ONE and signed else None


def actions(offer: Offer, viewer: Viewer) -> list[str]:
    """What this viewer may do now: the buttons of the page, each of which the workflow allows."""
    if offer.root_id and offer.state == State.SIGNED:  # a part of the deal it amended
        return []
    side = side_of(offer, viewer)
    possible = workflow.possible(State(offer.state), played(offer, side))
    return [action for action in possible
            if may(viewer, side, action)
            and not (action == "approve" and offer.current.person_id == viewer.person_id)
            and not (action == "submit" and not priced(offer.current))
            and not (action == "amend" and any(map(unsigned, offer.amendments)))]


def unsigned(amendment: Offer) -> bool:
    """Whether an amendment is still being negotiated: one at a time."""
    return amendment.state != State.SIGNED and amendment.state not in workflow.FINAL


def waits_for(offer: Offer, first: Side = Side.SELLER) -> Side | None:
    """Whose move it is, `first` where both may (to sign); None at the end, or where the clock moves next."""
    for side in sorted(RELATIONS, key=lambda side: side is not first):
        if FORWARD & set(workflow.possible(State(offer.state), played(offer, side))):
            return side
    return None


def played(offer: Offer, side: Side) -> frozenset[workflow.Party]:
    """The parts a side plays in an offer now."""
    return workflow.parties(side, Side(offer.current.side), signed_by(offer))


def may(viewer: Viewer, side: Side, action: str) -> bool:
    """Whether the viewer's role allows an action to a side."""
    return permissions.allows(viewer, PERMISSIONS.get(action, "offer.negotiate"), RELATIONS[side])


def said(offer: Offer, side: Side, action: str) -> str:
    """A step as this side calls it: "sign offer 12 with Sakura TV"."""
    other = offer.buyer if side is Side.SELLER else offer.seller
    return f"{'ask for changes to' if action == 'request_changes' else action} offer {offer.id} with {other.name}"


def priced(version: Version) -> bool:
    """Whether every line names its price."""
    return all(line.price is not None for line in version.lines)
