"""Blocks: boxes in the space territory x medium x language-use x day, and the one way to write a set of them.

The three named axes are bit sets, days are `Dates`. To compare or to compute, axes are cut into *atoms*:
the largest sets that no block in question tells apart. There are few, however many lines there are.
"""
from collections import defaultdict
from dataclasses import dataclass, replace

from licensing.rights import languages, media, territories
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


def atoms(masks, whole: int) -> list[int]:
    """Cut `whole` into the parts that none of `masks` tells apart."""
    parts = [whole] if whole else []
    for mask in dict.fromkeys(masks):
        cut = []
        for part in parts:
            inside, outside = part & mask, part & ~mask
            if inside:
                cut.append(inside)
            if outside:
                cut.append(outside)
        parts = cut
    return parts


def cells(within: Block, blocks):
    """(territories, media, languages, indexes of the blocks that hold them) for every atom of `within`."""
    near = [(place, block) for place, block in enumerate(blocks) if block.meets(within)]
    language_atoms = atoms((block.languages for _, block in near), within.languages)
    media_atoms = atoms((block.media for _, block in near), within.media)
    for territory in atoms((block.territories for _, block in near), within.territories):
        here = [each for each in near if each[1].territories & territory]
        for medium in media_atoms:
            by_medium = [each for each in here if each[1].media & medium]
            for language in language_atoms:
                yield territory, medium, language, [place for place, block in by_medium if block.languages & language]


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
    return joined((*cell, union(blocks[place].dates for place in held))
                  for *cell, held in cells(hull, blocks))


def _any(blocks, axis):
    mask = 0
    for block in blocks:
        mask |= getattr(block, axis)
    return mask
