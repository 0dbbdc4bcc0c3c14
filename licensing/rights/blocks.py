"""Blocks: boxes in the space territory x medium x language-use x day, and the one way to write a set of them.

The three named axes are bit sets, days are `Dates`. To compare or to compute, a block is cut into the largest
parts that no other block in question tells apart (`Cut`). There are few, however many lines there are.
"""
from collections import defaultdict
from dataclasses import dataclass, replace

from licensing.rights import languages, media, territories
from licensing.rights.axes import bits
from licensing.rights.dates import Dates, union

NAMED = ("territories", "media", "languages")


@dataclass(frozen=True)
class Block:
    territories: int
    media: int
    languages: int
    dates: Dates

    def __bool__(self):
        return bool(self.territories and self.media and self.languages and self.dates)

    def meets(self, other) -> bool:
        """Whether the two share a cell; cheap, so asked before anything is cut."""
        return bool(self.territories & other.territories and self.media & other.media
                    and self.languages & other.languages and self.dates & other.dates)

    def __and__(self, other):
        return Block(self.territories & other.territories, self.media & other.media,
                     self.languages & other.languages, self.dates & other.dates)

    def __sub__(self, other):
        """What is left, as disjoint blocks: at most one for each axis."""
        if not self.meets(other):
            return [self]
        left, rest = [], self
        for axis in (*NAMED, "dates"):
            mine, theirs = getattr(rest, axis), getattr(other, axis)
            outside = mine - theirs if axis == "dates" else mine & ~theirs
            if outside:
                left.append(replace(rest, **{axis: outside}))
            rest = replace(rest, **{axis: mine & theirs})
        return left


def subtract(blocks, holes) -> list[Block]:
    """The cells of `blocks` that are in none of `holes`, as blocks."""
    left = [block for block in blocks if block]
    for hole in holes:
        left = [piece for block in left for piece in block - hole]
    return left


class Cut:
    """A block cut by others into *cells* (territories, media, languages), the largest parts that none of them
    tells apart; those that the same others hold together.

    `cells` maps the set of holders — a Python int, bit n standing for the nth of `blocks` — to its cells.
    """

    def __init__(self, within: Block, blocks):
        near = [(1 << place, block) for place, block in enumerate(blocks) if block.meets(within)]
        by_territory, by_medium, by_language = (
            _parts(getattr(within, axis), [(getattr(block, axis), bit) for bit, block in near]) for axis in NAMED)
        self.within, self.cells = within, defaultdict(list)
        for territory, here in by_territory:
            for medium, there in by_medium:
                both = here & there
                for language, holders in by_language:
                    self.cells[both & holders].append((territory, medium, language))


def _parts(whole: int, masks) -> list[tuple[int, int]]:
    """(part, holders) for the parts of `whole` that none of the (mask, holder) pairs tells apart."""
    holders = defaultdict(int)
    for mask, bit in masks:
        holders[mask] |= bit
    parts = [(whole, 0)] if whole else []
    for mask, held_by in holders.items():
        cut = []
        for part, held in parts:
            inside, outside = part & mask, part & ~mask
            if inside:
                cut.append((inside, held | held_by))
            if outside:
                cut.append((outside, held))
        parts = cut
    return parts


def joined(pieces) -> list[Block]:
    """The canonical form of disjoint (territories, media, languages, Dates) pieces.

    For each cell its maximal spans; equal spans joined over languages, then territories, then media;
    sorted by start, end, territories, media, languages (domain.md, "Availability").
    """
    by_span = defaultdict(lambda: defaultdict(int))
    for territory, medium, language, dates in pieces:
        for span in dates.spans:
            by_span[span][territory, medium] |= language
    blocks = []
    for span, by_place in by_span.items():
        by_medium, by_territories = defaultdict(int), defaultdict(int)
        for (territory, medium), language in by_place.items():
            by_medium[medium, language] |= territory
        for (medium, language), territory in by_medium.items():
            by_territories[territory, language] |= medium
        blocks += [Block(territory, medium, language, Dates((span,)))
                   for (territory, language), medium in by_territories.items()]
    return sorted(blocks, key=_place)


def _place(block):
    (start, end), = block.dates.spans
    return (start, end, territories.codes(block.territories), media.codes(block.media),
            languages.codes(block.languages))


def canonical(blocks) -> list[Block]:
    """The one way to write the cells of `blocks`, however they overlap or were cut."""
    blocks = [block for block in blocks if block]
    if not blocks:
        return []
    hull = Block(_any(blocks, "territories"), _any(blocks, "media"), _any(blocks, "languages"),
                 union(block.dates for block in blocks))
    return joined((*cell, union(blocks[place].dates for place in bits(holders)))
                  for holders, cells in Cut(hull, blocks).cells.items() for cell in cells)


def _any(blocks, axis):
    mask = 0
    for block in blocks:
        mask |= getattr(block, axis)
    return mask
