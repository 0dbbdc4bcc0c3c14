"""The log of changed titles, read without gaps by every process that keeps a copy.

Ids are not commit order: on PostgreSQL a row may become visible after one with a higher id. So a row
carries its transaction's id there, and a reader asks again from the oldest transaction that was still
open at its last reading; meeting a row twice does no harm. SQLite has one writer, and ids are commit
order (docs/decisions/0004).
"""
from typing import NamedTuple

from sqlalchemy import func, select, text

from catalogue.models import Change
from core.database import db


class Mark(NamedTuple):
    """How far a reader has read: an id on SQLite, a transaction id on PostgreSQL."""
    place: int = 0


def note(*title_ids: int):
    """Say, in the current transaction, that these titles' records or rights changed."""
    if title_ids:
        xid = (db.session.scalar(text("SELECT pg_current_xact_id()::text::bigint"))
               if _on_postgresql(db.session) else 0)
        db.session.execute(Change.__table__.insert(), [{"title_id": each, "xid": xid} for each in title_ids])


def mark(session) -> Mark:
    """The place after everything `session` sees now. Take it before reading what it stands for."""
    if _on_postgresql(session):
        return Mark(session.scalar(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")))
    return Mark(session.scalar(select(func.max(Change.id))) or 0)


def since(session, last: Mark) -> tuple[set[int], Mark]:
    """The titles changed since `last`, and the mark to ask from next time."""
    if not _on_postgresql(session):
        rows = session.execute(select(Change.id, Change.title_id).where(Change.id > last.place)).all()
        return {row.title_id for row in rows}, Mark(max((row.id for row in rows), default=last.place))
    # One statement is one snapshot: the rows and the horizon they were read under belong together.
    rows = session.execute(text(
        "SELECT horizon.xmin, change.title_id FROM"
        " (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin) AS horizon"
        " LEFT JOIN change ON change.xid >= :place"), {"place": last.place}).all()
    return {row.title_id for row in rows if row.title_id}, Mark(rows[0].xmin)


def _on_postgresql(session):
    return session.get_bind().dialect.name == "postgresql"
