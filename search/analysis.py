"""From text to search terms, in any script. Pure.

Latin and other alphabets are words, folded in case and accents. Han, kana and Hangul have no spaces
between words: a run of them becomes its overlapping pairs, a run of one the single character. Katakana is
folded to hiragana, full width to half width.
"""
import unicodedata
from functools import lru_cache
from typing import NamedTuple

APOSTROPHES = "'’ʼ`´"


class Token(NamedTuple):
    """A term, and where in the text it stands."""
    term: str
    start: int
    end: int
    paired: bool  # a piece of a run without spaces


@lru_cache(maxsize=65536)
def _folded(char: str) -> tuple[str, bool]:
    """(what a character counts as, whether its script writes without spaces); "" for what separates."""
    char = unicodedata.normalize("NFKC", char)
    first = char[:1]
    code = ord(first) if first else 0
    if 0x30A1 <= code <= 0x30F6:
        return chr(code - 0x60), True
    if _unspaced(code):
        return first, True
    bare = "".join(each for each in unicodedata.normalize("NFKD", char.casefold())
                   if each.isalnum() and not unicodedata.combining(each))
    return bare, False


def _unspaced(code: int) -> bool:
    return (0x3041 <= code <= 0x3096 or code in (0x3005, 0x3006, 0x3007, 0x30FC) or 0x3400 <= code <= 0x4DBF
            or 0x4E00 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF or 0x1100 <= code <= 0x11FF
            or 0xAC00 <= code <= 0xD7A3 or 0x20000 <= code <= 0x323AF)


def tokens(text: str) -> list[Token]:
    """The terms of a text, in order."""
    composed = unicodedata.normalize("NFKC", text)
    if len(composed) == len(text):  # offsets hold; otherwise each character is folded alone
        text = composed
    found, run, start, paired = [], [], 0, False

    def close(end):
        if not run:
            return
        if paired and len(run) > 1:
            for place in range(len(run) - 1):
                (a, begin), (b, last) = run[place], run[place + 1]
                found.append(Token(a + b, begin, last + 1, True))
        elif paired:
            found.append(Token(run[0][0], run[0][1], run[0][1] + 1, True))
        else:
            found.append(Token("".join(piece for piece, _ in run), start, end, False))
        run.clear()

    for place, char in enumerate(text):
        piece, unspaced = _folded(char)
        if not piece:
            if char == "&":
                close(place)
                found.append(Token("and", place, place + 1, False))
            elif not (run and (char in APOSTROPHES or unicodedata.combining(char))):
                close(place)
            continue
        if run and unspaced != paired:
            close(place)
        if not run:
            start, paired = place, unspaced
        run.append((piece, place))
    close(len(text))
    return found
