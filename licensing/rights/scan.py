"""One question to columns of rights, with numpy alone: what `scan_compiled` is held to, and what small catalogues use.

Each row is classified by four small tables and its two days; running totals say for each share what meets the question
and what covers it. That decides most titles. Of the rest, a union of sets (or of days) that leaves something over
decides most; what remains is for the exact algebra.
"""
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from licensing.rights import availability
from licensing.rights.availability import Verdict
from licensing.rights.blocks import Block
from licensing.rights.columns import Classified, Columns, Dictionary, Role, taken
from licensing.rights.dates import Dates
from licensing.rights.holdings import Holdings, Line, Share

UNAVAILABLE, PARTIAL, AVAILABLE = 0, 1, 2
UNSURE = -1
SAID = {Verdict.UNAVAILABLE: UNAVAILABLE, Verdict.PARTIAL: PARTIAL, Verdict.AVAILABLE: AVAILABLE}


class Question(NamedTuple):
    """A request of one span of days, as the columns see it. `roles` has 3 where a role matters to it, else 0.

    `whole`: only what is AVAILABLE is asked for; what is not may be found UNAVAILABLE though it is PARTIAL.
    """
    request: Line
    start: int
    end: int
    territories: Classified
    media: Classified
    languages: Classified
    roles: np.ndarray
    whole: bool = False

    @classmethod
    def of(cls, request: Line, dictionary: Dictionary, licensee, whole=False):
        block, ((start, end),) = request.block, request.block.dates.spans
        roles = np.array([3 if Role(*role).matters(request, licensee) else 0 for role in dictionary.roles],
                         dtype=np.uint8)
        return cls(request, start, end, dictionary.territories.classify(block.territories),
                   dictionary.media.classify(block.media), dictionary.languages.classify(block.languages), roles, whole)

    def classes(self, columns: Columns):
        """Of each row: 0 it does not meet the question, 1 it does, 3 it covers it."""
        numbers, starts, ends = columns.numbers, columns.days[:, 0], columns.days[:, 1]
        found = self.roles[numbers[:, 3]]
        for place, axis in enumerate((self.territories, self.media, self.languages)):
            found &= axis.classes[numbers[:, place]]
        days = ((starts <= self.start) & (ends >= self.end)).astype(np.uint8) << 1
        days |= (starts < self.end) & (ends > self.start)
        found &= days
        return found


def scan(columns: Columns, question: Question):
    """The verdict of each title; UNSURE where the exact algebra must say."""
    classes = question.classes(columns)
    met, covering = _in_each(classes & 1, columns.cuts), _in_each(classes >> 1, columns.cuts)
    owned, blocked = met[::2], met[1::2]
    whole, shut = covering[::2] > 0, covering[1::2] > 0
    found = np.full(len(owned), PARTIAL, dtype=np.int8)
    found[whole & (blocked == 0)] = AVAILABLE
    found[(owned == 0) | (blocked > 0 if question.whole else shut)] = UNAVAILABLE
    open_ = np.flatnonzero((found == PARTIAL) & ((blocked > 0) | (owned > 1)))
    if len(open_):
        found[open_[~_leaves_over(columns, question, classes, open_, blocked[open_] > 0)]] = UNSURE
    return _of_titles(found, columns.shares)


def _in_each(flags, cuts):
    totals = np.zeros(len(flags) + 1, dtype=np.int32)
    np.cumsum(flags, out=totals[1:])
    return np.diff(totals[cuts])


def _of_titles(found, shares):
    """What is free on every share: a share that is AVAILABLE changes nothing, two that are PARTIAL may have nothing in
    common, and one that is UNAVAILABLE settles the title."""
    titles = np.full(len(shares) - 1, UNAVAILABLE, dtype=np.int8)
    there = np.flatnonzero(shares[1:] > shares[:-1])  # a title may have lost all its rights
    if len(there):
        first = shares[there].astype(np.int64)
        some, unsure, nothing = (np.add.reduceat(found == each, first, dtype=np.int32)
                                 for each in (PARTIAL, UNSURE, UNAVAILABLE))
        titles[there] = np.select([nothing > 0, (unsure > 0) | (some > 1), some > 0],
                                  [UNAVAILABLE, UNSURE, PARTIAL], AVAILABLE)
    return titles


def _leaves_over(columns, question, classes, shares, blocked):
    """For shares the classes leave open: is it sure that something is left over, so that the verdict is PARTIAL?

    Where something blocks: that a mandate reaches, on some axis, beyond all that blocks. Where not: that the
    question reaches beyond all mandates.
    """
    segments = np.zeros(len(columns.cuts), dtype=np.int32)  # of mandates (even) and of the rest (odd) → number + 1
    segments[2 * shares] = segments[2 * shares + 1] = np.arange(1, len(shares) + 1)
    rows = np.flatnonzero(classes)
    segment = np.searchsorted(columns.cuts, rows, side="right") - 1
    rows, segment = rows[segments[segment] > 0], segment[segments[segment] > 0]
    number, mandates = segments[segment] - 1, segment % 2 == 0
    covering = mandates != blocked[number]  # what blocks, or the mandates where nothing is
    begin = np.flatnonzero(np.append(True, np.diff(number[covering]) > 0))
    cover = rows[covering]
    boxes = mandates & blocked[number]
    where, box = number[boxes], rows[boxes]
    found = np.zeros(len(shares), dtype=bool)
    for place, axis in enumerate((question.territories, question.media, question.languages)):
        numbers = columns.numbers[:, place]
        union = np.bitwise_or.reduceat(axis.words[numbers[cover]], begin, axis=0)
        found |= ~blocked & (axis.asked & ~union).any(axis=1)
        found[where[(axis.words[numbers[box]] & ~union[where]).any(axis=1)]] = True
    first = np.minimum.reduceat(columns.days[cover, 0], begin)
    last = np.maximum.reduceat(columns.days[cover, 1], begin)
    found |= ~blocked & ((first > question.start) | (last < question.end))
    found[where[(first[where] > np.maximum(columns.days[box, 0], question.start))
                | (last[where] < np.minimum(columns.days[box, 1], question.end))]] = True
    return found


def settle(columns: Columns, places, question: Question, dictionary: Dictionary):
    """The verdicts of some titles by the algebra of `availability`, on what meets the question."""
    asked = Line(question.request.block, question.request.exclusive)  # runs are in the roles
    few = taken(columns, places)
    lines = _lines(few, question, dictionary)
    cuts, found = few.cuts.tolist(), []
    for first, last in pairwise(few.shares.tolist()):
        shares = [Share(Holdings(tuple(filter(None, lines[cuts[2 * share]:cuts[2 * share + 1]])),
                                 tuple(filter(None, lines[cuts[2 * share + 1]:cuts[2 * share + 2]]))))
                  for share in range(first, last)]
        found.append(SAID[availability.verdict(asked, shares)])
    return np.array(found, dtype=np.int8)


def _lines(columns, question, dictionary):
    """Each row as an exclusive line, for its role is settled; None where it does not meet the question."""
    territories, media, languages = map(list, (dictionary.territories, dictionary.media, dictionary.languages))
    return [Line(Block(territories[place], media[medium], languages[tongue], Dates((tuple(span),))), True)
            if meets else None
            for (place, medium, tongue, _), span, meets in zip(
                columns.numbers.tolist(), columns.days.tolist(), question.classes(columns).tolist(), strict=True)]
