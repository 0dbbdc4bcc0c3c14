"""What is filtered and counted by, for every title, as numpy columns; kept current by the change log.

Facets and totals are counted here and never from the index, so they are exact as of the last commit and
cover exactly what the viewer may see.
"""
import threading
from bisect import bisect
from collections.abc import Callable
from contextlib import suppress
from copy import copy
from weakref import WeakKeyDictionary

import numpy as np
from sqlalchemy import select

from accounts import permissions
from accounts.permissions import Relation, Viewer
from catalogue import changes
from catalogue.models import Status, Title
from core.database import db, reading

QUERY = select(Title.id, Title.organisation_id, Title.status, Title.audience_id, Title.kind, Title.original_language,
               Title.year, Title.countries, Title.genres, Title.original_title).order_by(Title.id)
MOST_CHANGED = 5_000  # titles, above which it is quicker to begin anew
SPARSE = 8  # numbers for each title
FEW_OF = 100  # rows of so many are few
NOBODY = -1  # owns what is gone, and is shown what is not published
EVERYONE = 0  # is shown what has no audience of its own: those are numbered from 1


class Coded:
    """A column of words as small numbers, of which a row has some or none: entry i says that `rows[i]` has
    `words[codes[i]]`. The entries are in the order of their rows."""

    def __init__(self):
        self.words, self.place = [], {}
        self.codes, self.rows = np.array([], dtype=np.int32), np.array([], dtype=np.int64)
        self.one_each = False  # whether entry i is the one of row i, for all rows of the table

    def replaced(self, rows, lists, size) -> "Coded":
        """The column where these rows of `size` have the words of these lists; those behind the last are new."""
        order = np.argsort(rows, kind="stable")
        words = [word for each in order for word in lists[each]]
        fresh, known = np.repeat(rows[order], [len(lists[each]) for each in order]), rows[order]
        known = known[known <= self.rows[-1:].max(initial=-1)]
        then = Coded()
        then.words, then.place, then.one_each = self.words, self.place, self.one_each
        if any(word not in self.place for word in words):
            then.words = list(dict.fromkeys([*self.words, *words]))
            then.place = {word: number for number, word in enumerate(then.words)}
        codes, entries = np.array([then.place[word] for word in words], dtype=np.int32), self._entries(known)
        if len(known) == len(rows) and np.array_equal(self.rows[entries], fresh):
            if np.array_equal(self.codes[entries], codes):
                return self  # most changes are of another column
            then.rows, then.codes = self.rows, self.codes.copy()
            then.codes[entries] = codes
            return then
        before = np.delete(self.rows, entries)
        places = np.searchsorted(before, fresh)
        then.rows = np.insert(before, places, fresh)
        then.codes = np.insert(np.delete(self.codes, entries), places, codes)
        then.one_each = np.array_equal(then.rows, np.arange(size))
        return then

    def having(self, wanted, size) -> np.ndarray:
        """Which of `size` rows have one of the wanted words."""
        mask = np.zeros(size, dtype=bool)
        codes = [self.place[word] for word in wanted if word in self.place]
        mask[self.rows[np.isin(self.codes, codes)]] = True
        return mask

    def counts(self, rows) -> dict[str, int]:
        """How often each word stands in these rows, most often first."""
        found = np.bincount(self.codes[self._entries(rows)], minlength=len(self.words))
        some = [(self.words[code], int(found[code])) for code in np.flatnonzero(found)]
        return dict(sorted(some, key=lambda each: (-each[1], each[0])))

    def _entries(self, rows):
        if self.one_each or not len(rows):
            return rows
        if FEW_OF * len(rows) > len(self.rows):  # to look at all is quicker than to look for each
            mask = np.zeros(max(self.rows[-1:].max(initial=0), rows.max()) + 1, dtype=bool)
            mask[rows] = True
            return mask[self.rows]
        first, last = np.searchsorted(self.rows, rows), np.searchsorted(self.rows, rows, side="right")
        many = last - first
        return np.repeat(first - (np.cumsum(many) - many), many) + np.arange(many.sum())


NUMBERS = {  # column → its type, and what a row of the database has in it
    "ids": (np.int64, lambda row: row.id), "owner": (np.int64, lambda row: row.organisation_id),
    "audience": (np.int32, lambda row: (row.audience_id or EVERYONE) if row.status == Status.PUBLISHED else NOBODY),
    "year": (np.int32, lambda row: row.year or 0),
    "names": (object, lambda row: row.original_title.casefold())}
WORDS = {
    "kind": lambda row: [row.kind], "genre": lambda row: row.genres, "country": lambda row: row.countries,
    "language": lambda row: [row.original_language] if row.original_language else [],
    "decade": lambda row: [f"{row.year // 10}0s"] if row.year else [],
    "seller": lambda row: [str(row.organisation_id)]}


class Columns:
    """One state of the columns, which stays as it is. Row i of every column is the title `ids[i]`; ids ascend.

    A title that is gone keeps its row, which nobody sees: so a change is a few entries and no row moves.
    """

    def __init__(self, rows=()):
        for name, (dtype, _) in NUMBERS.items():
            setattr(self, name, np.array([], dtype=dtype))
        for name in WORDS:
            setattr(self, name, Coded())
        self._order = self.by_title = np.array([], dtype=np.int64)  # rows by name, and where each row is among them
        self._row = None  # by id, or none
        self._newest = None
        self._put(np.arange(len(rows)), rows)

    def changed(self, rows, gone) -> "Columns":
        """The state in which these rows are as given and the titles in `gone` are not there.

        Raises ValueError where a new title has an id below the last: it has no place.
        """
        ids = np.array([row.id for row in rows], dtype=np.int64)
        new = ~np.isin(ids, self.ids)
        if len(self.ids) and (ids[new] < self.ids[-1]).any():
            raise ValueError("A title below the last is new.")
        then = copy(self)
        then._put(np.where(new, len(self.ids) + np.cumsum(new) - 1, np.searchsorted(self.ids, ids)), rows)
        if gone:
            then.owner, then.audience = then.owner.copy(), then.audience.copy()
            nobody = then.places(list(gone))
            then.owner[nobody] = then.audience[nobody] = NOBODY
        return then

    def _put(self, places, rows):
        """Write rows at these places; those behind the last are new. Nothing that is there is changed: it is read. What
        stays the same is not copied: to copy all takes as long as an answer."""
        before, size = len(self.ids), max(len(self.ids), int(places.max(initial=-1)) + 1)
        renamed = False
        for name, (dtype, value) in NUMBERS.items():
            column, fresh = getattr(self, name), np.array([value(row) for row in rows], dtype)
            if size == before and np.array_equal(column[places], fresh):
                continue
            then = np.empty(size, dtype)
            then[:before], then[places] = column, fresh
            setattr(self, name, then)
            renamed = renamed or name == "names"
            if name == "year":
                self._newest = None
        for name, value in WORDS.items():
            setattr(self, name, getattr(self, name).replaced(places, [value(row) for row in rows], size))
        self._last_audience = int(self.audience.max(initial=EVERYONE))
        if renamed:
            self._reorder(places, places[places < before], size)
        if size > before:
            self._number()

    def _number(self):
        """Where each id is, if there are not many more numbers than titles: to look there is quicker than to search."""
        self._row = None
        if self.ids[-1] < SPARSE * len(self.ids):
            self._row = np.zeros(self.ids[-1] + 1, dtype=np.int64)
            self._row[self.ids] = np.arange(len(self.ids))

    def _reorder(self, places, known, size):
        kept = np.delete(self._order, self.by_title[known])
        coming = np.array(sorted(places.tolist(), key=self._by_name), dtype=np.int64)
        self._order = np.insert(kept, [bisect(kept, self._by_name(place), key=self._by_name) for place in coming],
                                coming)
        self.by_title = np.empty(size, dtype=np.int64)
        self.by_title[self._order] = np.arange(size)

    def _by_name(self, place):
        return self.names[place], place

    @property
    def newest(self) -> np.ndarray:
        """All rows, the latest year first and of one year the highest id. Sorted when it is first asked for, and then
        kept for as long as no year changes: a million take a quarter of a second."""
        if self._newest is None:
            self._newest = np.lexsort((-self.ids, -self.year))
        return self._newest

    def visible(self, viewer: Viewer, audiences) -> Callable[[np.ndarray], np.ndarray]:
        """Which of some rows the viewer may see, whose organisation belongs to these audiences, as a function of the
        rows: the twin of `titles.visible`, held equal by a test."""
        held = permissions.relations(viewer, "title.see")
        own, shown = Relation.OWN in held, self._showing(audiences if Relation.PUBLISHED in held else None)

        def seen(rows):
            mask = shown[self.audience[rows]]
            return mask | (self.owner[rows] == viewer.organisation_id) if own else mask
        return seen

    def shown(self, audiences, rows) -> np.ndarray:
        """Which of these rows are shown to one of these audiences or to everyone: the twin of `audiences.shown_to`."""
        return self._showing(audiences)[self.audience[rows]]

    def _showing(self, audiences):
        """By audience, whether what is shown to it is shown to who belongs to these; to None nothing is."""
        shown = np.zeros(self._last_audience + 2, dtype=bool)  # the last stands for -1, which is nobody
        if audiences is not None:
            shown[[EVERYONE, *(each for each in audiences if each <= self._last_audience)]] = True
        return shown

    def places(self, title_ids) -> np.ndarray:
        """The rows of these titles, in their order; those unknown are left out."""
        rows, known = self.looked_up(title_ids)
        return rows[known]

    def looked_up(self, title_ids) -> tuple[np.ndarray, np.ndarray]:
        """(a row for each of these titles, whether it is the title's own: some may be unknown)."""
        wanted = np.asarray(title_ids, dtype=np.int64)
        if self._row is None:
            found = np.minimum(np.searchsorted(self.ids, wanted), len(self.ids) - 1)
        else:
            found = self._row[np.minimum(wanted, len(self._row) - 1)]
        return found, self.ids[found] == wanted if len(self.ids) else np.zeros(len(wanted), dtype=bool)


class _Keeper:
    def __init__(self):
        self.lock = threading.Lock()
        self.mark, self.columns = None, None

    def current(self, engine) -> Columns:
        with self.lock:
            if self.mark is None or not changes.nothing_since(engine, self.mark):
                self._follow(engine)
            return self.columns

    def _follow(self, engine):
        with reading(), engine.connect() as connection:  # a session would take longer than the answer
            if self.mark is not None:
                changed, self.mark = changes.since(connection, self.mark)
                if not changed:
                    return
                if len(changed) <= MOST_CHANGED:
                    rows = connection.execute(QUERY.where(Title.id.in_(changed))).all()
                    with suppress(ValueError):
                        self.columns = self.columns.changed(rows, gone=changed - {row.id for row in rows})
                        return
                connection.rollback()  # a new snapshot
            self.mark = changes.mark(connection)
            self.columns = Columns(connection.execute(QUERY).all())


_keepers: WeakKeyDictionary = WeakKeyDictionary()
_keepers_lock = threading.Lock()


def current() -> Columns:
    """The columns as of the last commit."""
    engine = db.session.get_bind()
    with _keepers_lock:
        keeper = _keepers.setdefault(engine, _Keeper())
    return keeper.current(engine)
