"""The deal memo of an offer, who signed it, and how far its long form is."""
from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from accounts.models import Person
from core.database import UtcDateTime, db


class Memo(db.Model):
    """The agreed terms as both sides sign them. Written once, never changed."""
    __tablename__ = "memo"
    id: Mapped[int] = mapped_column(primary_key=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"), unique=True)
    version: Mapped[int]  # of the offer
    document: Mapped[str] = mapped_column(Text)  # canonical JSON: `licensing.paper.parts`
    sha256: Mapped[str] = mapped_column(String(64))  # of the document in UTF-8
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    signatures: Mapped[list["Signature"]] = relationship(order_by="Signature.id")


class Signature(db.Model):
    """One side's signature under a memo: who, when, and which document. Written once, never changed."""
    __tablename__ = "memo_signature"
    __table_args__ = (UniqueConstraint("memo_id", "side"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    memo_id: Mapped[int] = mapped_column(ForeignKey("memo.id"))
    side: Mapped[str] = mapped_column(String(6))  # buyer or seller
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    name: Mapped[str] = mapped_column(String(200))
    organisation: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class LongFormStep(db.Model):
    """One step of the long form that follows a memo. The latest says where it stands."""
    __tablename__ = "long_form_step"
    id: Mapped[int] = mapped_column(primary_key=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"), index=True)
    state: Mapped[str] = mapped_column(String(10))
    happened_on: Mapped[date] = mapped_column(Date)
    note: Mapped[str | None] = mapped_column(Text)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    person: Mapped[Person] = relationship()
