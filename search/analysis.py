"""From text to search terms, in any script. Pure.

Latin and other alphabets are words, folded in case, accents and numerals. Han, kana and Hangul have no spaces between
words: a run of them becomes its overlapping pairs, a run of one the single character; Japanese, traditional and
simplified forms of a character count as one, katakana as hiragana, full width as half width, and what separates two
runs (a space, an interpunct, a long vowel's stroke) does not, for people write them as they please.
"""
import re
import unicodedata
from functools import cache, lru_cache
from typing import NamedTuple

import opencc

APOSTROPHES = "'’ʼ`´"
LETTERS = {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}  # no accents to drop
NUMERALS = {word: str(number) for words in (
    ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"],
    # not i, v and x: they are words and names more often than numbers
    ("", "ii", "iii", "iv", "", "vi", "vii", "viii", "ix", "", "xi", "xii", "xiii", "xiv", "xv"))
    for number, word in enumerate(words, 1) if word}
LONE_NUMERALS = {"v": "5", "x": "10"}  # numbers where they end a name, or count a part
COUNTED = {"part", "chapter", "volume", "vol", "episode", "season", "teil", "partie", "parte"}
# Most of a text is plain letters or what surely separates: these are taken together, the rest one by one
PIECES = re.compile(r"(?P<plain>[0-9A-Za-z]+)|(?P<apart>[\x00-\x25\x28-\x2f:-@\[-_{-\x7f]+)|.", re.DOTALL)
STROKES = {0x30FC, 0xFF70}  # of long vowels, which some write and some do not
ARTICLES = {"the", "a", "an", "le", "la", "les", "l", "un", "une", "el", "los", "las", "il", "lo", "gli", "der", "die",
            "das", "ein", "eine", "de", "het", "o", "os", "as"}


class Token(NamedTuple):
    """A term, and where in the text it stands."""
    term: str
    start: int
    end: int
    paired: bool  # a piece of a run without spaces


class Run(NamedTuple):
    """A word, or what stands together of a script without spaces, folded; and where in the text it stands."""
    term: str
    start: int
    end: int
    places: tuple[int, ...] = ()  # of each character, where the script has no spaces

    @property
    def paired(self) -> bool:
        return bool(self.places)


@cache
def _converters():
    return opencc.OpenCC("jp2t"), opencc.OpenCC("t2s")


def _han(char: str) -> str:
    """One form for all forms of a character."""
    for each in _converters():
        turned = each.convert(char)
        char = turned if len(turned) == 1 else char
    return char


@lru_cache(maxsize=65536)
def _folded(char: str) -> tuple[str, bool]:
    """(what a character counts as, whether its script writes without spaces); "" for what separates."""
    char = unicodedata.normalize("NFKC", char)
    first = char[:1]
    code = ord(first) if first else 0
    if code in STROKES:
        return "", True
    if 0x30A1 <= code <= 0x30F6:
        return chr(code - 0x60), True
    if _unspaced(code):
        return _han(first) if code >= 0x3400 else first, True
    folded = "".join(LETTERS.get(each, each) for each in unicodedata.normalize("NFKD", char.casefold())
                     if each.isalnum() and not unicodedata.combining(each))
    return folded, False


def _unspaced(code: int) -> bool:
    return (0x3041 <= code <= 0x3096 or code in (0x3005, 0x3006, 0x3007) or 0x3400 <= code <= 0x4DBF
            or 0x4E00 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF or 0x1100 <= code <= 0x11FF
            or 0xAC00 <= code <= 0xD7A3 or 0x20000 <= code <= 0x323AF)


@lru_cache(maxsize=256)  # a query and a name are asked for several times one after the other
def runs(text: str) -> tuple[Run, ...]:
    """The words of a text and its runs without spaces, in order."""
    composed = unicodedata.normalize("NFKC", text)
    if len(composed) == len(text):  # offsets hold; otherwise each character is folded alone
        text = composed
    found, run, paired = [], [], False  # of a run: its folded pieces and where each begins and ends

    def close():
        if run:
            if paired and found and found[-1][1]:  # nothing but what separates stood between
                found[-1][0].extend(run)
            else:
                found.append((run.copy(), paired))
            run.clear()

    for match in PIECES.finditer(text):
        piece, unspaced, char = match[0], False, ""
        if match.lastgroup == "apart":
            close()
            continue
        if match.lastgroup == "plain":
            piece = piece.lower()
        else:
            char = piece
            piece, unspaced = _folded(char)
        if not piece:
            if char == "&":
                close()
                found.append(([("and", *match.span())], False))
            elif not (run and (char in APOSTROPHES or unicodedata.combining(char))):
                close()
            continue
        if run and unspaced != paired:
            close()
        paired = unspaced
        run.append((piece, *match.span()))
    close()
    return tuple(Run("".join(piece for piece, _, _ in pieces), pieces[0][1], pieces[-1][2],
                     tuple(start for _, start, _ in pieces) if paired else ()) for pieces, paired in found)


def tokens(text: str) -> list[Token]:
    """The terms of a text, in order. A number is its figures, however it is written."""
    found, all_runs = [], runs(text)
    for position, (term, start, end, places) in enumerate(all_runs):
        if not places:
            found.append(Token(_number(all_runs, position), start, end, False))
        elif len(places) == 1:
            found.append(Token(term, start, end, True))
        else:
            found += [Token(term[each:each + 2], places[each], places[each + 1] + 1, True)
                      for each in range(len(places) - 1)]
    return found


def numbered(text: str) -> list[Run]:
    """The runs of a text, numbers as figures."""
    all_runs = runs(text)
    return [run if run.paired else run._replace(term=_number(all_runs, place)) for place, run in enumerate(all_runs)]


def folded(text: str) -> str:
    """A text as the words that are compared, with a space between."""
    return " ".join(run.term for run in numbered(text))


def _number(all_runs, position) -> str:
    term = all_runs[position].term
    if term in LONE_NUMERALS and position and (position == len(all_runs) - 1
                                               or all_runs[position - 1].term in COUNTED):
        return LONE_NUMERALS[term]
    return NUMERALS.get(term, term)


def whole(text: str) -> str:
    """A name as one term: what two people write who mean the same name.

    Without spaces and marks, without a leading article, and without the word that says a number counts parts.
    """
    all_runs = runs(text)
    terms = [run.term if run.paired else _number(all_runs, place) for place, run in enumerate(all_runs)]
    if len(terms) > 1 and terms[0] in ARTICLES:
        terms = terms[1:]
    return "".join(term for term, after in zip(terms, [*terms[1:], ""], strict=False)
                   if not (term in COUNTED and after.isdigit()))


# ------------------------------------------------------------------ how a foreign word sounds

_SOUNDS = [(re.compile(pattern), sound) for pattern, sound in (
    ("r(?![aeiouy])", ""), ("ph|v|h", "f"), ("sch|sh|th|ch|ts|tz|z|j|c(?=[eiy])|x", "s"), ("ck|qu|q|c|g", "k"),
    ("l", "r"), ("b", "p"), ("d", "t"), ("m(?=[bp])", "n"))]
_KANA = {}
for _row, _consonant in (("あいうえおぁぃぅぇぉゃゅょやゆよわをゎゐゑ", ""), ("かきくけこがぎぐげご", "k"),
                         ("さしすせそざじずぜぞ", "s"), ("たてとだでど", "t"), ("ちつぢづ", "s"), ("なにぬねのん", "n"),
                         ("はひふへほゔ", "f"), ("ばびぶべぼぱぴぷぺぽ", "p"), ("まみむめも", "m"),
                         ("らりるれろ", "r"), ("っゕゖ", "")):
    _KANA.update(dict.fromkeys(_row, _consonant))


def sound(text: str) -> str:
    """The consonants of a folded text, near enough that a foreign word in kana sounds as it does in its own letters."""
    said = "".join(_consonants(word) for word in re.findall("[a-z]+|[ぁ-ゖ]+", text))
    return re.sub(r"(.)\1+", r"\1", said)


def _consonants(word):
    if word[0] in _KANA:
        return "".join(_KANA[char] for char in word)
    for pattern, each in _SOUNDS:
        word = pattern.sub(each, word)
    return re.sub("[aeiouyw]", "", word)


def kana(text: str) -> bool:
    """Whether a folded text is kana alone."""
    return bool(text) and all(char in _KANA for char in text)
