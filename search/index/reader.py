"""One state of the index, as `search.matching` asks it."""
import warnings
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from itertools import accumulate

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

from search.grammar import Unsearchable
from search.index.schema import SCHEMA
from search.matching import NOTHING, common
from search.spelling import Named

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Whoosh 2.7.4 has escapes that newer Pythons warn of
    from whoosh.filedb.filestore import FileStorage
    from whoosh.index import TOC
    from whoosh.reading import SegmentReader, TermNotFound

MOST_TERMS = 2_000  # that a beginning may stand for
LAST = chr(0x10FFFF)
PLACES = 1 << 24  # positions in a field, at most
MOST_NAMED = 50_000  # documents whose names are at hand
NAME = "MAIN"  # Whoosh's own, of the one index in a folder
KEPT_POSTINGS, KEPT_JOINED = 50_000_000, 10_000_000  # documents, of four bytes each, in what was decoded


class Postings:
    """What was decoded of segments, which never change: the longest unused goes first."""

    def __init__(self, most=KEPT_POSTINGS):
        self._kept, self._size, self._most = OrderedDict(), 0, most

    def get(self, key, make):
        if (found := self._kept.get(key)) is None:
            found = self._kept[key] = make()
            self._size += len(found) + 100
            while self._size > self._most and len(self._kept) > 1:
                self._size -= len(self._kept.popitem(last=False)[1]) + 100
        self._kept.move_to_end(key)
        return found


class Reader:
    """One state of the index, as `matching` asks it. Documents are numbers from 0 to `size` - 1."""

    def __init__(self, storage, commit, opened, deleted, postings):
        self._storage, self.commit, self._postings = storage, commit, postings
        self._opened, self._names = opened, {reader: name for name, reader in opened.items()}
        *self._offsets, self.size = accumulate(map(_size, opened.values()), initial=0)
        self._segments = list(zip(opened.values(), self._offsets, strict=True))
        self._joined = Postings(KEPT_JOINED)  # the same of all segments together, for as long as nothing is added
        self._said = {}  # document → its names, of those that were asked for: quicker than to find its segment
        self.live = np.ones(self.size, dtype=bool)
        self.ids, self.years = np.zeros(self.size, dtype=np.int64), np.zeros(self.size, dtype=np.int32)
        for reader, offset in self._segments:
            reader.stored_fields(0)  # opens its file now: it may be gone when it is first needed
            end = offset + _size(reader)
            self.ids[offset:end] = self._kept(reader, "number", lambda r=reader: _column(r, "number", np.int64))
            self.years[offset:end] = self._kept(reader, "year", lambda r=reader: _column(r, "year", np.int32))
            self.live[[offset + each for each in deleted[self._names[reader]]]] = False

    @classmethod
    def latest(cls, folder, postings, before=None) -> "Reader":
        """The last commit of an index in a folder. What `before` has opened of it is gone on with: a segment stays as
        it was written, but for what was deleted of it, which stands in the commit."""
        storage = FileStorage(str(folder))
        known = before._opened if before else {}
        while True:
            commit = TOC._latest_generation(storage, NAME)
            try:
                toc = TOC.read(storage, NAME, gen=commit, schema=SCHEMA)
                segments = {each.segment_id(): each for each in toc.segments if each.doc_count_all()}
                opened = {name: known.get(name) or SegmentReader(storage, SCHEMA, each)
                          for name, each in segments.items()}
                made = cls(storage, commit, opened, {name: each.deleted_docs() for name, each in segments.items()},
                           postings)
                break
            except Exception:  # a commit came in between, and Whoosh stumbles over what it took away in its own ways
                if TOC._latest_generation(storage, NAME) == commit:
                    raise
        for name in known.keys() - opened.keys():  # last: where something is broken, `before` is whole and closed once
            known[name].close()
        return made

    @property
    def behind(self) -> bool:
        """Whether there was a commit since."""
        return TOC._latest_generation(self._storage, NAME) != self.commit

    def close(self):
        for reader in self._opened.values():
            reader.close()

    def stamps(self) -> dict[int, str]:
        """id → stamp of every document."""
        return {int(self.ids[offset + doc]): reader.stored_fields(doc)["stamp"]
                for reader, offset in self._segments for doc in range(_size(reader)) if self.live[offset + doc]}

    def _kept(self, reader, key, make):
        return self._postings.get((self._names[reader], key), make)

    def docs(self, field, term) -> np.ndarray:
        """Documents with a term in a field, ascending."""
        return self._joined.get((field, term), lambda: self._whole([
            self._kept(reader, (field, term), lambda r=reader: _decoded(r, field, term))
            for reader, _ in self._segments]))

    def _whole(self, parts):
        """What each segment says, as documents of the index."""
        parts = [docs + offset if offset else docs
                 for docs, (_, offset) in zip(parts, self._segments, strict=True) if len(docs)]
        return np.concatenate(parts) if len(parts) > 1 else parts[0] if parts else NOTHING

    def phrase(self, field, terms) -> np.ndarray:
        """Documents with these terms one after another in a field."""
        found = []
        for reader, _ in self._segments:
            begun = self._placed(reader, field, terms[0])
            for step, term in enumerate(terms[1:], 1):
                begun = common(begun, self._placed(reader, field, term) - step)
            found.append(np.unique(begun // PLACES).astype(np.int32))
        return self._whole(found)

    def _placed(self, reader, field, term):
        return self._kept(reader, (field, term, "placed"), lambda: _places(reader, field, term))

    def _lexicon(self, reader, field) -> list[str]:
        return self._kept(reader, field, lambda: sorted(
            term.decode() for term in reader.lexicon(field)))

    def starting(self, field, prefix, most) -> list[str]:
        """Terms of a field that begin like this, the first so many."""
        found = set()
        for reader, _ in self._segments:
            terms = self._lexicon(reader, field)
            place = bisect_left(terms, prefix)
            while place < len(terms) and len(found) < most and terms[place].startswith(prefix):
                found.add(terms[place])
                place += 1
        return sorted(found)

    def beginning(self, field, prefix) -> np.ndarray:
        """Documents with a term in a field that begins like this. Raises Unsearchable where there are too many."""
        return self._whole([self._kept(reader, (field, prefix, "*"), lambda r=reader: self._united(r, field, prefix))
                            for reader, _ in self._segments])

    def _united(self, reader, field, prefix):
        terms = self._lexicon(reader, field)
        terms = terms[bisect_left(terms, prefix):bisect_left(terms, prefix + LAST)]
        if len(terms) > MOST_TERMS:
            raise Unsearchable(f"Too many words begin with “{prefix}”: write more of the word.")
        return np.unique(np.concatenate([np.array([], dtype=np.int32), *(_decoded(reader, field, term)
                                                                        for term in terms)]))

    def like(self, field, term, most) -> list[str]:
        """Terms of a field with at most so many letters wrong, the nearest first."""
        found, (letters, length) = {}, _letters(term)
        for reader, _ in self._segments:
            terms = self._lexicon(reader, field)
            has, lengths = self._kept(reader, (field, "letters"), lambda terms=terms: _all_letters(terms))
            # A wrong letter changes the length by one, and which letters there are by two: few terms are left
            near = np.flatnonzero((np.bitwise_count(has ^ letters) <= 2 * most)
                                  & (np.abs(lengths - length) <= most))
            found.update((each, away) for each, away, _ in process.extract(
                term, [terms[place] for place in near], scorer=OSA.distance, score_cutoff=most, limit=None))
        return sorted(found, key=lambda each: (found[each], each))

    def names(self, doc) -> list[Named]:
        """The names of a document."""
        if (found := self._said.get(doc)) is None:
            reader, offset = self._segments[bisect_right(self._offsets, doc) - 1]
            if len(self._said) > MOST_NAMED:
                self._said.clear()
            found = self._said[doc] = self._kept(reader, ("said", doc - offset), lambda: [
                Named.of(name) for name in reader.stored_fields(doc - offset)["said"]])
        return found


def _letters(term):
    """(a bit for each letter that a term has, its length); letters share the bits of a word."""
    found = 0
    for letter in term:
        found |= 1 << ord(letter) % 64
    return np.uint64(found), len(term)


def _all_letters(terms):
    found = [_letters(term) for term in terms]
    return (np.array([letters for letters, _ in found], dtype=np.uint64),
            np.array([length for _, length in found], dtype=np.int32))


def _places(reader, field, term):
    """Where a term stands in a segment: document * PLACES + position, ascending."""
    found = []
    for matcher in _blocks(reader, field, term):
        matcher._read_values()
        for doc, value in zip(matcher._ids, matcher._values, strict=True):
            found += [doc * PLACES + place for place in matcher.format.decode_positions(value)]
    return np.array(found, dtype=np.int64)


def _blocks(reader, field, term):
    """The blocks of a term's postings, one after the other, each with its documents read."""
    try:
        matcher = reader._terms.matcher(field, term.encode(), SCHEMA[field].format)
    except TermNotFound:
        return
    while matcher.is_active():
        if matcher._ids is None:
            matcher._read_ids()
        yield matcher
        matcher._next_block()


def _decoded(reader, field, term):
    """The documents of one segment with a term, also those deleted since: what is kept must hold for as long as the
    segment does, and Whoosh's own way leaves out what is deleted now."""
    found = []
    for matcher in _blocks(reader, field, term):
        found.extend(matcher._ids)
    return np.array(found, dtype=np.int32)


def _column(reader, name, dtype):
    column = reader.column_reader(name)
    return np.array([column[each] for each in range(_size(reader))], dtype=dtype)


def _size(reader):
    return reader.doc_count_all()
