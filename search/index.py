"""The Whoosh index: what is in it, how to write it, how to ask it. The only importer of Whoosh; knows no table.

The folder holds generations and a pointer to the current one. A rebuild makes a new generation beside the
old and moves the pointer; readers follow at their next question. Whoosh does not sync to disk, so the index
is a copy that may be lost: what cannot be read raises Damaged, and the worker rebuilds. The folder is
trusted: Whoosh unpickles its files.
"""
import fcntl
import os
import re
import shutil
import threading
import warnings
from bisect import bisect_left
from collections import OrderedDict
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

from search import analysis, grammar, matching
from search.grammar import Unsearchable

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Whoosh 2.7.4 has escapes that newer Pythons warn of
    import whoosh.analysis
    import whoosh.index
    from whoosh import columns, fields, query
    from whoosh.matching import ListMatcher
    from whoosh.reading import TermNotFound

WRITER_MB = 128
KEPT_POSTINGS = 50_000_000  # documents in decoded postings, 200 MB at most


class Damaged(Exception):
    """The index cannot be read; build it anew."""


@dataclass(frozen=True)
class Document:
    """What is searched of one title. `stamp` tells whether the index is up to date with the record; `codes` are
    found only whole, and the year only orders what is found alike."""
    id: int
    stamp: str
    names: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    synopsis: list[str] = field(default_factory=list)
    keywords: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    year: int = 0


class _Words(whoosh.analysis.Tokenizer):
    """Our own terms, in Whoosh's dress."""

    def __call__(self, value, positions=False, chars=False, keeporiginal=False, removestops=True, start_pos=0,
                 start_char=0, tokenize=True, mode="", **kwargs):
        token = whoosh.analysis.Token(positions, chars, removestops=removestops, mode=mode, **kwargs)
        for place, found in enumerate(analysis.tokens(value)):
            token.text, token.boost, token.stopped = found.term, 1.0, False
            if positions:
                token.pos = start_pos + place
            if chars:
                token.startchar, token.endchar = start_char + found.start, start_char + found.end
            yield token


class _Whole(whoosh.analysis.Tokenizer):
    """Each line as one term."""

    def __call__(self, value, positions=False, chars=False, **kwargs):
        token = whoosh.analysis.Token(positions, chars, **kwargs)
        for place, line in enumerate(value.split("\n")):
            token.text, token.boost, token.stopped, token.pos = line, 1.0, False, place
            yield token


SCHEMA = fields.Schema(
    id=fields.ID(stored=True, unique=True), stamp=fields.STORED, said=fields.STORED,
    number=fields.COLUMN(columns.NumericColumn("q")), year=fields.COLUMN(columns.NumericColumn("i")),
    **{name: fields.TEXT(analyzer=_Words()) for name in matching.FIELDS},
    **{name: fields.TEXT(analyzer=_Whole(), phrase=False) for name in ("whole", "sounds", "codes")})


class Index:
    """An index in a folder. Safe for threads; one writer at a time across processes."""

    def __init__(self, folder):
        self._folder = Path(folder)
        self._lock = threading.RLock()
        self._generation: str | None = None
        self._reader: _Reader | None = None
        self._postings = _Postings()

    # -------------------------------------------------------------- asking

    def find(self, text: str) -> np.ndarray:
        """Ids of the titles that a query means, best first (`matching.rank`).

        A word is a word, a "phrase in quotes", or either with a minus before it, which excludes. Raises
        Unsearchable where the text has no word to search for or is too long.
        """
        wanted, unwanted = grammar.read(text)
        with self._reading() as reader:
            return reader.ids[matching.rank(reader, wanted, unwanted, analysis.whole(text))]

    def meant(self, text: str, seen) -> str | None:
        """The query with words in place of those that stand nowhere, or None where there are no better ones.

        `seen(ids)` says whether the asker may see any of some titles: no word of another is told.
        """
        wanted, unwanted = grammar.read(text)
        if unwanted or any(slot.paired or slot.phrase for slot in wanted):
            return None
        with self._reading() as reader:
            words = [matching.meant(reader, slot, lambda docs: seen(reader.ids[docs])) for slot in wanted]
        return " ".join(words) if words != [slot.text for slot in wanted] else None

    def stamps(self) -> dict[int, str]:
        """What the index holds: title id → stamp."""
        with self._reading() as reader:
            return {int(each["id"]): each["stamp"] for each in reader.searcher.reader().all_stored_fields()}

    @staticmethod
    def marks(text: str, value: str) -> list[tuple[int, int]]:
        """Where in `value` the words of a query stand: (start, end) pairs, ascending, not touching."""
        try:
            wanted, _ = grammar.read(text)
        except Unsearchable:
            return []
        spans = []
        for found in analysis.tokens(value):
            if any(matching.holds(slot, found.term) for slot in wanted):
                if spans and found.start <= spans[-1][1]:
                    spans[-1] = (spans[-1][0], found.end)
                else:
                    spans.append((found.start, found.end))
        return spans

    @contextmanager
    def _reading(self):
        with self._lock:
            try:
                self._refresh()
                yield self._reader
            except Unsearchable:
                raise
            except Exception as problem:  # Whoosh raises whatever a broken file makes its reader stumble over
                self._close()
                raise self._damaged(problem) from problem

    @property
    def damaged(self) -> bool:
        """Whether anyone found that it cannot be read, since it was built."""
        return self._mark.exists()

    @property
    def _mark(self):
        return self._folder / "damaged"

    def _damaged(self, problem) -> Damaged:
        """Leave word for the worker, who builds it anew; whoever asks may not write."""
        with suppress(OSError):
            self._mark.touch()
        return Damaged(f"{type(problem).__name__}: {problem}")

    def _refresh(self):
        generation = self._pointer() or self._begin()
        if generation != self._generation or self._reader is None:
            self._close()
            searcher = whoosh.index.open_dir(str(self._folder / generation)).searcher()
            self._reader, self._generation = _Reader(searcher, self._postings), generation
        elif (searcher := self._reader.searcher.refresh()) is not self._reader.searcher:
            self._reader = _Reader(searcher, self._postings)

    def close(self):
        """Let go of the files."""
        with self._lock:
            self._close()

    def _close(self):
        if self._reader is not None:
            self._reader.searcher.close()
        self._reader = self._generation = None

    # -------------------------------------------------------------- writing

    def replace(self, documents, gone=()):
        """Write documents, and remove the ids in `gone`, in one commit. Doing it again changes nothing."""
        with self._writing():
            generation = self._pointer() or self._begin()
            try:
                writer = whoosh.index.open_dir(str(self._folder / generation)).writer(limitmb=WRITER_MB)
            except Exception as problem:
                raise self._damaged(problem) from problem
            try:
                for document in documents:
                    writer.delete_by_term("id", str(document.id))
                    _add(writer, document)
                for each in gone:
                    writer.delete_by_term("id", str(each))
                writer.commit()
            except BaseException:
                writer.cancel()
                raise

    def rebuild(self, documents) -> int:
        """Build a new generation from `documents` and make it the current one. Returns their number."""
        with self._writing():
            generation = self._name_next()
            writer = self._create(generation).writer(limitmb=WRITER_MB)
            count = 0
            for document in documents:
                _add(writer, document)
                count += 1
            writer.commit()
            self._point_to(generation)
            self._mark.unlink(missing_ok=True)
            for old in self._folder.glob("generation-*"):
                if old.name != generation:
                    shutil.rmtree(old, ignore_errors=True)
            return count

    @contextmanager
    def _writing(self):
        """One writer across processes; the lock dies with its process."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "writer.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _begin(self) -> str:
        """The first generation, empty."""
        self._folder.mkdir(parents=True, exist_ok=True)
        generation = self._name_next()
        self._create(generation)
        self._point_to(generation)
        return generation

    def _name_next(self):
        taken = [int(match[1]) for each in self._folder.glob("generation-*")
                 if (match := re.fullmatch(r"generation-(\d+)", each.name))]
        return f"generation-{max(taken, default=0) + 1:06d}"

    def _create(self, generation):
        folder = self._folder / generation
        folder.mkdir()
        return whoosh.index.create_in(str(folder), SCHEMA)

    def _pointer(self) -> str | None:
        try:
            return (self._folder / "current").read_text().strip() or None
        except FileNotFoundError:
            return None

    def _point_to(self, generation):
        fresh = self._folder / f"current.{os.getpid()}"
        fresh.write_text(generation)
        os.replace(fresh, self._folder / "current")


def _add(writer, document):
    names = list(map(analysis.whole, document.names))
    lines = {"whole": names, "sounds": map(analysis.sound, names), "codes": map(analysis.whole, document.codes),
             **{name: getattr(document, name) for name in matching.FIELDS}}
    writer.add_document(id=str(document.id), stamp=document.stamp, number=document.id, year=document.year,
                        said=list(map(analysis.folded, document.names)),
                        **{name: "\n".join(filter(None, each)) for name, each in lines.items()})


# ------------------------------------------------------------------ reading the index

class _Postings:
    """What was decoded of segments, which never change: the longest unused goes first."""

    def __init__(self):
        self._kept, self._size = OrderedDict(), 0

    def get(self, key, make):
        if (found := self._kept.get(key)) is None:
            found = self._kept[key] = make()
            self._size += len(found) + 100
            while self._size > KEPT_POSTINGS and len(self._kept) > 1:
                self._size -= len(self._kept.popitem(last=False)[1]) + 100
        self._kept.move_to_end(key)
        return found


class _Reader:
    """One state of the index, as `matching` asks it. Documents are numbers from 0 to `size` - 1."""

    def __init__(self, searcher, postings):
        self.searcher, self._postings = searcher, postings
        self._segments = [each for each in searcher.reader().leaf_readers() if each[0].doc_count_all()]
        self.size = searcher.reader().doc_count_all()
        self.live = np.ones(self.size, dtype=bool)
        self.ids, self.years = np.zeros(self.size, dtype=np.int64), np.zeros(self.size, dtype=np.int32)
        for reader, offset in self._segments:
            end = offset + reader.doc_count_all()
            self.ids[offset:end] = self._kept(reader, "number", lambda r=reader: _column(r, "number", np.int64))
            self.years[offset:end] = self._kept(reader, "year", lambda r=reader: _column(r, "year", np.int32))
            self.live[[offset + each for each in reader.segment().deleted_docs()]] = False

    def _kept(self, reader, key, make):
        return self._postings.get((reader.segment().segment_id(), key), make)

    def docs(self, field, term) -> np.ndarray:
        """Documents with a term in a field, ascending."""
        found = [self._kept(reader, (field, term), lambda r=reader: _decoded(r, field, term)) + offset
                 for reader, offset in self._segments]
        return np.concatenate(found) if found else np.array([], dtype=np.int32)

    def phrase(self, field, terms) -> np.ndarray:
        """Documents with these terms one after another in a field."""
        return np.fromiter(self.searcher.docs_for_query(query.Phrase(field, list(terms))), dtype=np.int64)

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

    def like(self, field, term, most) -> list[str]:
        """Terms of a field with at most so many letters wrong, the nearest first."""
        found = {}
        for reader, _ in self._segments:
            found.update((each, away) for each, away, _ in process.extract(
                term, self._lexicon(reader, field), scorer=OSA.distance, score_cutoff=most, limit=None))
        return sorted(found, key=lambda each: (found[each], each))

    def names(self, doc) -> list[str]:
        """The names of a document, folded."""
        return self.searcher.stored_fields(doc)["said"]


def _decoded(reader, field, term):
    """The documents of one segment with a term, also those deleted since: what is kept must hold for as long as the
    segment does, and Whoosh's own way leaves out what is deleted now."""
    try:
        matcher = reader._terms.matcher(field, term.encode(), SCHEMA[field].format)
    except TermNotFound:
        return np.array([], dtype=np.int32)
    if isinstance(matcher, ListMatcher):
        return np.fromiter(matcher.all_ids(), dtype=np.int32)
    found = []
    while matcher.is_active():
        if matcher._ids is None:
            matcher._read_ids()
        found.extend(matcher._ids)
        matcher._next_block()
    return np.array(found, dtype=np.int32)


def _column(reader, name, dtype):
    column = reader.column_reader(name)
    return np.array([column[each] for each in range(reader.doc_count_all())], dtype=dtype)
