"""What a signed deal owes, instalment by instalment, and what was paid of it."""
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, TypeDecorator, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from accounts.models import Person
from core.database import UtcDateTime, db
from core.money import MOST_DIGITS
from licensing.models import Offer

SCALE = 10 ** MOST_DIGITS
STILL_OPEN = dict.fromkeys(("sqlite_where", "postgresql_where"), text("outstanding > 0 AND cancelled_on IS NULL"))


class Amount(TypeDecorator):
    """A decimal kept as a whole number of thousandths, which SQLite, too, adds up exactly."""
    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return value if value is None else int(value * SCALE)

    def process_result_value(self, value, dialect):
        return value if value is None else Decimal(value).scaleb(-MOST_DIGITS)


class Instalment(db.Model):
    """A part of a deal's price. Its amount never changes; it becomes due, is paid, or is cancelled with the deal."""
    __tablename__ = "instalment"
    __table_args__ = (UniqueConstraint("offer_id", "number"),
                      Index("ix_instalment_seller_id_due_on", "seller_id", "due_on"),
                      Index("ix_instalment_buyer_id_due_on", "buyer_id", "due_on"),
                      Index("ix_instalment_open_seller", "seller_id", "due_on", **STILL_OPEN),
                      Index("ix_instalment_open_buyer", "buyer_id", "due_on", **STILL_OPEN))
    id: Mapped[int] = mapped_column(primary_key=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"))
    seller_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))  # those of the offer, for its lists
    buyer_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    number: Mapped[int]
    trigger: Mapped[str] = mapped_column(String(10))
    days: Mapped[int]  # to pay in, after the milestone
    currency: Mapped[str] = mapped_column(String(3))
    amount: Mapped[Decimal] = mapped_column(Amount)
    outstanding: Mapped[Decimal] = mapped_column(Amount)  # the amount less what was paid
    reached_on: Mapped[date | None]  # the day of the milestone
    due_on: Mapped[date | None]
    cancelled_on: Mapped[date | None]
    offer: Mapped[Offer] = relationship()
    payments: Mapped[list["Payment"]] = relationship(order_by="Payment.id")


class Payment(db.Model):
    """What came in for an instalment, as its seller marked it. Never deleted: undone with a reason."""
    __tablename__ = "payment"
    id: Mapped[int] = mapped_column(primary_key=True)
    instalment_id: Mapped[int] = mapped_column(ForeignKey("instalment.id"), index=True)
    paid_on: Mapped[date]
    amount: Mapped[Decimal] = mapped_column(Amount)
    withheld: Mapped[Decimal] = mapped_column(Amount)  # tax kept back at source, which pays its part of the instalment
    reference: Mapped[str | None] = mapped_column(String(200))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    undone_note: Mapped[str | None] = mapped_column(Text)
    person: Mapped[Person] = relationship(foreign_keys=person_id)
    undone_by: Mapped[Person | None] = relationship(foreign_keys=undone_by_id)
    instalment: Mapped[Instalment] = relationship(back_populates="payments")
