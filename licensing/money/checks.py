"""That the money adds up, over the whole database."""
from collections import defaultdict
from decimal import Decimal

from sqlalchemy import and_, func, select

from core.database import db
from licensing.models import Offer, OfferLine, Version
from licensing.money.models import Instalment, Payment


def differences() -> list[str]:
    """Deals whose instalments do not sum to their price, and instalments whose payments do not explain what is
    outstanding: one sentence each."""
    broken, prices = [], defaultdict(Decimal)
    signed = and_(Version.offer_id == Offer.id, Version.number == Offer.number)
    for offer_id, price in db.session.execute(
            select(Offer.id, OfferLine.price).join(Version, signed).join(OfferLine, OfferLine.version_id == Version.id)
            .where(Offer.id.in_(select(Instalment.offer_id)))):
        prices[offer_id] += price
    for offer_id, owed in db.session.execute(select(Instalment.offer_id, func.sum(Instalment.amount))
                                             .group_by(Instalment.offer_id).order_by(Instalment.offer_id)):
        if owed != prices[offer_id]:
            broken.append(f"The instalments of offer {offer_id} sum to {owed}, its price is {prices[offer_id]}.")
    paid = (select(func.coalesce(func.sum(Payment.amount + Payment.withheld), 0))
            .where(Payment.instalment_id == Instalment.id, Payment.undone_at.is_(None)).scalar_subquery())
    for row in db.session.scalars(select(Instalment).where(Instalment.outstanding != Instalment.amount - paid)
                                  .order_by(Instalment.id)):
        broken.append(f"What is outstanding of instalment {row.id} is not its amount less what was paid.")
    return broken
