"""Pictures, films and papers of a title, what was made of them, and how an asset lives."""
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from accounts.models import Organisation, Person
from catalogue.models import Title
from core.database import UtcDateTime, db


class Kind(StrEnum):
    POSTER = "poster"
    STILL = "still"
    TRAILER = "trailer"
    SCREENER = "screener"
    MASTER = "master"
    SUBTITLE = "subtitle"
    DOCUMENT = "document"
    AUDIO = "audio"  # a dub, or music and effects
    ART = "art"      # for delivery: kept as it was sent, and shown nowhere


PICTURES = frozenset({Kind.POSTER, Kind.STILL})
SHOWN = PICTURES | {Kind.TRAILER}  # to everyone who may see the title; the rest belongs to its seller
FILMS = frozenset({Kind.TRAILER, Kind.SCREENER})  # what is watched here
SMALLER = "720p.mp4"  # the rendition that is played in place of a taller film


class Track(StrEnum):
    """What the words of a WebVTT file are for, as HTML names it."""
    SUBTITLES = "subtitles"
    CAPTIONS = "captions"
    CHAPTERS = "chapters"


class State(StrEnum):
    UPLOADING = "uploading"
    CHECKING = "checking"
    READY = "ready"
    REJECTED = "rejected"
    DELETED = "deleted"


NEXT = {State.UPLOADING: {State.CHECKING, State.REJECTED, State.DELETED},
        State.CHECKING: {State.READY, State.REJECTED, State.DELETED},
        State.READY: {State.REJECTED, State.DELETED}, State.REJECTED: {State.DELETED}, State.DELETED: set()}


class Asset(db.Model):
    """One file of a title, or a paper of an offer. Until it is ready, `size`, `type` and `sha256` are what its sender
    says they are."""
    __tablename__ = "asset"
    __table_args__ = (Index("ix_asset_title_id_kind_state", "title_id", "kind", "state"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    title_id: Mapped[int | None] = mapped_column(ForeignKey("title.id"))  # None: a paper of an offer
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))  # who sent it
    kind: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10), default=State.UPLOADING.value, index=True)
    reason: Mapped[str | None] = mapped_column(Text)  # why it was rejected
    key: Mapped[str] = mapped_column(String(32), unique=True)  # random: tells nothing of the title
    upload_id: Mapped[str | None] = mapped_column(String(200))  # the store's, where it comes in parts
    filename: Mapped[str] = mapped_column(String(200))  # for people and downloads; never part of a key
    type: Mapped[str] = mapped_column(String(60))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(String(64))
    language: Mapped[str | None] = mapped_column(String(20))
    alt: Mapped[str | None] = mapped_column(String(500))  # what the picture shows, for those who do not see it
    focal_x: Mapped[int] = mapped_column(default=50)  # per cent from the left and from the top: what stays in view
    focal_y: Mapped[int] = mapped_column(default=50)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)  # when its state last changed
    swept_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when its objects were removed
    film_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"), index=True)  # the film these words belong to
    track: Mapped[str | None] = mapped_column(String(10))  # and what they are for there

    title: Mapped[Title | None] = relationship()
    renditions: Mapped[list["Rendition"]] = relationship(order_by="Rendition.width", cascade="all, delete-orphan")

    @property
    def arriving(self) -> str:
        """The key it is sent to. What comes by a form is moved when it is found true: the form could be sent again."""
        return f"kept/{self.key}/original" if self.upload_id else f"arriving/{self.key}"

    @property
    def kept(self) -> str:
        """The key it is read from as it was sent; a picture as it was made anew."""
        return f"kept/{self.key}/{self.pictures[-1].name if self.kind in PICTURES and self.pictures else 'original'}"

    @property
    def shown(self) -> str:
        """The key it is shown from: of a film the smaller rendition, where one was made."""
        smaller = any(each.name == SMALLER for each in self.renditions)
        return f"kept/{self.key}/{SMALLER}" if smaller else self.kept

    @property
    def pictures(self) -> list["Rendition"]:
        """Its sizes, or its film's still in several, by width."""
        return [each for each in self.renditions if each.name != SMALLER]


class Rendition(db.Model):
    """What was made of an asset: a picture or a film's still in one width, or the film smaller. Pictures are shown as
    renditions and never as they were sent."""
    __tablename__ = "rendition"
    id: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"), index=True)
    name: Mapped[str] = mapped_column(String(20))
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int]


class Grant(db.Model):
    """Leave to watch a screener: for everyone of one organisation, or for one person while they act for the
    organisation that they belonged to when it was given. A person who never asked is named by an address, and may be
    somebody, or come to be somebody, or not: of that the row tells nothing."""
    __tablename__ = "asset_grant"
    id: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    email: Mapped[str | None] = mapped_column(String(255), index=True)  # of the person, where named by it
    acting_for_id: Mapped[int | None]  # the organisation of that person; by address None until somebody has it
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))  # who gave it
    starts_on: Mapped[date]
    ends_on: Mapped[date]  # both days are included
    max_views: Mapped[int | None]
    views: Mapped[int] = mapped_column(default=0)
    download: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when it was taken back

    plays: Mapped[list["Play"]] = relationship(order_by="Play.id")
    asset: Mapped[Asset] = relationship()
    organisation: Mapped[Organisation | None] = relationship()
    person: Mapped[Person | None] = relationship(foreign_keys=person_id)
    acting_for: Mapped[Organisation | None] = relationship(
        primaryjoin=lambda: foreign(Grant.acting_for_id) == Organisation.id, viewonly=True)


class Play(db.Model):
    """Someone watching once, and how far they came."""
    __tablename__ = "play"
    id: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"), index=True)
    grant_id: Mapped[int | None] = mapped_column(ForeignKey("asset_grant.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    told_at: Mapped[datetime] = mapped_column(UtcDateTime)  # when it was last heard of
    seconds: Mapped[int]  # of the film: the furthest


class ScreenerRequest(db.Model):
    """An organisation asks a seller for a screener of a title. It is open until it is granted or declined."""
    __tablename__ = "screener_request"
    __table_args__ = (
        Index("ix_screener_request_open", "title_id", "organisation_id", unique=True,
              sqlite_where=text("answered_at IS NULL"), postgresql_where=text("answered_at IS NULL")),
        Index("ix_screener_request_waiting", "seller_id", sqlite_where=text("answered_at IS NULL"),
              postgresql_where=text("answered_at IS NULL")))
    id: Mapped[int] = mapped_column(primary_key=True)
    title_id: Mapped[int] = mapped_column(ForeignKey("title.id"))
    seller_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))  # the title's: counted on every page
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)  # which asks
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))  # for it
    note: Mapped[str | None] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # who answered
    grant_id: Mapped[int | None] = mapped_column(ForeignKey("asset_grant.id"))
    reply: Mapped[str | None] = mapped_column(Text)  # why it was declined

    title: Mapped[Title] = relationship()
    seller: Mapped[Organisation] = relationship(foreign_keys=seller_id)
    organisation: Mapped[Organisation] = relationship(foreign_keys=organisation_id)
    person: Mapped[Person] = relationship(foreign_keys=person_id)
    grant: Mapped[Grant | None] = relationship()

    @property
    def state(self) -> str:
        if self.answered_at is None:
            return "open"
        return "granted" if self.grant_id else "declined"
