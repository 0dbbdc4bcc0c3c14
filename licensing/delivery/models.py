"""The list of materials of a signed deal: its items, and what became of each."""
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from accounts.models import Person
from catalogue.models import Title
from core.database import UtcDateTime, db
from licensing.models import Offer
from media.models import Asset
from media.models import Kind as AssetKind


class Kind(StrEnum):
    MASTER = "master"
    DUB = "dub"
    MUSIC_AND_EFFECTS = "music_and_effects"
    SUBTITLES = "subtitles"
    ART = "art"
    CHAIN_OF_TITLE = "chain_of_title"


USES = {Kind.DUB: "dub", Kind.SUBTITLES: "sub"}  # kinds that have a language, and the use of it that is licensed
FILES = {Kind.MASTER: AssetKind.MASTER, Kind.DUB: AssetKind.AUDIO, Kind.MUSIC_AND_EFFECTS: AssetKind.AUDIO,
         Kind.SUBTITLES: AssetKind.SUBTITLE, Kind.ART: AssetKind.ART, Kind.CHAIN_OF_TITLE: AssetKind.DOCUMENT}


class Material(db.Model):
    """One item: what is owed of a title, and the file that was delivered."""
    __tablename__ = "material"
    __table_args__ = (Index("ix_material_state_answer_by", "state", "answer_by"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"), index=True)
    title_id: Mapped[int] = mapped_column(ForeignKey("title.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    language: Mapped[str | None] = mapped_column(String(20))  # of a dub or of subtitles, once it is named
    due_on: Mapped[date | None]
    qc_days: Mapped[int]  # to answer in, from the day after it is delivered
    state: Mapped[str] = mapped_column(String(10))
    answer_by: Mapped[date | None]  # the last day of the QC window of what was delivered
    asset_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"), index=True)

    offer: Mapped[Offer] = relationship()
    title: Mapped[Title] = relationship()
    asset: Mapped[Asset | None] = relationship()
    steps: Mapped[list["MaterialStep"]] = relationship(order_by="MaterialStep.id")


class MaterialStep(db.Model):
    """One step of an item's history. Written once, never changed."""
    __tablename__ = "material_step"
    id: Mapped[int] = mapped_column(primary_key=True)
    material_id: Mapped[int] = mapped_column(ForeignKey("material.id"), index=True)
    action: Mapped[str] = mapped_column(String(20))
    side: Mapped[str] = mapped_column(String(6))  # buyer, seller or system
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    to_state: Mapped[str] = mapped_column(String(10))
    asset_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"))  # the file it was about
    note: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    person: Mapped[Person | None] = relationship()
    asset: Mapped[Asset | None] = relationship()
