"""What goes with the steps of an offer beside its terms: papers for both sides, and notes that stay inside one's own
organisation.

A paper is sent to the store and checked as every file is (`media.assets`). Until it goes out with a step, only the
organisation that sent it sees it; from then on both sides do, for good.
"""
from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text, and_, or_, select
from sqlalchemy.orm import Mapped, contains_eager, joinedload, mapped_column, relationship

from accounts.models import Person
from accounts.permissions import Viewer
from core import clock
from core.database import UtcDateTime, db
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.storage.contract import Store
from licensing import moves
from licensing.models import Offer, Step
from media import assets
from media.models import Asset, Kind
from media.models import State as AssetState

MOST_PAPERS = 20  # of one step
LONGEST = 4000


class Remark(db.Model):
    """A note on an offer, or on one of its steps, for one organisation's own people. Written once, never changed."""
    __tablename__ = "remark"
    __table_args__ = (Index("ix_remark_offer_id_organisation_id", "offer_id", "organisation_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"))
    step_id: Mapped[int | None] = mapped_column(ForeignKey("offer_step.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    person: Mapped[Person] = relationship()


class Attachment(db.Model):
    """A paper that goes, or went, with a step of an offer."""
    __tablename__ = "attachment"
    id: Mapped[int] = mapped_column(primary_key=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"), index=True)
    step_id: Mapped[int | None] = mapped_column(ForeignKey("offer_step.id"), index=True)  # None until it went out
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))  # whose it is
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"), unique=True)
    asset: Mapped[Asset] = relationship()
    offer: Mapped[Offer] = relationship()
    step: Mapped[Step | None] = relationship(backref="attachments")


# ------------------------------------------------------------------ notes inside

def note(offer: Offer, viewer: Viewer, text: str, step: Step | None = None) -> Remark:
    """Write a note that the viewer's own organisation alone reads."""
    if not (text := text.strip()) or len(text) > LONGEST:
        raise Invalid({"text": [f"A note has from 1 to {LONGEST:,} characters."]})
    remark = Remark(offer_id=offer.id, step_id=step and step.id, organisation_id=viewer.organisation_id,
                    person_id=viewer.person_id, text=text, at=clock.now())
    db.session.add(remark)
    db.session.flush()
    return remark


def notes(offer: Offer, viewer: Viewer) -> list[Remark]:
    """The notes of the viewer's organisation on an offer, in their order."""
    return db.session.scalars(select(Remark).where(
        Remark.offer_id == offer.id, Remark.organisation_id == viewer.organisation_id)
        .order_by(Remark.id).options(joinedload(Remark.person))).all()


# ------------------------------------------------------------------ papers

def _may_send(offer, viewer):
    return moves.may(viewer, moves.side_of(offer, viewer), "submit")


def announce(offer: Offer, viewer: Viewer, store: Store, *, filename: str, content_type: str, size: int,
             sha256: str | None = None) -> Attachment:
    """Announce a paper that will be sent to the store, to go out with a later step of one's own."""
    if not _may_send(offer, viewer):
        raise NotAllowed("Your role does not allow you to send papers with this offer.")
    asset = assets.create(None, viewer, store, kind=Kind.DOCUMENT.value, filename=filename, content_type=content_type,
                          size=size, sha256=sha256)
    attachment = Attachment(offer_id=offer.id, organisation_id=viewer.organisation_id, asset=asset)
    db.session.add(attachment)
    db.session.flush()
    return attachment


def visible(viewer: Viewer, offers_visible):
    """The condition under which a paper is this viewer's to see; joins Offer and Asset. `offers_visible` is that of
    the offer."""
    return and_(offers_visible, or_(
        and_(Attachment.step_id.is_not(None), Asset.state == AssetState.READY.value),
        and_(Attachment.organisation_id == viewer.organisation_id, Asset.state != AssetState.DELETED.value)))


def find(attachment_id: int, viewer: Viewer, offers_visible) -> Attachment:
    """One paper this viewer may see, or NotFound."""
    found = db.session.scalar(
        select(Attachment).join(Attachment.offer).join(Attachment.asset)
        .where(Attachment.id == attachment_id, visible(viewer, offers_visible))
        .options(contains_eager(Attachment.asset), contains_eager(Attachment.offer)))
    if found is None:
        raise NotFound()
    return found


def own(attachment_id: int, viewer: Viewer, offers_visible) -> Attachment:
    """The same of one's own, that has not gone out, for who negotiates."""
    found = find(attachment_id, viewer, offers_visible)
    if found.organisation_id != viewer.organisation_id or not _may_send(found.offer, viewer):
        raise NotAllowed("Only the side that sent a paper may do that, with the role it needs.")
    if found.step_id is not None:
        raise Conflict("This paper went out with a step, and stays with it.")
    return found


def waiting(offer: Offer, viewer: Viewer) -> list[Attachment]:
    """The papers of the viewer's organisation that have not gone out, in their order."""
    return db.session.scalars(
        select(Attachment).join(Attachment.asset).where(
            Attachment.offer_id == offer.id, Attachment.organisation_id == viewer.organisation_id,
            Attachment.step_id.is_(None), Asset.state != AssetState.DELETED.value)
        .order_by(Attachment.id).options(contains_eager(Attachment.asset))).all()


def accompany(offer: Offer, step: Step, viewer: Viewer, papers=(), inside: str | None = None):
    """Let papers go out with a step, and write the note that stays inside. Raises Invalid for a paper that is none of
    the viewer's organisation for this offer, went out before, or was not found to be what it was said to be."""
    if len(set(papers)) > MOST_PAPERS:
        raise Invalid({"attachments": [f"{MOST_PAPERS} papers go with a step at most."]})
    if papers:
        mine = {each.id: each for each in waiting(offer, viewer)}
        for each in papers:
            if each not in mine:
                raise Invalid({"attachments": ["There is no such paper of yours that waits to go with this offer."]})
            if (state := mine[each].asset.state) != AssetState.READY:
                raise Invalid({"attachments": [f"{mine[each].asset.filename} is {state}; it goes out once it is "
                                               "ready."]})
            mine[each].step_id = step.id
        db.session.flush()
        db.session.expire(step, ["attachments"])
    if inside and inside.strip():
        note(offer, viewer, inside, step)


def withdraw(attachment: Attachment):
    """A paper that has not gone out is deleted."""
    assets.delete(attachment.asset)


def discard(offer: Offer):
    """All that waits with a draft goes with it."""
    for each in db.session.scalars(select(Attachment).where(Attachment.offer_id == offer.id)):
        if each.asset.state != AssetState.DELETED:
            assets.delete(each.asset)
        db.session.delete(each)
    for each in db.session.scalars(select(Remark).where(Remark.offer_id == offer.id)):
        db.session.delete(each)
    db.session.flush()
