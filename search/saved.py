"""Searches that people save: each is told when a title comes to match, or becomes free.

What a search found is kept with it; the worker asks again after titles changed, and on a new day, when holds have
ended. What is found now and was not known then is news, also where it had been found before and was lost in between.
"""
import zlib
from datetime import timedelta

import numpy as np
from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import selectinload

from accounts import notices, people
from accounts.permissions import Viewer
from catalogue import changes, titles
from catalogue.models import Title
from core import clock, outbox
from core.database import db
from core.errors import Invalid, NotFound, Refusal
from search import grammar, query
from search.engine import Damaged, Engine
from search.models import News, SavedSearch

MOST = 100  # of one person for one organisation
PAUSE = timedelta(seconds=10)  # between two lookings of one search
AT_ONCE = 20  # searches in a turn of the worker
SHOWN = 20  # pieces of news


def save(viewer: Viewer, name: str, asked: query.Asked, index: Engine, tells: bool = True) -> SavedSearch:
    """Keep a search; what it finds now is known. Raises Invalid."""
    if not (name := name.strip()) or len(name) > 100:
        raise Invalid({"name": ["Give the search a name of 100 characters at most."]})
    if count(viewer) >= MOST:
        raise Invalid({"name": [f"You have {MOST} saved searches; delete one first."]})
    place = changes.mark(db.session).place
    try:
        known = _packed(query.every(asked, viewer, index))
    except Damaged:
        raise Invalid({"name": ["The search index is being built anew. Save the search in a minute."]}) from None
    saved = SavedSearch(person_id=viewer.person_id, organisation_id=viewer.organisation_id, name=name, tells=tells,
                        asked=asked.as_json(), made_at=clock.now(), checked_at=clock.now(), place=place, known=known)
    db.session.add(saved)
    db.session.flush()
    return saved


def count(viewer: Viewer) -> int:
    return db.session.scalar(select(func.count()).select_from(SavedSearch).where(_own(viewer)))


def _own(viewer):
    return and_(SavedSearch.person_id == viewer.person_id, SavedSearch.organisation_id == viewer.organisation_id)


def listing(viewer: Viewer) -> list[SavedSearch]:
    """One's own, those with news first, then the newest."""
    found = db.session.scalars(select(SavedSearch).where(_own(viewer))
                               .order_by(SavedSearch.id.desc())).all()
    fresh = {each.search_id for each in _news(viewer)}
    return sorted(found, key=lambda each: each.id not in fresh)


def news(viewer: Viewer) -> dict[int, list[News]]:
    """{search: its news not seen yet, the latest first}, of titles that the viewer may still see."""
    found = {}
    for each in _news(viewer):
        found.setdefault(each.search_id, []).append(each)
    return found


def _news(viewer):
    return db.session.scalars(
        select(News).join(SavedSearch, SavedSearch.id == News.search_id).join(News.title)
        .where(_own(viewer), News.seen_at.is_(None), titles.visible(viewer))
        .order_by(News.id.desc()).options(selectinload(News.title).selectinload(Title.names))).all()


def waiting(viewer: Viewer) -> int:
    """How many pieces of news one has not seen."""
    return db.session.scalar(
        select(func.count(News.id)).join(SavedSearch, SavedSearch.id == News.search_id).join(News.title)
        .where(_own(viewer), News.seen_at.is_(None), titles.visible(viewer)))


def get(search_id: int, viewer: Viewer) -> SavedSearch:
    """Raises NotFound for one that is another person's, or one's own for another organisation."""
    saved = db.session.scalar(select(SavedSearch).where(SavedSearch.id == search_id, _own(viewer)))
    if saved is None:
        raise NotFound("There is no such saved search.")
    return saved


def see(saved: SavedSearch):
    """All its news is seen."""
    db.session.execute(update(News).where(News.search_id == saved.id, News.seen_at.is_(None)).values(
        seen_at=clock.now()))
    notices.see(people.viewer(saved.person_id, saved.organisation_id), path=_path(saved.id))


def drop(saved: SavedSearch):
    db.session.delete(saved)


# ------------------------------------------------------------------ the worker

def due() -> list[int]:
    """Searches to be looked at again, the longest waiting first; none while the index has still to follow."""
    if outbox.untried("title"):
        return []
    now = clock.now()
    return list(db.session.scalars(
        select(SavedSearch.id).where(SavedSearch.tells, SavedSearch.checked_at <= now - PAUSE, or_(
            SavedSearch.place < changes.mark(db.session).place, SavedSearch.checked_at < clock.begins(clock.today())))
        .order_by(SavedSearch.checked_at).limit(AT_ONCE)))


def tick(search_id: int, index: Engine):
    """Look at a search again: what it finds and did not know is news."""
    saved = db.session.get(SavedSearch, search_id)
    if saved is None:
        return
    changed, mark = changes.since(db.session, changes.Mark(saved.place))
    viewer, found = people.viewer(saved.person_id, saved.organisation_id), None
    if viewer is not None and (changed or clock.day_of(saved.checked_at) < clock.today()):
        try:
            found = query.every(query.Asked.of_json(saved.asked), viewer, index)
        except Damaged:
            return  # and is asked again
        except (Refusal, grammar.Unsearchable):
            pass  # a name in it means nothing any more, which its page says
    saved.checked_at, saved.place = clock.now(), mark.place
    if found is not None:
        untold = select(News.title_id).where(News.search_id == saved.id, News.seen_at.is_(None))
        fresh = set(np.setdiff1d(found, _unpacked(saved.known), assume_unique=True).tolist())
        fresh -= set(db.session.scalars(untold))
        db.session.add_all(News(search_id=saved.id, title_id=each, found_at=clock.now()) for each in sorted(fresh))
        saved.known = _packed(found)
        if fresh:
            _tell(saved, viewer, fresh)


def _tell(saved, viewer, title_ids):
    """Once until they look: a search may find something new every minute."""
    names = dict(db.session.execute(
        select(Title.original_title, Title.original_language).where(Title.id.in_(title_ids), titles.visible(viewer))
        .order_by(Title.id.desc()).limit(SHOWN)).all())
    more = [f"and {len(title_ids) - len(names)} more"] * (len(title_ids) > len(names))
    notices.tell([viewer], "searches", notices.News(
        f"New in your saved search “{saved.name}”", _path(saved.id), ["\n".join([*names, *more])],
        names=names), once=True)


def _path(search_id) -> str:
    return f"/searches#s{search_id}"


def _packed(ids) -> bytes:
    return zlib.compress(np.diff(ids.astype(np.int64), prepend=0).tobytes(), 1)


def _unpacked(data) -> np.ndarray:
    return np.cumsum(np.frombuffer(zlib.decompress(data), dtype=np.int64))
