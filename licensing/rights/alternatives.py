"""The next best thing: what to change in a request to get a yes. Pure."""
from dataclasses import dataclass, replace
from enum import StrEnum

from licensing.rights.dates import Dates
from licensing.rights.holdings import Line

MOST = 5


class Kind(StrEnum):
    """What an alternative changes, in the order they are offered (domain.md)."""
    WITHOUT_TERRITORIES = "without_territories"
    WITHOUT_MEDIA = "without_media"
    LATER_START = "later_start"
    EARLIER_END = "earlier_end"
    FEWER_LANGUAGES = "fewer_languages"
    NON_EXCLUSIVE = "non_exclusive"


@dataclass(frozen=True)
class Alternative:
    kind: Kind
    request: Line


def alternatives(request: Line, days, shared: bool) -> list[Alternative]:
    """At most five lines near `request` that are free, each changing one thing.

    `days` are (cell, the days on which it is free) for all cells of the request; `shared` says whether all of it is
    free non-exclusively. What is free is free cell by cell, so a part of the request of which every cell is free
    throughout is a yes by itself.
    """
    found = [Alternative(kind, replace(request, block=block)) for kind, block in _smaller(request.block, days)
             if block and block != request.block]
    if shared:
        found.append(Alternative(Kind.NON_EXCLUSIVE, replace(request, exclusive=False)))
    return found[:MOST]


def _smaller(asked, days):
    """(kind, a part of what is asked that is free: empty where there is none)."""
    yield Kind.WITHOUT_TERRITORIES, replace(asked, territories=_throughout(days, 0, asked))
    yield Kind.WITHOUT_MEDIA, replace(asked, media=_throughout(days, 1, asked))
    (start, end), = asked.dates.spans
    if all(free and free.spans[-1][1] == end for _, free in days):
        yield Kind.LATER_START, replace(asked, dates=Dates(((max(free.spans[-1][0] for _, free in days), end),)))
    if all(free and free.spans[0][0] == start for _, free in days):
        yield Kind.EARLIER_END, replace(asked, dates=Dates(((start, min(free.spans[0][1] for _, free in days)),)))
    yield Kind.FEWER_LANGUAGES, replace(asked, languages=_throughout(days, 2, asked))


def _throughout(days, place, asked) -> int:
    """The part of one axis that is free for everything else that was asked."""
    kept, spoiled = 0, 0
    for cell, free in days:
        if free == asked.dates:
            kept |= cell[place]
        else:
            spoiled |= cell[place]
    return kept & ~spoiled
