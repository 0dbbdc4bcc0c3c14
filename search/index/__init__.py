"""The Whoosh index: how to write it, how to ask it. This folder alone imports Whoosh; it knows no table.

The folder holds generations and a pointer to the current one. A rebuild makes a new generation beside the
old and moves the pointer; readers follow at their next question. Whoosh does not sync to disk, so the index
is a copy that may be lost: what cannot be read raises Damaged, and the worker rebuilds. The folder is
trusted: Whoosh unpickles its files.
"""
import fcntl
import json
import math
import os
import re
import shutil
import threading
import warnings
import zlib
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from search import grammar, matching
from search.engine import Damaged, Seen
from search.grammar import Unsearchable
from search.index.reader import Postings, Reader
from search.index.schema import CODEC, SCHEMA, add

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Whoosh 2.7.4 has escapes that newer Pythons warn of
    import whoosh.index
    from whoosh.reading import SegmentReader

WRITER_MB = 128
SUMS = "sums.json"  # in each generation: file → CRC-32 of what was written
UNSEALED = {SUMS, "MAIN_WRITELOCK"}
TIER = 6  # segments of about a size are made one when there are so many


class Index:
    """An engine (`search.engine`) in a folder."""

    def __init__(self, folder):
        self._folder = Path(folder)
        self._lock = threading.RLock()
        self._generation: str | None = None
        self._reader: Reader | None = None
        self._stamped: list[tuple[int, int]] | None = None  # the commit that is read
        self._postings = Postings()
        self._checked: set[tuple[str, str]] = set()  # files that are as they were written

    # -------------------------------------------------------------- asking

    def find(self, text: str, seen: Seen | None = None) -> np.ndarray:
        """Ids of the titles that a query means, best first (`matching.rank`), as if those not seen were not there.

        Raises Unsearchable where the text has no word to search for or is too long (`grammar`).
        """
        asked = grammar.read(text)
        with self._reading() as reader:
            return reader.ids[matching.rank(reader, *asked, _seen(reader, seen))]

    def meant(self, text: str, seen: Seen) -> str | None:
        """The query with words in place of those that stand nowhere, or None where there are no better ones."""
        wanted, unwanted, _ = grammar.read(text)
        if unwanted or not all(slot.plain for slot in wanted):
            return None
        with self._reading() as reader:
            words = [matching.meant(reader, slot, _seen(reader, seen)) for slot in wanted]
        return " ".join(words) if words != [slot.text for slot in wanted] else None

    def stamps(self) -> dict[int, str]:
        """What the index holds: title id → stamp."""
        with self._reading() as reader:
            return reader.stamps()

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
        """Whether it was never built, or anyone found that it cannot be read since it was."""
        return self._mark.exists() or self._pointer() is None

    @property
    def _mark(self):
        return self._folder / "damaged"

    def _damaged(self, problem) -> Damaged:
        """Leave word for the worker, who builds it anew; whoever asks may not write."""
        with suppress(OSError):
            self._mark.touch()
        return Damaged(f"{type(problem).__name__}: {problem}")

    def _refresh(self):
        with suppress(FileNotFoundError):  # the generation that was read is gone
            if self._generation and self._stamp(self._generation) == self._stamped:
                return
        generation = self._built()
        try:
            self._follow(generation)
        except Exception:
            if self._pointer() == generation:
                raise
            self._refresh()  # it was built anew while we opened it, and the old one is gone

    def _follow(self, generation):
        stamp = self._stamp(generation)
        if generation != self._generation:
            self._let_go()
        self._check(generation)
        self._reader = Reader.latest(self._folder / generation, self._postings, before=self._reader)
        self._generation, self._stamped = generation, stamp

    def _stamp(self, generation):
        """What is another after each commit and each rebuild; Whoosh's own way reads the whole folder, which takes as
        long as an answer."""
        found = [os.stat(f"{self._folder}/{name}") for name in ("current", f"{generation}/{SUMS}")]
        return [(each.st_ino, each.st_mtime_ns) for each in found]

    def verify(self):
        """Read every file again. Raises Damaged where one is not as it was written."""
        with self._lock:
            self._checked.clear()
            try:
                if generation := self._pointer():
                    self._check(generation)
            except (ValueError, OSError) as problem:
                self._close()
                raise self._damaged(problem) from problem

    def _check(self, generation):
        """Whether the files of a generation are as they were written; each is read once by a process."""
        sums = self._sums(generation)
        self._checked &= {(generation, name) for name in sums}  # a process lives for many commits
        for name, written in sums.items():
            if (generation, name) not in self._checked:
                with suppress(FileNotFoundError):  # a commit later it is not needed; one that is misses at once
                    if _sum(self._folder / generation / name) != written:
                        raise ValueError(f"{name} is not as it was written")
                    self._checked.add((generation, name))

    def _sums(self, generation) -> dict[str, int]:
        return json.loads((self._folder / generation / SUMS).read_text())

    def _seal(self, generation):
        """Write down what its files are: Whoosh would take a flipped bit for another word."""
        folder = self._folder / generation
        known = self._sums(generation) if (folder / SUMS).exists() else {}
        names = [path.name for path in folder.iterdir() if path.is_file() and path.name not in UNSEALED]
        _replace(folder / SUMS, json.dumps({
            name: known[name] if name in known else _sum(folder / name) for name in names}))

    def close(self):
        """Let go of the files."""
        with self._lock:
            self._close()

    def _close(self):
        self._let_go()
        self._checked.clear()

    def _let_go(self):
        if self._reader is not None:
            self._reader.close()
        self._reader = self._generation = None

    # -------------------------------------------------------------- writing

    def replace(self, documents, gone=()):
        """Write documents, and remove the ids in `gone`, in one commit. Doing it again changes nothing."""
        with self._writing():
            documents = list(documents)
            with self._reading() as reader:
                if reader.behind:  # who committed last died before the seal
                    self._follow(self._generation)
                generation, ids = self._generation, [*(document.id for document in documents), *gone]
                former = np.flatnonzero(np.isin(self._reader.ids, ids) & self._reader.live).tolist()
            try:
                writer = self._writer(whoosh.index.open_dir(str(self._folder / generation), schema=SCHEMA))
            except Exception as problem:
                raise self._damaged(problem) from problem
            try:
                for doc in former:
                    writer.delete_document(doc)
                for document in documents:
                    add(writer, document)
                writer.commit(_merging)
            except BaseException:
                writer.cancel()
                raise
            self._seal(generation)

    def rebuild(self, documents) -> int:
        """Build a new generation from `documents` and make it the current one. Returns their number."""
        with self._writing():
            generation, count = self._name_next(), 0
            writer = self._writer(self._create(generation))
            try:
                for document in documents:
                    add(writer, document)
                    count += 1
                writer.commit()
            except BaseException:
                writer.cancel()
                shutil.rmtree(self._folder / generation)
                raise
            self._seal(generation)
            self._point_to(generation)
            self._mark.unlink(missing_ok=True)
            for old in self._folder.glob("generation-*"):
                if old.name != generation:
                    shutil.rmtree(old, ignore_errors=True)
            return count

    @staticmethod
    def _writer(whole):
        return whole.writer(limitmb=WRITER_MB, codec=CODEC, compound=False)  # a compound file is read whole to open it

    @contextmanager
    def _writing(self):
        """One writer across processes; the lock dies with its process."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "writer.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _name_next(self):
        taken = [int(match[1]) for each in self._folder.glob("generation-*")
                 if (match := re.fullmatch(r"generation-(\d+)", each.name))]
        return f"generation-{max(taken, default=0) + 1:06d}"

    def _create(self, generation):
        folder = self._folder / generation
        folder.mkdir()
        return whoosh.index.create_in(str(folder), SCHEMA)

    def _built(self) -> str:
        if (generation := self._pointer()) is None:
            raise LookupError("it was not built yet")
        return generation

    def _pointer(self) -> str | None:
        try:
            return (self._folder / "current").read_text().strip() or None
        except FileNotFoundError:
            return None

    def _point_to(self, generation):
        _replace(self._folder / "current", generation)


def _seen(reader, seen):
    """The same of documents: those that were deleted are not there for anybody."""
    def there(docs):
        alive = reader.live[docs]
        return alive if seen is None else alive & seen(reader.ids[docs])
    return there


def _merging(writer, segments):
    """The segments that stay as they are; the others, small ones of which there are too many, become part of the one
    being written. So a title is written again as often as its segment grows to the next size, and segments are few."""
    sizes = [math.ceil(math.log(max(1, each.doc_count_all()), TIER)) for each in segments]
    full = max((size for size in set(sizes) if sizes.count(size) >= TIER), default=-1)
    for segment, size in zip(segments, sizes, strict=True):
        if size <= full:
            reader = SegmentReader(writer.storage, writer.schema, segment)
            writer.add_reader(reader)
            reader.close()
    return [segment for segment, size in zip(segments, sizes, strict=True) if size > full]


def _replace(path, text):
    """Write a small file whole, or not at all."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(text)
    os.replace(fresh, path)


def _sum(path) -> int:
    found = 0
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            found = zlib.crc32(piece, found)
    return found
