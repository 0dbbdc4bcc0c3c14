"""Searches that people keep: saved to be told of news, and briefs of buyers to be answered."""
from datetime import date, datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from accounts.models import Organisation
from catalogue.models import Title
from core.database import UtcDateTime, db


class SavedSearch(db.Model):
    """A search of one person for one of their organisations. `known` are the titles it found when it was last looked
    at, packed; `place` is how far in the log of changes that was."""
    __tablename__ = "saved_search"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    organisation_id: Mapped[int]  # for which they act: what a search may find depends on it
    name: Mapped[str] = mapped_column(String(100))
    asked: Mapped[dict] = mapped_column(JSON)
    tells: Mapped[bool]
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    checked_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    place: Mapped[int] = mapped_column(BigInteger)
    known: Mapped[bytes] = mapped_column(LargeBinary)
    news: Mapped[list["News"]] = relationship(cascade="all, delete-orphan", order_by="News.id.desc()")


class News(db.Model):
    """A title that a saved search finds since then."""
    __tablename__ = "saved_search_news"
    id: Mapped[int] = mapped_column(primary_key=True)
    search_id: Mapped[int] = mapped_column(ForeignKey("saved_search.id"), index=True)
    title_id: Mapped[int] = mapped_column(ForeignKey("title.id"))
    found_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    title: Mapped[Title] = relationship()


class Brief(db.Model):
    """What a buyer wants, as they wrote it, as it was read, and whom its answer may be shown to."""
    __tablename__ = "brief"
    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    buyer_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    text: Mapped[str] = mapped_column(Text)
    asked: Mapped[dict] = mapped_column(JSON)
    left_out: Mapped[list] = mapped_column(JSON)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    token: Mapped[str | None] = mapped_column(String(64), unique=True)
    open_until: Mapped[date | None]
    seller: Mapped[Organisation] = relationship(foreign_keys=organisation_id)
    buyer: Mapped[Organisation | None] = relationship(foreign_keys=buyer_id)
