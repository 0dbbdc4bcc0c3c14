"""The one worker: drains the outbox into the index, checks what was overtaken, lets the clock move what is due; beside
that it saves the ledger and looks after the index's files.

A restarted worker goes on where the last one stopped; nothing is lost with the process. There is one at
a time, by a lock on a file of the instance folder.
"""
import fcntl
import math
import time
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from sqlalchemy.exc import OperationalError

from accounts import applications
from core import audit, http, outbox
from core.database import db, reading
from licensing import avails, clockwork, holds, overtaken
from licensing.after import alerts
from licensing.delivery import items
from licensing.refusals import asked
from search import documents, saved
from search.engine import Damaged, Engine

TRIES, A_MOMENT = 10, 0.1  # to take the worker's place
IDLE_SECONDS = 0.3
MOVE_EVERY_SECONDS, MOVE_SECONDS, MOST_REST_SECONDS = 2, 0.2, 0.05
SWEEP_EVERY_SECONDS, KEEP_EVERY_SECONDS = 600, 30
ROWS, AT_ONCE = 500, 20_000  # of the outbox: in a turn, and where nothing else waits
REBUILD_AT = 2_000  # changed titles


def catch_up(index: Engine) -> int:
    """Bring the index up to date with the outbox. Returns how many rows were handled."""
    done = 0
    while count := _follow(index, AT_ONCE):
        done += count
    return done


def _follow(index, most):
    """Index what changed, so many rows of the outbox at most. A damaged index is built anew: it is a copy."""
    make_ready(index)
    try:
        return outbox.drain("title", partial(_index, index), limit=most, passing=(Damaged,))
    except Damaged:
        db.session.rollback()
    return rebuild(index)


def make_ready(index: Engine):
    """Build the index where it was never built, or cannot be read."""
    if index.damaged:
        rebuild(index)


def _index(index, title_ids):
    if len(title_ids) > REBUILD_AT:  # after an import it is quicker to begin anew
        rebuild(index)
        return
    fresh = documents.of(title_ids)
    index.replace(fresh, gone=title_ids - {document.id for document in fresh})


def rebuild(index: Engine) -> int:
    """A new generation of the index from the tables. Returns how many documents it holds."""
    with reading():
        count = index.rebuild(documents.every())
        db.session.commit()
    return count


def differences(index: Engine) -> list[str]:
    """In what the index and the tables disagree, one line each; what waits in the outbox is no difference."""
    waiting = set(db.session.scalars(db.select(outbox.OutboxRow.subject_id).filter_by(topic="title")))
    try:
        index.verify()
        held = index.stamps()
    except Damaged as problem:
        return [f"The index cannot be read: {problem}"]
    wanted = documents.stamps()
    found = []
    for title_id in sorted((held.keys() | wanted.keys()) - waiting):
        if title_id not in held:
            found.append(f"Title {title_id} is missing from the index.")
        elif title_id not in wanted:
            found.append(f"The index holds title {title_id}, which no longer exists.")
        elif held[title_id] != wanted[title_id]:
            found.append(f"Title {title_id} is at revision {wanted[title_id]}, the index at {held[title_id]}.")
    return found


def turn(index: Engine) -> int:
    """One turn of everything there is to do. Returns how much was done."""
    return _follow(index, ROWS) + overtaken.follow() + _move(index)


def _move(index, seconds=math.inf):
    """What time has made due, for about so many seconds: there may be thousands of alerts, and changes wait meanwhile.

    After each step it rests as long: whoever waits for SQLite's writer looks for it only now and then, and would never
    get it from one who takes it again at once.
    """
    done, until = 0, time.monotonic() + seconds
    for tick, each in _due(index):
        began = time.monotonic()
        tick(each)
        db.session.commit()
        done += 1
        time.sleep(min(time.monotonic() - began, MOST_REST_SECONDS))
        if time.monotonic() > until:
            break
    return done + _chain()


def _due(index):
    look = partial(saved.tick, index=index)
    for due, tick in ((clockwork.due, clockwork.tick), (items.due, items.tick), (holds.due, holds.tick),
                      (saved.due, look), (asked.to_ask, asked.ask), (asked.due, asked.tick),
                      (alerts.due, alerts.tick), (alerts.to_tell, alerts.tell)):
        for each in _read(due):
            yield tick, each


def _chain() -> int:
    """Chain what was noted since."""
    if not _read(audit.waiting):
        return 0
    done = audit.link()
    db.session.commit()
    return done


def keep_ledger() -> bool:
    """Save the ledger of rights, if that pays, for every process to map. Returns whether it was saved."""
    book = avails.book(db.engine)
    if not book.wants_saving(db.engine):
        return False
    book.save(db.session)
    db.session.commit()
    return True


def _read(due):
    with reading():
        found = due()
        db.session.rollback()
    return found


def work(index: Engine, say=print):
    """Work until stopped. A busy database is waited for."""
    moved = -math.inf
    while True:
        idle = True
        with _waiting(say):
            idle = not _follow(index, ROWS) + overtaken.follow()
            if time.monotonic() - moved > MOVE_EVERY_SECONDS:
                if _move(index, MOVE_SECONDS):
                    idle = False
                else:
                    moved = time.monotonic()
        if idle:
            time.sleep(IDLE_SECONDS)


def tidy(index: Engine, say=print):
    """Beside the work, until stopped: what takes seconds where there are many titles, and no change should wait for."""
    swept = -math.inf
    while True:
        with _waiting(say, OSError):  # a full disk, say
            keep_ledger()
            if time.monotonic() - swept > SWEEP_EVERY_SECONDS:
                http.keys.sweep()
                applications.sweep()
                db.session.commit()
                with suppress(Damaged):  # which is marked, and built anew in the worker's next turn
                    index.verify()
                swept = time.monotonic()
        time.sleep(KEEP_EVERY_SECONDS)


@contextmanager
def _waiting(say, *passing):
    try:
        yield
    except OperationalError as problem:
        say(f"The database does not answer ({problem.orig}); trying again.")
        db.session.rollback()
    except passing as problem:
        say(f"{problem}; trying again.")
        db.session.rollback()
    db.session.remove()


@contextmanager
def only_one(instance: str):
    """Hold the worker's place. Raises BlockingIOError where another worker holds it.

    Who looks whether one is `alive` holds the place for a moment, so it is tried more than once.
    """
    with _place(instance) as file:
        for left in reversed(range(TRIES)):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not left:
                    raise
                time.sleep(A_MOMENT)
        yield


def alive(instance: str) -> bool:
    """Whether a worker is running."""
    with _place(instance) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
        except BlockingIOError:
            return True


def _place(instance):
    path = Path(instance) / "worker.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("a")
