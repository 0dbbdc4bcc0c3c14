"""What the clock does with offers: they lapse, become active, and expire."""
from sqlalchemy import and_, or_, select, true, update

from core import clock
from core.database import db
from licensing import offers, telling, workflow
from licensing.models import Licence, Line, Offer
from licensing.workflow import State


def due(offer_id: int | None = None) -> list[int]:
    """Offers whose next step is the clock's: validity passed, first day come, last day gone. Of all, or of one."""
    today = clock.today()
    lapsing = {rule.state.value for rule in workflow.TABLE if rule.action == "lapse"}
    counting = select(Line.id).join(Line.licence).where(Licence.offer_id == Offer.id, Line.counts_until.is_(None))
    begun, left = counting.where(Line.starts_on <= today), counting.where(
        or_(Line.ends_on.is_(None), Line.ends_on >= today))
    return db.session.scalars(select(Offer.id).where(true() if offer_id is None else Offer.id == offer_id, or_(
        and_(Offer.state.in_(lapsing), Offer.valid_until < today),
        and_(Offer.state == State.SIGNED, Offer.root_id.is_(None), or_(begun.exists(), ~counting.exists())),
        and_(Offer.state == State.ACTIVE, ~left.exists()))).order_by(Offer.id)).all()


def tick(offer_id: int):
    """Let the clock move one offer that is due."""
    db.session.execute(update(Offer).where(Offer.id == offer_id).values(revision=Offer.revision + 1))
    offer = db.session.scalar(select(Offer).where(Offer.id == offer_id).options(*offers.WHOLE)
                              .execution_options(populate_existing=True))
    if due(offer_id):
        action = {State.SIGNED: "activate", State.ACTIVE: "expire"}.get(State(offer.state), "lapse")
        telling.step(offer, offers.by_system(offer, action), None)
        if action == "expire":
            offers.end_amendments(offer, f"The deal it amends, offer {offer.id}, has expired.")
