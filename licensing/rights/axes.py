"""What the three named axes share: a set of leaves is a Python int, bit n standing for the leaf numbered n.

Numbers are given once in the data files and never again, so a stored set means the same for ever.
"""
import json
import re
import unicodedata
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

DATA = Path(__file__).parent / "data"
MOST_NAMES = 1_000  # every language-use by name is 668


class Unreadable(ValueError):
    """Names that make no set. `problem` is unknown, ambiguous, empty or too_many; `choices` what was likely meant."""

    def __init__(self, sentence: str, problem: str, name: str | None = None, choices=()):
        super().__init__(sentence)
        self.problem, self.name, self.choices = problem, name, list(choices)


def load(name: str) -> dict:
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


def normalised(name: str) -> str:
    """As territories.md says: case and accents folded, & is "and", other marks are spaces, no leading "the"."""
    folded = unicodedata.normalize("NFKD", name.casefold())
    bare = "".join(char for char in folded if not unicodedata.combining(char))
    bare = unicodedata.normalize("NFC", re.sub(r"[.'’]", "", bare.replace("&", " and ")))
    return re.sub(r"[\W_]+", " ", bare).strip().removeprefix("the ")


def unknown(name: str, what: str, known: dict[str, str]) -> Unreadable:
    """The refusal of a name; `known` maps normalised names to codes, of which the nearest are offered."""
    near = get_close_matches(normalised(name[:80]), known, n=6, cutoff=0.6)
    choices = list(dict.fromkeys(known[each] for each in near))[:4]
    meant = f" Did you mean {', '.join(choices)}?" if choices else ""
    return Unreadable(f"{name[:80]!r} is no {what} we know.{meant}", "unknown", name, choices)


def check_number(names, what: str):
    """Refuse an empty or an endless list of names before looking at any of them."""
    if not names:
        raise Unreadable(f"Name at least one {what}: what a line does not name is not granted.", "empty")
    if len(names) > MOST_NAMES:
        raise Unreadable(f"{len(names)} names are too many; use groups, {MOST_NAMES} at most.", "too_many")


@lru_cache(maxsize=4096)
def bits(mask: int) -> tuple[int, ...]:
    """The numbers in a set, ascending."""
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return tuple(found)
