"""Blocks: boxes in the space territory x medium x language-use x day, and the one way to write a set of them.

The three named axes are bit sets, days are `Dates`. To compare or to compute, a block is cut into the largest
parts that no other block in question tells apart (`Cut`). There are few, however many lines there are.
"""
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_

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
    """A block cut by others into *cells* (territories, media, languages) that none of them tells apart; those that
    the same others hold together.

    Territories are cut first, then the media of each part by the blocks that hold it alone, then its languages: so
    there are few cells, however many blocks. `cells` maps the set of holders — a Python int, bit n standing for the
    nth of `blocks` — to its cells.
    """

    def __init__(self, within: Block, blocks):
        near = [(1 << place, block) for place, block in enumerate(blocks) if block.meets(within)]
        by_territory, by_medium, by_language = (_holders(axis, near) for axis in NAMED)
        self.within, self.cells = within, defaultdict(list)
        for territory, here in _parts(within.territories, by_territory):
            for medium, there in _parts(within.media, _among(by_medium, here)):
                for language, holders in _parts(within.languages, _among(by_language, there)):
                    self.cells[holders].append((territory, medium, language))


def _holders(axis, near) -> list[tuple[int, int]]:
    """(mask, holders) for each distinct set on an axis."""
    holders = defaultdict(int)
    for bit, block in near:
        holders[getattr(block, axis)] |= bit
    return list(holders.items())


def _among(masks, holders):
    """What is left of (mask, holders) pairs where only some holders matter."""
    return [(mask, held) for mask, held_by in masks if (held := held_by & holders)]


def _parts(whole: int, masks) -> list[tuple[int, int]]:
    """(part, holders) for the parts of `whole` that none of the (mask, holders) pairs tells apart."""
    everywhere, touched, holders = 0, 0, defaultdict(int)
    for mask, held_by in masks:
        inside = mask & whole
        if inside == whole:
            everywhere |= held_by
        else:
            touched |= inside
            for number in bits(inside):
                holders[number] |= held_by
    parts = defaultdict(int)
    for number, held_by in holders.items():
        parts[held_by] |= 1 << number
    found = [(part, held_by | everywhere) for held_by, part in parts.items()]
    return [*found, (whole & ~touched, everywhere)] if whole != touched else found


def joined(pieces) -> list[Block]:
    """The canonical form of (territories, media, languages, Dates) pieces that are cells of one `Cut`.

    For each cell its maximal spans; equal spans joined over languages, then territories, then media;
    sorted by start, end, territories, media, languages (domain.md, "Availability").
    """
    by_span = defaultdict(list)
    for territory, medium, language, dates in pieces:
        for span in dates.spans:
            by_span[span].append((territory, medium, language))
    blocks = []
    for span, cells in by_span.items():
        by_place, by_medium, by_territories = defaultdict(int), defaultdict(int), defaultdict(int)
        alike = _alike({medium for _, medium, _ in cells})
        for territory, medium, language in cells:
            for part in alike[medium]:
                by_place[territory, part] |= language
        for (territory, medium), language in by_place.items():
            by_medium[medium, language] |= territory
        for (medium, language), territory in by_medium.items():
            by_territories[territory, language] |= medium
        blocks += [Block(territory, medium, language, Dates((span,)))
                   for (territory, language), medium in by_territories.items()]
    return sorted(blocks, key=_place)


def _alike(masks) -> dict[int, list[int]]:
    """{mask: its parts that none of the others tells apart}: the same parts, wherever the masks overlap."""
    parts = _parts(reduce(or_, masks), [(mask, 1 << place) for place, mask in enumerate(masks)])
    return {mask: [part for part, _ in parts if part & mask] for mask in masks}


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
