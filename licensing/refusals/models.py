"""Who was asked first: a holder of a first negotiation or refusal, about one title that follows the one it lies on."""
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, and_, or_, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from accounts.models import Organisation, Person
from catalogue.models import Link, Title
from core import clock
from core.database import UtcDateTime, db
from licensing.models import Offer, Option
from licensing.workflow import State as OfferState


class State(StrEnum):
    ASKED = "asked"
    TAKEN = "taken"    # the holder drafted an offer
    PASSED = "passed"
    LAPSED = "lapsed"  # written by the clock, once the last day is over and no offer of the holder's is alive


SIGNED = (OfferState.SIGNED, OfferState.ACTIVE, OfferState.EXPIRED, OfferState.TERMINATED, OfferState.REVERTED)
OVER = (OfferState.DECLINED, OfferState.WITHDRAWN, OfferState.LAPSED, OfferState.SUPERSEDED, OfferState.REJECTED)
ALIVE = tuple(state for state in OfferState if state not in (*SIGNED, *OVER, OfferState.DRAFT))


class Refusal(db.Model):
    """One holder asked about one title, because of one link: once."""
    __tablename__ = "refusal"
    __table_args__ = (UniqueConstraint("option_id", "link_id"),
                      Index("ix_refusal_state_answer_by", "state", "answer_by"))
    id: Mapped[int] = mapped_column(primary_key=True)
    option_id: Mapped[int] = mapped_column(ForeignKey("option.id"))
    link_id: Mapped[int] = mapped_column(ForeignKey("title_link.id"))
    title_id: Mapped[int] = mapped_column(ForeignKey("title.id"), index=True)  # the one that follows
    seller_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    holder_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    state: Mapped[str] = mapped_column(String(10), default=State.ASKED.value)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    answer_by: Mapped[date]  # the last day
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    note: Mapped[str | None] = mapped_column(Text)
    offer_id: Mapped[int | None] = mapped_column(ForeignKey("offer.id", ondelete="SET NULL"), index=True)

    option: Mapped[Option] = relationship()
    link: Mapped[Link] = relationship()
    title: Mapped[Title] = relationship()
    seller: Mapped[Organisation] = relationship(foreign_keys=seller_id)
    holder: Mapped[Organisation] = relationship(foreign_keys=holder_id)
    person: Mapped[Person | None] = relationship()
    offer: Mapped[Offer | None] = relationship(passive_deletes=True)


def _offer_is(states):
    return select(Offer.id).where(Offer.id == Refusal.offer_id, Offer.state.in_(states)).exists()


def encumbers(today: date):
    """The condition under which a holder still has the first word: the days are not over, or their offer is alive.

    By the calendar, whether or not the clock has come to write it down; over once they passed or have their licence.
    """
    return and_(Refusal.state.in_((State.ASKED, State.TAKEN)), ~_offer_is(SIGNED),
                or_(Refusal.answer_by >= today, _offer_is(ALIVE)))


def lapses(today: date):
    """The condition under which the clock writes down that a holder let the days pass."""
    return and_(Refusal.state.in_((State.ASKED, State.TAKEN)), Refusal.answer_by < today, ~_offer_is(SIGNED),
                ~_offer_is(ALIVE))


def answered(session, option_ids, at: datetime | None = None) -> set[tuple[int, int]]:
    """(option, link) of those who have the first word no more: now, or as it was written down at an instant."""
    if not option_ids:
        return set()
    over = (~encumbers(clock.today()) if at is None
            else and_(Refusal.state.in_((State.PASSED, State.LAPSED)), Refusal.answered_at <= at))
    return {(row.option_id, row.link_id) for row in session.execute(
        select(Refusal.option_id, Refusal.link_id).where(Refusal.option_id.in_(option_ids), over))}


def last_day(option: Option, asked_at: datetime) -> date:
    """The last of the days a holder has, asked at this instant."""
    return clock.day_of(asked_at) + timedelta(days=option.days)


def last_days(session, option_ids) -> dict[tuple[int, int], date]:
    """{(option, link): the last day to answer on} of those who were asked."""
    return {(row.option_id, row.link_id): row.answer_by for row in session.execute(
        select(Refusal.option_id, Refusal.link_id, Refusal.answer_by).where(
            Refusal.option_id.in_(option_ids)))} if option_ids else {}
