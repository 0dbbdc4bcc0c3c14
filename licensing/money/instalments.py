"""Instalments: opened by the second signature, due when their milestone is reached, marked paid by the seller.

A delivery is reached when all that is owed of the deal's list of materials is delivered, an acceptance when all of it
is accepted. What is open or asked for is not owed yet, so a licensee who names no languages keeps no payment waiting.
A milestone stays reached when more is ordered later; a delivery falls back only where what was counted is rejected.
"""
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import and_, case, false, func, literal_column, or_, select
from sqlalchemy.orm import joinedload, selectinload

from accounts import permissions
from accounts.permissions import Relation, Viewer
from catalogue.models import Title
from core import clock
from core.database import db
from core.errors import NotAllowed, NotFound
from licensing.delivery.models import Material, MaterialStep
from licensing.delivery.states import State as MaterialState
from licensing.models import Offer, OfferLine, Version
from licensing.money.models import Instalment, Payment
from licensing.money.prices import Plan, Trigger
from licensing.workflow import Side

NOT_OWED = (MaterialState.OPEN, MaterialState.ASKED, MaterialState.DROPPED)
OPEN = and_(Instalment.outstanding > literal_column("0"), Instalment.cancelled_on.is_(None))  # as its index says it


class Standing(StrEnum):
    """Where an instalment stands today."""
    OVERDUE = "overdue"
    DUE = "due"            # its day is known, and has not passed
    WAITING = "waiting"    # for its milestone
    PAID = "paid"
    CANCELLED = "cancelled"


def standing(instalment: Instalment) -> Standing:
    if not instalment.outstanding:
        return Standing.PAID
    if instalment.cancelled_on:
        return Standing.CANCELLED
    if instalment.due_on is None:
        return Standing.WAITING
    return Standing.OVERDUE if instalment.due_on < clock.today() else Standing.DUE


def _stands(wanted: Standing):
    """The same as a condition of a query."""
    today = clock.today()
    return {Standing.PAID: Instalment.outstanding == literal_column("0"),
            Standing.CANCELLED: and_(Instalment.outstanding > literal_column("0"),
                                     Instalment.cancelled_on.is_not(None)),
            Standing.WAITING: and_(OPEN, Instalment.due_on.is_(None)),
            Standing.OVERDUE: and_(OPEN, Instalment.due_on < today),
            Standing.DUE: and_(OPEN, Instalment.due_on >= today)}[wanted]


# ------------------------------------------------------------------ what the steps of a deal bring about

def open_plan(offer: Offer):
    """Write the instalments of the version that was signed, in the transaction that signs it. A deal for nothing has
    none, and neither has a part that rounds to nothing.

    The price of an amendment is what its deal costs in all: what was earned before counts towards it, the rest of the
    former plan is owed no more, and what is left of the price is paid by the plan of the amendment.
    """
    deal, earned, number = offer.root or offer, Decimal(0), 0
    if offer.root_id:
        cancel(deal)
        former = db.session.scalars(select(Instalment).where(Instalment.offer_id == deal.id)).all()
        number = max((each.number for each in former), default=0)
        earned = sum((each.amount for each in former if not each.cancelled_on), Decimal(0)) + sum(
            (each.amount - each.outstanding for each in former if each.cancelled_on), Decimal(0))
    plan, total = Plan.of(offer.current.payment), sum(line.price for line in offer.current.lines)
    today, total = clock.today(), max(total - earned, Decimal(0))
    for part, amount in zip(plan.parts, plan.amounts(total, offer.currency), strict=True):
        if amount:
            number += 1
            due = {Trigger.SIGNATURE: today + timedelta(plan.days), Trigger.DATE: part.day}.get(part.on)
            db.session.add(Instalment(
                offer_id=deal.id, seller_id=offer.seller_id, buyer_id=offer.buyer_id, number=number,
                trigger=part.on.value, days=plan.days, currency=offer.currency, amount=amount, outstanding=amount,
                reached_on=today if part.on is Trigger.SIGNATURE else None, due_on=due))
    db.session.flush()


def cancel(offer: Offer):
    """The deal was ended: what was earned by then, by a milestone that was reached or a day that has come, stays
    owed, and the rest is owed no more."""
    for each in db.session.scalars(select(Instalment).where(Instalment.offer_id == offer.id, OPEN)):
        cancel_unearned(each)
    db.session.flush()


def cancel_unearned(instalment: Instalment):
    if instalment.reached_on is None and (instalment.due_on is None or instalment.due_on > clock.today()):
        instalment.cancelled_on = clock.today()


def follow(item: Material, action: str):
    """After a step with a material, in its transaction: what was delivered or accepted with it becomes due.

    The caller holds the list's lock.
    """
    waiting = db.session.scalars(select(Instalment).where(
        Instalment.offer_id == item.offer_id, OPEN,
        Instalment.trigger.in_((Trigger.DELIVERY.value, Trigger.ACCEPTANCE.value)))).all()
    if action == "reject":
        for each in waiting:
            if (each.trigger == Trigger.DELIVERY and each.reached_on
                    and clock.day_of(item.steps[0].at) <= each.reached_on):
                each.reached_on = each.due_on = None
    elif waiting := [each for each in waiting if each.reached_on is None]:
        owed = set(db.session.scalars(select(Material.state).distinct().where(
            Material.offer_id == item.offer_id, Material.state.not_in([state.value for state in NOT_OWED]))))
        for each in waiting:
            if each.trigger == Trigger.DELIVERY and owed <= {MaterialState.DELIVERED, MaterialState.ACCEPTED}:
                _reach(each, clock.today())
            elif each.trigger == Trigger.ACCEPTANCE and owed <= {MaterialState.ACCEPTED}:
                _reach(each, _accepted_on(item.offer_id))
    db.session.flush()


def _reach(instalment, day):
    instalment.reached_on, instalment.due_on = day, day + timedelta(instalment.days)


def _accepted_on(offer_id) -> date:
    """The day the last item was settled: silence accepts on the day after its window, whenever it is written down."""
    last = select(func.max(MaterialStep.id)).group_by(MaterialStep.material_id).join(
        Material, Material.id == MaterialStep.material_id).where(
        Material.offer_id == offer_id, Material.state.in_((MaterialState.ACCEPTED, MaterialState.DROPPED)))
    settled = db.session.execute(select(MaterialStep.side, MaterialStep.at, Material.answer_by).join(
        Material, Material.id == MaterialStep.material_id).where(MaterialStep.id.in_(last)))
    return max(answer_by + timedelta(1) if side == Side.SYSTEM else clock.day_of(at)
               for side, at, answer_by in settled)


# ------------------------------------------------------------------ reading

SIDES = {Side.SELLER: (Relation.SELLER, Instalment.seller_id), Side.BUYER: (Relation.BUYER, Instalment.buyer_id)}
WHOLE = (selectinload(Instalment.payments).options(joinedload(Payment.person), joinedload(Payment.undone_by)),
         joinedload(Instalment.offer).options(joinedload(Offer.buyer), joinedload(Offer.seller)))


def sides(viewer: Viewer) -> list[Side]:
    """On which sides this viewer may see money: receivable as seller, payable as buyer."""
    held = permissions.relations(viewer, "money.see")
    return [side for side, (relation, _) in SIDES.items() if relation in held
            and (viewer.sells if side is Side.SELLER else viewer.buys)]


def visible(viewer: Viewer):
    """The condition under which an instalment is this viewer's to see."""
    held = permissions.relations(viewer, "money.see")
    return or_(false(), *[column == viewer.organisation_id for relation, column in SIDES.values() if relation in held])


def side_of(instalment: Instalment, viewer: Viewer) -> Side:
    return Side.SELLER if instalment.seller_id == viewer.organisation_id else Side.BUYER


def listing(viewer: Viewer, side: Side | None = None, state: str | None = None, currency: str | None = None):
    """A query for the viewer's instalments, those due first on top: of one side, in one state ("open" is all that is
    still to be paid), in one currency."""
    wanted = select(Instalment).where(visible(viewer)).options(*WHOLE)
    if side:
        wanted = wanted.where(SIDES[side][1] == viewer.organisation_id)
    if state:
        wanted = wanted.where(OPEN if state == "open" else _stands(Standing(state)))
    if currency:
        wanted = wanted.where(Instalment.currency == currency)
    return wanted.order_by(Instalment.due_on.asc().nulls_last(), Instalment.id)


def totals(viewer: Viewer, side: Side) -> list[tuple[str, dict[Standing, Decimal]]]:
    """[(currency, {standing: outstanding})] of what is open on a side, by currency."""
    stands = case((Instalment.due_on.is_(None), Standing.WAITING.value),
                  (Instalment.due_on < clock.today(), Standing.OVERDUE.value), else_=Standing.DUE.value).label("stands")
    found = {}
    for currency, stood, much in db.session.execute(
            select(Instalment.currency, stands, func.sum(Instalment.outstanding)).where(
                visible(viewer), SIDES[side][1] == viewer.organisation_id, OPEN)
            .group_by(Instalment.currency, stands).order_by(Instalment.currency)):
        found.setdefault(currency, {})[Standing(stood)] = much
    return list(found.items())


def titles_of(offer_ids) -> dict[int, list[Title]]:
    """The titles of some deals, by the offer's id, in one query."""
    found = {}
    for offer_id, title in db.session.execute(
            select(Offer.id, Title).join(Version, and_(Version.offer_id == Offer.id, Version.number == Offer.number))
            .join(OfferLine, OfferLine.version_id == Version.id).join(Title, Title.id == OfferLine.title_id)
            .where(Offer.id.in_(set(offer_ids))).order_by(Offer.id, OfferLine.position)):
        found.setdefault(offer_id, []).append(title)
    return found


def of_offer(offer_id: int, viewer: Viewer) -> list[Instalment]:
    """The instalments of a deal in their order; none where the viewer may not see them."""
    return db.session.scalars(select(Instalment).where(Instalment.offer_id == offer_id, visible(viewer))
                              .order_by(Instalment.number).options(*WHOLE)).all()


def check_may_see(offer: Offer, viewer: Viewer):
    """Raises NotAllowed where this viewer sees the offer, but not the money of their side."""
    side = Side.SELLER if offer.seller_id == viewer.organisation_id else Side.BUYER
    if not permissions.allows(viewer, "money.see", SIDES[side][0]):
        raise NotAllowed("Your role does not see what is paid of a deal.")


def get(instalment_id: int, viewer: Viewer) -> Instalment:
    """An instalment of one of the viewer's deals, whole, or NotFound."""
    if found := db.session.scalar(select(Instalment).where(Instalment.id == instalment_id, visible(viewer))
                                  .options(*WHOLE).execution_options(populate_existing=True)):
        return found
    raise NotFound()
