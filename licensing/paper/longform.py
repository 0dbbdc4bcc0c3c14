"""The long form that follows a memo: how far it is, step by step. The seller keeps it; both sides read it."""
from datetime import date
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from accounts import permissions
from accounts.permissions import Relation, Viewer
from core import clock
from core.database import db
from core.errors import Conflict, Invalid, NotAllowed
from licensing.models import Offer
from licensing.paper.models import LongFormStep
from licensing.workflow import State


class Stage(StrEnum):
    NONE = "none"          # nothing was done yet
    DRAFTED = "drafted"
    SENT = "sent"
    SIGNED = "signed"
    WAIVED = "waived"      # the memo alone governs


NEXT = {Stage.NONE: (Stage.DRAFTED, Stage.SENT, Stage.SIGNED, Stage.WAIVED),
        Stage.DRAFTED: (Stage.SENT, Stage.SIGNED, Stage.WAIVED),
        Stage.SENT: (Stage.DRAFTED, Stage.SIGNED, Stage.WAIVED),
        Stage.WAIVED: (Stage.DRAFTED,), Stage.SIGNED: ()}
FOLLOWS = (State.SIGNED, State.ACTIVE, State.EXPIRED, State.TERMINATED, State.REVERTED)


def steps(offer: Offer) -> list[LongFormStep]:
    """What was done so far, in its order."""
    return db.session.scalars(select(LongFormStep).where(LongFormStep.offer_id == offer.id).order_by(LongFormStep.id)
                              .options(joinedload(LongFormStep.person))).all()


def stage(done: list[LongFormStep]) -> Stage:
    return Stage(done[-1].state) if done else Stage.NONE


def possible(offer: Offer, done: list[LongFormStep], viewer: Viewer) -> tuple[Stage, ...]:
    """What this viewer may record next."""
    if offer.state not in FOLLOWS or not _may(offer, viewer):
        return ()
    return NEXT[stage(done)]


def _may(offer, viewer):
    return offer.seller_id == viewer.organisation_id and permissions.allows(viewer, "offer.long_form", Relation.SELLER)


def record(offer: Offer, viewer: Viewer, to: str, happened_on: date | None = None, note: str | None = None):
    """Record a step. The caller holds the offer's lock. Raises NotAllowed, Conflict, Invalid."""
    if not _may(offer, viewer):
        raise NotAllowed("The seller keeps the record of the long form.")
    done = steps(offer)
    if offer.state not in FOLLOWS:
        raise Conflict("The long form follows the signatures under the memo.")
    if Stage(to) not in NEXT[stage(done)]:
        raise Conflict(f"A long form that is {stage(done)} cannot become {to}.")
    if happened_on and happened_on > clock.today():
        raise Invalid({"happened_on": ["That day is still to come."]})
    made = LongFormStep(offer_id=offer.id, state=to, happened_on=happened_on or clock.today(),
                        note=note and note.strip() or None, person_id=viewer.person_id, at=clock.now())
    db.session.add(made)
    db.session.flush()
    return made

