"""How well a name holds what was typed: names and words compared letter by letter (docs/decisions/0009).

A slot is `search.matching.Slot`.
"""
from typing import NamedTuple

from rapidfuzz.distance import OSA

from search import analysis

NOT_AT_ALL = (0.0, 0.0)


class Named(NamedTuple):
    """A name, folded, as it is compared: its words, and all of it without spaces."""
    words: tuple[str, ...]
    joined: str

    @classmethod
    def of(cls, name: str) -> "Named":
        words = tuple(name.split(" "))
        return cls(words, "".join(words))


def allowed(text: str) -> int:
    """How many letters of a text may be wrong."""
    return 0 if len(text) < 5 else 1 if len(text) < 9 else 2


def distance(one: str, other: str, most: int) -> int:
    """Letters added, left out, changed or swapped; above `most` only that it is more."""
    return OSA.distance(one, other, score_cutoff=most)


def covering(wanted):
    """A function of a name: (how much of the letters of a query it holds, how much of the name that is), each from 0
    to 1."""
    holding = [(_holding(slot), len(slot.text)) for slot in wanted]
    letters = sum(length for _, length in holding)

    def of_one(name):
        held, taken = holding[0][0](name)
        return (held, min(1.0, taken / len(name.joined))) if held else NOT_AT_ALL

    def of_more(name):
        matched = of_name = 0
        for holds, length in holding:
            held, taken = holds(name)
            matched += held * length
            of_name += taken
        return (matched / letters, min(1.0, of_name / len(name.joined))) if matched else NOT_AT_ALL
    return of_more if len(holding) > 1 else of_one


def _holding(slot):
    """A function of a name: (how well it holds this slot, letters of it that the slot takes). It is asked of hundreds
    of names, so what mostly is so comes first."""
    text, joined, as_written = slot.text, slot.joined, (1.0, len(slot.joined))
    if slot.paired or slot.phrase or slot.prefix:
        return lambda name: as_written if joined in name.joined else _partly(slot, name)
    return lambda name: as_written if text in name.words else _nearly(slot, name)


def _partly(slot, name):
    """The same where a name has not the whole of a run, of a phrase or of a beginning."""
    if slot.sound and slot.sound in analysis.sound("".join(word for word in name.words if word.isascii())):
        return 0.9, len(slot.text)
    if not slot.paired or len(slot.terms) == 1:
        return 0.0, 0
    pairs = sum(term in name.joined for term in slot.terms) / len(slot.terms)
    return pairs * 0.8, int(pairs * len(slot.joined))


def _nearly(slot, name):
    """The same where a word is none of a name's."""
    if any(word.startswith(slot.text) for word in name.words):
        return 0.9, len(slot.text)
    if slot.typos and any(distance(slot.text, word, slot.typos) <= slot.typos for word in name.words):
        return 0.8, len(slot.text)
    return (0.9, len(slot.text)) if len(slot.text) > 2 and slot.text in name.joined else (0.0, 0)
