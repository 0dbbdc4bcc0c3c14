"""A set of days.

Spans are half-open pairs of day numbers (`date.toordinal`), so neighbours join without overlap and there
is one way to write each set. People and the API say both ends inclusive; no end is FOREVER.
"""
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from operator import and_, or_

FOREVER = date.max.toordinal() + 1


@dataclass(frozen=True)
class Dates:
    spans: tuple[tuple[int, int], ...] = ()

    @classmethod
    def between(cls, starts_on: date, ends_on: date | None = None) -> "Dates":
        """Both days included; None is perpetuity. Raises ValueError when the end lies before the start."""
        end = FOREVER if ends_on is None else ends_on.toordinal() + 1
        if end <= starts_on.toordinal():
            raise ValueError(f"{ends_on} lies before {starts_on}")
        return cls(((starts_on.toordinal(), end),))

    @classmethod
    def since(cls, first_day: date) -> "Dates":
        return cls.between(first_day)

    @property
    def window(self) -> tuple[date, date | None]:
        """First and last day, inclusive; None is perpetuity."""
        end = self.spans[-1][1]
        return date.fromordinal(self.spans[0][0]), None if end >= FOREVER else date.fromordinal(end - 1)

    def __bool__(self):
        return bool(self.spans)

    def __contains__(self, day: date):
        return any(start <= day.toordinal() < end for start, end in self.spans)

    def __or__(self, other):
        return self._combine(other, or_)

    def __and__(self, other):
        if len(self.spans) == 1 == len(other.spans):  # by far the commonest
            (a, b), (c, d) = self.spans[0], other.spans[0]
            start, end = max(a, c), min(b, d)
            return Dates(((start, end),)) if start < end else NEVER
        return self._combine(other, and_)

    def __sub__(self, other):
        return self._combine(other, lambda mine, theirs: mine and not theirs)

    def _holds(self, number):
        return any(start <= number < end for start, end in self.spans)

    def _combine(self, other, keep):
        """Cut time at every edge, keep the pieces `keep` says, join neighbours."""
        edges = sorted({edge for span in self.spans + other.spans for edge in span})
        spans = []
        for start, end in pairwise(edges):
            if keep(self._holds(start), other._holds(start)):
                if spans and spans[-1][1] == start:
                    start = spans.pop()[0]
                spans.append((start, end))
        return Dates(tuple(spans))


NEVER = Dates()


def union(many) -> Dates:
    """The days in any of many sets, in one sweep."""
    spans = []
    for start, end in sorted(span for each in many for span in each.spans):
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return Dates(tuple(spans))
