"""Where programs of an organisation are told of what happens, and each thing they are told."""
from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from accounts.models import Organisation, Person
from core.database import UtcDateTime, db


class State(StrEnum):
    WAITING = "waiting"
    SENT = "sent"          # it was answered with 2xx
    GIVEN_UP = "given_up"  # it was tried for days


class Endpoint(db.Model):
    """An address that is told of some events, as long as it is on.

    The secret has to be known to sign with, so it is not hashed: it is kept encrypted under a key made of SECRET_KEY
    (`signing.Seal`). For a day after it was made anew the former one signs, too.
    """
    __tablename__ = "webhook"
    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    url: Mapped[str] = mapped_column(String(500))
    events: Mapped[list] = mapped_column(JSON)
    active: Mapped[bool]
    secret: Mapped[str] = mapped_column(String(300))
    former_secret: Mapped[str | None] = mapped_column(String(300))
    former_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))  # who named it
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revision: Mapped[int] = mapped_column()
    failures: Mapped[int] = mapped_column(default=0)  # in a row, until now
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    not_before: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when it is tried again, whatever waits for it
    why_off: Mapped[str | None] = mapped_column(String(300))  # where Slate switched it off
    organisation: Mapped[Organisation] = relationship()
    person: Mapped[Person] = relationship()

    __mapper_args__ = {"version_id_col": revision}


class Delivery(db.Model):
    """One thing an endpoint is told. Its body is written once and sent as it is, however often; `key` names it."""
    __tablename__ = "webhook_delivery"
    __table_args__ = (
        Index("ix_webhook_delivery_webhook_id_id", "webhook_id", "id"),
        Index("ix_webhook_delivery_waiting", "webhook_id", "not_before", sqlite_where=text("state = 'waiting'"),
              postgresql_where=text("state = 'waiting'")))
    id: Mapped[int] = mapped_column(primary_key=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhook.id"))
    key: Mapped[str] = mapped_column(String(40), unique=True)
    event: Mapped[str] = mapped_column(String(40))
    body: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    state: Mapped[str] = mapped_column(String(10), default=State.WAITING.value)
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime] = mapped_column(UtcDateTime)
    tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    status: Mapped[int | None]  # of the last answer
    answer: Mapped[str | None] = mapped_column(String(500))  # the beginning of it, or why there was none
    endpoint: Mapped[Endpoint] = relationship()
