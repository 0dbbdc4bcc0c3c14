"""A deal and what stands in its way, side by side: the other one named, and both windows on one axis."""
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from core.database import db
from licensing import terms, wording
from licensing.approvals.cases import Case, Judged
from licensing.models import Holdback, Line
from licensing.rights import languages, media, territories
from licensing.rights.availability import Reason
from licensing.rights.blocks import Block
from licensing.rights.dates import Dates

MOST = 3  # of one line of a deal
OPEN_YEARS, MOST_TICKS, LAST_TICK = 2, 8, 94  # how far an open end is drawn; percent, for a year is written after it
AXES = {"territories": ("Territories", territories), "media": ("Media", media), "languages": ("Languages", languages)}


@dataclass(frozen=True)
class Bar:
    """A window on the axis, in percent of its width."""
    x: float
    width: float
    words: str


@dataclass(frozen=True)
class Pair:
    """`facts` are (term, mine, theirs), each of the two as (what they share, what is theirs alone)."""
    name: str
    offer_id: int | None
    facts: list[tuple[str, tuple[str, str], tuple[str, str]]]
    days: int | None
    mine: Bar
    theirs: Bar
    both: Bar
    ticks: list[tuple[int, float]]


def of(cases: list[Case]) -> dict[int, list[Pair]]:
    """{offer line: what stands in its way}: licences, and holdbacks that bind or ask to wait; the blocking first."""
    wanted = [(case, line, reason, ref) for case in cases for line in case.lines
              for reason in sorted(line.answer.reasons, key=lambda each: not each.blocking)
              for ref in reason.refs if ref[0] in ("line", "holdback")]
    lines = {row.id: row for row in _rows(Line, {ref[1] for *_, ref in wanted if ref[0] == "line"},
                                          joinedload(Line.licence))}
    held = {row.id: row for row in _rows(Holdback, {ref[1] for *_, ref in wanted if ref[0] == "holdback"},
                                         joinedload(Holdback.licence))}
    found = {}
    for case, line, reason, (kind, number, *_) in wanted:
        row = (lines if kind == "line" else held)[number]
        some = found.setdefault(line.line.id, [])
        if len(some) < MOST and not (kind == "line" and row.licence is None):  # a mandate stands in nobody's way
            some.append(_pair(case, line, reason, row))
    return found


def _rows(model, ids, *options):
    return db.session.scalars(select(model).where(model.id.in_(ids)).options(*options)).all() if ids else []


def _pair(case: Case, judged: Judged, reason: Reason, row) -> Pair:
    mine = judged.said.line().block
    if isinstance(row, Line):
        said = terms.of_row(row)
        name, offer_id = row.licence.contract or f"Licence {row.licence_id}", row.licence.offer_id
        theirs, who, how = said.line().block, row.licence.licensee_name, _how(row.exclusive)
    else:
        known = terms.sets((row.territories_key, row.media_key))
        theirs = Block(known[row.territories_key], known[row.media_key], languages.ALL,
                       Dates.between(row.starts_on, row.ends_on))
        name, offer_id = "Holdback" if row.hard else "Soft holdback", None
        who = row.licence.licensee_name if row.licence else "all licensees"
        how = row.note or ("Hard" if row.hard else "Soft")
    facts = [("Who", ("", case.offer.buyer.name), ("", who)),
             *((term, _shared(module, getattr(mine, axis), getattr(theirs, axis)),
                _shared(module, getattr(theirs, axis), getattr(mine, axis))) for axis, (term, module) in AXES.items()),
             ("Window", ("", _window(mine)), ("", _window(theirs))),
             ("How", ("", _how(judged.said.exclusive)), ("", how))]
    return _drawn(name, offer_id, facts, mine, theirs)


def _how(exclusive) -> str:
    return "Exclusive" if exclusive else "Non-exclusive"


def _shared(module, mask, other) -> tuple[str, str]:
    both, rest = mask & other, mask & ~other
    return (module.label(both) if both else "", module.label(rest) if rest else "")


def _window(block) -> str:
    return wording.window(*block.dates.window)


def _drawn(name, offer_id, facts, mine, theirs) -> Pair:
    windows = [block.dates.window for block in (mine, theirs)]
    first = min(starts_on for starts_on, _ in windows).toordinal()
    known = [day for window in windows for day in window if day is not None]
    beyond = any(ends_on is None for _, ends_on in windows)
    last = max(known).toordinal() + 1 + (366 * OPEN_YEARS if beyond else 0)

    def bar(starts_on, ends_on):
        end = last if ends_on is None else ends_on.toordinal() + 1
        x = 100 * (starts_on.toordinal() - first) / (last - first)
        return Bar(round(x, 2), round(100 * (end - first) / (last - first) - x, 2), wording.window(starts_on, ends_on))

    both = (mine.dates & theirs.dates)
    starts_on, ends_on = both.window if both else (windows[0][0], windows[0][0])
    days = (ends_on - starts_on).days + 1 if both and ends_on else None
    years = range(date.fromordinal(first).year + 1, min(date.fromordinal(last).year, 9998) + 1)
    step = max(1, -(-len(years) // MOST_TICKS))
    ticks = [(year, round(100 * (date(year, 1, 1).toordinal() - first) / (last - first), 2)) for year in years[::step]]
    return Pair(name, offer_id, facts, days, bar(*windows[0]), bar(*windows[1]), bar(starts_on, ends_on),
                [(year, x) for year, x in ticks if x <= LAST_TICK])
