"""The Whoosh index: what is in it, how to write it, how to ask it. The only importer of Whoosh; knows no table.

The folder holds generations and a pointer to the current one. A rebuild makes a new generation beside the
old and moves the pointer; readers follow at their next question. Whoosh does not sync to disk, so the index
is a copy that may be lost: what cannot be read raises Damaged, and the caller rebuilds. The folder is
trusted: Whoosh unpickles its files.
"""
import fcntl
import os
import re
import shutil
import threading
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from search import analysis

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Whoosh 2.7.4 has escapes that newer Pythons warn of
    import whoosh.analysis
    import whoosh.index
    from whoosh import fields, query
    from whoosh.searching import Searcher

BOOST = {"names": 4.0, "people": 2.0, "keywords": 1.0, "synopsis": 0.5}
LONGEST, MOST_WORDS = 300, 16  # of a query: characters, words
WRITER_MB = 128


class Damaged(Exception):
    """The index cannot be read; build it anew."""


class Unsearchable(ValueError):
    """The words cannot be searched; the text says why."""


@dataclass(frozen=True)
class Document:
    """What is searched of one title. `stamp` tells whether the index is up to date with the record."""
    id: int
    stamp: str
    names: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    synopsis: list[str] = field(default_factory=list)
    keywords: list[str] = field(default_factory=list)


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


SCHEMA = fields.Schema(id=fields.ID(stored=True, unique=True), stamp=fields.STORED, **{
    name: fields.TEXT(analyzer=_Words(), field_boost=boost) for name, boost in BOOST.items()})


class Index:
    """An index in a folder. Safe for threads; one writer at a time across processes."""

    def __init__(self, folder):
        self._folder = Path(folder)
        self._lock = threading.RLock()
        self._generation: str | None = None
        self._searcher: Searcher | None = None

    # -------------------------------------------------------------- asking

    def find(self, text: str, limit: int | None = None) -> list[int]:
        """Ids of the titles that hold every word, best first; of those with any word, where none holds all.

        A word is a word, a "phrase in quotes", or either with a minus before it, which excludes. Raises
        Unsearchable where the text has no word to search for or is too long.
        """
        wanted, unwanted = _read(text)
        with self._reading() as searcher:
            every = query.And([_anywhere(each) for each in wanted])
            hits = self._search(searcher, every, unwanted, limit)
            if not hits and len(wanted) > 1:
                hits = self._search(searcher, query.Or([_anywhere(each) for each in wanted]), unwanted, limit)
            return hits

    @staticmethod
    def _search(searcher, wanted, unwanted, limit):
        if unwanted:
            wanted = query.AndNot(wanted, query.Or([_anywhere(each) for each in unwanted]))
        found = searcher.search(wanted, limit=limit)
        return [int(searcher.stored_fields(docnum)["id"]) for _, docnum in found.top_n]

    def stamps(self) -> dict[int, str]:
        """What the index holds: title id → stamp."""
        with self._reading() as searcher:
            return {int(each["id"]): each["stamp"] for each in searcher.reader().all_stored_fields()}

    @staticmethod
    def marks(text: str, value: str) -> list[tuple[int, int]]:
        """Where in `value` the words of a query stand: (start, end) pairs, ascending, not touching."""
        try:
            wanted, _ = _read(text)
        except Unsearchable:
            return []
        terms = {term for each in wanted for term in each.terms}
        spans = []
        for found in analysis.tokens(value):
            if found.term in terms or any(each.prefix and found.term.startswith(each.prefix) for each in wanted):
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
                yield self._searcher
            except Unsearchable:
                raise
            except Exception as problem:  # Whoosh raises whatever a broken file makes its reader stumble over
                self._close()
                raise Damaged(f"{type(problem).__name__}: {problem}") from problem

    def _refresh(self):
        generation = self._pointer() or self._begin()
        if generation != self._generation or self._searcher is None:
            self._close()
            self._searcher = whoosh.index.open_dir(str(self._folder / generation)).searcher()
            self._generation = generation
        else:
            self._searcher = self._searcher.refresh()

    def close(self):
        """Let go of the files."""
        with self._lock:
            self._close()

    def _close(self):
        if self._searcher is not None:
            self._searcher.close()
        self._searcher = self._generation = None

    # -------------------------------------------------------------- writing

    def replace(self, documents, gone=()):
        """Write documents, and remove the ids in `gone`, in one commit. Doing it again changes nothing."""
        with self._writing():
            generation = self._pointer() or self._begin()
            try:
                writer = whoosh.index.open_dir(str(self._folder / generation)).writer(limitmb=WRITER_MB)
            except Exception as problem:
                raise Damaged(f"{type(problem).__name__}: {problem}") from problem
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
    writer.add_document(id=str(document.id), stamp=document.stamp,
                        **{name: "\n".join(getattr(document, name)) for name in BOOST})


# ------------------------------------------------------------------ reading a query

@dataclass(frozen=True)
class _Wanted:
    """One word or phrase of a query: its terms, all in one field; or a single character to begin with."""
    terms: tuple[str, ...]
    phrase: bool = False
    prefix: str | None = None


def _read(text: str) -> tuple[list[_Wanted], list[_Wanted]]:
    """(what must be there, what must not). Our own small grammar: words, "phrases", a minus to exclude."""
    if len(text) > LONGEST:
        raise Unsearchable(f"Search with {LONGEST} characters at most.")
    wanted, unwanted = [], []
    for minus, phrase, word in re.findall(r'(?:(?<=\s)|^)?([-−]?)(?:"([^"]*)"|([^\s"]+))', text):
        into = unwanted if minus else wanted
        found = analysis.tokens(phrase or word)
        if phrase:
            if found:
                into.append(_Wanted(tuple(each.term for each in found), phrase=True))
            continue
        # A run without spaces is one word, however many pairs it makes.
        for paired, run in groupby(found, key=lambda each: each.paired):
            run = list(run)
            if not paired:
                into += [_Wanted((each.term,)) for each in run]
            elif len(run) == 1 and len(run[0].term) == 1:
                into.append(_Wanted((), prefix=run[0].term))
            else:
                into.append(_Wanted(tuple(each.term for each in run)))
    if not wanted:
        raise Unsearchable("Write at least one word to search for.")
    if len(wanted) + len(unwanted) > MOST_WORDS or sum(len(each.terms) for each in wanted) > LONGEST:
        raise Unsearchable(f"Search with {MOST_WORDS} words at most.")
    return wanted, unwanted


def _anywhere(wanted: _Wanted):
    """The query for one word or phrase in any field."""
    if wanted.prefix:
        return query.Or([query.Term("names", wanted.prefix), query.Prefix("names", wanted.prefix)])
    if len(wanted.terms) == 1:
        return query.Or([query.Term(name, wanted.terms[0]) for name in BOOST])
    if wanted.phrase:
        return query.Or([query.Phrase(name, list(wanted.terms)) for name in BOOST])
    return query.Or([query.And([query.Term(name, term) for term in wanted.terms]) for name in BOOST])
