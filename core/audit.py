"""Who did what, when, from where, before and after: written in the change's own transaction, never changed after it.

Packages name the records to be watched (`watch`); what the ORM writes of these is noted as it is flushed, and what has
no record of its own is noted by hand (`note`). The worker chains the rows by hash (`link`), for a chain made in the
transactions would be one lock for all; the database refuses every other change of a row (migration 0014).
"""
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum

from flask import g, has_request_context, request
from sqlalchemy import JSON, Index, String, bindparam, event, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import clock
from core.database import UtcDateTime, db

COMMAND_LINE, WORKER = "command line", "worker"
START = "0" * 64  # the hash before the first
SECRET = frozenset({"password", "digest", "fs_uniquifier", "token"})
AT_ONCE = 1_000
_elsewhere = COMMAND_LINE  # where what is done outside a request comes from


class AuditRow(db.Model):
    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_organisation_id_id", "organisation_id", "id"),
                      Index("ix_audit_unchained", "id", sqlite_where=text("hash IS NULL"),
                            postgresql_where=text("hash IS NULL")))
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    organisation_id: Mapped[int | None]  # of who acted; of the record, where nobody did
    person_id: Mapped[int | None]
    who: Mapped[str | None] = mapped_column(String(500))  # name and address, as they were
    origin: Mapped[str] = mapped_column(String(60))  # an address, "command line" or "worker"
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int | None]
    before: Mapped[dict | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[dict | None] = mapped_column(JSON(none_as_null=True))
    place: Mapped[int | None] = mapped_column(unique=True)  # in the chain
    hash: Mapped[str | None] = mapped_column(String(64))


def elsewhere(name: str):
    """Say what this process is, for what it does outside a request."""
    global _elsewhere
    _elsewhere = name


# ------------------------------------------------------------------ writing

def note(action: str, subject: str, subject_id: int | None, *, before: dict | None = None, after: dict | None = None,
         organisation_id: int | None = None, by=None):
    """Note an act in the current transaction. `by` is the viewer who acts, where it is not who asks."""
    db.session.execute(AuditRow.__table__.insert(), [
        _row(action, subject, subject_id, before, after, organisation_id, by)])


def _row(action, subject, subject_id, before, after, organisation_id, by=None) -> dict:
    by = by or (g.get("viewer") if has_request_context() else None)
    if by:
        organisation_id = by.organisation_id
    return {"at": clock.now(), "organisation_id": organisation_id() if callable(organisation_id) else organisation_id,
            "person_id": by and by.person_id, "who": by and f"{by.name} <{by.email}>"[:500],
            "origin": (request.remote_addr or "unknown")[:60] if has_request_context() else _elsewhere,
            "action": action, "subject": subject, "subject_id": subject_id,
            "before": _plain(before) if before else None, "after": _plain(after) if after else None}


def _plain(value):
    """A value as JSON has it."""
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return str(value) if isinstance(value, Decimal) else value


@dataclass(frozen=True)
class Watch:
    """How one kind of record is noted. Each function is given the record.

    `only` are the columns whose change is noted, all where empty; `action` is (record, "created", "changed" or
    "removed", before, after) → what it is called, None where it is nothing to note; `organisation` whose it is.
    """
    subject: Callable
    subject_id: Callable
    action: Callable
    organisation: Callable
    only: frozenset
    without: frozenset


_watched: dict[type, Watch] = {}


def watch(model: type, subject: str | Callable, *, organisation: Callable, action: Callable | None = None,
          subject_id: Callable = lambda row: row.id, only=(), without=()):
    """Note every record of a model that is created, changed or removed."""
    _watched[model] = Watch(subject if callable(subject) else lambda row: subject, subject_id,
                            action or (lambda row, what, before, after: what), organisation,
                            frozenset(only), frozenset(without) | SECRET)


@event.listens_for(Session, "after_flush")
def _note_what_was_flushed(session, _context):
    found = []
    for what, some in (("created", session.new), ("changed", session.dirty), ("removed", session.deleted)):
        for record in some:
            if (rule := _watched.get(type(record))) and (row := _noted(record, what, rule)):
                found.append(row)
    if found:
        session.connection().execute(AuditRow.__table__.insert(), found)


def _noted(record, what, rule) -> dict | None:
    state = db.inspect(record)
    before, after = {}, {}
    for column in state.mapper.column_attrs:
        name = column.key
        if name in rule.without or rule.only and name not in rule.only:
            continue
        if what == "changed":
            history = state.attrs[name].history
            if history.has_changes():
                before[name] = history.deleted[0] if history.deleted else None
                after[name] = history.added[0] if history.added else None
        elif state.dict.get(name) is not None:
            (after if what == "created" else before)[name] = state.dict[name]
    if not (before or after):
        return None
    action = rule.action(record, what, before, after)
    return action and _row(action, rule.subject(record), rule.subject_id(record), before, after,
                           lambda: rule.organisation(record))


# ------------------------------------------------------------------ the chain

def waiting() -> bool:
    """Whether rows are not chained yet."""
    return db.session.scalar(select(AuditRow.id).where(AuditRow.hash.is_(None)).limit(1)) is not None


def link(most: int = AT_ONCE) -> int:
    """Chain rows that are not chained yet, in the order of their ids as far as they can be seen. Returns how many.
    There is one who links: the worker; a second at the same moment fails at the place that it takes twice."""
    fresh = db.session.scalars(select(AuditRow).where(AuditRow.hash.is_(None)).order_by(AuditRow.id).limit(most)).all()
    place, last = db.session.execute(select(AuditRow.place, AuditRow.hash).where(AuditRow.place.is_not(None))
                                     .order_by(AuditRow.place.desc()).limit(1)).first() or (0, START)
    links = []
    for row in fresh:
        place, last = place + 1, digest(last, row)
        links.append({"of": row.id, "to": place, "hashed": last})
    if links:
        table = AuditRow.__table__
        db.session.execute(update(table).where(table.c.id == bindparam("of")).values(
            place=bindparam("to"), hash=bindparam("hashed")), links)
        db.session.expire_all()
    return len(links)


def digest(last: str, row: AuditRow) -> str:
    """The hash of a row that is chained to the one with the hash `last`."""
    said = [last, row.id, row.at.astimezone(UTC).isoformat(), row.organisation_id, row.person_id, row.who, row.origin,
            row.action, row.subject, row.subject_id, row.before, row.after]
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def broken(head: str | None = None):
    """A sentence for each link that does not hold. `head` is a hash that was the last once, and must still be there:
    it shows that nothing was cut off at the end."""
    expected, last, known = 1, START, head is None
    for row in db.session.scalars(select(AuditRow).where(AuditRow.place.is_not(None)).order_by(AuditRow.place)
                                  .execution_options(yield_per=AT_ONCE)):
        if row.place != expected:
            yield (f"Link {expected} is missing." if row.place == expected + 1 else
                   f"Links {expected} to {row.place - 1} are missing.")
        elif row.hash != digest(last, row):
            yield (f"Link {row.place} is broken: row {row.id} ({row.subject} {row.subject_id}, {row.action}) does not "
                   "say what it said when it was chained.")
        expected, last = row.place + 1, row.hash
        known = known or row.hash == head
    if not known:
        yield f"No link has the hash {head}: what was chained up to it was cut off or written anew."


def head() -> tuple[int, str]:
    """How many links there are, and the hash of the last: keep it elsewhere, for `broken`."""
    return (db.session.scalar(select(func.max(AuditRow.place))) or 0,
            db.session.scalar(select(AuditRow.hash).where(AuditRow.place.is_not(None))
                              .order_by(AuditRow.place.desc()).limit(1)) or START)
