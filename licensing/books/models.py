"""A seller's books as they were sent: the file, its rows, and what became of each."""
from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship

from accounts.models import Person
from core.database import UtcDateTime, db


class State(StrEnum):
    SENT = "sent"              # to be read
    UNREADABLE = "unreadable"
    CHECKING = "checking"
    CHECKED = "checked"        # the dry run: nothing was changed
    LOADING = "loading"
    LOADED = "loaded"


class Mode(StrEnum):
    ALL = "all"    # or nothing
    GOOD = "good"  # rows only


class Status(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


class Effect(StrEnum):
    """What loading a row does, or did."""
    NEW = "new"
    SAME = "same"  # it is recorded already
    RECORDED = "recorded"


class Upload(db.Model):
    """One file of mandates and deals done elsewhere."""
    __tablename__ = "books_upload"
    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    filename: Mapped[str] = mapped_column(String(200))
    holds: Mapped[str | None] = mapped_column(String(10))  # mandates or licences; None: its sheets' names say
    encoding: Mapped[str] = mapped_column(String(20), default="")
    content: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))  # until its rows are written
    state: Mapped[str] = mapped_column(String(12), default=State.SENT.value, index=True)
    mode: Mapped[str | None] = mapped_column(String(4))
    note: Mapped[str | None] = mapped_column(Text)
    sheets: Mapped[list] = mapped_column(JSON, default=list)  # [{name, kind, header, places, note}]
    total: Mapped[int] = mapped_column(default=0)  # rows
    done: Mapped[int] = mapped_column(default=0)  # of them, in what is under way
    reached: Mapped[int] = mapped_column(default=0)  # the root up to which that is done: where a new worker goes on
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime)
    loaded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    person: Mapped[Person] = relationship()


class Row(db.Model):
    """One row of an upload, as it was written, and what is to be said of it."""
    __tablename__ = "books_row"
    __table_args__ = (Index("ix_books_row_upload_id_status", "upload_id", "status"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    upload_id: Mapped[int] = mapped_column(ForeignKey("books_upload.id"))
    sheet: Mapped[int]
    number: Mapped[int]  # as the spreadsheet counts
    cells: Mapped[list] = mapped_column(JSON)  # the text of each
    status: Mapped[str | None] = mapped_column(String(8))
    effect: Mapped[str | None] = mapped_column(String(8))
    remarks: Mapped[list] = mapped_column(JSON, default=list)  # [{kind, field, cell, why, nearest, other, title_id}]
