"""One search: words, filters and a line in; the titles the viewer may see, with what is free of each, out."""
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from accounts.permissions import Viewer
from catalogue import audiences, titles
from catalogue.models import Name, Title
from core.database import db
from licensing import asking, avails, terms
from licensing.rights import ledger
from licensing.rights.availability import Verdict
from licensing.terms import Terms
from search import columns
from search.engine import Damaged, Engine
from search.marks import Highlight, Marks

MATCHES = ("cover", "overlap", "start_within", "min_days")
SORTS = ("relevance", "year", "title")
KEPT = ("q", "year_from", "year_to", "match", "min_days", "sort")
FACETS = ("kind", "genre", "country", "language", "decade", "seller")  # each a column, and a filter
SAID = {ledger.AVAILABLE: Verdict.AVAILABLE, ledger.PARTIAL: Verdict.PARTIAL, ledger.UNAVAILABLE: Verdict.UNAVAILABLE}
SUGGESTED = 7
FEW = 5  # found titles, below which it is asked whether other words were meant


@dataclass(frozen=True)
class Asked:
    """A search. `line` None asks about no rights; empty filters filter nothing. `licensee` is the organisation that
    would buy, where another asks for it; `published` leaves out what is not shown to that organisation, or to everyone
    where none is named, also of one's own."""
    q: str = ""
    kind: tuple[str, ...] = ()
    genre: tuple[str, ...] = ()
    country: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    decade: tuple[str, ...] = ()
    seller: tuple[str, ...] = ()
    year_from: int | None = None
    year_to: int | None = None
    line: Terms | None = None
    match: str = "cover"
    min_days: int = 1
    sort: str = "relevance"
    page: int = 1
    page_size: int = 20
    licensee: int | None = None
    published: bool = False

    def as_json(self) -> dict:
        """What is asked, to be kept; who would buy and which page is shown is not."""
        return {**{name: list(getattr(self, name)) for name in FACETS}, **{name: getattr(self, name) for name in KEPT},
                "line": self.line and self.line.as_json()}

    @classmethod
    def of_json(cls, said: dict, **more) -> "Asked":
        """Back again. Raises Invalid where a name on its line means nothing any more."""
        line = said["line"] and terms.read({**said["line"], **{
            end: said["line"][end] and date.fromisoformat(said["line"][end]) for end in ("starts_on", "ends_on")}})
        return cls(line=line, **{name: tuple(said[name]) for name in FACETS}, **{name: said[name] for name in KEPT},
                   **more)

    def address(self) -> dict:
        """The parameters of the search page's address that ask the same."""
        said = {**{name: list(getattr(self, name)) for name in FACETS}, "q": self.q, "year_from": self.year_from,
                "year_to": self.year_to, "match": self.match, "sort": self.sort,
                **(asking.address(self.line.as_typed()) if self.line else {})}
        return {name: value for name, value in said.items() if value not in (None, "", [])}


@dataclass
class Hit:
    """A title found: its row, where the words matched, and the answer to the line."""
    title: Title
    highlight: Highlight | None
    answer: object | None


@dataclass
class Found:
    hits: list[Hit]
    total: int
    facets: dict[str, dict[str, int]]
    took_ms: float
    hidden: int = 0  # matched the words and filters, but not the line
    pages: int = field(default=0)
    did_you_mean: str | None = None
    makeshift: bool = False  # by the letters of names alone: the index is being built anew


def find(asked: Asked, viewer: Viewer, index: Engine) -> Found:
    """Raises `search.grammar.Unsearchable` for words that cannot be searched. While a broken index is built anew,
    names are looked through as they are written (`makeshift`)."""
    began = time.perf_counter()
    sifted = sift(asked, viewer, index)
    table, facets, meant_words = sifted.table, counts(sifted), None
    matching = np.count_nonzero(sifted.inside)
    if asked.q.strip() and matching < FEW and not sifted.makeshift:
        meant_words = index.meant(asked.q, sifted.seen)
    start = (asked.page - 1) * asked.page_size
    hits = _rows(table.ids[sifted.ranked[start:start + asked.page_size]].tolist(), asked, viewer, index)
    total = len(sifted.ranked)
    return Found(hits, total, facets, round((time.perf_counter() - began) * 1000, 1),
                 hidden=matching - total, pages=-(-total // asked.page_size),
                 did_you_mean=meant_words, makeshift=sifted.makeshift)


def every(asked: Asked, viewer: Viewer, index: Engine) -> np.ndarray:
    """The ids of all titles that a search finds, ascending. Raises Damaged where the index cannot be asked."""
    sifted = sift(asked, viewer, index)
    if sifted.makeshift:
        raise Damaged("The index is being built anew.")
    return np.sort(sifted.table.ids[sifted.ranked])


class Sifted(NamedTuple):
    """What the words found, in order, as rows that the viewer may see; and of each what filters and the line say."""
    table: columns.Columns
    seen: Callable[[np.ndarray], np.ndarray]  # which of some titles, by their ids, the viewer may see
    met: np.ndarray
    inside: np.ndarray  # that the filters let it through
    free: np.ndarray  # that the line does
    filters: dict  # name → what that filter alone says
    verdicts: np.ndarray | None
    makeshift: bool

    @property
    def ranked(self):
        """The rows that are found."""
        return self.met[self.inside & self.free]


def sift(asked: Asked, viewer: Viewer, index: Engine) -> Sifted:
    """Which rows are found, before any of them is read."""
    table = columns.current()
    seen = _seen(table, viewer)
    met, makeshift = _ranked(table, asked, index, seen)
    filters = _filters(table, asked, met)
    inside, free, verdicts = np.ones(len(met), dtype=bool), np.ones(len(met), dtype=bool), None
    for mask in filters.values():
        inside &= mask
    if asked.line is not None:
        verdicts, free = _judged(asked, table.ids[met], inside, _licensee(asked, viewer))
    return Sifted(table, seen, met, inside, free, filters, verdicts, makeshift)


def counts(sifted: Sifted) -> dict[str, dict[str, int]]:
    """Of each facet how often each value is found: what else could be chosen, so its own filter narrows it not."""
    facets = {}
    if sifted.verdicts is not None:
        found = sifted.verdicts[sifted.inside]
        facets["availability"] = {str(said): int((found == each).sum()) for each, said in SAID.items()}
    found = sifted.ranked
    for name in FACETS:
        rows = found
        if name in sifted.filters:
            others = [mask for each, mask in sifted.filters.items() if each != name]
            rows = sifted.met[np.logical_and.reduce([sifted.free, *others])]
        facets[name] = getattr(sifted.table, name).counts(rows)
    return facets


def _licensee(asked, viewer):
    return asked.licensee if asked.licensee is not None else avails.licensee(viewer)


def suggestions(words: str, viewer: Viewer, index: Engine) -> list[Title]:
    """The first titles that words, perhaps not all typed yet, may mean. Raises Unsearchable."""
    if not words.strip():
        return []
    table = columns.current()
    ranked, _ = _ranked(table, Asked(q=words), index, _seen(table, viewer))
    return list(_titles(table.ids[ranked[:SUGGESTED]].tolist(), viewer, selectinload(Title.names)).values())


def _seen(table, viewer):
    """Which of some titles, by their ids, the viewer may see: a function of those ids."""
    visible = table.visible(viewer, audiences.numbers(viewer.organisation_id))

    def seen(ids):
        rows, mask = table.looked_up(ids)
        mask[mask] = visible(rows[mask])
        return mask
    return seen


def _filters(table, asked, rows):
    """{filter: which of these rows it lets through}, of those that are asked for."""
    masks = {name: getattr(table, name).having(wanted, len(table.ids))[rows]
             for name in FACETS if (wanted := getattr(asked, name))}
    if asked.published:
        masks["published"] = table.shown(audiences.numbers(asked.licensee), rows)
    year = table.year[rows]
    if asked.year_from is not None:
        masks["year_from"] = year >= asked.year_from
    if asked.year_to is not None:
        masks["year_to"] = (year <= asked.year_to) & (year > 0)
    return masks


def _ranked(table, asked, index, seen):
    """(the rows found that are seen, in the order asked for, whether the index could not be asked)."""
    makeshift = False
    if not asked.q.strip():
        rows = table.newest[seen(table.ids)[table.newest]]
    else:
        try:
            found = index.find(asked.q, seen)
        except Damaged:
            found, makeshift = _named(asked.q), True
            found = found[seen(found)]
        rows = table.places(found)
    if asked.sort == "year" and asked.q.strip():
        rows = rows[np.lexsort((-table.ids[rows], -table.year[rows]))]
    elif asked.sort == "title":
        rows = rows[np.argsort(table.by_title[rows], kind="stable")]
    return rows, makeshift


def _named(text):
    """Titles with a name in which all these words stand, as they are written."""
    words = [Name.value.icontains(word, autoescape=True) for word in text.replace('"', " ").split()]
    return np.array(db.session.scalars(select(Name.title_id).where(*words).distinct()).all(), dtype=np.int64)


def _judged(asked, ids, inside, licensee):
    """(the verdict on each of these titles, which of them match the line), as the ledger or the engine itself says.

    A window has to be looked for title by title: only inside the filters.
    """
    order, verdicts = np.argsort(ids), np.empty(len(ids), dtype=np.int8)
    verdicts[order] = avails.verdicts(asked.line, ids[order], licensee)[1]
    if asked.match == "cover":
        return verdicts, verdicts == ledger.AVAILABLE
    free = verdicts != ledger.UNAVAILABLE
    if asked.match != "overlap":
        free &= inside
        answers = avails.ask_all(ids[free].tolist(), asked.line, licensee)
        free[free] = [avails.starts_within(answers[each]) if asked.match == "start_within"
                      else avails.longest_free(answers[each]) >= asked.min_days for each in ids[free].tolist()]
    return verdicts, free


def _titles(title_ids, viewer, *options, also=True):
    """{id: title} of those to show, in this order. Visibility is asked of the database again, for every one."""
    rows = {title.id: title for title in db.session.scalars(
        select(Title).where(Title.id.in_(title_ids), titles.visible(viewer), also).options(*options))}
    return {each: rows[each] for each in title_ids if each in rows}


def _rows(title_ids, asked, viewer, index):
    """What is shown of these titles."""
    also = audiences.shown_to(asked.licensee) if asked.published else True
    rows = _titles(title_ids, viewer, *titles.WHOLE, also=also)
    answers = avails.ask_all(list(rows), asked.line, _licensee(asked, viewer)) if asked.line is not None else {}
    marks = Marks(asked.q)
    return [Hit(rows[each], marks.highlight(rows[each]), answers.get(each)) for each in rows]
