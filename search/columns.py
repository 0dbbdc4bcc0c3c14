"""What is filtered and counted by, for every title, as numpy columns; kept current by the change log.

Facets and totals are counted here and never from the index, so they are exact as of the last commit and
cover exactly what the viewer may see.
"""
import threading
from weakref import WeakKeyDictionary

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts import permissions
from accounts.permissions import Relation, Viewer
from catalogue import changes
from catalogue.models import Status, Title
from core.database import db, reading

FIELDS = (Title.id, Title.organisation_id, Title.status, Title.kind, Title.original_language, Title.year,
          Title.countries, Title.genres, Title.original_title)


class Coded:
    """A column of words as small numbers. `lists` holds several words per row (countries, genres)."""

    def __init__(self, lists):
        self.words = sorted({word for each in lists for word in each})
        place = {word: number for number, word in enumerate(self.words)}
        self.place = place
        self.codes = np.array([place[word] for each in lists for word in each], dtype=np.int32)
        self.rows = np.repeat(np.arange(len(lists)), [len(each) for each in lists])

    def having(self, wanted, size) -> np.ndarray:
        """Which of `size` rows have one of the wanted words."""
        mask = np.zeros(size, dtype=bool)
        codes = [self.place[word] for word in wanted if word in self.place]
        mask[self.rows[np.isin(self.codes, codes)]] = True
        return mask

    def counts(self, mask) -> dict[str, int]:
        """How often each word stands in the rows of `mask`, most often first."""
        found = np.bincount(self.codes[mask[self.rows]], minlength=len(self.words))
        return {self.words[code]: int(found[code]) for code in np.lexsort((np.arange(len(found)), -found))
                if found[code]}


class Columns:
    """One state of the columns. Row i of every column is the title `ids[i]`; ids ascend."""

    def __init__(self, rows):
        self.ids = np.array([row.id for row in rows], dtype=np.int64)
        self.owner = np.array([row.organisation_id for row in rows], dtype=np.int64)
        self.published = np.array([row.status == Status.PUBLISHED for row in rows], dtype=bool)
        self.year = np.array([row.year or 0 for row in rows], dtype=np.int32)
        self.kind = Coded([[row.kind] for row in rows])
        self.language = Coded([[row.original_language] if row.original_language else [] for row in rows])
        self.country = Coded([row.countries for row in rows])
        self.genre = Coded([row.genres for row in rows])
        self.decade = Coded([[f"{row.year // 10}0s"] if row.year else [] for row in rows])
        self.seller = Coded([[str(row.organisation_id)] for row in rows])
        order = sorted(range(len(rows)), key=lambda place: rows[place].original_title.casefold())
        self.by_title = np.empty(len(rows), dtype=np.int64)
        self.by_title[order] = np.arange(len(rows))

    def visible(self, viewer: Viewer) -> np.ndarray:
        """Which rows the viewer may see: the twin of `titles.visible`, held equal by a test."""
        held = permissions.relations(viewer, "title.see")
        mask = np.zeros(len(self.ids), dtype=bool)
        if Relation.OWN in held:
            mask |= self.owner == viewer.organisation_id
        if Relation.PUBLISHED in held:
            mask |= self.published
        return mask

    def places(self, title_ids) -> np.ndarray:
        """The rows of these titles, in their order; those unknown are left out."""
        wanted = np.asarray(title_ids, dtype=np.int64)
        if not len(self.ids) or not len(wanted):
            return np.array([], dtype=np.int64)
        found = np.minimum(np.searchsorted(self.ids, wanted), len(self.ids) - 1)
        return found[self.ids[found] == wanted]


class _Keeper:
    def __init__(self):
        self.lock = threading.Lock()
        self.rows, self.mark, self.columns = {}, None, None

    def current(self, engine) -> Columns:
        with self.lock, reading(), Session(engine) as session:
            if self.mark is None:
                self.mark, changed = changes.mark(session), None
            else:
                changed, self.mark = changes.since(session, self.mark)
            if changed is None or changed:
                query = select(*FIELDS) if changed is None else select(*FIELDS).where(Title.id.in_(changed))
                for gone in changed or ():
                    self.rows.pop(gone, None)
                self.rows.update((row.id, row) for row in session.execute(query))
                self.columns = Columns([self.rows[each] for each in sorted(self.rows)])
            return self.columns


_keepers: WeakKeyDictionary = WeakKeyDictionary()
_keepers_lock = threading.Lock()


def current() -> Columns:
    """The columns as of the last commit."""
    engine = db.session.get_bind()
    with _keepers_lock:
        keeper = _keepers.setdefault(engine, _Keeper())
    return keeper.current(engine)
