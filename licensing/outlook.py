"""What a title looks like to its seller from today on: how much of the world is still free, and what ends next."""
from dataclasses import dataclass
from datetime import date

from licensing.rights import availability, languages, media, territories
from licensing.rights.blocks import Block
from licensing.rights.dates import Dates
from licensing.rights.holdings import Line

QUARTERS = 24
SOON = 90  # days


@dataclass(frozen=True)
class Outlook:
    """`free` is the share of all cells that is free exclusively, quarter by quarter, `now` today; None where nothing
    is held."""
    free: list[float] | None
    now: float | None = None
    ends_on: date | None = None
    ends: str = ""  # what ends then
    block: Block | None = None
    days: int | None = None  # until then, where that is soon


def of(shares, today: date) -> Outlook:
    """The outlook of one title from its shares, by the engine that answers everywhere."""
    if not any(share.holdings.mandates for share in shares):
        return Outlook(None)
    spans = quarters(today)
    whole = Block(territories.ALL, media.ALL, languages.ALL, Dates(((spans[0][0], spans[-1][1]),)))
    free = availability.Judgement(Line(whole, True), shares).free()
    shown = [sum(_cells(block) * sum(max(0, min(end, b) - max(start, a)) for a, b in block.dates.spans)
                 for block in free) / (_cells(whole) * (end - start)) for start, end in spans]
    now = sum(_cells(block) for block in free if today in block.dates) / _cells(whole)
    ending = min(((last, what, line.block) for share in shares for what, lines in (
        ("licence", share.holdings.licences), ("mandate", share.holdings.mandates),
        ("holdback", share.holdings.holdbacks)) for line in lines
        if (last := line.block.dates.window[1]) and last >= today), key=lambda each: each[:2], default=None)
    if ending is None:
        return Outlook(shown, now)
    days = (ending[0] - today).days
    return Outlook(shown, now, *ending, days if days <= SOON else None)


def quarters(today: date) -> list[tuple[int, int]]:
    """The spans of this quarter, from today on, and of those that follow."""
    starts = [date(today.year + place // 4, place % 4 * 3 + 1, 1).toordinal()
              for place in range((today.month - 1) // 3, (today.month - 1) // 3 + QUARTERS + 1)]
    return list(zip([today.toordinal(), *starts[1:-1]], starts[1:], strict=True))


def _cells(block) -> int:
    return block.territories.bit_count() * block.media.bit_count() * languages.count(block.languages)
