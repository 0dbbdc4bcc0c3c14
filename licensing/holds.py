"""Holds: soft reservations for one buyer each, the first, the second, until they expire. They block nobody."""
from datetime import datetime

from sqlalchemy import false, or_, select
from sqlalchemy.orm import joinedload

from accounts.permissions import Relation, Viewer, allows
from catalogue import titles
from catalogue.models import Title
from core import clock
from core.database import db
from core.errors import Conflict, Invalid, NotFound
from licensing import drafts, promises, terms, wording
from licensing.models import Hold, Offer
from licensing.terms import Terms


def record(title: Title, said: Terms, *, organisation_id: int, expires_at: datetime, rank: int | None = None) -> Hold:
    """Reserve softly for one buyer until `expires_at`. The caller holds the title's lock.

    It comes after the holds that others have over some of the same rights, unless it says its rank: then nobody else
    may have that rank there (Conflict).
    """
    holder = promises.buyer(organisation_id)
    if expires_at <= clock.now():
        raise Invalid({"expires_at": ["A hold expires in the future."]})
    block = said.line().block
    taken = [each for each in _live(title.id) if terms.of_row(each).line().block.meets(block)]
    if rivals := [each for each in taken if each.rank == rank and each.holder_id != holder.id]:
        raise Conflict(f"{rivals[0].holder.name} has the {wording.rank(rank).lower()} over some of this. "
                       "Give a later rank, or release theirs first.")
    made = Hold(title_id=title.id, organisation_id=title.organisation_id, holder_id=holder.id, expires_at=expires_at,
                rank=rank or max((each.rank for each in taken), default=0) + 1, counts_from=clock.now(),
                recorded_at=clock.now(), **said.columns())
    db.session.add(made)
    db.session.flush()
    return made


def _live(title_id):
    """The holds on a title that count now, in their order."""
    return db.session.scalars(select(Hold).where(
        Hold.title_id == title_id, Hold.counts_until.is_(None), Hold.expires_at > clock.now())
        .order_by(Hold.rank, Hold.id).options(joinedload(Hold.holder))).all()


def listing(title: Title):
    """A query for the holds on a title, in their order; for its seller."""
    return select(Hold).where(Hold.title_id == title.id).order_by(Hold.rank, Hold.id).options(joinedload(Hold.holder))


def held_for(title: Title, viewer: Viewer) -> list[Hold]:
    """The holds on a title that count now and are the viewer's own organisation's; of others they learn nothing."""
    return [each for each in _live(title.id) if each.holder_id == viewer.organisation_id]


def get(hold_id: int, viewer: Viewer, by_holder: bool = False) -> Hold:
    """A hold on a title of the viewer's own, or, where its holder may have it as well, one for them; else NotFound."""
    ways = [Hold.organisation_id == viewer.organisation_id] if allows(viewer, "mandate.record", Relation.OWN) else []
    if by_holder:
        ways.append(Hold.holder_id == viewer.organisation_id)
    found = db.session.scalar(select(Hold).where(Hold.id == hold_id, or_(false(), *ways))
                              .options(joinedload(Hold.title), joinedload(Hold.holder)))
    if found is None:
        raise NotFound()
    return found


def release(held: Hold, note: str):
    """It counts no more, and who waited behind it over the same rights moves up. The caller holds the title's lock."""
    if held.counts_until is not None:
        raise Conflict("This hold was released already.")
    held.counts_until, held.note = clock.now(), note
    block, moved = terms.of_row(held).line().block, held.rank
    for other in _live(held.title_id):
        if other.rank > moved and terms.of_row(other).line().block.meets(block):
            other.rank -= 1
    db.session.flush()


def turn(held: Hold, viewer: Viewer, currency: str) -> Offer:
    """The hold as an offer: a draft with its terms, the holder's own or the seller's proposal to them. It holds on
    until it expires or the deal is signed. Conflict where it became one before. The caller holds the title's lock."""
    if held.offer_id is not None:
        raise Conflict(f"This hold became offer {held.offer_id} already.", offer_id=str(held.offer_id))
    if held.counts_until is not None or held.expires_at <= clock.now():
        raise Conflict("This hold has expired. Ask whether the rights are still free.")
    line = {**terms.of_row(held).again(), "title_id": held.title_id, "price": None}
    other = {"buyer_id": held.holder_id} if viewer.organisation_id == held.organisation_id else {
        "seller_id": held.organisation_id}
    offer = drafts.create(viewer, currency=currency, lines=[line], **other)
    held.offer_id = offer.id
    db.session.flush()
    return offer


def settle(offer: Offer):
    """What was held for a deal that is signed now is its licensee's. The caller holds the locks of its titles."""
    for held in db.session.scalars(select(Hold).where(Hold.offer_id == offer.id, Hold.counts_until.is_(None))).all():
        release(held, f"Offer {offer.id} was signed.")


def due() -> list[int]:
    """Holds that have expired and are still in their places."""
    return db.session.scalars(select(Hold.id).where(Hold.counts_until.is_(None), Hold.expires_at <= clock.now())
                              .order_by(Hold.id)).all()


def tick(hold_id: int):
    """Let the clock release one hold that has expired."""
    titles.lock([db.session.scalar(select(Hold.title_id).where(Hold.id == hold_id))])
    held = db.session.get(Hold, hold_id, populate_existing=True)
    if held.counts_until is None and held.expires_at <= clock.now():
        release(held, "It expired.")
