"""Amendments: a signed deal's terms negotiated anew, beside the deal, and taken into it when both have signed.

An amendment is an offer tied to its root, the deal. Its first version is what the deal says, its second what one side
proposes; the same steps lead to its signatures, and the last of these replaces the deal's licence. The deal itself
goes on all the while.
"""
from sqlalchemy import select

from accounts.permissions import Viewer
from core import clock
from core.database import db
from core.errors import Conflict
from licensing import drafts, moves
from licensing.models import Licence, Offer, OfferLine, Version
from licensing.workflow import Side, State

IN_FORCE = (State.SIGNED, State.ACTIVE)


def draft(deal: Offer, viewer: Viewer, side: Side, lines: list[dict], payment: dict | None = None) -> Offer:
    """Begin an amendment of a signed deal with the terms that `side` proposes, the price being what the deal costs in
    all. The caller holds the deal's lock."""
    if unsettled := [each for each in deal.amendments if moves.unsigned(each)]:
        raise Conflict(f"Offer {unsettled[0].id} amends this deal already. Answer it, or let it be withdrawn first.")
    said = terms_of(deal)
    made = Offer(buyer_id=deal.buyer_id, seller_id=deal.seller_id, started_by=side.value, currency=deal.currency,
                 root=deal, created_at=clock.now(), updated_at=clock.now())
    db.session.add(made)
    made.versions.append(Version(number=1, side=said.side, person_id=said.person_id, created_at=said.created_at,
                                 payment=said.payment, lines=[_copy(line) for line in said.lines]))
    db.session.flush()
    drafts.write_version(made, viewer, side, lines, payment)
    db.session.flush()
    return made


def _copy(line: OfferLine) -> OfferLine:
    return OfferLine(title=line.title, **{
        column.key: getattr(line, column.key) for column in OfferLine.__table__.columns
        if column.key not in ("id", "version_id")})


def terms_of(deal: Offer) -> Version:
    """The terms of a deal now: those it was signed with, or those of the last amendment that both have signed."""
    signed = [each for each in deal.amendments if each.state == State.SIGNED]
    return (signed[-1] if signed else deal).current


def check(amendment: Offer):
    """Raises Conflict where an amendment has become a part of its deal, or its deal cannot be amended any more."""
    if amendment.state == State.SIGNED:
        raise Conflict(f"This amendment is a part of offer {amendment.root_id}. Take the step there.")
    if amendment.root.state not in IN_FORCE:
        raise Conflict(f"The deal it amends, offer {amendment.root_id}, is {amendment.root.state}.")


def replaced(offer: Offer) -> int | None:
    """The licence that an amendment replaces: the deal's latest."""
    return offer.root_id and db.session.scalar(
        select(Licence.id).where(Licence.offer_id == offer.root_id).order_by(Licence.id.desc()).limit(1))


def is_extension(before: Version, after: Version) -> bool:
    """Whether nothing but later last days, and prices, tells two versions apart."""
    def fixed(line):
        return (line.title_id, line.territories_key, line.media_key, line.languages_key, line.starts_on,
                line.exclusive, line.runs)

    pairs = list(zip(before.lines, after.lines, strict=False))
    return (len(before.lines) == len(after.lines) and all(fixed(a) == fixed(b) and (
        a.ends_on == b.ends_on or b.ends_on is None or (a.ends_on is not None and b.ends_on > a.ends_on))
        for a, b in pairs) and any(a.ends_on != b.ends_on for a, b in pairs))
