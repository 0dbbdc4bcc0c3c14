"""The same question for every title at once, on columns. Pure.

A question classifies each distinct set once, and one pass over small integers decides most titles; what it cannot
decide goes to the exact algebra, so that both always agree (`columns`, `scan`). Changes lie over the columns in
memory; the columns are written once and memory-mapped by every process.
"""
import json
import shutil
import tempfile
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import cache
from importlib import import_module
from pathlib import Path

import numpy as np

from licensing.rights import scan
from licensing.rights.columns import Changes, Columns, Dictionary, Row, by_field, laid, rows_of, taken, together
from licensing.rights.dates import Dates
from licensing.rights.holdings import Line
from licensing.rights.scan import AVAILABLE, PARTIAL, UNAVAILABLE, UNSURE, Question

__all__ = ["AVAILABLE", "PARTIAL", "UNAVAILABLE", "Dictionary", "Ledger", "Row", "by_field", "rows_of"]
WORTH_COMPILING = 20_000  # rows; below, numpy answers sooner than compiled code is loaded
WORTH_ALL = 8  # if more than one title of so many is asked for, all are judged: that is less work than picking them
MARK = "mark.json"
KEPT = 2  # generations of columns in a folder: the newest, and the one that a reader may be opening


@cache
def _compiled():
    """The compiled scan; None where there is no numba that fits, or no folder in which to keep what it compiles."""
    try:
        return import_module("licensing.rights.scan_compiled").scan
    except (ImportError, RuntimeError):
        return None


class _Aside:
    """The compiled scan, made ready in a thread: importing numba takes a second, and the first question ever compiles
    for ten or twenty. Until then numpy answers, so nobody waits."""

    def __init__(self):
        self._lock, self._ready, self._begun = threading.Lock(), {}, {}

    def scan(self, columns: Columns, question: Question):
        """The compiled scan, if it is ready for columns of this type; else None, and it will be."""
        kind = columns.numbers.dtype
        with self._lock:
            if kind not in self._begun:
                self._begun[kind] = threading.Thread(target=self._prepare, args=(kind, columns, question), daemon=True)
                self._begun[kind].start()
            return self._ready.get(kind)

    def _prepare(self, kind, columns, question):
        if scan_compiled := _compiled():
            scan_compiled(columns, question)
            self._ready[kind] = scan_compiled

    def wait(self):
        """Until all that was begun is ready."""
        for thread in list(self._begun.values()):
            thread.join()


aside = _Aside()


class Ledger:
    """What counts for every title. Not thread-safe: the caller holds a lock.

    `compiled`: whether numba decides; None is where it can, is worth it and is ready. The answers are the same. Raises
    RuntimeError at the first question where it must and cannot.
    """

    def __init__(self, items=(), compiled: bool | None = None):
        """`items` are (title id, its shares)."""
        self._begin(Dictionary(), compiled=compiled)
        self._columns = self._laid(row for title_id, shares in items for row in rows_of(title_id, shares))

    @classmethod
    def of_rows(cls, rows, compiled: bool | None = None) -> "Ledger":
        """From any iterable of `Row`s, or of plain tuples like them, all with or all without the last two fields."""
        ledger = cls.__new__(cls)
        ledger._begin(Dictionary(), compiled=compiled)
        ledger._columns = ledger._laid(rows)
        return ledger

    @classmethod
    def of_parts(cls, parts, dictionary: Dictionary) -> "Ledger":
        """From rows that are coded by this dictionary already, some thousand in each part."""
        ledger = cls.__new__(cls)
        ledger._begin(dictionary)
        ledger._columns = laid(parts, dictionary)
        return ledger

    def _laid(self, rows) -> Columns:
        return laid(map(self.dictionary.coded, by_field(rows)), self.dictionary)

    def _begin(self, dictionary, columns=None, compiled=None):
        self.compiled, self.mark = compiled, None
        self.dictionary, self._columns = dictionary, columns
        self._changes, self._frame = Changes(dictionary.dtype), None

    @property
    def columns(self) -> Columns:
        """What was laid down or opened, without the changes since: what a question scans, what processes share."""
        return self._columns

    # -------------------------------------------------------------- changes

    def replace(self, title_id: int, shares):
        """From now on the title has these shares, and none of its former rights; [] leaves it none."""
        below = int(np.searchsorted(self._columns.ids, title_id))
        if below == len(self._columns.ids) or self._columns.ids[below] != title_id:
            below = -1
        known = self._knows(title_id, below)
        self._changes.put(title_id, self._laid(rows_of(title_id, shares)), below)
        if below < 0 or known != bool(shares):
            self._frame = None  # which titles there are, and where, is found anew

    @property
    def changed(self) -> int:
        """How many titles changed since the columns were laid down."""
        return len(self._changes.place)

    def _knows(self, title_id, below):
        if (place := self._changes.place.get(title_id)) is None:
            return below >= 0
        first, last = self._changes.columns.shares[place:place + 2]
        return last > first

    # -------------------------------------------------------------- questions

    def verdicts(self, request: Line, today: date, title_ids=None, licensee=None):
        """(ids ascending int64, verdict of each int8) for the given titles, or for all that have a share.

        Equal to `availability.answer(request, shares, today, licensee).verdict` for each; a title without shares is
        UNAVAILABLE. The arrays are the caller's to read, not to change. Raises ValueError for an empty request.
        """
        ids, answers = self._asked(request, today, title_ids, licensee)
        if not answers:
            return ids, np.full(len(ids), UNAVAILABLE, dtype=np.int8)
        found = answers[0]
        for each in answers[1:]:  # other days of the request: all of it is free only if all of them are
            found = np.where(found == each, found, np.int8(PARTIAL))
        return ids, found

    def available(self, request: Line, today: date, title_ids=None, licensee=None):
        """(ids, whether all of the request is free on each): `verdicts == AVAILABLE`, found with less work."""
        ids, answers = self._asked(request, today, title_ids, licensee, whole=True)
        return ids, np.logical_and.reduce([found == AVAILABLE for found in answers]) if answers else np.zeros(
            len(ids), dtype=bool)

    def _asked(self, request, today, title_ids, licensee, whole=False):
        """(ids, an array of verdicts for each span of the request from today on)."""
        block = request.block
        if not block:
            raise ValueError("a request names territories, media, languages and days")
        spans = (block.dates & Dates.since(today)).spans
        questions = [Question.of(replace(request, block=replace(block, dates=Dates((span,)))), self.dictionary,
                                 licensee, whole) for span in spans]
        if title_ids is None:
            return self._ids(), [self._of_all(each) for each in questions]
        ids = np.asarray(title_ids, dtype=np.int64)
        if (ids[1:] <= ids[:-1]).any():
            ids = np.unique(ids)
        return ids, [self._of_some(each, ids) for each in questions]

    def _of_all(self, question):
        found = self._judged(self._columns, question)
        places, below = self._changes.now()
        if not len(places):
            return found
        latest = self._judged(self._changes.columns, question)
        found[below[below >= 0]] = latest[places[below >= 0]]
        gone, fresh, where, _ = self._framed()
        if len(gone) or len(fresh):
            found = np.insert(np.delete(found, gone), where, latest[fresh])
        return found

    def _ids(self):
        return self._framed()[3]

    def _framed(self):
        """(places below of titles that are gone, places among the changes of new ones, where those go, all ids)."""
        if self._frame is None:
            places, below = self._changes.now()
            changed, ids = self._changes.columns, self._columns.ids
            empty = changed.shares[places + 1] == changed.shares[places]
            gone = np.sort(below[empty & (below >= 0)])
            fresh = places[~empty & (below < 0)]
            fresh = fresh[np.argsort(changed.ids[fresh])]
            if len(gone) or len(fresh):
                ids = np.delete(ids, gone)
                where = np.searchsorted(ids, changed.ids[fresh])
                ids = np.insert(ids, where, changed.ids[fresh])
                ids.flags.writeable = False
            else:
                where = fresh
            self._frame = gone, fresh, where, ids
        return self._frame

    def _of_some(self, question, ids):
        found = np.full(len(ids), UNAVAILABLE, dtype=np.int8)
        places, _ = self._changes.now()
        changed = self._changes.columns.ids[places]
        order = np.argsort(changed)
        over, place = _matching(changed[order], ids)
        found[over] = self._judged(self._changes.columns, question, places[order][place])
        under, below = _matching(self._columns.ids, ids[~over])
        found[np.flatnonzero(~over)[under]] = self._judged(self._columns, question, below)
        return found

    def _judged(self, columns, question, places=None):
        """The verdicts of all titles in the columns, or of those at some places."""
        if places is not None:
            if not len(places):
                return np.empty(0, dtype=np.int8)
            if len(places) * WORTH_ALL > len(columns.ids):
                return self._judged(columns, question)[places]
            columns = taken(columns, places)
        found = self._scan(columns, question)(columns, question)
        unsure = np.flatnonzero(found == UNSURE)
        if len(unsure):
            found[unsure] = scan.settle(columns, unsure, question, self.dictionary)
        return found

    def _scan(self, columns, question):
        if self.compiled is None:
            many = len(self._columns.numbers) >= WORTH_COMPILING
            return many and aside.scan(columns, question) or scan.scan
        if self.compiled and not _compiled():
            raise RuntimeError("numba cannot be used here; leave `compiled` open to answer without it")
        return _compiled() if self.compiled else scan.scan

    # -------------------------------------------------------------- files

    def save(self, folder, mark=None):
        """Write all there is now as a new generation in `folder`, whole or not at all; then `open` finds it.

        `mark` is anything JSON can say, such as up to which change the columns are true.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder))
        for name, column in self._merged()._asdict().items():
            np.save(made / f"{name}.npy", column)
        known = self.dictionary
        (made / MARK).write_text(json.dumps(mark), encoding="utf-8")
        (made / "dictionary.json").write_text(json.dumps({
            "territories": [f"{mask:x}" for mask in known.territories],
            "media": [f"{mask:x}" for mask in known.media], "languages": [f"{mask:x}" for mask in known.languages],
            "roles": list(known.roles)}), encoding="utf-8")
        _publish(made, folder)

    def _merged(self) -> Columns:
        places, below = self._changes.now()
        if not len(places):
            return self._columns
        changed = self._changes.columns
        kept = np.delete(np.arange(len(self._columns.ids)), below[below >= 0])
        there = places[changed.shares[places + 1] > changed.shares[places]]
        return together(taken(self._columns, kept), taken(changed, there))

    @staticmethod
    def saved(folder):
        """The mark of the newest generation in `folder`, cheap to read; None where there is none, or no mark."""
        for newest in _generations(Path(folder))[:-KEPT - 1:-1]:
            with suppress(FileNotFoundError):  # dropped meanwhile
                return json.loads((newest / MARK).read_text(encoding="utf-8"))
        return None

    @classmethod
    def open(cls, folder, compiled: bool | None = None) -> "Ledger":
        """The newest generation in `folder`, memory-mapped; `mark` is what it was saved with.

        Raises FileNotFoundError where there is none.
        """
        while True:
            newest = _generations(Path(folder))[-1:]
            if not newest:
                raise FileNotFoundError(f"no ledger in {folder}")
            try:
                return cls._opened(newest[0], compiled)
            except FileNotFoundError:
                if newest[0].exists():  # else it was replaced twice while it was being opened: look again
                    raise

    @classmethod
    def _opened(cls, folder, compiled):
        said = json.loads((folder / "dictionary.json").read_text(encoding="utf-8"))
        sets = {axis: [int(mask, 16) for mask in said[axis]] for axis in ("territories", "media", "languages")}
        ledger = cls.__new__(cls)
        ledger._begin(Dictionary(**sets, roles=said["roles"]), compiled=compiled, columns=Columns(
            *(np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r")) for name in Columns._fields)))
        ledger.mark = json.loads((folder / MARK).read_text(encoding="utf-8"))
        return ledger


def _matching(ascending, ids):
    """(which of `ids` are among the ascending ones, where those are)."""
    place = np.searchsorted(ascending, ids)
    place[place == len(ascending)] = 0
    there = ascending[place] == ids if len(ascending) else np.zeros(len(ids), dtype=bool)
    return there, place[there]


def _generations(folder):
    """Finished generations, oldest first."""
    return sorted((each for each in folder.glob("[0-9]*") if each.name.isdigit()), key=lambda each: int(each.name))


def _publish(made, folder):
    """Give a finished folder the next number: one rename, so nobody sees half. Then drop what nobody needs."""
    while True:
        number = max((int(each.name) for each in _generations(folder)), default=0) + 1
        try:
            made.rename(folder / str(number))
            break
        except OSError:
            if not (folder / str(number)).exists():  # else another process was first
                raise
    for old in _generations(folder)[:-KEPT]:
        dropped = old.with_name(f"dropped-{old.name}")  # gone at once, so that a late reader looks again
        with suppress(FileNotFoundError):  # another process drops it
            old.rename(dropped)
        shutil.rmtree(dropped, ignore_errors=True)
