"""The worker's share in books: one upload after the other, beside the index, so that neither waits."""
import time
import traceback

from sqlalchemy.exc import OperationalError

from core.database import db, reading
from licensing.books import uploads

IDLE_SECONDS, AWAY_SECONDS = 0.5, 2


def turn(say=print) -> int:
    """Do what is due. Returns how many uploads were attended to."""
    with reading():
        due = uploads.due()
        db.session.rollback()
    for upload_id in due:
        try:
            uploads.attend(upload_id, db.session.commit)
        except OperationalError:  # the database is busy or gone: no fault of the file's
            db.session.rollback()
            raise
        except Exception:  # a row nobody foresaw keeps no other upload waiting
            say(f"Books {upload_id} failed: {traceback.format_exc()}")
            db.session.rollback()
            uploads.give_up(upload_id)
            db.session.commit()
    return len(due)


def work(_store=None, say=print):
    """Turn after turn, until the process ends."""
    while True:
        pause = IDLE_SECONDS
        try:
            turn(say)
        except OperationalError as problem:
            say(f"Books wait: {problem.orig}")
            db.session.rollback()
            pause = AWAY_SECONDS
        db.session.remove()
        time.sleep(pause)
