"""Rights in, rights out, and the offers in between.

A line of a mandate or licence is never edited or deleted: it is ended (`counts_until`) and replaced, so
that the record always says what counted when.
"""
import hashlib
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import JSON, CheckConstraint, Date, ForeignKey, Index, Numeric, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from accounts.models import Organisation, Person
from catalogue.models import Title
from core.database import UtcDateTime, db
from core.money import MOST_DIGITS
from licensing.workflow import State


class TermSet(db.Model):
    """A set of codes on one axis, stored once. The key is made of the content, so it always means the same."""
    __tablename__ = "term_set"
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    codes: Mapped[list] = mapped_column(JSON)

    @staticmethod
    def key_of(axis: str, codes: list[str]) -> str:
        return f"{axis}:{hashlib.sha256(','.join(codes).encode()).hexdigest()[:24]}"


class _Terms:
    """The columns every line has: four axes, exclusivity, and the words it was written in."""
    territories_key: Mapped[str] = mapped_column(ForeignKey("term_set.key"))
    media_key: Mapped[str] = mapped_column(ForeignKey("term_set.key"))
    languages_key: Mapped[str] = mapped_column(ForeignKey("term_set.key"))
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)  # inclusive; None is perpetuity
    exclusive: Mapped[bool]
    written: Mapped[dict] = mapped_column(JSON)  # {territories, media, languages}: names as they were given
    hereafter: Mapped[bool] = mapped_column(default=False)
    future: Mapped[bool] = mapped_column(default=False)
    runs: Mapped[int | None]  # a mandate's limit, a licence's or an offer's number
    tba: Mapped[dict | None] = mapped_column(JSON(none_as_null=True))  # {starts, ends}, each as in api.md

    @declared_attr
    def title_id(cls) -> Mapped[int]:
        return mapped_column(ForeignKey("title.id"), index=True)


class Mandate(db.Model):
    """Rights in: what a seller may sell of a title, and from which contract."""
    __tablename__ = "mandate"
    __table_args__ = (UniqueConstraint("title_id", "external_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    title_id: Mapped[int] = mapped_column(ForeignKey("title.id"), index=True)
    contract: Mapped[str | None] = mapped_column(String(200))
    licensor: Mapped[str | None] = mapped_column(String(200))
    floors: Mapped[list] = mapped_column(JSON, default=list)  # [{territories, amount, currency}]
    external_id: Mapped[str | None] = mapped_column(String(200))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lines: Mapped[list["Line"]] = relationship(order_by="Line.id", back_populates="mandate")
    title: Mapped[Title] = relationship()


class Licence(db.Model):
    """Rights out: what was granted to a licensee, by a deal here or one done elsewhere."""
    __tablename__ = "licence"
    __table_args__ = (UniqueConstraint("organisation_id", "external_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    licensee_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    licensee_name: Mapped[str] = mapped_column(String(200))
    contract: Mapped[str | None] = mapped_column(String(200))
    offer_id: Mapped[int | None] = mapped_column(ForeignKey("offer.id"), index=True)  # the deal, amended or not
    amendment_id: Mapped[int | None] = mapped_column(ForeignKey("offer.id"))  # of the deal, by which it was granted
    external_id: Mapped[str | None] = mapped_column(String(200))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lines: Mapped[list["Line"]] = relationship(order_by="Line.id", back_populates="licence")
    seller: Mapped[Organisation] = relationship(foreign_keys=organisation_id)


class _Counted:
    """From when until when something counted: it is ended and replaced, never edited."""
    counts_from: Mapped[datetime] = mapped_column(UtcDateTime)
    counts_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    note: Mapped[str | None] = mapped_column(Text)  # why it was ended


class Line(_Terms, _Counted, db.Model):
    """One block of a mandate or of a licence, and from when until when it counted."""
    __tablename__ = "line"
    __table_args__ = (CheckConstraint("(mandate_id IS NULL) <> (licence_id IS NULL)", name="one_owner"),
                      Index("ix_line_counting", "title_id", "counts_until"), Index("ix_line_ends_on", "ends_on"))
    id: Mapped[int] = mapped_column(primary_key=True)
    mandate_id: Mapped[int | None] = mapped_column(ForeignKey("mandate.id"), index=True)
    licence_id: Mapped[int | None] = mapped_column(ForeignKey("licence.id"), index=True)
    leaves: Mapped[list | None] = mapped_column(JSON(none_as_null=True))  # of a parent's licence: those it had then
    mandate: Mapped[Mandate | None] = relationship(back_populates="lines")
    licence: Mapped[Licence | None] = relationship(back_populates="lines")
    title: Mapped[Title] = relationship()


class Holdback(_Counted, db.Model):
    """A promise not to exploit some media in some territories for a while: the licensor's, or one licensee's."""
    __tablename__ = "holdback"
    __table_args__ = (Index("ix_holdback_counting", "title_id", "counts_until"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    title_id: Mapped[int] = mapped_column(ForeignKey("title.id"), index=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    licence_id: Mapped[int | None] = mapped_column(ForeignKey("licence.id"))  # whose licensee it binds
    territories_key: Mapped[str] = mapped_column(ForeignKey("term_set.key"))
    media_key: Mapped[str] = mapped_column(ForeignKey("term_set.key"))
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)
    tba: Mapped[dict | None] = mapped_column(JSON(none_as_null=True))
    written: Mapped[dict] = mapped_column(JSON)  # {territories, media}
    hard: Mapped[bool]
    binds: Mapped[str] = mapped_column(String(8))  # licensor or licensee
    licence: Mapped[Licence | None] = relationship()


class Hold(_Terms, _Counted, db.Model):
    """A soft reservation for one buyer, ordered by rank, until it expires. It blocks nobody."""
    __tablename__ = "hold"
    __table_args__ = (Index("ix_hold_counts_until_expires_at", "counts_until", "expires_at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    holder_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    rank: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    offer_id: Mapped[int | None] = mapped_column(ForeignKey("offer.id", ondelete="SET NULL"), index=True)  # it became
    holder: Mapped[Organisation] = relationship(foreign_keys=holder_id)
    title: Mapped[Title] = relationship()


class Option(_Counted, db.Model):
    """First negotiation, first or last refusal over a later title that is linked to this one."""
    __tablename__ = "option"
    id: Mapped[int] = mapped_column(primary_key=True)
    title_id: Mapped[int] = mapped_column(ForeignKey("title.id"), index=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    holder_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[str] = mapped_column(String(20))
    territories_key: Mapped[str] = mapped_column(ForeignKey("term_set.key"))
    media_key: Mapped[str] = mapped_column(ForeignKey("term_set.key"))
    written: Mapped[dict] = mapped_column(JSON)
    days: Mapped[int]  # to answer in, from when the later title was linked
    title: Mapped[Title] = relationship()
    holder: Mapped[Organisation] = relationship(foreign_keys=holder_id)


class TitleEvent(db.Model):
    """An event whose date terms wait for (a release, a delivery), once it has its date."""
    __tablename__ = "title_event"
    id: Mapped[int] = mapped_column(primary_key=True)
    title_id: Mapped[int] = mapped_column(ForeignKey("title.id"), index=True)
    event: Mapped[str] = mapped_column(String(60))
    happens_on: Mapped[date] = mapped_column(Date)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SavedLedger(db.Model):
    """A file of the ledger that was laid from this database: only such a file is trusted (`licensing.book`)."""
    __tablename__ = "saved_ledger"
    token: Mapped[str] = mapped_column(String(32), primary_key=True)
    server: Mapped[str] = mapped_column(String(40))  # PostgreSQL's system identifier; empty on SQLite
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Offer(db.Model):
    """A negotiation between a buyer and a seller over one or more titles, in one currency."""
    __tablename__ = "offer"
    __table_args__ = (*(Index(f"ix_offer_{side}_{name}", side, *columns) for side in ("seller_id", "buyer_id")
                        for name, *columns in (("state_author", "state", "author"), ("updated_at", "updated_at"))),
                      Index("ix_offer_state_valid_until", "state", "valid_until"))
    id: Mapped[int] = mapped_column(primary_key=True)
    buyer_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    seller_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    started_by: Mapped[str] = mapped_column(String(6))  # the side that wrote the first version
    currency: Mapped[str] = mapped_column(String(3))
    valid_until: Mapped[date | None] = mapped_column(Date)
    state: Mapped[State] = mapped_column(String(20), default=State.DRAFT)
    number: Mapped[int] = mapped_column(default=1)  # of the current version
    author: Mapped[str] = mapped_column(String(6), default="")  # the side that wrote it, for counting what waits
    revision: Mapped[int] = mapped_column(default=0)
    root_id: Mapped[int | None] = mapped_column(ForeignKey("offer.id"), index=True)  # the deal that this one amends
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    buyer: Mapped[Organisation] = relationship(foreign_keys=buyer_id)
    seller: Mapped[Organisation] = relationship(foreign_keys=seller_id)
    versions: Mapped[list["Version"]] = relationship(order_by="Version.number", cascade="all, delete-orphan",
                                                     back_populates="offer")
    steps: Mapped[list["Step"]] = relationship(order_by="Step.id", cascade="all, delete-orphan")
    root: Mapped["Offer | None"] = relationship(remote_side=id, back_populates="amendments")
    amendments: Mapped[list["Offer"]] = relationship(order_by="Offer.id", back_populates="root")

    @property
    def current(self) -> "Version":
        return self.versions[-1]


class Version(db.Model):
    """Terms put forward by one side. Never changed once the other side can see it."""
    __tablename__ = "offer_version"
    __table_args__ = (UniqueConstraint("offer_id", "number"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"))
    number: Mapped[int]
    side: Mapped[str] = mapped_column(String(6))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    payment: Mapped[dict | None] = mapped_column(JSON(none_as_null=True))  # `money.prices.Plan`
    valid_until: Mapped[date | None] = mapped_column(Date)  # of the offer, as this version put it
    offer: Mapped[Offer] = relationship(back_populates="versions")
    person: Mapped[Person] = relationship()
    lines: Mapped[list["OfferLine"]] = relationship(order_by="OfferLine.position", cascade="all, delete-orphan")


class OfferLine(_Terms, db.Model):
    """One title's terms in a version, with their price in the offer's currency."""
    __tablename__ = "offer_line"
    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("offer_version.id"), index=True)
    position: Mapped[int]
    price: Mapped[Decimal | None] = mapped_column(Numeric(18, 4, decimal_return_scale=MOST_DIGITS))
    pricing: Mapped[dict | None] = mapped_column(JSON(none_as_null=True))  # `money.prices.Pricing`; None is a flat fee
    title: Mapped[Title] = relationship()


class Step(db.Model):
    """One step of an offer's history. Written once, never changed."""
    __tablename__ = "offer_step"
    id: Mapped[int] = mapped_column(primary_key=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"), index=True)
    action: Mapped[str] = mapped_column(String(20))
    side: Mapped[str] = mapped_column(String(6))  # buyer, seller or system
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    from_state: Mapped[str] = mapped_column(String(20))
    to_state: Mapped[str] = mapped_column(String(20))
    version: Mapped[int]
    note: Mapped[str | None] = mapped_column(Text)
    first_day_gone: Mapped[date | None] = mapped_column(Date)  # of a deal that is ended
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    person: Mapped[Person | None] = relationship()
