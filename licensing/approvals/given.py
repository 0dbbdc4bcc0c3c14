"""Approvals: asked for by the policy, given to exact terms, void where these are no longer the same."""
import hashlib
import json
from datetime import date
from decimal import Decimal

from sqlalchemy import select

from accounts.permissions import Relation, Viewer, allows
from core import clock
from core.database import db
from core.errors import Conflict, Invalid, NotAllowed
from licensing import moves
from licensing.approvals import cases
from licensing.approvals.cases import Case
from licensing.approvals.models import Approval, Override
from licensing.models import Offer, OfferLine, Step, Version
from licensing.workflow import Side, State

OPEN = (State.REQUESTED, State.SUBMITTED, State.COUNTERED, State.ON_HOLD, State.PENDING_APPROVAL)
LONGEST_REASON = 4000
NO_TERMS = {OfferLine: {"id", "version_id"}, Version: {"id", "offer_id", "person_id", "created_at"}}


# ------------------------------------------------------------------ bound to exact terms

def fingerprint(offer: Offer) -> str:
    """The SHA-256 of the exact terms of the current version: its parties, its currency and all that its lines say.

    Every column of version and lines counts, but those that are known to say nothing of terms: one that is added later
    is a term until it is said to be none. What is empty is left out, so that a new column changes no hash by itself.
    """
    said = {"buyer": offer.buyer_id, "seller": offer.seller_id, "currency": offer.currency,
            "version": _said(offer.current), "lines": [_said(line) for line in offer.current.lines]}
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _said(row) -> dict:
    names = [column.key for column in row.__table__.columns if column.key not in NO_TERMS[type(row)]]
    said = {name: getattr(row, name) for name in names}
    return {name: _plain(value) for name, value in said.items() if value is not None and value is not False}


def _plain(value):
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.isoformat() if isinstance(value, date) else value


def record(offer: Offer, step: Step, case: Case):
    """Bind the approval that `step` gave, or let pass, to the terms it was given to."""
    db.session.add(Approval(offer_id=offer.id, step_id=step.id, version=offer.number, terms_sha256=fingerprint(offer),
                            reasons=[{"line": each.line, "text": each.text} for each in case.whys]))
    db.session.flush()


def find(offer: Offer) -> Approval | None:
    """The approval an offer was given last, if any."""
    return db.session.scalar(select(Approval).where(Approval.offer_id == offer.id)
                             .order_by(Approval.id.desc()).limit(1))


def void(offer: Offer, given: Approval | None) -> bool:
    """Whether what was approved is not what the offer says now."""
    return given is None or given.version != offer.number or given.terms_sha256 not in (None, fingerprint(offer))


def check(offer: Offer):
    """Raise Conflict where the terms to be signed are not, to the letter, those that were approved."""
    if void(offer, find(offer)):
        raise Conflict("The terms are no longer those that were approved, so the approval is void. Nothing was signed.")


# ------------------------------------------------------------------ warnings, passed over with a reason

def check_warnings(case: Case, note: str | None):
    """Raise Invalid where a warning would be passed over without a word: who approves writes why."""
    if case.unanswered and not (note and note.strip()):
        raise Invalid({"note": ["Say why this may be passed over: " + " ".join(
            each.text for each in case.unanswered)]})


def override(offer: Offer, viewer: Viewer, reason: str, keys: list[str] | None = None) -> list[Override]:
    """Pass over warnings about the current version, with a written reason: those named by `keys`, or all.

    For the seller's side. The reasons are shown to who approves; whether one must is the policy's to say.
    """
    if moves.side_of(offer, viewer) is not Side.SELLER or not allows(viewer, "offer.override", Relation.SELLER):
        raise NotAllowed("Warnings are the seller’s to pass over.")
    if offer.state not in OPEN:
        raise Conflict("Nothing is to be passed over any more.")
    return write_overrides(cases.of(offer), viewer, reason, keys)


def write_overrides(case: Case, viewer: Viewer, reason: str, keys: list[str] | None = None) -> list[Override]:
    if not reason.strip():
        raise Invalid({"note": ["Write the reason."]})
    open_ones = {each.key: each for each in case.unanswered}
    if missing := [key for key in keys or () if key not in open_ones]:
        raise Invalid({"warnings": [f"There is no open warning {missing[0]!r} about this version."]})
    if not open_ones:
        raise Conflict("Nobody has to pass over anything here: no warning is open.")
    made = [Override(offer_id=case.offer.id, version=case.offer.number, warning=each.key, text=each.text,
                     reason=reason.strip(), person_id=viewer.person_id, at=clock.now())
            for key, each in open_ones.items() if not keys or key in keys]
    db.session.add_all(made)
    db.session.flush()
    return made
