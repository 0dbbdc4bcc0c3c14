"""That the money adds up, over the whole database."""
from collections import defaultdict
from decimal import Decimal

from sqlalchemy import and_, case, func, select

from core.database import db
from licensing.models import Offer, OfferLine, Version
from licensing.money.models import Instalment, Payment
from licensing.workflow import State

ENDED = (State.TERMINATED, State.REVERTED)


def differences() -> list[str]:
    """Deals whose instalments do not sum to their price, as it was last amended, and instalments whose payments do not
    explain what is outstanding: one sentence each."""
    broken, prices = [], defaultdict(Decimal)
    signed = and_(Version.offer_id == Offer.id, Version.number == Offer.number)
    priced = (select(Offer.root_id, Offer.id, OfferLine.price).join(Version, signed)
              .join(OfferLine, OfferLine.version_id == Version.id).order_by(Offer.id))
    for _, offer_id, price in db.session.execute(priced.where(Offer.id.in_(select(Instalment.offer_id)))):
        prices[offer_id] += price
    amended = {}  # deal → (what amended it last, the price it has since)
    for deal_id, offer_id, price in db.session.execute(priced.where(
            Offer.root_id.in_(select(Instalment.offer_id)), Offer.state == State.SIGNED)):
        last, so_far = amended.get(deal_id, (offer_id, 0))
        amended[deal_id] = offer_id, price + (so_far if last == offer_id else 0)
    left = case((Instalment.cancelled_on.is_(None), Instalment.amount),
                else_=Instalment.amount - Instalment.outstanding)
    for offer_id, state, owed, stands in db.session.execute(
            select(Instalment.offer_id, Offer.state, func.sum(Instalment.amount), func.sum(left))
            .join(Instalment.offer).group_by(Instalment.offer_id, Offer.state).order_by(Instalment.offer_id)):
        if offer_id not in amended and owed != prices[offer_id]:
            broken.append(f"The instalments of offer {offer_id} sum to {owed}, its price is {prices[offer_id]}.")
        # More may have been earned than an amended deal costs; of one that was ended the rest is owed no more
        if offer_id in amended and state not in ENDED and stands < amended[offer_id][1]:
            broken.append(f"What stands of the instalments of offer {offer_id} sums to {stands}, "
                          f"its amended price is {amended[offer_id][1]}.")
    paid = (select(func.coalesce(func.sum(Payment.amount + Payment.withheld), 0))
            .where(Payment.instalment_id == Instalment.id, Payment.undone_at.is_(None)).scalar_subquery())
    for row in db.session.scalars(select(Instalment).where(Instalment.outstanding != Instalment.amount - paid)
                                  .order_by(Instalment.id)):
        broken.append(f"What is outstanding of instalment {row.id} is not its amount less what was paid.")
    return broken
