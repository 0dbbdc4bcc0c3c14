"""What is told before rights end."""
from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import UtcDateTime, db


class Alert(db.Model):
    """That something ends within some days, for one organisation: made once for each end and each number of days."""
    __tablename__ = "alert"
    __table_args__ = (UniqueConstraint("organisation_id", "kind", "subject_id", "link_id", "ends_on", "days"),
                      Index("ix_alert_untold", "told_at", "id"))
    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))  # who is told
    kind: Mapped[str] = mapped_column(String(10))  # licence, mandate, option or refusal
    subject_id: Mapped[int]  # of the licence, the mandate, the option
    link_id: Mapped[int] = mapped_column(default=0)  # by which an option was called upon
    ends_on: Mapped[date] = mapped_column(Date)  # the last day
    days: Mapped[int]  # before it: 90, 60 or 30
    made_on: Mapped[date] = mapped_column(Date)
    told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AlertDay(db.Model):
    """The last day on which the alerts of a kind were looked for."""
    __tablename__ = "alert_day"
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    day: Mapped[date] = mapped_column(Date)
