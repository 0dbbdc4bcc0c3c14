"""Is it free? The law of availability (domain.md, "Availability") for one title. Pure.

A request is answered from what counts: mandates (rights in), licences (rights out), holdbacks and runs, for
each leaf of the title's hierarchy. The answer is never a bare yes or no: a verdict, a coverage, what is free,
why the rest is not, and the next best thing.
"""
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from fractions import Fraction
from functools import cached_property, reduce
from operator import and_, or_

from licensing.rights import languages
from licensing.rights.alternatives import Alternative, alternatives
from licensing.rights.axes import bits
from licensing.rights.blocks import Block, Cut, canonical, joined, subtract
from licensing.rights.dates import FOREVER, Dates, union
from licensing.rights.holdings import Holdback, Line, Share, remaining

OPEN_END_YEARS = 30  # for the figure of coverage alone


class Verdict(StrEnum):
    AVAILABLE = "available"
    PARTIAL = "partial"
    UNAVAILABLE = "unavailable"


class Code(StrEnum):
    """Why something is not free, in order of precedence; after IN_PAST, what is only advice."""
    NO_RIGHTS_IN = "NO_RIGHTS_IN"
    NO_EXCLUSIVE_RIGHTS_IN = "NO_EXCLUSIVE_RIGHTS_IN"
    RIGHTS_OUT = "RIGHTS_OUT"
    HOLDBACK = "HOLDBACK"
    RUNS_EXHAUSTED = "RUNS_EXHAUSTED"
    LIMITED_BY_CHILDREN = "LIMITED_BY_CHILDREN"
    IN_PAST = "IN_PAST"
    HELD = "HELD"
    SOFT_HOLDBACK = "SOFT_HOLDBACK"
    ENCUMBERED = "ENCUMBERED"
    TENTATIVE = "TENTATIVE"


PRECEDENCE = {code: place for place, code in enumerate(Code)}
BLOCKING = (Code.NO_RIGHTS_IN, Code.NO_EXCLUSIVE_RIGHTS_IN, Code.RIGHTS_OUT, Code.HOLDBACK, Code.RUNS_EXHAUSTED)


@dataclass(frozen=True)
class Reason:
    """`blocks` are canonical; `refs` name the lines it comes from, `leaves` the children it is about."""
    code: Code
    blocks: tuple[Block, ...]
    blocking: bool = True
    refs: tuple = ()
    leaves: tuple = ()
    tentative: bool = False

    @property
    def block(self) -> Block:
        """One box around all of its blocks."""
        hull = self.blocks[0]
        for each in self.blocks[1:]:
            starts, ends = hull.dates.spans[0][0], max(hull.dates.spans[-1][1], each.dates.spans[-1][1])
            hull = Block(hull.territories | each.territories, hull.media | each.media,
                         hull.languages | each.languages, Dates(((min(starts, each.dates.spans[0][0]), ends),)))
        return hull


@dataclass(frozen=True)
class Answer:
    """`request` is what was judged: the part of the question that lies from today on.

    `doubtful` are the blocks in which a date still to be announced plays a part.
    """
    verdict: Verdict
    coverage: Fraction
    request: Line
    free: tuple[Block, ...] = ()
    reasons: tuple[Reason, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    doubtful: tuple[Block, ...] = ()
    judgement: "Judgement | None" = field(default=None, repr=False, compare=False)

    @cached_property
    def shared(self) -> tuple[Block, ...]:
        """What is not free exclusively, as asked, but would be non-exclusively: canonical. Only drawings ask for it."""
        return tuple(self.judgement.shared()) if self.judgement else ()


def answer(request: Line, shares: Sequence[Share], today: date, licensee=None) -> Answer:
    """The whole answer. `today` cuts the past off; lines may carry any dates.

    `shares` are the leaves of the title asked about: what is free on each of them is free. `licensee` is who
    asks, where that is known: some holdbacks bind one licensee alone.
    """
    past = request.block.dates - Dates.since(today)
    ahead = request.block.dates - past
    if not ahead:
        reason = Reason(Code.IN_PAST, (request.block,))
        return Answer(Verdict.UNAVAILABLE, Fraction(0), request, reasons=(reason,))
    judged = replace(request, block=replace(request.block, dates=ahead))
    judgement = Judgement(judged, shares, licensee)
    found = judgement.verdict()
    reasons = judgement.reasons() + judgement.advice()
    if past:
        reasons.append(Reason(Code.IN_PAST, (replace(request.block, dates=past),), blocking=False))
    reasons.sort(key=lambda each: PRECEDENCE[each.code])
    instead = [] if found is Verdict.AVAILABLE else alternatives(
        judged, judgement.days(), judgement.shared_throughout())
    return Answer(found, judgement.coverage(today), judged, tuple(judgement.free()), tuple(reasons), tuple(instead),
                  tuple(judgement.doubtful()), judgement)


def verdict(request: Line, shares: Sequence[Share], licensee=None) -> Verdict:
    """The verdict alone; asks nothing of the past."""
    return Judgement(request, shares, licensee).verdict()


def merged(reasons) -> list[Reason]:
    """What an outsider may read: one reason for each code, so that deals can be neither counted nor told apart."""
    together = {}
    for reason in reasons:
        if reason.code not in (Code.HELD, Code.ENCUMBERED):
            together.setdefault((reason.code, reason.blocking), []).append(reason)
    return [Reason(code, tuple(canonical(block for each in some for block in each.blocks)), blocking,
                   leaves=tuple(dict.fromkeys(leaf for each in some for leaf in each.leaves)),
                   tentative=any(each.tentative for each in some))
            for (code, blocking), some in together.items()]


class Judgement:
    """A request against the holdings of every leaf, cell by cell; cells that the same lines hold are judged once."""

    def __init__(self, request: Line, shares: Sequence[Share], licensee=None):
        self.request, self.shares, self.licensee = request, shares, licensee
        blocks = []
        self._sides = [_Side(request, share, licensee, blocks) for share in shares]
        self._cut = Cut(request.block, blocks)
        self._leaves = sum(len(share.leaves) for share in shares)
        self._free = {holders: reduce(and_, (side.free(holders) for side in self._sides))
                      for holders in self._cut.cells}

    def verdict(self) -> Verdict:
        if all(free == self.request.block.dates for free in self._free.values()):
            return Verdict.AVAILABLE
        return Verdict.PARTIAL if any(self._free.values()) else Verdict.UNAVAILABLE

    def free(self) -> list[Block]:
        """What is free on every leaf: canonical."""
        return self._joined(self._free)

    def days(self):
        """[(cell, the days on which it is free on every leaf)] for every cell of the request."""
        return [(cell, free) for holders, free in self._free.items() for cell in self._cut.cells[holders]]

    def shared(self) -> list[Block]:
        """What an exclusive request cannot have but a non-exclusive one could: canonical."""
        return self._joined({holders: self._shared(holders) - free for holders, free in self._free.items()
                             if free != self.request.block.dates}) if self.request.exclusive else []

    def shared_throughout(self) -> bool:
        """Whether all of an exclusive request would be free non-exclusively."""
        whole = self.request.block.dates
        return self.request.exclusive and all(free == whole or self._shared(holders) == whole
                                              for holders, free in self._free.items())

    def _shared(self, holders):
        return reduce(and_, (side.shared(holders) for side in self._sides))

    def coverage(self, today: date) -> Fraction:
        """Free cell-days of asked cell-days over all leaves; an open end counts 30 years from the later of its
        start and today."""
        days = self.request.block.dates
        if days.spans[-1][1] == FOREVER:
            days &= Dates(((0, _horizon(max(date.fromordinal(days.spans[0][0]), today))),))
        found = 0
        for holders, cells in self._cut.cells.items():
            if free := sum(_length(side.free(holders) & days) * len(share.leaves)
                           for side, share in zip(self._sides, self.shares, strict=True)):
                found += free * sum(map(_size, cells))
        block = self.request.block
        asked = _size((block.territories, block.media, block.languages)) * self._leaves * _length(days)
        return Fraction(found, asked) if asked else Fraction(0)

    def reasons(self) -> list[Reason]:
        """Why the rest is not free. What stands in the way of every leaf has its own code; what stands in the way of
        some is LIMITED_BY_CHILDREN, with the leaves."""
        shut = {holders: days for holders, free in self._free.items() if (days := self.request.block.dates - free)}
        found, rest, several = [], dict(shut), len(self.shares) > 1
        for code in BLOCKING:
            by_line = code in (Code.RIGHTS_OUT, Code.HOLDBACK)
            if by_line and not several:
                found += self._by_line(code, ())
                continue
            common = {holders: reduce(and_, (side.blocked(holders, code) for side in self._sides)) for holders in shut}
            blocks = self._joined(common)
            found += self._by_line(code, blocks) if by_line else [Reason(code, (block,)) for block in blocks]
            if several:
                rest |= {holders: rest[holders] - days for holders, days in common.items()}
        if several and (blocks := self._joined(rest)):
            found.append(Reason(Code.LIMITED_BY_CHILDREN, tuple(blocks), leaves=tuple(self._limiting(rest))))
        return found

    def _limiting(self, limited):
        """The leaves on which some of the limited days are not free."""
        for side, share in zip(self._sides, self.shares, strict=True):
            if any(days - side.free(holders) for holders, days in limited.items()):
                yield from share.leaves

    def _by_line(self, code, blocks):
        """One reason for each line that stands in the way of every leaf; one more for what others do of `blocks`."""
        lines = [side.standing(code) for side in self._sides]
        everywhere = [line for line in lines[0] if all(line in others for others in lines[1:])]
        met = {line: line.block & self.request.block for line in everywhere}
        order = {block: place for place, block in enumerate(_ordered(met.values()))}
        found = [Reason(code, (block,), refs=(line.ref,), tentative=bool(line.doubt & block.dates))
                 for line, block in sorted(met.items(), key=lambda each: order[each[1]])]
        if rest := subtract(blocks, met.values()):
            refs = dict.fromkeys(line.ref for side in lines for line in side if line not in met)
            found.append(Reason(code, tuple(canonical(rest)), refs=tuple(refs)))
        return found

    def advice(self) -> list[Reason]:
        """What does not block: holds, options, soft holdbacks, and dates still to be announced."""
        found = {}
        for share in self.shares:
            for claim in share.holdings.claims:
                if claim.block.meets(self.request.block):
                    found[claim.code, claim.ref] = Reason(Code(claim.code), (claim.block & self.request.block,),
                                                          False, (claim.ref,))
            for holdback in share.holdings.holdbacks:
                if not holdback.hard and holdback.binds(self.licensee) and holdback.block.meets(self.request.block):
                    found[Code.SOFT_HOLDBACK, holdback.ref] = Reason(
                        Code.SOFT_HOLDBACK, (holdback.block & self.request.block,), False, (holdback.ref,),
                        tentative=bool(holdback.doubt))
        unsure = canonical(block for side in self._sides for block in side.unsure())
        return [*found.values(), *([Reason(Code.TENTATIVE, tuple(unsure), False, tentative=True)] if unsure else [])]

    def doubtful(self) -> list[Block]:
        """Where a line with a date still to be announced plays a part."""
        return [line.block for side in self._sides for line in side.lines if line.doubt
                and line.block.meets(self.request.block)]

    def _joined(self, days) -> list[Block]:
        return joined((*cell, each) for holders, each in days.items() if each
                      for cell in self._cut.cells[holders])


class _Side:
    """One share's part in a judgement: which of the numbered blocks are its mandates, licences and holdbacks."""

    def __init__(self, request, share, licensee, blocks):
        holdings, self._request = share.holdings, request
        self.lines = [*holdings.mandates, *(line for line in holdings.licences if line.exclusive or request.exclusive),
                      *(each for each in holdings.holdbacks if each.hard and each.binds(licensee))]
        owned = len(holdings.mandates)  # places before are mandates, then come licences, then holdbacks
        taken = len(self.lines) - sum(isinstance(line, Holdback) for line in self.lines)
        self._dates = [line.block.dates for line in self.lines]
        serving = [place for place, line in enumerate(holdings.mandates) if line.exclusive or not request.exclusive]
        running = [place for place, line in enumerate(holdings.mandates)
                   if (left := remaining(line, holdings.licences)) is None or left >= (request.runs or 1)]
        exclusive = [place for place in range(owned, taken) if self.lines[place].exclusive]
        self._first = len(blocks)
        self._owned, self._licences, self._holdbacks = (
            _mask(range(*ends)) for ends in ((0, owned), (owned, taken), (taken, len(self.lines))))
        self._serving, self._running, self._exclusive = _mask(serving), _mask(running), _mask(exclusive)
        self._known = {}
        blocks += [line.block for line in self.lines]

    def _during(self, holders: int, those: int) -> Dates:
        """The days of the request on which any of `those` lines holds cells with these holders."""
        mine = holders >> self._first & those
        if mine not in self._known:
            self._known[mine] = union([self._dates[place] for place in bits(mine)]) & self._request.block.dates
        return self._known[mine]

    def free(self, holders: int) -> Dates:
        """The days on which cells with these holders are free on this leaf."""
        return (self._during(holders, self._serving & self._running)
                - self._during(holders, self._licences | self._holdbacks))

    def shared(self, holders: int) -> Dates:
        """The days on which they are free to a request that is not exclusive."""
        return self._during(holders, self._running) - self._during(holders, self._exclusive | self._holdbacks)

    def blocked(self, holders: int, code: Code) -> Dates:
        """The days on which they are shut by this code."""
        if code is Code.RIGHTS_OUT:
            return self._during(holders, self._licences)
        if code is Code.HOLDBACK:
            return self._during(holders, self._holdbacks)
        covered = self._during(holders, self._owned)
        if code is Code.NO_RIGHTS_IN:
            return self._request.block.dates - covered
        serving = self._during(holders, self._serving)
        if code is Code.NO_EXCLUSIVE_RIGHTS_IN:
            return covered - serving
        return serving - self._during(holders, self._serving & self._running)

    def standing(self, code):
        """The lines that stand in the way under a code, by line."""
        places = bits(self._licences if code is Code.RIGHTS_OUT else self._holdbacks)
        return dict.fromkeys(line for line in map(self.lines.__getitem__, places)
                             if line.block.meets(self._request.block))

    def unsure(self):
        """What may change when a date is announced."""
        asked = self._request.block
        return [block for line in self.lines if line.doubt
                and (block := replace(line.block, dates=line.doubt) & asked)]


def _mask(places) -> int:
    return reduce(or_, (1 << place for place in places), 0)


def _ordered(blocks) -> list[Block]:
    """Distinct blocks by start, end and their sets."""
    return sorted(set(blocks), key=lambda block: (block.dates.spans, block.territories, block.media, block.languages))


def _horizon(start: date) -> int:
    """The day on which 30 years from `start` are over."""
    year = min(start.year + OPEN_END_YEARS, 9999)
    try:
        return start.replace(year=year).toordinal()
    except ValueError:  # 29 February
        return date(year, 3, 1).toordinal()


def _size(cell) -> int:
    """How many leaves a cell has; language-uses count only where they are listed."""
    where, what, tongues = cell
    return where.bit_count() * what.bit_count() * languages.count(tongues)


def _length(dates: Dates) -> int:
    return sum(end - begin for begin, end in dates.spans)
