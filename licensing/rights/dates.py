"""A set of days.

Spans are half-open pairs of day numbers (`date.toordinal`), so neighbours join without overlap and there
is one way to write each set. People and the API say both ends inclusive; no end is FOREVER.
"""
from dataclasses import dataclass
from datetime import date

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
        return union((self, other))

    def __and__(self, other):
        found, mine, theirs = [], self.spans, other.spans
        i = j = 0
        while i < len(mine) and j < len(theirs):
            (a, b), (c, d) = mine[i], theirs[j]
            start, end = a if a > c else c, b if b < d else d
            if start < end:
                found.append((start, end))
            if b < d:
                i += 1
            else:
                j += 1
        return Dates(tuple(found)) if found else NEVER

    def __sub__(self, other):
        found, theirs, j = [], other.spans, 0
        for start, end in self.spans:
            while j < len(theirs) and theirs[j][1] <= start:
                j += 1
            place = j
            while place < len(theirs) and theirs[place][0] < end:
                if theirs[place][0] > start:
                    found.append((start, theirs[place][0]))
                start = theirs[place][1]
                place += 1
            if start < end:
                found.append((start, end))
        return Dates(tuple(found)) if found else NEVER


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
