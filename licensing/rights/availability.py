"""Is it free? The law of availability (domain.md, "Availability") for one title. Pure.

A request is answered from the lines that count: mandates (rights in) and licences (rights out). The answer
is never a bare yes or no: a verdict, a coverage, what is free, why the rest is not, and the next best thing.
"""
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from fractions import Fraction

from licensing.rights import languages
from licensing.rights.blocks import Block, canonical, cells, joined, subtract
from licensing.rights.dates import FOREVER, Dates, union

OPEN_END_YEARS = 30  # for the figure of coverage alone
MOST_ALTERNATIVES = 5


@dataclass(frozen=True)
class Line:
    """A block with its exclusivity: a mandate, a licence or a request. `ref` is the caller's own key."""
    block: Block
    exclusive: bool
    ref: object = None


class Verdict(StrEnum):
    AVAILABLE = "available"
    PARTIAL = "partial"
    UNAVAILABLE = "unavailable"


class Code(StrEnum):
    """Why something is not free, in order of precedence."""
    NO_RIGHTS_IN = "NO_RIGHTS_IN"
    NO_EXCLUSIVE_RIGHTS_IN = "NO_EXCLUSIVE_RIGHTS_IN"
    RIGHTS_OUT = "RIGHTS_OUT"
    IN_PAST = "IN_PAST"


@dataclass(frozen=True)
class Reason:
    """`blocks` are canonical; `refs` name the lines it comes from."""
    code: Code
    blocks: tuple[Block, ...]
    blocking: bool = True
    refs: tuple = ()

    @property
    def block(self) -> Block:
        """One box around all of its blocks."""
        hull = self.blocks[0]
        for each in self.blocks[1:]:
            starts, ends = hull.dates.spans[0][0], max(hull.dates.spans[-1][1], each.dates.spans[-1][1])
            hull = Block(hull.territories | each.territories, hull.media | each.media,
                         hull.languages | each.languages, Dates(((min(starts, each.dates.spans[0][0]), ends),)))
        return hull


class Kind(StrEnum):
    """What an alternative changes, in the order they are offered."""
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


@dataclass(frozen=True)
class Answer:
    """`request` is what was judged: the part of the question that lies from today on."""
    verdict: Verdict
    coverage: Fraction
    request: Line
    free: tuple[Block, ...] = ()
    reasons: tuple[Reason, ...] = ()
    alternatives: tuple[Alternative, ...] = field(default=())


def answer(request: Line, mandates, licences, today: date) -> Answer:
    """The whole answer. `today` cuts the past off; lines may carry any dates."""
    past = request.block.dates - Dates.since(today)
    ahead = request.block.dates - past
    if not ahead:
        reason = Reason(Code.IN_PAST, (request.block,))
        return Answer(Verdict.UNAVAILABLE, Fraction(0), request, reasons=(reason,))
    judged = replace(request, block=replace(request.block, dates=ahead))
    free = _free(judged, mandates, licences)
    missing = subtract([judged.block], free)
    verdict = (Verdict.AVAILABLE if not missing else Verdict.PARTIAL if free else Verdict.UNAVAILABLE)
    reasons = [*_missing_in(judged, mandates), *_licensed_out(judged, licences)]
    if past:
        reasons.append(Reason(Code.IN_PAST, (replace(request.block, dates=past),), blocking=False))
    return Answer(verdict, _coverage(free, judged.block, today), judged, tuple(free), tuple(reasons),
                  () if verdict is Verdict.AVAILABLE else tuple(_alternatives(judged, free, mandates, licences)))


def is_free(request: Line, mandates, licences) -> bool:
    """Whether all of a request can be licensed; asks nothing of the past."""
    return not subtract([request.block], _free(request, mandates, licences))


def has_free(request: Line, mandates, licences) -> bool:
    """Whether any of a request can be licensed."""
    return bool(_free(request, mandates, licences))


def merged(reasons) -> list[Reason]:
    """What an outsider may read: one reason for each code, so that deals can be neither counted nor told apart."""
    together = {}
    for reason in reasons:
        together.setdefault((reason.code, reason.blocking), []).extend(reason.blocks)
    return [Reason(code, tuple(canonical(blocks)), blocking) for (code, blocking), blocks in together.items()]


def _free(request, mandates, licences) -> list[Block]:
    """Covered by the union of the mandates that serve the request, and not taken: canonical."""
    serving = [line.block for line in mandates if line.exclusive or not request.exclusive]
    taken = [line.block for line in licences if line.exclusive or request.exclusive]
    lines, owned = serving + taken, len(serving)
    pieces = []
    for *cell, held in cells(request.block, lines):
        covered = union(lines[place].dates for place in held if place < owned) & request.block.dates
        if covered:
            out = union(lines[place].dates for place in held if place >= owned)
            if days := covered - out:
                pieces.append((*cell, days))
    return joined(pieces)


def _missing_in(request, mandates):
    """What no mandate covers; and for an exclusive request, what only non-exclusive mandates cover."""
    blocks = [line.block for line in mandates]
    nothing, shared = [], []
    for *cell, held in cells(request.block, blocks):
        covered = union(blocks[place].dates for place in held)
        exclusively = union(blocks[place].dates for place in held if mandates[place].exclusive)
        nothing.append((*cell, request.block.dates - covered))
        if request.exclusive:
            shared.append((*cell, (request.block.dates & covered) - exclusively))
    return [*(Reason(Code.NO_RIGHTS_IN, (block,)) for block in joined(nothing)),
            *(Reason(Code.NO_EXCLUSIVE_RIGHTS_IN, (block,)) for block in joined(shared))]


def _licensed_out(request, licences):
    """One reason for each licence line that stands in the way."""
    met = [(line.block & request.block, line.ref) for line in licences
           if (line.exclusive or request.exclusive) and line.block.meets(request.block)]
    order = {block: place for place, block in enumerate(canonical_order(block for block, _ in met))}
    return [Reason(Code.RIGHTS_OUT, (block,), refs=(ref,))
            for block, ref in sorted(met, key=lambda each: order[each[0]])]


def canonical_order(blocks) -> list[Block]:
    """Distinct blocks of one span each by start, end, and their sets."""
    return sorted(set(blocks), key=lambda block: (block.dates.spans, block.territories, block.media, block.languages))


def _coverage(free, asked, today) -> Fraction:
    """Free cell-days of asked cell-days; an open end counts 30 years from the later of its start and today."""
    start = max(date.fromordinal(asked.dates.spans[0][0]), today)
    horizon = min(date(min(start.year + OPEN_END_YEARS, 9999), start.month, min(start.day, 28)).toordinal()
                  + max(0, start.day - 28), FOREVER - 1)

    open_end = asked.dates.spans[-1][1] == FOREVER

    def size(block):
        days = sum(max(0, (min(end, horizon) if open_end else end) - begin) for begin, end in block.dates.spans)
        return block.territories.bit_count() * block.media.bit_count() * languages.count(block.languages) * days

    whole = size(asked)
    return Fraction(sum(map(size, free)), whole) if whole else Fraction(0)


# ------------------------------------------------------------------ the next best thing

def _alternatives(request, free, mandates, licences):
    found = []
    for kind, block, exclusive in _candidates(request, free):
        line = Line(block, exclusive)
        if block and (block, exclusive) != (request.block, request.exclusive) and is_free(line, mandates, licences):
            found.append(Alternative(kind, line))
    return found[:MOST_ALTERNATIVES]


def _candidates(request, free):
    """(kind, block, exclusive), each changing one thing; whether they are free is checked by the caller."""
    asked, exclusive = request.block, request.exclusive
    days = {}
    for territory, medium, language, held in cells(asked, free):
        days[territory, medium, language] = union(free[place].dates for place in held)
    for kind, axis, place in ((Kind.WITHOUT_TERRITORIES, "territories", 0), (Kind.WITHOUT_MEDIA, "media", 1)):
        yield kind, replace(asked, **{axis: _throughout(days, place, asked)}), exclusive
    (start, end), = asked.dates.spans
    last = [each.spans[-1] if each else (FOREVER, 0) for each in days.values()]
    if all(until == end for _, until in last):
        yield Kind.LATER_START, replace(asked, dates=Dates(((max(begin for begin, _ in last), end),))), exclusive
    first = [each.spans[0] if each else (FOREVER, 0) for each in days.values()]
    if all(begin == start for begin, _ in first):
        yield Kind.EARLIER_END, replace(asked, dates=Dates(((start, min(until for _, until in first)),))), exclusive
    yield Kind.FEWER_LANGUAGES, replace(asked, languages=_throughout(days, 2, asked)), exclusive
    if exclusive:
        yield Kind.NON_EXCLUSIVE, asked, False


def _throughout(days, place, asked) -> int:
    """The part of one axis that is free for everything else that was asked."""
    kept, spoiled = 0, 0
    for cell, free in days.items():
        kept |= cell[place]
        if free != asked.dates:
            spoiled |= cell[place]
    return kept & ~spoiled
