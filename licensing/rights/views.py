"""One answer drawn three ways: a grid of territories by media, a timeline, a map of the world in tiles. Pure.

All three read the free blocks and the reasons of the same answer, asked of the whole world and all media, through
one judgement of a *box* (some territories x some media); so they cannot disagree with each other, nor with the
answer for that box alone.
"""
from dataclasses import dataclass
from datetime import date
from functools import cached_property, reduce
from operator import and_

from licensing.rights import media, territories
from licensing.rights.availability import Answer, Code
from licensing.rights.axes import bits, load
from licensing.rights.blocks import Block, Cut
from licensing.rights.dates import FOREVER, NEVER, Dates, union

TILES = {code: tuple(place) for code, place in load("tile_map")["tiles"].items()}  # country → (column, row), from 0
OUT, BACK = (Code.RIGHTS_OUT, Code.RUNS_EXHAUSTED), (Code.HOLDBACK,)
CHILDREN = "children"  # free on some parts of the title, never on all: drawn like "part", said otherwise
SHOWN = 12             # asked territories with a row each; more are merged like all others
YEARS_DRAWN = 10       # of a window without an end, at least

_middle_east = (territories.GROUPS["middle_east_geographic"] | territories.GROUPS["caucasus"]
                | territories.GROUPS["central_asia"] | territories.read(["AF"])) & ~territories.GROUPS["africa"]
REGIONS = {"Europe": territories.GROUPS["europe"] & ~_middle_east, "Americas": territories.GROUPS["americas"],
           "Africa": territories.GROUPS["africa"], "Middle East and Central Asia": _middle_east}
REGIONS["Asia and the Pacific"] = territories.ALL & ~reduce(int.__or__, REGIONS.values())


@dataclass(frozen=True)
class Span:
    """Days on which a box stays in one state; both ends included, None is no end.

    `open` says that the answer ends there, not the state.
    """
    state: str
    starts_on: date
    ends_on: date | None
    open: bool = False


@dataclass(frozen=True)
class Cell:
    """A box in the asked window: its state, a word of the stylesheet; its spans that touch the window; the day
    on which the state changes, where that is known."""
    territories: int
    media: int
    state: str
    spans: tuple[Span, ...]
    turns_on: date | None = None


@dataclass(frozen=True)
class Row:
    """Countries that agree in everything drawn of them, under one name."""
    name: str
    region: str
    territories: int
    count: int
    asked: bool
    cells: tuple[Cell, ...] = ()
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Tile:
    """A country on the map; a split country is one tile, of all its parts. Columns and rows count from one."""
    code: str
    name: str
    region: str
    column: int
    row: int
    asked: bool
    cell: Cell


class Views:
    """The drawings of an answer about World x all media.

    `asked` is what people asked: its territories and media are set off and lead (either may be empty), its dates are
    the window judged. The answer may reach beyond that window, so that one sees what comes after.
    """

    def __init__(self, answer: Answer, asked: Block):
        self.answer, self.asked = answer, asked
        past = union(block.dates for each in answer.reasons if each.code == Code.IN_PAST for block in each.blocks)
        self.days = answer.request.block.dates | past
        self.past, self.ahead = past, self.days - past
        self.window = asked.dates & self.days
        self._blocks = [*answer.free, *answer.shared, *(block for each in answer.reasons for block in each.blocks)]
        self._kinds, self._known, self._cells = {}, {}, {}

    def _kind(self, axis, number) -> int:
        """Which blocks hold a leaf. Leaves that the same blocks hold are judged once."""
        if (axis, number) not in self._kinds:
            self._kinds[axis, number] = sum(1 << place for place, block in enumerate(self._blocks)
                                            if getattr(block, axis) >> number & 1)
        return self._kinds[axis, number]

    # -------------------------------------------------------------- one box

    def kind(self, where: int, what: int):
        """What a box shares with every box of which the same is said: which blocks hold its leaves."""
        return (frozenset(self._kind("territories", number) for number in bits(where)),
                frozenset(self._kind("media", number) for number in bits(what)))

    def states(self, where: int, what: int) -> dict[str, Dates]:
        """{state: its days} of a box, a partition of all days of the answer.

        free: all of it · part: some of it · shared: only non-exclusively, some of it at least · then why nothing is.
        """
        key = self.kind(where, what)
        if key not in self._known:
            self._known[key] = self._judged(Block(where, what, self.answer.request.block.languages, self.days))
        return self._known[key]

    def _judged(self, box):
        free = [block for block in self.answer.free if block.meets(box)]
        throughout = reduce(and_, (union(free[place].dates for place in bits(holders))
                                   for holders in Cut(box, free).cells))
        left, found = self.ahead, {"past": self.past}
        for state, days in (("free", throughout), ("part", union(block.dates for block in free)),
                            ("shared", union(block.dates for block in self.answer.shared if block.meets(box))),
                            ("sold", self._shut(box, OUT)), ("back", self._shut(box, BACK)),
                            (CHILDREN, self._shut(box, (Code.LIMITED_BY_CHILDREN,))), ("none", self.ahead)):
            found[state], left = left & days, left - days
        return found

    def _shut(self, box, codes):
        return union(block.dates for each in self.answer.reasons if each.blocking and each.code in codes
                     for block in each.blocks if block.meets(box))

    def spans(self, where: int, what: int) -> tuple[Span, ...]:
        """The states of a box one after the other, over all days of the answer."""
        edge = self.days.spans[-1][1]
        return tuple(Span(state, date.fromordinal(start), None if end >= FOREVER else date.fromordinal(end - 1),
                          end == edge)
                     for start, end, state in sorted((*span, state) for state, days in self.states(where, what).items()
                                                     for span in days.spans))

    def cell(self, where: int, what: int) -> Cell:
        """A box in the asked window. Its state is the verdict of the answer for it alone."""
        key = self.kind(where, what)
        if key not in self._cells:
            self._cells[key] = self._seen(where, what)
        return Cell(where, what, *self._cells[key])

    def _seen(self, where, what):
        window, states = self.window & self.ahead, self.states(where, what)
        here = [state for state, days in states.items() if days & window]
        if not window:
            state = "past"
        elif here == ["free"]:
            state = "free"
        elif "free" in here or "part" in here:
            state = "part"
        else:  # in the order of the states: a licence says more than a missing mandate
            state = here[0] if here[0] != CHILDREN else "part"
        touched = tuple(span for span in self.spans(where, what) if span.state != "past" and _dates(span) & window)
        return state, touched, _turn(state, touched)

    # -------------------------------------------------------------- the three drawings

    def grid(self) -> list[Row]:
        """A row for each asked territory, then for the others by region; a cell for each medium, in the order of
        `COLUMNS`."""
        return [Row(*row, cells=tuple(self.cell(row[2], 1 << media.NUMBER[key]) for key in COLUMNS))
                for row in self._rows(media.ALL)]

    def timeline(self) -> list[Row]:
        """The asked media, or all: a row for each asked territory, then for the others by region, with its spans and
        the one cell of the asked window."""
        return [Row(*row, spans=self.spans(row[2], self.media), cells=(self.cell(row[2], self.media),))
                for row in self._rows(self.media)]

    def world(self) -> list[Tile]:
        """The asked media, or all: one tile for each country, by region and name."""
        tiles = [Tile(code, territories.name(code), region_of(mask), *(place + 1 for place in TILES[code]),
                      bool(mask & self.asked.territories), self.cell(mask, self.media))
                 for code, mask in territories.countries(territories.ALL)]
        order = list(REGIONS)
        return sorted(tiles, key=lambda tile: (order.index(tile.region), tile.name))

    @property
    def media(self) -> int:
        return self.asked.media or media.ALL

    def _rows(self, what):
        """(name, region, territories, countries, asked) of each row: the asked, then the others."""
        touching = sum(1 << place for place, block in enumerate(self._blocks) if block.media & what)
        asked = territories.countries(self.asked.territories)
        if len(asked) > SHOWN:
            yield from self._merged(asked, touching, True)
        else:
            yield from ((territories.label(mask), "", mask, 1, True) for _, mask in asked)
        yield from self._merged(territories.countries(territories.ALL & ~self.asked.territories), touching, False)

    def _merged(self, countries, touching, asked):
        """Those that the same blocks hold share a row of their region; the commonest of all share one for the world."""
        kinds = {}
        for _, mask in countries:
            kind = frozenset(self._kind("territories", number) & touching for number in bits(mask))
            kinds.setdefault((kind, region_of(mask)), []).append(mask)
        sizes = {}
        for (kind, _), masks in kinds.items():
            sizes[kind] = sizes.get(kind, 0) + len(masks)
        rest = max(sizes, key=sizes.get, default=None)
        everywhere = [masks for (kind, _), masks in kinds.items() if kind == rest]
        if len(everywhere) < 2:
            rest = None
        for region in REGIONS:
            mine = [masks for (kind, where), masks in kinds.items() if where == region and kind != rest]
            most = max(mine, key=len, default=None)
            for masks in sorted(mine, key=lambda masks: (masks is most and len(masks) > 3, _name_of(masks, region))):
                name = _name_of(masks, region, alone=masks is most and not any(
                    kind == rest and where == region for kind, where in kinds))
                yield name, region, reduce(int.__or__, masks), len(masks), asked
        if rest is not None:
            masks = [mask for some in everywhere for mask in some]
            whole = reduce(int.__or__, masks)
            name = "World" if whole == territories.ALL else "Everywhere else" + (" asked" if asked else "")
            yield name, "", whole, len(masks), asked

    # -------------------------------------------------------------- the axis of years

    @cached_property
    def axis(self) -> tuple[int, int]:
        """First and last day drawn, half-open. A window without an end is drawn for some years past what changes."""
        start, end = self.days.spans[0][0], self.days.spans[-1][1]
        if end < FOREVER:
            return start, end
        edges = [edge for block in self._blocks for span in block.dates.spans for edge in span if edge < FOREVER]
        year = max(date.fromordinal(start).year + YEARS_DRAWN, date.fromordinal(max(edges, default=start)).year + 2)
        return start, date(min(year, 9999), 1, 1).toordinal()

    def place(self, day: int) -> float:
        """Where a day begins on the axis, in per cent of its length."""
        start, end = self.axis
        return round(100 * (min(max(day, start), end) - start) / (end - start), 2)

    def years(self) -> list[tuple[int, float]]:
        """(year, place) of at most a dozen years that begin on the axis."""
        first, last = (date.fromordinal(day).year for day in (self.axis[0], self.axis[1] - 1))
        step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if (last - first) / step <= SHOWN)
        return [(year, self.place(day)) for year in range(first, last + 1)
                if year % step == 0 and (day := date(year, 1, 1).toordinal()) >= self.axis[0]]

    def pieces(self, spans) -> list[tuple[str, float, float]]:
        """(state, place, width) of spans, as they are drawn on the axis."""
        drawn = [(span.state, self.place(a), self.place(b)) for span in spans for a, b in _dates(span).spans]
        return [(state, start, round(end - start, 2)) for state, start, end in drawn if end > start]


COLUMNS = tuple(each["key"] for each in media.vocabulary() if each["leaf"])


def region_of(mask: int) -> str:
    """The region a country is drawn in."""
    return next(name for name, members in REGIONS.items() if members & mask)


def heads() -> list[tuple[str, int]]:
    """(the parent's label, how many columns stand below it) over the grid."""
    known = {each["key"]: each for each in media.vocabulary()}
    found = []
    for key in COLUMNS:
        head = known[key]["parent"] or key
        found.append((known[head]["label"], sum((known[each]["parent"] or each) == head for each in COLUMNS)))
    return list(dict.fromkeys(found))


def _dates(span) -> Dates:
    return Dates.between(span.starts_on, span.ends_on) if span else NEVER


def _turn(state, spans):
    """The day a drawing dates a cell by: when it becomes free, or the last day it is as it is."""
    if state == "part" and len(spans) > 1:
        return spans[0].ends_on if spans[0].state in ("free", "part") else spans[1].starts_on
    return spans[-1].ends_on if state in ("shared", "sold", "back") and not spans[-1].open else None


def _name_of(masks, region, alone=False) -> str:
    """What a row of countries of a region is called: a group that is exactly these, their names, or the first of them.
    `alone` says that all others of the region have rows with names."""
    whole = reduce(int.__or__, masks)
    names = sorted(territories.label(mask) for mask in masks)
    if len(names) == 1:
        return names[0]
    if whole == REGIONS[region]:
        return region
    groups = territories.GROUPS.items()
    exact = next((territories.GROUP_LABEL[key] for key, members in groups if members == whole), None)
    if exact or len(names) <= 3:
        return exact or ", ".join(names)
    if alone:
        return f"Rest of {region}"
    here = next((territories.GROUP_LABEL[key] for key, members in groups if members & REGIONS[region] == whole), None)
    return f"{here} in {region}" if here else f"{names[0]}, {names[1]} …"
