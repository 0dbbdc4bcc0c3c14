"""The next best thing: what to change in a request to get a yes. Pure."""
from dataclasses import dataclass, replace
from enum import StrEnum

from licensing.rights.axes import bits
from licensing.rights.blocks import Cut
from licensing.rights.dates import FOREVER, Dates, union
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


def alternatives(request: Line, free, is_free) -> list[Alternative]:
    """At most five lines near `request`, each checked by `is_free`. `free` is what is free of the request."""
    found = []
    for kind, block, exclusive in _candidates(request, free):
        line = replace(request, block=block, exclusive=exclusive)
        if block and line != request and is_free(line):
            found.append(Alternative(kind, line))
    return found[:MOST]


def _candidates(request, free):
    """(kind, block, exclusive), each changing one thing."""
    asked, exclusive = request.block, request.exclusive
    if free:
        days = [(cell, union(free[place].dates for place in bits(holders)))
                for holders, cells in Cut(asked, free).cells.items() for cell in cells]
        for kind, axis, place in ((Kind.WITHOUT_TERRITORIES, "territories", 0), (Kind.WITHOUT_MEDIA, "media", 1)):
            yield kind, replace(asked, **{axis: _throughout(days, place, asked)}), exclusive
        (start, end), = asked.dates.spans
        last = [each.spans[-1] if each else (FOREVER, 0) for _, each in days]
        if all(until == end for _, until in last):
            later = Dates(((max(begin for begin, _ in last), end),))
            yield Kind.LATER_START, replace(asked, dates=later), exclusive
        first = [each.spans[0] if each else (FOREVER, 0) for _, each in days]
        if all(begin == start for begin, _ in first):
            earlier = Dates(((start, min(until for _, until in first)),))
            yield Kind.EARLIER_END, replace(asked, dates=earlier), exclusive
        yield Kind.FEWER_LANGUAGES, replace(asked, languages=_throughout(days, 2, asked)), exclusive
    if exclusive:
        yield Kind.NON_EXCLUSIVE, asked, False


def _throughout(days, place, asked) -> int:
    """The part of one axis that is free for everything else that was asked."""
    kept, spoiled = 0, 0
    for cell, free in days:
        kept |= cell[place]
        if free != asked.dates:
            spoiled |= cell[place]
    return kept & ~spoiled
