"""What was paid of an instalment: marked by the seller, undone with a reason, never deleted."""
from datetime import date
from decimal import Decimal

from sqlalchemy import select

from accounts import permissions
from accounts.permissions import Relation, Viewer
from core import clock, money
from core.database import db
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from licensing.delivery import lists
from licensing.money import instalments
from licensing.money.models import Instalment, Payment
from licensing.workflow import Side, State

MOST_PAYMENTS = 200  # of one instalment
ENDED = (State.TERMINATED, State.REVERTED)


def lock(instalment_id: int, viewer: Viewer) -> Instalment:
    """Hold the deal an instalment belongs to, then read the instalment anew. Raises NotFound."""
    lists.hold(instalments.get(instalment_id, viewer).offer_id)
    return instalments.get(instalment_id, viewer)


def lock_payment(payment_id: int, viewer: Viewer) -> Payment:
    """The same for a payment and its instalment."""
    lists.hold(_find(payment_id, viewer).instalment.offer_id)
    return _find(payment_id, viewer)


def _find(payment_id, viewer):
    found = db.session.scalar(select(Payment).join(Payment.instalment).where(
        Payment.id == payment_id, instalments.visible(viewer)))
    if found is None:
        raise NotFound()
    return found


def may_mark(instalment: Instalment, viewer: Viewer) -> bool:
    """Whether this viewer may say of an instalment that it is paid."""
    return (instalments.side_of(instalment, viewer) is Side.SELLER
            and permissions.allows(viewer, "money.mark", Relation.SELLER))


def _check_may(instalment, viewer):
    if not may_mark(instalment, viewer):
        raise NotAllowed("Only the seller’s finance or rights manager marks what is paid.")


def pay(instalment: Instalment, viewer: Viewer, *, paid_on: date, amount=None, withheld=None,
        reference: str | None = None, outstanding=None) -> Payment:
    """Mark a payment: the whole of what is outstanding, unless an `amount` is named. Tax that was `withheld` at source
    pays its part. `outstanding` is what the payer's side read: Conflict where it moved. The caller holds its
    lock (`lock`)."""
    _check_may(instalment, viewer)
    if instalment.cancelled_on:
        raise Conflict("This instalment was cancelled with its deal.")
    if not instalment.outstanding:
        raise Conflict("This instalment is paid already.")
    if len(instalment.payments) >= MOST_PAYMENTS:
        raise Conflict(f"An instalment has {MOST_PAYMENTS} payments at most.")
    seen = _amount(outstanding, instalment.currency, "outstanding")
    if seen is not None and seen != instalment.outstanding:
        raise Conflict(f"A payment was marked meanwhile: {_outstanding(instalment)} is outstanding now.")
    if paid_on > clock.today():
        raise Invalid({"paid_on": ["That day has not come yet."]})
    kept_back = _amount(withheld, instalment.currency, "withheld") or Decimal(0)
    came = _amount(amount, instalment.currency, "amount")
    came = max(instalment.outstanding - kept_back, Decimal(0)) if came is None else came
    if not came + kept_back:
        raise Invalid({"amount": ["A payment is more than nothing."]})
    if came + kept_back > instalment.outstanding:
        raise Invalid({"amount": [f"Only {_outstanding(instalment)} is outstanding."]})
    payment = Payment(paid_on=paid_on, amount=came, withheld=kept_back, person_id=viewer.person_id, at=clock.now(),
                      reference=reference and reference.strip() or None)
    instalment.payments.append(payment)
    instalment.outstanding -= came + kept_back
    db.session.flush()
    return payment


def undo(payment: Payment, viewer: Viewer, note: str | None):
    """Take a payment back, with the reason. It stays on record. The caller holds its lock."""
    instalment = payment.instalment
    _check_may(instalment, viewer)
    if payment.undone_at:
        raise Conflict("This payment was undone already.")
    if not (note and note.strip()):
        raise Invalid({"note": ["Say why, for both sides to read."]})
    payment.undone_at, payment.undone_by_id, payment.undone_note = clock.now(), viewer.person_id, note.strip()
    instalment.outstanding += payment.amount + payment.withheld
    if instalment.offer.state in ENDED:
        instalments.cancel_unearned(instalment)
    db.session.flush()


def _amount(text, currency, field) -> Decimal | None:
    if text is None or text == "":
        return None
    try:
        return money.read(text, currency)
    except ValueError as problem:
        raise Invalid({field: [str(problem)]}) from None


def _outstanding(instalment) -> str:
    return money.words(instalment.outstanding, instalment.currency)
