"""The worker's share in media: checks what was sent, removes what is gone. Beside the index, so that neither waits."""
import math
import time
from functools import partial

from sqlalchemy.exc import OperationalError

from core import outbox
from core.database import db
from core.storage.contract import Store, Unavailable
from media import checking, films

IDLE_SECONDS, AWAY_SECONDS, SWEEP_EVERY_SECONDS = 0.3, 2, 3600


class Away(Exception):
    """The store as a whole does not answer: no asset's fault, so that none is put off for it."""


def catch_up(store: Store) -> int:
    """Attend to every asset that waits. Returns how many rows of the outbox were handled; raises Away."""
    done = 0
    while outbox.drain("asset", partial(_attend, store), limit=1, passing=(Away,)):  # each may be of gigabytes
        done += 1
    return done


def _attend(store, asset_ids):
    for asset_id in asset_ids:
        try:
            checking.attend(asset_id, store)
        except Unavailable as problem:
            if store.answers():
                raise
            raise Away(str(problem)) from None


def make_renditions(store: Store, say=print) -> int:
    """Make what is to be made of films. Returns how many rows of the outbox were handled."""
    done = 0
    while outbox.drain("film", partial(_make, store, say), limit=1):
        done += 1
    return done


def _make(store, say, asset_ids):
    for asset_id in asset_ids:
        films.attend(asset_id, store, say)


def encode(store: Store, say=print):
    """Make stills and renditions until the process ends: hours for one film, so beside the checking of files."""
    films.sweep()
    while True:
        try:
            make_renditions(store, say)
        except OperationalError as problem:
            say(f"Renditions wait: {problem}")
            db.session.rollback()
        db.session.remove()
        time.sleep(IDLE_SECONDS)


def work(store: Store, say=print):
    """Work until the process ends. A store or a database that does not answer is waited for."""
    swept, said = -math.inf, None
    while True:
        try:
            catch_up(store)
            if time.monotonic() - swept > SWEEP_EVERY_SECONDS:
                swept = time.monotonic()
                checking.sweep(store)
                db.session.commit()
            said = None
        except (OperationalError, Unavailable, Away) as problem:
            if said is None:  # once, and not at every turn
                say(f"Media wait: {problem}")
            said = problem
            db.session.rollback()
        db.session.remove()
        time.sleep(AWAY_SECONDS if said else IDLE_SECONDS)
