"""The log of changed titles, read without gaps by every process that keeps a copy.

Ids are not commit order: on PostgreSQL a row may become visible after one with a higher id. So a row
carries its transaction's id there, and a reader asks again from the oldest transaction that was still
open at its last reading; meeting a row twice does no harm. SQLite has one writer, and ids are commit
order (docs/decisions/0004).
"""
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, select, text

from accounts.webhooks import deliveries, endpoints
from catalogue.models import Change
from core import outbox
from core.database import db

AVAILS, PUBLISHED = "avails.changed", "title.published"  # events of webhooks, and topics of the outbox

# Made once: each search asks this, and the making takes longer than the asking.
_LOG = Change.__table__.c
_AFTER = select(_LOG.id, _LOG.title_id).where(_LOG.id > bindparam("place"))
# One statement is one snapshot: the rows and the horizon they were read under belong together.
_IN_DOUBT = text("SELECT horizon.xmin, change.title_id FROM"
                 " (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin) AS horizon"
                 " LEFT JOIN change ON change.xid >= :place")


class Mark(NamedTuple):
    """How far a reader has read: an id on SQLite, a transaction id on PostgreSQL."""
    place: int = 0


def note(*title_ids: int, rights: bool = True, among=None):
    """Say, in the current transaction, that these titles' records or rights changed.

    Where it were not the record's words alone (`rights`), what is free of them may be another: webhooks tell it to who
    may see the titles, or, where it is nothing to all others, to the organisations `among` alone.
    """
    if title_ids:
        xid = (db.session.scalar(text("SELECT pg_current_xact_id()::text::bigint"))
               if _on_postgresql(db.session) else 0)
        db.session.execute(Change.__table__.insert(), [{"title_id": each, "xid": xid} for each in title_ids])
    if rights and among is None:
        announce(AVAILS, title_ids)
    elif rights:
        deliveries.tell(among, AVAILS, {"title_ids": [str(each) for each in title_ids]})


def announce(event: str, title_ids):
    """Put down, in the current transaction, what webhooks will tell of these titles (`catalogue.webhooks`)."""
    if title_ids and endpoints.listened(event):
        outbox.put_all(event, title_ids)


def mark(link) -> Mark:
    """The place after everything that `link`, a session or a connection, sees now. Take it before reading what it
    stands for."""
    if _on_postgresql(link):
        return Mark(link.scalar(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")))
    return Mark(link.scalar(select(func.max(Change.id))) or 0)


def nothing_since(engine, last: Mark) -> bool:
    """Whether it is known at once that nothing changed: each search asks, and by SQLAlchemy's connection `since` takes
    seven times as long. On PostgreSQL it is never known, for the mark has to move on with the oldest transaction."""
    if engine.dialect.name == "postgresql":
        return False
    link = engine.raw_connection()
    try:
        return link.cursor().execute("SELECT 1 FROM change WHERE id > ?", (last.place,)).fetchone() is None
    finally:
        link.close()


def since(link, last: Mark) -> tuple[set[int], Mark]:
    """The titles changed since `last`, as a session or a connection sees them, and the mark to ask from next time."""
    if not _on_postgresql(link):
        rows = link.execute(_AFTER, {"place": last.place}).all()
        return {row.title_id for row in rows}, Mark(max((row.id for row in rows), default=last.place))
    rows = link.execute(_IN_DOUBT, {"place": last.place}).all()
    return {row.title_id for row in rows if row.title_id}, Mark(rows[0].xmin)


def _on_postgresql(link):
    bound = link if isinstance(link, Connection) else link.get_bind()
    return bound.dialect.name == "postgresql"
