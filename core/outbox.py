"""What must follow a change, written in the change's own transaction and done after it.

A row says *what changed*, never the new content: whoever handles it reads the tables again, so a row
may be handled late, twice or out of order. A row that fails is tried again, later each time, and is
shown by `flask outbox`; it never holds up the rows behind it.
"""
import time
from datetime import datetime, timedelta

from sqlalchemy import String, delete, func, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, mapped_column

from core import clock
from core.database import UtcDateTime, db

LONGEST_PAUSE = timedelta(hours=1)
IDLE_SECONDS, AWAY_SECONDS = 0.3, 2


class OutboxRow(db.Model):
    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(primary_key=True)
    topic: Mapped[str] = mapped_column(String(40), index=True)
    subject_id: Mapped[int]
    put_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime] = mapped_column(UtcDateTime)
    error: Mapped[str | None]


def put(topic: str, subject_id: int):
    """Promise that `topic` will be handled for this subject, if the current transaction commits."""
    db.session.add(OutboxRow(topic=topic, subject_id=subject_id, put_at=clock.now(), not_before=clock.now()))


def put_all(topic: str, subject_ids):
    """The same for many subjects in one statement."""
    if subject_ids:
        db.session.execute(OutboxRow.__table__.insert(), [
            {"topic": topic, "subject_id": each, "put_at": clock.now(), "not_before": clock.now(), "attempts": 0}
            for each in subject_ids])


def drain(topic: str, handle, limit: int = 500, passing: tuple[type[Exception], ...] = ()) -> int:
    """Hand the due subjects of `topic` to `handle(set of ids)`, then delete the rows that were read.

    Returns how many rows were read. Commits. Where handling the batch fails, its halves are handled each
    alone, and so on, so that one poisoned row cannot keep the others waiting. What is `passing` is no row's
    fault: it is raised, and the rows stay as they are.
    """
    due = db.session.execute(
        select(OutboxRow.id, OutboxRow.subject_id)
        .where(OutboxRow.topic == topic, OutboxRow.not_before <= clock.now())
        .order_by(OutboxRow.id).limit(limit)).all()
    db.session.commit()
    parts = [due] if due else []
    while parts:
        some = parts.pop()
        if not _handled(handle, some, passing) and len(some) > 1:
            half = len(some) // 2
            parts += [some[half:], some[:half]]
    return len(due)


def _handled(handle, rows, passing) -> bool:
    ids = [row.id for row in rows]
    try:
        handle({row.subject_id for row in rows})
    except passing:
        db.session.rollback()
        raise
    except Exception as error:  # whatever went wrong is kept with the row and shown to the operator
        db.session.rollback()
        if len(rows) == 1:
            attempts = db.session.scalar(select(OutboxRow.attempts).where(OutboxRow.id == ids[0])) or 0
            pause = min(timedelta(seconds=2 ** min(attempts, 12)), LONGEST_PAUSE)
            db.session.execute(update(OutboxRow).where(OutboxRow.id == ids[0]).values(
                attempts=attempts + 1, not_before=clock.now() + pause, error=f"{type(error).__name__}: {error}"[:2000]))
            db.session.commit()
        return False
    for start in range(0, len(ids), 5000):  # SQLite takes some 30,000 parameters in one statement
        db.session.execute(delete(OutboxRow).where(OutboxRow.id.in_(ids[start:start + 5000])))
    db.session.commit()
    return True


def waiting(topic: str | None = None) -> int:
    """How many rows are still to be handled."""
    rows = select(func.count()).select_from(OutboxRow)
    return db.session.scalar(rows.where(OutboxRow.topic == topic) if topic else rows)


def untried(topic: str) -> bool:
    """Whether a row of `topic` waits that nobody has tried to handle: one that failed keeps nobody waiting."""
    return db.session.scalar(select(OutboxRow.id).filter_by(topic=topic, attempts=0).limit(1)) is not None


def oldest(topic: str) -> datetime | None:
    """When the oldest waiting row of `topic` was put."""
    return db.session.scalar(select(func.min(OutboxRow.put_at)).where(OutboxRow.topic == topic))


def failing() -> list[OutboxRow]:
    """Rows that have failed at least once, oldest first."""
    return db.session.scalars(select(OutboxRow).where(OutboxRow.attempts > 0).order_by(OutboxRow.id)).all()


def forever(waits: str, say, turn, passing: tuple[type[Exception], ...] = ()):
    """Turn after turn until the process ends. A database that does not answer, or what is `passing`, is waited for,
    and that is said once: "Mail waits: …"."""
    away = False
    while True:
        try:
            turn()
            away = False
        except (OperationalError, *passing) as problem:
            if not away:
                say(f"{waits}: {problem}")
            away = True
            db.session.rollback()
        db.session.remove()
        time.sleep(AWAY_SECONDS if away else IDLE_SECONDS)
