"""The same question for every title at once, on columns.

Sets of territories, media and languages repeat, so they are interned: a question classifies each distinct
set once, and one pass over small integers decides most titles. Those it cannot decide (cover by several
mandates together, a licence on a part) are decided by the algebra of `availability`, so both always agree.
"""
from datetime import date

import numpy as np

from licensing.rights import availability
from licensing.rights.availability import Line
from licensing.rights.blocks import Block
from licensing.rights.dates import Dates

UNAVAILABLE, PARTIAL, AVAILABLE = 0, 1, 2
AXES = ("territories", "media", "languages")
COMPACT_AT = 2_000  # titles changed since the columns were laid down

ROW = np.dtype([("title", np.int64), ("mandate", bool), ("territories", np.int32), ("media", np.int32),
                ("languages", np.int32), ("start", np.int32), ("end", np.int32), ("exclusive", bool)])


class Ledger:
    """Rows are (title id, is it a mandate, territories, media, languages, start, end, exclusive).

    Start and end are half-open day numbers as in `Dates`. Not thread-safe: the caller holds a lock.
    """

    def __init__(self, rows=()):
        self._sets = {axis: {} for axis in AXES}  # bit set → its number
        self._base = np.array([self._coded(row) for row in rows], dtype=ROW)
        self._base.sort(order="title", kind="stable")
        self._changed: dict[int, list] = {}
        self._table = self._base

    def replace(self, title_id: int, rows):
        """From now on the title has these rows, and none of its former ones."""
        self._changed[title_id] = [self._coded(row) for row in rows]
        self._table = None

    def _coded(self, row):
        title, mandate, *sets, start, end, exclusive = row
        numbers = [self._sets[axis].setdefault(mask, len(self._sets[axis]))
                   for axis, mask in zip(AXES, sets, strict=True)]
        return (title, mandate, *numbers, start, end, exclusive)

    def _current(self):
        if self._table is None:
            kept = self._base[~np.isin(self._base["title"], list(self._changed))]
            fresh = np.array([row for rows in self._changed.values() for row in rows], dtype=ROW)
            self._table = np.concatenate([kept, fresh])
            self._table.sort(order="title", kind="stable")
            if len(self._changed) > COMPACT_AT:
                self._base, self._changed = self._table, {}
        return self._table

    def verdicts(self, request: Line, today: date, title_ids=None):
        """(ids ascending int64, verdict of each int8) for the given titles, or for all that have a line.

        Equal to `availability.answer(...).verdict` for each.
        """
        table = self._current()
        ids = np.unique(table["title"]) if title_ids is None else np.unique(np.asarray(title_ids, dtype=np.int64))
        found = np.full(len(ids), UNAVAILABLE, dtype=np.int8)
        ahead = request.block.dates & Dates.since(today)
        if not ahead or not len(table) or not len(ids):
            return ids, found
        asked = Line(Block(request.block.territories, request.block.media, request.block.languages, ahead),
                     request.exclusive)
        (start, end), = ahead.spans
        meets = (table["start"] < end) & (table["end"] > start)
        covers = (table["start"] <= start) & (table["end"] >= end)
        for axis in AXES:
            wanted = getattr(asked.block, axis)
            masks = self._sets[axis]
            meets &= np.array([bool(mask & wanted) for mask in masks])[table[axis]]
            covers &= np.array([wanted & ~mask == 0 for mask in masks])[table[axis]]
        strong = table["exclusive"] if asked.exclusive else np.True_
        serves = table["mandate"] & meets & strong
        blocks = ~table["mandate"] & meets & (np.True_ if asked.exclusive else table["exclusive"])

        def having(rows):
            return np.isin(ids, table["title"][rows])

        owned, whole = having(serves), having(serves & covers)
        blocked, shut = having(blocks), having(blocks & covers)
        found[whole & ~blocked] = AVAILABLE
        unsure = owned & ~shut & ~(whole & ~blocked)
        self._decide(asked, table, ids, found, np.flatnonzero(unsure), serves | blocks)
        return ids, found

    def _decide(self, asked, table, ids, found, places, relevant):
        """Settle by the exact algebra what the columns left open."""
        if not len(places):
            return
        sets = {axis: list(masks) for axis, masks in self._sets.items()}
        rows = table[relevant]
        starts = np.searchsorted(rows["title"], ids[places], "left")
        ends = np.searchsorted(rows["title"], ids[places], "right")
        for place, first, last in zip(places, starts, ends, strict=True):
            mandates, licences = [], []
            for row in rows[first:last].tolist():
                _, mandate, territories, media, languages, start, end, exclusive = row
                line = Line(Block(sets["territories"][territories], sets["media"][media],
                                  sets["languages"][languages], Dates(((start, end),))), exclusive)
                (mandates if mandate else licences).append(line)
            if not licences and availability.is_free(asked, mandates, licences):
                found[place] = AVAILABLE
            elif not licences or availability.has_free(asked, mandates, licences):
                found[place] = PARTIAL
