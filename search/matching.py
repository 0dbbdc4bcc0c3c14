"""Which titles a query means, best first. Asks an index for postings and names; knows neither Whoosh nor tables.

A query is slots, one for each word or run of a script without spaces; a title is found where every slot is. Three
rounds, each begun only where the one before found too little: as written; with one or two letters wrong, words joined
or split, the last word unfinished; and at last most of the words, foreign ones by their sound. In front of all stand
the titles with a name that is the whole query, then those with such a name but for a typo.
"""
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from rapidfuzz.distance import OSA

from search import analysis

FIELDS = {"names": 8.0, "people": 4.0, "keywords": 3.0, "synopsis": 1.0}  # field → what a hit in it is worth
MISSPELT_IN = {"names", "people"}
WRITTEN, UNFINISHED, MISSPELT = 1.0, 0.9, 0.7
EXACT, TYPO, SOUNDS, NAMES = 120.0, 100.0, 90.0, 40.0  # the first of each step of the ranking
FEW = 5          # hits in names below which the next round is asked
LOOKED_AT = 200  # candidates whose names are compared letter by letter
EXPANSIONS = 60  # terms a word may stand for, of each sort
SOUND = 3        # consonants that a foreign word in kana has at least, to be known by its sound
MOST_OF = 0.5    # of the words of a query, that a title of the last round has


@dataclass(frozen=True)
class Slot:
    """A word (`terms` is it alone), a run (its pairs), or a phrase; what of a name it covers is `text`."""
    terms: tuple[str, ...]
    text: str
    paired: bool = False
    phrase: bool = False
    prefix: bool = False  # with whatever follows: a single character of a run, or a beginning with a star
    field: str = ""       # where it must stand, "" for anywhere

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """Where it may stand; what has any ending, only where few words are."""
        return (self.field,) if self.field else ("names",) if self.prefix and self.paired else (
            ("names", "people", "keywords") if self.prefix else tuple(FIELDS))

    @property
    def plain(self) -> bool:
        """Whether it is one word, and nothing else is said of it."""
        return not (self.paired or self.phrase or self.prefix or self.field)

    @cached_property
    def joined(self) -> str:
        """Its letters without spaces."""
        return self.text.replace(" ", "")

    @cached_property
    def sound(self) -> str:
        """How it sounds, where it is written in kana and long enough to be known by that."""
        said = analysis.sound(self.joined) if analysis.kana(self.joined) else ""
        return said if len(said) >= SOUND else ""

    @cached_property
    def typos(self) -> int:
        """Letters that may be wrong: one of five, two of nine."""
        return 0 if self.paired or self.phrase or self.prefix or self.text.isdigit() else allowed(self.text)


def allowed(text: str) -> int:
    """How many letters of a text may be wrong."""
    return 0 if len(text) < 5 else 1 if len(text) < 9 else 2


class _Matches:
    """Of one slot: what a hit is worth in each document, and in which of them it is in a name."""

    def __init__(self, size):
        self.worth = np.zeros(size, dtype=np.float32)
        self.named = np.zeros(size, dtype=bool)

    def add(self, field, docs, quality):
        self.worth[docs] = np.maximum(self.worth[docs], np.float32(FIELDS[field] * quality))
        if field == "names":
            self.named[docs] = True


def rank(index, wanted: list[Slot], unwanted: list[Slot], whole: str) -> np.ndarray:
    """The documents that a query means, best first, of those alike the latest year and then the highest id: where a
    document stands changes as others are written; `whole` is the whole query as one name."""
    size = index.size
    score = np.zeros(size, dtype=np.float32)
    slots = [_written(index, slot, size) for slot in wanted]
    found, named = _every(slots)
    if named.sum() < FEW:
        wider = [_widened(index, wanted, place, matches) for place, matches in enumerate(slots)]
        also, _ = _every(wider)
        if not also.any():
            also = _most(index, wanted, wider)
        found, slots = found | also, wider
    score[found] = _worth(slots)[found]
    _compare(index, wanted, score, found)
    for docs, worth in _whole_names(index, whole):
        score[docs] = np.maximum(score[docs], worth)
    for slot in unwanted:
        score[_written(index, slot, size).worth > 0] = 0
    docs = np.flatnonzero((score > 0) & index.live)
    return docs[np.lexsort((-index.ids[docs], -index.years[docs], -np.round(score[docs], 2)))]


def holds(slot: Slot, term: str) -> bool:
    """Whether a term of a text is what a slot asks for, or nearly."""
    return (term in slot.terms or slot.prefix and term.startswith(slot.text)
            or bool(slot.typos) and distance(slot.text, term, slot.typos) <= slot.typos)


def meant(index, slot: Slot, seen) -> str:
    """The word that a slot was meant to be, where it stands in no text: the nearest of the words of names and people,
    of those alike the most frequent. `seen(docs)` says whether any of some documents may be known of."""
    def stands(word):
        return any(len(docs := index.docs(field, word)) and seen(docs) for field in FIELDS)
    if not slot.typos or stands(slot.text):
        return slot.text
    near = [(distance(slot.text, each, slot.typos), -sum(len(index.docs(field, each)) for field in FIELDS), each)
            for field in ("names", "people") for each in index.like(field, slot.text, slot.typos)[:EXPANSIONS]
            if stands(each)]
    return min(near)[2] if near else slot.text


def _every(slots):
    """(documents with every slot, those with every slot in names)."""
    return (np.logical_and.reduce([each.worth > 0 for each in slots]),
            np.logical_and.reduce([each.named for each in slots]))


def _worth(slots):
    """What the slots are worth together: the mean, for a query of many words is no better than one of few."""
    return sum(each.worth for each in slots) / len(slots)


def _most(index, wanted, slots):
    """Documents with most of the query; of a run each pair counts for itself."""
    having = np.zeros(index.size, dtype=np.float32)
    for slot, matches in zip(wanted, slots, strict=True):
        part = (matches.worth > 0).astype(np.float32)
        if slot.paired:
            pairs = np.zeros(index.size, dtype=np.float32)
            for term in slot.terms:
                pairs[index.docs("names", term)] += 1
            part = np.maximum(part, pairs / len(slot.terms))
        having += part
        matches.worth = np.maximum(matches.worth, part * FIELDS["names"] * MISSPELT)
    return having >= MOST_OF * len(slots)


def _written(index, slot, size):
    """The slot as it is written."""
    matches = _Matches(size)
    for field in slot.fields:
        if slot.phrase:
            docs = index.phrase(field, slot.terms)
        elif slot.prefix:
            docs = index.beginning(field, slot.text)
        else:
            docs = _all(index, field, slot.terms)
        matches.add(field, docs, WRITTEN)
    return matches


def _all(index, field, terms):
    """Documents with all of these terms in a field."""
    docs = index.docs(field, terms[0])
    for term in terms[1:]:
        docs = common(docs, index.docs(field, term))
    return docs


def common(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """What is in both of two arrays that ascend and have nothing twice."""
    if len(one) > len(other):
        one, other = other, one
    if not len(one):
        return one
    return one[other[np.minimum(np.searchsorted(other, one), len(other) - 1)] == one]


def _widened(index, wanted, place, matches):
    """The slot also unfinished, misspelt, joined with a neighbour or split in two."""
    slot, wider = wanted[place], _Matches(len(matches.worth))
    wider.worth[:], wider.named[:] = matches.worth, matches.named
    if slot.paired or slot.phrase or slot.prefix:
        return wider
    for field in slot.fields:
        if field not in MISSPELT_IN:
            continue
        if place == len(wanted) - 1 and len(slot.text) > 1:
            for term in index.starting(field, slot.text, EXPANSIONS):
                wider.add(field, index.docs(field, term), UNFINISHED)
        if slot.typos:
            for term in index.like(field, slot.text, slot.typos)[:EXPANSIONS]:
                wider.add(field, index.docs(field, term), MISSPELT)
    if "names" not in slot.fields:
        return wider
    for left, right in ((place - 1, place), (place, place + 1)):
        if left >= 0 and right < len(wanted) and not (wanted[left].paired or wanted[right].paired):
            wider.add("names", index.docs("names", wanted[left].text + wanted[right].text), WRITTEN)
    for cut in range(2, len(slot.text) - 1):
        docs = _all(index, "names", (slot.text[:cut], slot.text[cut:]))
        wider.add("names", docs, WRITTEN)
    return wider


# ------------------------------------------------------------------ names, letter by letter

def _whole_names(index, whole):
    """(documents, score) of names that are the whole query, or nearly."""
    if not whole:
        return
    yield index.docs("codes", whole), EXACT
    yield index.docs("whole", whole), EXACT
    if analysis.kana(whole) and len(said := analysis.sound(whole)) > SOUND:
        yield index.docs("sounds", said), SOUNDS
    if typos := allowed(whole) if whole.isascii() else 0:
        for term in index.like("whole", whole, typos)[:EXPANSIONS]:
            if term != whole and not _figures_differ(term, whole):
                yield index.docs("whole", term), TYPO


def _figures_differ(one, other):
    """A number is no typo: part 2 is another film than part 3."""
    return [each for each in one if each.isdigit()] != [each for each in other if each.isdigit()]


class Named(NamedTuple):
    """A name, folded, as it is compared: its words, and all of it without spaces."""
    words: tuple[str, ...]
    joined: str

    @classmethod
    def of(cls, name: str) -> "Named":
        words = tuple(name.split(" "))
        return cls(words, "".join(words))


def _compare(index, wanted, score, found):
    """Raise those whose names hold the query, by how much of the query and of the name that is."""
    wanted = [slot for slot in wanted if "names" in slot.fields]
    if not wanted:
        return
    docs = np.flatnonzero(found & index.live)
    docs = docs[np.lexsort((-index.ids[docs], -index.years[docs], -score[docs]))][:LOOKED_AT]
    letters, more = sum(len(slot.text) for slot in wanted), []
    for doc in docs.tolist():
        covered, of_name = max([_cover(wanted, letters, name) for name in index.names(doc)], default=(0, 0))
        more.append((NAMES if covered == 1 else 0) + NAMES * (0.7 * covered + 0.25 * of_name) if covered else 0)
    score[docs] += np.array(more, dtype=np.float32)


def _cover(wanted, letters, name: Named) -> tuple[float, float]:
    """(how much of the `letters` of a query a name holds, how much of the name that is), each from 0 to 1."""
    matched = of_name = 0
    for slot in wanted:
        best, taken = _best(slot, name.words, name.joined)
        matched += best * len(slot.text)
        of_name += taken
    return matched / letters, min(1.0, of_name / max(1, len(name.joined)))


def _best(slot, words, joined):
    """(how well a name holds one slot, letters of the name that it takes)."""
    if slot.text in words and not slot.phrase:
        return 1.0, len(slot.text)
    if slot.paired or slot.phrase or slot.prefix:
        if slot.joined in joined:
            return 1.0, len(slot.joined)
        if slot.sound and slot.sound in analysis.sound("".join(word for word in words if word.isascii())):
            return 0.9, len(slot.text)
        pairs = sum(term in joined for term in slot.terms) / len(slot.terms) if slot.paired else 0
        return pairs * 0.8, int(pairs * len(slot.joined))
    if any(word.startswith(slot.text) for word in words):
        return 0.9, len(slot.text)
    if slot.typos and any(distance(slot.text, word, slot.typos) <= slot.typos for word in words):
        return 0.8, len(slot.text)
    return (0.9, len(slot.text)) if len(slot.text) > 2 and slot.text in joined else (0.0, 0)


def distance(one: str, other: str, most: int) -> int:
    """Letters added, left out, changed or swapped; above `most` only that it is more."""
    return OSA.distance(one, other, score_cutoff=most)
