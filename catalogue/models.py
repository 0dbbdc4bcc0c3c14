"""What exists: titles with their names, credits and links, and the log of what changed."""
from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, BigInteger, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from accounts.models import Organisation
from core.database import UtcDateTime, db


class Kind(StrEnum):
    FILM = "film"
    SPECIAL = "special"
    SERIES = "series"
    SEASON = "season"
    EPISODE = "episode"


PARENTS = {Kind.SEASON: (Kind.SERIES,), Kind.EPISODE: (Kind.SEASON, Kind.SERIES)}


class Status(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class NameKind(StrEnum):
    ORIGINAL = "original"
    TRANSLATED = "translated"
    ALIAS = "alias"
    TRANSLITERATION = "transliteration"


class LinkKind(StrEnum):
    SEQUEL = "sequel_of"
    PREQUEL = "prequel_of"
    REMAKE = "remake_of"
    SPIN_OFF = "spin_off_of"
    REBOOT = "reboot_of"
    ADAPTATION = "adaptation_of"
    COMPILATION = "compilation_of"
    VERSION = "version_of"


class Franchise(db.Model):
    """Titles that belong together although no link says how."""
    __tablename__ = "franchise"
    __table_args__ = (UniqueConstraint("organisation_id", "external_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    external_id: Mapped[str] = mapped_column(String(200))


class Title(db.Model):
    """A film, special, series, season or episode, listed by one seller."""
    __tablename__ = "title"
    __table_args__ = (UniqueConstraint("organisation_id", "external_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[str] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(10), default=Status.DRAFT.value)
    original_title: Mapped[str] = mapped_column(String(500))
    original_language: Mapped[str | None] = mapped_column(String(20))
    year: Mapped[int | None]
    runtime_minutes: Mapped[int | None]
    number: Mapped[int | None]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("title.id"), index=True)
    root_id: Mapped[int | None] = mapped_column(ForeignKey("title.id"), index=True)
    succeeds_id: Mapped[int | None]  # the parent that was a leaf of its own until this child came
    franchise_id: Mapped[int | None] = mapped_column(ForeignKey("franchise.id"), index=True)
    audience_id: Mapped[int | None] = mapped_column(ForeignKey("audience.id"))  # None: once published, everyone
    external_id: Mapped[str | None] = mapped_column(String(200))
    countries: Mapped[list] = mapped_column(JSON, default=list)
    genres: Mapped[list] = mapped_column(JSON, default=list)
    languages: Mapped[list] = mapped_column(JSON, default=list)
    tags: Mapped[list] = mapped_column(JSON, default=list)
    identifiers: Mapped[dict] = mapped_column(JSON, default=dict)
    episodes: Mapped[list] = mapped_column(JSON, default=list)  # [{number, name}] listed, not licensed apart
    revision: Mapped[int] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    seller: Mapped[Organisation] = relationship()
    parent: Mapped["Title | None"] = relationship(remote_side=id, foreign_keys=parent_id)
    names: Mapped[list["Name"]] = relationship(order_by="Name.position", cascade="all, delete-orphan")
    synopses: Mapped[list["Synopsis"]] = relationship(order_by="Synopsis.id", cascade="all, delete-orphan")
    credits: Mapped[list["Credit"]] = relationship(order_by="Credit.position", cascade="all, delete-orphan")

    __mapper_args__ = {"version_id_col": revision}

    def __str__(self):
        return self.original_title

    @property
    def english_title(self) -> str | None:
        """The name to show beside the original one; None where the original is English or none is known."""
        if self.original_language and self.original_language.split("-")[0] == "en":
            return None
        return next((name.value for name in self.names
                     if name.language and name.language.split("-")[0] == "en"
                     and name.value != self.original_title), None)

    @property
    def synopsis(self) -> dict[str, str]:
        return {each.language: each.text for each in self.synopses}


class Name(db.Model):
    """One of a title's names, in one language."""
    __tablename__ = "title_name"
    id: Mapped[int] = mapped_column(primary_key=True)
    title_id: Mapped[int] = mapped_column(ForeignKey("title.id"), index=True)
    position: Mapped[int]
    language: Mapped[str | None] = mapped_column(String(20))
    value: Mapped[str] = mapped_column(String(500))
    kind: Mapped[str] = mapped_column(String(20))


class Synopsis(db.Model):
    __tablename__ = "title_synopsis"
    id: Mapped[int] = mapped_column(primary_key=True)
    title_id: Mapped[int] = mapped_column(ForeignKey("title.id"), index=True)
    language: Mapped[str] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(Text)


class Credit(db.Model):
    """A person or a company, and what they did."""
    __tablename__ = "title_credit"
    id: Mapped[int] = mapped_column(primary_key=True)
    title_id: Mapped[int] = mapped_column(ForeignKey("title.id"), index=True)
    position: Mapped[int]
    role: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(300))


class Link(db.Model):
    """`title` is the sequel (prequel, remake …) of `target`."""
    __tablename__ = "title_link"
    __table_args__ = (UniqueConstraint("title_id", "kind", "target_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    title_id: Mapped[int] = mapped_column(ForeignKey("title.id"))
    kind: Mapped[str] = mapped_column(String(20))
    target_id: Mapped[int] = mapped_column(ForeignKey("title.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RightsClock(db.Model):
    """One row per root of a hierarchy. Whoever changes rights below it touches the row first: the lock."""
    __tablename__ = "rights_clock"
    root_id: Mapped[int] = mapped_column(ForeignKey("title.id"), primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(default=0)


class Change(db.Model):
    """A title whose record or rights changed: how other processes learn of it. See `catalogue.changes`."""
    __tablename__ = "change"
    id: Mapped[int] = mapped_column(primary_key=True)
    title_id: Mapped[int] = mapped_column(ForeignKey("title.id"))
    xid: Mapped[int] = mapped_column(BigInteger, default=0, index=True)
