"""Sessions: where a person is signed in, each named by the key in one browser's cookie.

A session ends when its person says so, when its password changes elsewhere, when it was idle for too long, or when it
is as old as it may get; its very next request finds no row, or one that is out of date.
"""
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, String, delete, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from core import clock
from core.database import UtcDateTime, db
from core.errors import NotFound

SEEN_EVERY = timedelta(minutes=5)  # more exactly nobody needs to know it
BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
           ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"))


@dataclass(frozen=True)
class Limits:
    """How long a session may be idle, and how old it may get."""
    idle: timedelta
    whole: timedelta


class Session(db.Model):
    __tablename__ = "session"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)  # of the key; the key itself is in the cookie alone
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)  # within SEEN_EVERY
    program: Mapped[str] = mapped_column(String(60))
    address: Mapped[str] = mapped_column(String(60))


def program(agent: str) -> str:
    """What a User-Agent header says, in short words: "Firefox on Linux"."""
    browser = next((name for mark, name in BROWSERS if mark in agent), "A browser")
    system = next((name for mark, name in SYSTEMS if mark in agent), None)
    return f"{browser} on {system}" if system else browser


def begin(person_id: int, agent: str, address: str, limits: Limits) -> str:
    """A new session. Returns its key, for the cookie; the person's sessions that are out of date are forgotten."""
    now, key = clock.now(), secrets.token_urlsafe(32)
    db.session.execute(delete(Session).where(Session.person_id == person_id, or_(
        Session.made_at <= now - limits.whole, Session.seen_at <= now - limits.idle)))
    db.session.add(Session(person_id=person_id, digest=_digest(key), made_at=now, seen_at=now,
                           program=program(agent), address=address[:60]))
    db.session.flush()
    return key


def renew(session_id: int) -> str:
    """Another key for a session; the one before opens nothing any more."""
    key = secrets.token_urlsafe(32)
    db.session.execute(update(Session).where(Session.id == session_id).values(digest=_digest(key)))
    return key


def find(key: str | None, person_id: int, limits: Limits):
    """(id, seen_at) of the session that a key names, if it is this person's and still lasts; else None."""
    return key and db.session.execute(_lasting(person_id, limits).where(Session.digest == _digest(key))
                                      .with_only_columns(Session.id, Session.seen_at)).first()


def listing(person_id: int, limits: Limits) -> list[Session]:
    """Where a person is signed in, the latest seen first."""
    return db.session.scalars(_lasting(person_id, limits).order_by(Session.seen_at.desc(), Session.id.desc())).all()


def end(session_id: int, person_id: int):
    """End one session of a person. Raises NotFound."""
    if not db.session.execute(delete(Session).where(
            Session.id == session_id, Session.person_id == person_id)).rowcount:
        raise NotFound()


def end_all(person_id: int | None, but: int | None = None) -> int:
    """End every session of a person, of everybody where nobody is named, but one where it is named. Returns how
    many."""
    whose = () if person_id is None else (Session.person_id == person_id,)
    return db.session.execute(delete(Session).where(*whose, Session.id.is_distinct_from(but))).rowcount


def seen(session_id: int):
    """The statement that says a session was used just now."""
    return update(Session).where(Session.id == session_id).values(seen_at=clock.now())


def _lasting(person_id, limits):
    now = clock.now()
    return select(Session).where(Session.person_id == person_id, Session.made_at > now - limits.whole,
                                 Session.seen_at > now - limits.idle)


def _digest(key):
    return hashlib.sha256(key.encode()).hexdigest()
