"""What people may type into the search box.

Words, "phrases in quotes", a minus before what must not be there, a star after the beginning of a word, and a field
before where it must stand: `title:tide person:"ana lima" -year:1994 harb*`.
"""
import re
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from search import analysis
from search.matching import Slot

LONGEST, MOST_WORDS = 300, 16  # of a query: characters, words
BEGINNING = 2  # letters before a star
FIELDS = {"title": "names", "person": "people", "synopsis": "synopsis", "genre": "keywords", "year": "keywords"}
_PART = re.compile(rf'([-−]?)(?:({"|".join(FIELDS)}):(?=[^\s*]))?(?:"([^"]*)"|([^\s"]+))', re.IGNORECASE)


class Unsearchable(ValueError):
    """The words cannot be searched; the text says why."""


class Query(NamedTuple):
    """What must be there, what must not, and all of it as one name: "" where it is more than words."""
    wanted: list[Slot]
    unwanted: list[Slot]
    whole: str


def read(text: str) -> Query:
    """Raises Unsearchable."""
    if len(text) > LONGEST:
        raise Unsearchable(f"Search with {LONGEST} characters at most.")
    wanted, unwanted, plain = [], [], True
    for minus, field, phrase, word in _PART.findall(text):
        slots = [replace(slot, field=FIELDS[field.lower()]) if field else slot for slot in _slots(phrase, word)]
        (unwanted if minus else wanted).extend(slots)
        plain = plain and not (minus or field or phrase or any(slot.prefix and not slot.paired for slot in slots))
    if not wanted:
        raise Unsearchable("Write at least one word to search for.")
    if len(wanted) + len(unwanted) > MOST_WORDS or sum(len(each.terms) for each in wanted) > LONGEST:
        raise Unsearchable(f"Search with {MOST_WORDS} words at most.")
    return Query(wanted, unwanted, analysis.whole(text) if plain else "")


def _slots(phrase, word):
    """What one part asks for. A run without spaces is one word, however many pairs it makes."""
    found = analysis.tokens(phrase or word)
    if phrase:
        return [Slot(tuple(each.term for each in found), analysis.folded(phrase), phrase=True)] if found else []
    slots = []
    for paired, run in groupby(found, key=lambda each: each.paired):
        run = list(run)
        if not paired:
            slots += [Slot((each.term,), each.term) for each in run]
        else:
            said = run[0].term + "".join(each.term[1:] for each in run[1:])
            slots.append(Slot(tuple(each.term for each in run), said, paired=True, prefix=len(said) == 1))
    if re.fullmatch(r"[^*]+\*", word) and slots and not slots[-1].paired and len(slots[-1].text) >= BEGINNING:
        slots[-1] = replace(slots[-1], prefix=True)
    return slots
