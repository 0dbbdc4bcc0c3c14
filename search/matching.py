"""Which titles a query means, best first. Asks an index for postings and names; knows neither Whoosh nor tables.

A query is slots, one for each word or run of a script without spaces; a title is found where every slot is. Three
rounds, each begun only where the one before found too little: as written; with one or two letters wrong, words joined
or split, the last word unfinished; and at last most of the words, foreign ones by their sound. In front of all stand
the titles with a name that is the whole query, then those with such a name but for a typo.
"""
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np

from search import analysis
from search.spelling import NOT_AT_ALL, allowed, covering, distance

FIELDS = {"names": 8.0, "people": 4.0, "keywords": 3.0, "synopsis": 1.0}  # field → what a hit in it is worth
MISSPELT_IN = {"names", "people"}
WRITTEN, UNFINISHED, MISSPELT = 1.0, 0.9, 0.7
EXACT, TYPO, SOUNDS, NAMES = 120.0, 100.0, 90.0, 40.0  # the first of each step of the ranking
FEW = 5          # hits in names below which the next round is asked
LOOK_AT_ONCE = 64  # documents
LOOKED_AT = 200  # candidates whose names are compared letter by letter
EXPANSIONS = 60  # terms a word may stand for, of each sort
SOUND = 3        # consonants that a foreign word in kana has at least, to be known by its sound
MOST_OF = 0.5    # of the words of a query, that a title of the last round has
MANY_OF = 16     # documents so many times as many as are found: then to mark each is slower than to look for those
YEAR_BITS, ID_BITS = 12, 32
NOTHING = np.array([], dtype=np.int32)


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


class _Matches:
    """The documents of one slot, which ascend, what a hit is worth in each, and in which of them it is in a name."""

    def __init__(self, parts=()):
        self.parts = [each for each in parts if len(each[1])]  # (field, documents, quality)

    def and_also(self, parts) -> "_Matches":
        return _Matches([*self.parts, *parts])

    @cached_property
    def docs(self):
        return self._settled[0]

    @cached_property
    def named(self):
        return _united([docs for field, docs, _ in self.parts if field == "names"])

    @cached_property
    def _settled(self):
        docs = _united([docs for _, docs, _ in self.parts])
        worth = np.zeros(len(docs), dtype=np.float32)
        for field, some, quality in self.parts:
            places = _places(docs, some)
            worth[places] = np.maximum(worth[places], np.float32(FIELDS[field] * quality))
        return docs, worth

    def worth(self, docs):
        """What the slot is worth in these documents, 0 where it is not."""
        return _looked_up(docs, *self._settled)


def rank(index, wanted: list[Slot], unwanted: list[Slot], whole: str, seen) -> np.ndarray:
    """The documents that a query means, best first, of those alike the latest year and then the highest id: where a
    document stands changes as others are written; `whole` is the whole query as one name.

    `seen(docs)` says which of some documents there are for the asker. What others hold changes nothing of the answer,
    also not which round is asked: else a word could be guessed that stands in them alone.
    """
    slots = [_written(index, slot) for slot in wanted]
    docs = _in_every(each.docs for each in slots)
    if not _has(seen, _in_every(each.named for each in slots), FEW):
        slots = [_widened(index, wanted, place, matches) for place, matches in enumerate(slots)]
        also = _in_every(each.docs for each in slots)
        docs = _united([docs, also if _has(seen, also, 1) else _most(index, wanted, slots)])
    docs = docs[seen(docs)]
    # What slots are worth together is the mean: a query of many words is no better than one of few
    score = sum(each.worth(docs) for each in slots) / np.float32(len(slots))
    _compare(index, wanted, score, docs)
    for some, worth in _whole_names(index, whole):
        if len(some) and len(some := some[seen(some)]):
            every = _united([docs, some])
            docs, score = every, _looked_up(every, docs, score)
            places = _places(docs, some)
            score[places] = np.maximum(score[places], worth)
    for slot in unwanted:
        kept = ~np.isin(docs, _written(index, slot).docs)
        docs, score = docs[kept], score[kept]
    return docs[_best_first(index, docs, score)]


def _has(seen, docs, many) -> bool:
    """Whether so many of some documents are seen. Mostly the first are."""
    start, step = 0, LOOK_AT_ONCE
    while many > 0 and start < len(docs):
        many -= np.count_nonzero(seen(docs[start:start + step]))
        start, step = start + step, 4 * step
    return many <= 0


def _best_first(index, docs, score):
    """The order, all in one number, which sorts six times as fast as three: hundredths of the score, year, id."""
    hundredths = np.rint(score * 100).astype(np.int64)
    return np.argsort(-((hundredths << YEAR_BITS + ID_BITS) + (index.years[docs].astype(np.int64) << ID_BITS)
                        + index.ids[docs]))


def holds(slot: Slot, term: str) -> bool:
    """Whether a term of a text is what a slot asks for, or nearly."""
    return (term in slot.terms or slot.prefix and term.startswith(slot.text)
            or bool(slot.typos) and distance(slot.text, term, slot.typos) <= slot.typos)


def meant(index, slot: Slot, seen) -> str:
    """The word that a slot was meant to be, where it stands in no text: the nearest of the words of names and people,
    of those alike the most frequent. What stands only in documents that are not `seen` stands nowhere."""
    def stands(word):
        return any(_has(seen, index.docs(field, word), 1) for field in FIELDS)
    if not slot.typos or stands(slot.text):
        return slot.text
    near = [(distance(slot.text, each, slot.typos), -sum(len(index.docs(field, each)) for field in FIELDS), each)
            for field in ("names", "people") for each in index.like(field, slot.text, slot.typos)[:EXPANSIONS]
            if stands(each)]
    return min(near)[2] if near else slot.text


def _united(parts) -> np.ndarray:
    """What is in any of some arrays, each of which ascends and has nothing twice; the result does so too."""
    parts = [each for each in parts if len(each)]
    if len(parts) < 2:
        return parts[0] if parts else NOTHING
    most = max(int(each[-1]) for each in parts) + 1
    if most > MANY_OF * sum(map(len, parts)):
        return np.unique(np.concatenate(parts))
    among = np.zeros(most, dtype=bool)
    for each in parts:
        among[each] = True
    return np.flatnonzero(among)


def _places(docs, some):
    """Where each of `some` stands in `docs`, or would."""
    if not len(some) or docs[-1] > MANY_OF * len(some):
        return np.searchsorted(docs, some)
    before = np.zeros(max(docs[-1], some[-1]) + 2, dtype=np.int32)
    before[docs + 1] = 1
    return np.cumsum(before, dtype=np.int32)[some]


def _in_every(parts) -> np.ndarray:
    """What is in each of some such arrays."""
    return reduce(common, sorted(parts, key=len))


def _looked_up(wanted, docs, values):
    """The values of the wanted documents, 0 for those that are not among `docs`."""
    if not len(docs):
        return np.zeros(len(wanted), dtype=np.float32)
    places = np.minimum(_places(docs, wanted), len(docs) - 1)
    return np.where(docs[places] == wanted, values[places], np.float32(0))


def _most(index, wanted, slots):
    """Documents with most of the query; of a run each pair counts for itself. What they are worth is written down."""
    parts = []
    for slot, matches in zip(wanted, slots, strict=True):
        pairs = [index.docs("names", term) for term in slot.terms] if slot.paired else []
        some = _united([matches.docs, *pairs])
        part = (matches.worth(some) > 0).astype(np.float32)
        if pairs:
            held = sum(np.isin(some, each).astype(np.float32) for each in pairs)
            part = np.maximum(part, held / np.float32(len(pairs)))
        parts.append((some, part))
    docs = _united([some for some, _ in parts])
    having = sum(_looked_up(docs, *each) for each in parts)
    for number, (some, part) in enumerate(parts):
        slots[number] = slots[number].and_also(("names", some[part == each], MISSPELT * float(each))
                                               for each in np.unique(part))
    return docs[having >= MOST_OF * len(slots)]


def _written(index, slot):
    """The slot as it is written."""
    if slot.phrase:
        return _Matches((field, index.phrase(field, slot.terms), WRITTEN) for field in slot.fields)
    if slot.prefix:
        return _Matches((field, index.beginning(field, slot.text), WRITTEN) for field in slot.fields)
    return _Matches((field, _all(index, field, slot.terms), WRITTEN) for field in slot.fields)


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
    slot = wanted[place]
    plain = not (slot.paired or slot.phrase or slot.prefix)
    return matches.and_also(_wider(index, wanted, place) if plain else ())


def _wider(index, wanted, place):
    slot = wanted[place]
    for field in slot.fields:
        if field not in MISSPELT_IN:
            continue
        if place == len(wanted) - 1 and len(slot.text) > 1:
            for term in index.starting(field, slot.text, EXPANSIONS):
                yield field, index.docs(field, term), UNFINISHED
        if slot.typos:
            for term in index.like(field, slot.text, slot.typos)[:EXPANSIONS]:
                yield field, index.docs(field, term), MISSPELT
    if "names" not in slot.fields:
        return
    for left, right in ((place - 1, place), (place, place + 1)):
        if left >= 0 and right < len(wanted) and not (wanted[left].paired or wanted[right].paired):
            yield "names", index.docs("names", wanted[left].text + wanted[right].text), WRITTEN
    for cut in range(2, len(slot.text) - 1):
        yield "names", _all(index, "names", (slot.text[:cut], slot.text[cut:])), WRITTEN


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


def _compare(index, wanted, score, docs):
    """Raise those whose names hold the query, by how much of the query and of the name that is."""
    wanted = [slot for slot in wanted if "names" in slot.fields]
    if not wanted:
        return
    first, cover, more = _best_first(index, docs, score)[:LOOKED_AT], covering(wanted), []
    for doc in docs[first].tolist():
        best = NOT_AT_ALL
        for name in index.names(doc):
            if (found := cover(name)) > best:
                best = found
        covered, of_name = best
        more.append((NAMES if covered == 1 else 0) + NAMES * (0.7 * covered + 0.25 * of_name) if covered else 0)
    score[first] += np.array(more, dtype=np.float32)
