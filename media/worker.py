"""The worker's share in media: checks what was sent, removes what is gone. Beside the index, so that neither waits."""
import math
import time
from functools import partial

from core import outbox
from core.database import db
from core.storage.contract import Store, Unavailable
from media import checking, films, grants

SWEEP_EVERY_SECONDS = 3600


class Away(Exception):
    """The store as a whole does not answer: no asset's fault, so that none is put off for it."""


PASSING = (Unavailable, Away)


def catch_up(store: Store) -> int:
    """Attend to every asset that waits. Returns how many rows of the outbox were handled; raises Away."""
    return _drain("asset", checking.attend, store)


def make_renditions(store: Store, say=print) -> int:
    """Make what is to be made of films. Returns how many rows of the outbox were handled; raises Away."""
    return _drain("film", partial(films.attend, say=say), store)


def _drain(topic, attend, store):
    done = 0
    while outbox.drain(topic, partial(_attend, attend, store), limit=1, passing=(Away,)):  # each may be of gigabytes
        done += 1
    return done


def _attend(attend, store, asset_ids):
    for asset_id in asset_ids:
        try:
            attend(asset_id, store)
        except Unavailable as problem:
            if store.answers():
                raise
            raise Away(str(problem)) from None


def encode(store: Store, say=print):
    """Make stills and renditions until the process ends: hours for one film, so beside the checking of files."""
    films.sweep()
    outbox.forever("Renditions wait", say, partial(make_renditions, store, say), PASSING)


def work(store: Store, say=print):
    """Check what was sent, and remove what is gone, until the process ends."""
    swept = -math.inf

    def turn():
        nonlocal swept
        outbox.drain(grants.TOPIC, grants.attend)
        catch_up(store)
        if time.monotonic() - swept > SWEEP_EVERY_SECONDS:
            swept = time.monotonic()
            checking.sweep(store)
            db.session.commit()

    outbox.forever("Media wait", say, turn, PASSING)
