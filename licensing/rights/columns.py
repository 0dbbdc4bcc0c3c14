"""Rights as columns of small integers: one row for each line of each share of each title. Pure.

Sets of territories, media and languages repeat across a catalogue, and so do the ways in which a line counts
(`Role`); each distinct one is interned under a number, and a row holds numbers and two days.
"""
from collections.abc import Iterable
from itertools import islice, repeat
from typing import NamedTuple

import numpy as np

from licensing.rights.axes import bits
from licensing.rights.holdings import remaining

MANDATE, LICENCE, HOLDBACK = 0, 1, 2
AT_A_TIME = 5_000  # rows while columns are laid down: as many as a processor's cache holds as Python objects
WORD = 64
KEPT = 16  # answers to questions, of an axis


class Row(NamedTuple):
    """A line of one share. `share` numbers the shares of a title, in any order; days are half-open, as in `Dates`.

    `runs_left` is what is left of a mandate (None: no limit), `licensee` the one a hard holdback binds (None: the
    licensor). A share without any line is one row of empty sets.
    """
    title_id: int
    share: int
    kind: int
    territories: int
    media: int
    languages: int
    start: int
    end: int
    exclusive: bool
    runs_left: int | None = None
    licensee: object = None


class Role(NamedTuple):
    """How a row counts. `licensee` is an int or a str, so that it can be written down."""
    kind: int
    exclusive: bool
    runs_left: int | None
    licensee: object

    def matters(self, request, licensee) -> bool:
        """Whether it serves (a mandate) or stands in the way of (a licence, a holdback) a request like this."""
        if self.kind == MANDATE:
            return ((self.exclusive or not request.exclusive)
                    and (self.runs_left is None or self.runs_left >= (request.runs or 1)))
        if self.kind == LICENCE:
            return self.exclusive or request.exclusive
        return self.licensee is None or self.licensee == licensee


def rows_of(title_id: int, shares):
    """The rows of one title: what counts for a verdict. Soft holdbacks and claims do not."""
    for number, share in enumerate(shares):
        holdings, empty = share.holdings, True
        lines = [(MANDATE, line, line.exclusive, remaining(line, holdings.licences), None)
                 for line in holdings.mandates]
        lines += [(LICENCE, line, line.exclusive, None, None) for line in holdings.licences]
        lines += [(HOLDBACK, each, True, None, each.licensee) for each in holdings.holdbacks if each.hard]
        for kind, line, exclusive, runs_left, licensee in lines:
            block = line.block
            for start, end in block.dates.spans:
                yield Row(title_id, number, kind, block.territories, block.media, block.languages, start, end,
                          exclusive, runs_left, licensee)
                empty = False
        if empty:
            yield Row(title_id, number, MANDATE, 0, 0, 0, 0, 0, False)


class Interned(dict):
    """Distinct things, each under the number it was first seen with."""

    def __missing__(self, thing):
        self[thing] = number = len(self)
        return number


class Classified(NamedTuple):
    """A question to every set of an axis. `classes`: 0 nothing asked is in it, 1 some, 3 all.

    `words` are the sets as seen by the question, bits in uint64: what is not asked has no bit, and what no set
    tells apart has one bit together. `asked` is the question itself, so written.
    """
    classes: np.ndarray
    words: np.ndarray
    asked: np.ndarray


class Sets(Interned):
    """The interned sets of one axis; a set is a Python int, as everywhere in `rights`."""

    def __init__(self, masks=()):
        super().__init__((mask, number) for number, mask in enumerate(masks))
        self._holders = np.zeros((0, 0), dtype=bool)  # leaf x set: is it in?
        self._classified = {}  # by question, of the last few: a buyer asks one line of page after page

    def classify(self, wanted: int) -> Classified:
        matrix = self._matrix(wanted.bit_length())
        if wanted not in self._classified:
            if len(self._classified) >= KEPT:
                self._classified.clear()
            self._classified[wanted] = self._classify(matrix, list(bits(wanted)))
        return self._classified[wanted]

    @staticmethod
    def _classify(matrix, leaves):
        holders = matrix[leaves]
        if len(leaves) > WORD:  # leaves that no set tells apart are one
            alike = {holding.tobytes(): place for place, holding in enumerate(holders)}
            holders = holders[sorted(alike.values())]
        classes = holders.any(axis=0).astype(np.uint8)
        classes[holders.all(axis=0)] = 3
        return Classified(classes, _words(holders), _words(np.ones((len(holders), 1), dtype=bool))[0])

    def _matrix(self, width):
        """The sets as columns of bits; grows with the sets, and with what is asked."""
        height, known = self._holders.shape
        if width > height or len(self) > known:
            fresh = list(self)[known:]
            grown = np.zeros((max(width, height, *map(int.bit_length, fresh)), len(self)), dtype=bool)
            grown[:height, :known] = self._holders
            for number, mask in enumerate(fresh, known):
                grown[list(bits(mask)), number] = True
            self._holders = grown
            self._classified.clear()
        return self._holders


def _words(holders):
    """(leaves x sets) of bits → (sets x words) of uint64."""
    packed = np.packbits(holders, axis=0, bitorder="little")
    full = np.zeros((holders.shape[1], -(-len(holders) // WORD) * 8), dtype=np.uint8)
    full[:, :len(packed)] = packed.T
    return full.view(np.dtype("<u8"))


class Coded(NamedTuple):
    """Rows by number, one place of each array for each row."""
    titles: np.ndarray
    shares: np.ndarray
    blocking: np.ndarray  # is it no mandate
    numbers: np.ndarray  # rows x (territories, media, languages, role)
    days: np.ndarray  # rows x (start, end)

    def without(self, titles) -> "Coded":
        """The rows of all other titles."""
        out = np.isin(self.titles, titles)
        return Coded(*(each[~out] for each in self)) if out.any() else self


class Dictionary:
    """What the numbers in the columns mean. It only grows, so columns laid down earlier keep their meaning."""

    def __init__(self, territories=(), media=(), languages=(), roles=()):
        self.territories, self.media, self.languages = Sets(territories), Sets(media), Sets(languages)
        self.roles = Interned((tuple(role), number) for number, role in enumerate(roles))  # as `Role` takes them

    @property
    def dtype(self):
        """What holds a number."""
        most = max(map(len, (self.territories, self.media, self.languages, self.roles)))
        return np.dtype(np.uint16 if most <= 1 << 16 else np.uint32)

    def coded(self, fields) -> Coded:
        """Rows given `by_field`; what is new in them gets its number."""
        titles, shares, kinds, territories, media, languages, starts, ends, exclusive, *more = fields
        size = len(titles)
        runs_left, licensees = more or (repeat(None, size), repeat(None, size))
        columns = ((self.territories, territories), (self.media, media), (self.languages, languages),
                   (self.roles, zip(kinds, exclusive, runs_left, licensees, strict=True)))  # making Roles is slow
        numbers, days = np.empty((size, len(columns)), dtype=np.uint32), np.empty((size, 2), dtype=np.int32)
        for place, (interned, things) in enumerate(columns):
            numbers[:, place] = np.fromiter(map(interned.__getitem__, things), np.uint32, size)
        days[:, 0], days[:, 1] = np.fromiter(starts, np.int32, size), np.fromiter(ends, np.int32, size)
        return Coded(np.fromiter(titles, np.int64, size), np.fromiter(shares, np.int32, size),
                     np.fromiter(kinds, np.uint8, size) != MANDATE, numbers.astype(self.dtype), days)


class Columns(NamedTuple):
    """Title n has the shares shares[n]:shares[n + 1]. Share n has mandates in the rows cuts[2n]:cuts[2n + 1] and what
    stands in the way, licences and hard holdbacks, in cuts[2n + 1]:cuts[2n + 2].

    A row of `numbers` is (territories, media, languages, role) as the dictionary numbers them; of `days`, (start, end).
    """
    ids: np.ndarray
    shares: np.ndarray
    cuts: np.ndarray
    numbers: np.ndarray
    days: np.ndarray

    @property
    def nbytes(self):
        return sum(column.nbytes for column in self)


def by_field(rows):
    """Rows as a dictionary codes them: some thousand at a time, field by field."""
    rows = iter(rows)
    while some := list(islice(rows, AT_A_TIME)):
        yield tuple(zip(*some, strict=True))


def laid(parts: Iterable[Coded], dictionary: Dictionary) -> Columns:
    """Rows in any order as columns, titles ascending. Fast where they come by title, share and mandates first."""
    parts = list(parts)
    if not parts:
        return _empty(dictionary.dtype)
    titles, shares, blocking, numbers, days = map(np.concatenate, zip(*parts, strict=True))
    del parts
    order = _order(titles, shares, blocking)
    if order is not None:
        titles, shares, blocking, numbers, days = (each[order] for each in (titles, shares, blocking, numbers, days))
    return _cut(titles, shares, blocking, numbers, days)


def _empty(dtype):
    return Columns(np.empty(0, np.int64), np.zeros(1, np.uint32), np.zeros(1, np.uint32), np.empty((0, 4), dtype),
                   np.empty((0, 2), np.int32))


def _order(titles, shares, blocking):
    """How to sort rows by title, share, mandates first; None where they are. Quick where some long runs of them are."""
    place = (titles * (int(shares.max()) + 1) + shares) * 2 + blocking
    return None if (place[1:] >= place[:-1]).all() else np.argsort(place, kind="stable")


def _cut(titles, shares, blocking, numbers, days):
    """Sorted rows as columns, with the places where titles and shares begin."""
    fresh = np.ones(len(titles), dtype=bool)
    fresh[1:] = titles[1:] != titles[:-1]
    begins_title = fresh.copy()
    fresh[1:] |= shares[1:] != shares[:-1]
    first = np.flatnonzero(fresh)
    cuts = np.empty(2 * len(first) + 1, dtype=np.uint32)
    cuts[:-1:2], cuts[-1] = first, len(titles)
    cuts[1::2] = first + np.add.reduceat(~blocking, first, dtype=np.int64)
    of_titles = np.append(np.flatnonzero(begins_title[first]), len(first)).astype(np.uint32)
    return Columns(titles[begins_title], of_titles, cuts, numbers, days)


def taken(columns: Columns, places) -> Columns:
    """The titles at these places, in this order, as columns of their own."""
    shares, of_titles = _ranges(columns.shares, places)
    segments = (2 * shares[:, None] + np.arange(2)).ravel()
    rows, cuts = _ranges(columns.cuts, segments)
    return Columns(columns.ids[places], of_titles, cuts, columns.numbers[rows], columns.days[rows])


def _ranges(bounds, places):
    """(all members of the ranges bounds[n]:bounds[n + 1] for n in places, the new bounds)."""
    first = bounds[places].astype(np.int64)
    length = bounds[np.asarray(places) + 1].astype(np.int64) - first
    ends = np.cumsum(length)
    members = np.arange(ends[-1] if len(ends) else 0) + np.repeat(first - ends + length, length)
    return members, np.concatenate([[0], ends]).astype(np.uint32)


def together(one: Columns, other: Columns) -> Columns:
    """The titles of both, which share none, ascending."""
    joined = Columns(np.concatenate([one.ids, other.ids]), _onward(one.shares, other.shares),
                     _onward(one.cuts, other.cuts), np.concatenate([one.numbers, other.numbers]),
                     np.concatenate([one.days, other.days]))
    return taken(joined, np.argsort(joined.ids, kind="stable"))


def _onward(bounds, more):
    return np.concatenate([bounds, more[1:] + bounds[-1]])


class Growing:
    """An array that grows at its end, rarely copied."""

    def __init__(self, array):
        self._room, self._size = array.copy(), len(array)

    def extend(self, more):
        size = self._size + len(more)
        if size > len(self._room) or more.dtype.itemsize > self._room.dtype.itemsize:
            room = np.empty((max(2 * size, WORD), *more.shape[1:]), np.promote_types(self._room.dtype, more.dtype))
            room[:self._size] = self.array
            self._room = room
        self._room[self._size:size] = more
        self._size = size

    @property
    def array(self):
        return self._room[:self._size]


class Changes:
    """Titles that changed since the columns were laid down: what they have now lies over the columns.

    Each change is put at the end; what it replaces here stays until there is more of the old than of the new.
    """

    def __init__(self, dtype=np.uint16):
        self.place: dict[int, int] = {}  # title id → where it is in here
        self._columns = [Growing(column) for column in _empty(np.dtype(dtype))]
        self._below = Growing(np.empty(0, np.int64))
        self._live = Growing(np.empty(0, bool))

    def put(self, title_id: int, columns: Columns, below: int):
        """`columns` hold this title alone, or nothing; `below` is its place in the columns below, or -1."""
        if (old := self.place.get(title_id)) is not None:
            self._live.array[old] = False
        self.place[title_id] = len(self._live.array)
        ids, shares, cuts, numbers, days = self._columns
        ids.extend(np.array([title_id], dtype=np.int64))
        shares.extend(shares.array[-1:] + np.uint32(len(columns.cuts) // 2))
        cuts.extend(columns.cuts[1:] + cuts.array[-1])
        numbers.extend(columns.numbers)
        days.extend(columns.days)
        self._below.extend(np.array([below]))
        self._live.extend(np.array([True]))
        if len(self._live.array) > 2 * len(self.place) + 1000:
            self._tidy()

    @property
    def columns(self) -> Columns:
        return Columns(*(each.array for each in self._columns))

    def now(self):
        """(place here, place below or -1) of every title that changed."""
        live = np.flatnonzero(self._live.array)
        return live, self._below.array[live]

    def _tidy(self):
        live, below = self.now()
        kept = taken(self.columns, live)
        self._columns = [Growing(column) for column in kept]
        self._below, self._live = Growing(below), Growing(np.ones(len(live), dtype=bool))
        self.place = {title_id: place for place, title_id in enumerate(kept.ids.tolist())}
