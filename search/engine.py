"""The contract of the engine that finds titles by words. `search.index` is the one there is; `wsgi` alone names it.

Another one, also one on machines of its own, takes its place when it passes `tests/search/test_engine.py` and
`tests/search/test_matching.py` (it is written into their `ENGINES`) and is made in `wsgi` instead. An engine keeps a
copy of what the tables say and knows none of them: visibility, filters, rights and counts are not its business.
"""
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

Seen = Callable[[np.ndarray], np.ndarray]  # of the ids of some titles, which of them the asker may see


class Damaged(Exception):
    """The engine's copy cannot be read; build it anew."""


@dataclass(frozen=True)
class Document:
    """What is searched of one title. `stamp` tells whether the copy is up to date with the record; `codes` are
    found only whole, and the year only orders what is found alike."""
    id: int
    stamp: str
    names: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    synopsis: list[str] = field(default_factory=list)
    keywords: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    year: int = 0


class Engine(Protocol):
    """Safe for threads; many processes ask at once, and one at a time writes. What is written is seen by the next
    question of every process. What asks raises Damaged where the copy cannot be read, and never answers wrongly."""

    def find(self, text: str, seen: Seen | None = None) -> np.ndarray:
        """Ids of the titles that a query means, best first, of those alike the latest year, then the highest id: of
        those that are `seen` alone, and as if there were no others. Raises `search.grammar.Unsearchable` where the text
        has no word to search for, is too long or too wide."""

    def meant(self, text: str, seen: Seen) -> str | None:
        """The query with words in place of those that stand nowhere, or None where there are no better ones. No word is
        told that stands only in titles that are not seen, nor taken for one that stands somewhere."""

    def stamps(self) -> dict[int, str]:
        """What it holds: title id → stamp."""

    @property
    def damaged(self) -> bool:
        """Whether anyone, in whatever process, found that it cannot be read, since it was built."""

    def verify(self) -> None:
        """Look whether all is as it was written. Raises Damaged."""

    def replace(self, documents: Iterable[Document], gone: Iterable[int] = ()) -> None:
        """Write documents, and remove the ids in `gone`: all of it or nothing. Doing it again changes nothing."""

    def rebuild(self, documents: Iterable[Document]) -> int:
        """Hold these documents and no others; until all are written, questions are answered as before. Returns their
        number."""

    def close(self) -> None:
        """Let go of files and connections; the next question opens them again."""
