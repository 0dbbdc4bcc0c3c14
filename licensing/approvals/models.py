"""When a seller's deals are approved by whom: the policy, the approvals given, and the warnings passed over."""
from datetime import datetime
from decimal import Decimal

from sqlalchemy import JSON, ForeignKey, Numeric, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from accounts.models import Person
from core.database import UtcDateTime, db


class ApprovalPolicy(db.Model):
    """One wording of a seller's policy. Never changed: the newest counts, the others say what counted before."""
    __tablename__ = "approval_policy"
    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    exclusive: Mapped[bool]
    below_floor: Mapped[bool]
    years: Mapped[int | None]
    warning: Mapped[bool]
    encumbrance: Mapped[bool]
    amount: Mapped[Decimal | None] = mapped_column(Numeric(18, 4))
    currency: Mapped[str | None] = mapped_column(String(3))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)
    person: Mapped[Person] = relationship()


class Approval(db.Model):
    """What an approval was given to, by a person or by the policy: a hash of the exact terms, and why it was asked."""
    __tablename__ = "approval"
    id: Mapped[int] = mapped_column(primary_key=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"), index=True)
    step_id: Mapped[int] = mapped_column(ForeignKey("offer_step.id"), unique=True)
    version: Mapped[int]
    terms_sha256: Mapped[str | None] = mapped_column(String(64))  # None: given before approvals were bound
    reasons: Mapped[list] = mapped_column(JSON)  # [{line, text}] as they were that day


class Override(db.Model):
    """A warning about one version of an offer that somebody of the seller passed over, and the reason they wrote."""
    __tablename__ = "override"
    __table_args__ = (UniqueConstraint("offer_id", "version", "warning"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"))
    version: Mapped[int]
    warning: Mapped[str] = mapped_column(String(120))  # the key of `cases.Warned`
    text: Mapped[str] = mapped_column(Text)  # what the warning said
    reason: Mapped[str] = mapped_column(Text)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    person: Mapped[Person] = relationship()
