"""What webhooks tell of titles: written by the worker, after the commit, for every organisation that may see them.

The transaction of a change puts down no more than the titles (`changes.announce`), however many listen. What many
changes say of one title at once is told once.
"""
from functools import partial
from itertools import groupby

from sqlalchemy import select

from accounts.webhooks import deliveries, endpoints
from catalogue import changes, titles
from catalogue.models import Title
from core import outbox
from core.database import db, reading

TITLES = 500  # told of at once


def follow() -> int:
    """Write the deliveries of what was put down. Returns how many rows of the outbox were handled. Commits, by
    `drain`."""
    done = 0
    for event, about in ((changes.AVAILS, _touched), (changes.PUBLISHED, set)):
        while count := outbox.drain(event, partial(_tell, event, about), limit=TITLES):
            done += count
    return done


def _tell(event, about, title_ids):
    """Nobody who writes is kept waiting while it is found out who may see what."""
    with reading():
        found = _seen(event, about(title_ids))
        db.session.rollback()
    for endpoint_ids, seen in found:
        for start in range(0, len(seen), TITLES):
            some = [str(each) for each in seen[start:start + TITLES]]
            for endpoint_id in endpoint_ids:
                deliveries.put(endpoint_id, event, {"title_ids": some})


def _seen(event, title_ids) -> list[tuple[list[int], list[int]]]:
    """(endpoints, the titles their organisation may see) of each organisation that listens."""
    found = []
    for _, theirs in groupby(endpoints.listening(event), key=lambda each: each.organisation_id):
        theirs = list(theirs)
        may_see = titles.visible(endpoints.reader(theirs[0]))
        seen = db.session.scalars(select(Title.id).where(Title.id.in_(title_ids), may_see).order_by(Title.id)).all()
        found.append(([each.id for each in theirs], seen))
    return found


def _touched(title_ids) -> set[int]:
    """These titles, what they are part of and what is part of them: a licence of an episode is one of its series'
    answer, and the other way round."""
    found, layer = set(title_ids), set(title_ids)
    while layer:
        layer = set(db.session.scalars(select(Title.parent_id).where(Title.id.in_(layer)))) - {None} - found
        found |= layer
    layer = set(title_ids)
    while layer:
        layer = set(db.session.scalars(select(Title.id).where(Title.parent_id.in_(layer))))
        found |= layer
    return found
