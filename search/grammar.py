"""What people may type into the search box: words, "phrases in quotes", and a minus before what must not be there."""
import re
from itertools import groupby

from search import analysis
from search.matching import Slot

LONGEST, MOST_WORDS = 300, 16  # of a query: characters, words


class Unsearchable(ValueError):
    """The words cannot be searched; the text says why."""


def read(text: str) -> tuple[list[Slot], list[Slot]]:
    """(what must be there, what must not). Raises Unsearchable."""
    if len(text) > LONGEST:
        raise Unsearchable(f"Search with {LONGEST} characters at most.")
    wanted, unwanted = [], []
    for minus, phrase, word in re.findall(r'(?:(?<=\s)|^)?([-−]?)(?:"([^"]*)"|([^\s"]+))', text):
        into = unwanted if minus else wanted
        found = analysis.tokens(phrase or word)
        if phrase:
            if found:
                into.append(Slot(tuple(each.term for each in found), analysis.folded(phrase), phrase=True))
            continue
        # A run without spaces is one word, however many pairs it makes.
        for paired, run in groupby(found, key=lambda each: each.paired):
            run = list(run)
            if not paired:
                into += [Slot((each.term,), each.term) for each in run]
            else:
                said = run[0].term + "".join(each.term[1:] for each in run[1:])
                into.append(Slot(tuple(each.term for each in run), said, paired=True, prefix=len(said) == 1))
    if not wanted:
        raise Unsearchable("Write at least one word to search for.")
    if len(wanted) + len(unwanted) > MOST_WORDS or sum(len(each.terms) for each in wanted) > LONGEST:
        raise Unsearchable(f"Search with {MOST_WORDS} words at most.")
    return wanted, unwanted
