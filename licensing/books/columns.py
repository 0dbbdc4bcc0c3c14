"""The columns of a seller's books: what sellers call them, and what a cell of each may say. Pure.

A cell becomes a value, or Wrong: why, and the nearest value that would be right.
"""
import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache

from licensing.rights import languages, media, territories
from licensing.rights.axes import Unreadable, normalised


class Kind(StrEnum):
    MANDATES = "mandates"
    LICENCES = "licences"


@dataclass(frozen=True)
class Column:
    """`label` heads it in the template; `hint` says there what goes in; both kinds of books have it, or one `only`."""
    label: str
    hint: str
    aliases: tuple[str, ...] = ()
    required: bool = True
    only: Kind | None = None
    example: str = ""


COLUMNS = {
    "title": Column("Title", "any name the title has here", (
        "title name", "film", "programme", "program", "original title", "english title", "name", "work", "film title",
        "series"), example="潮信"),
    "title_id": Column("Title ID", "its number here, your own external id, or its EIDR, ISAN or IMDb number; it "
                       "decides where two titles share a name", (
                           "external id", "title ref", "title reference", "eidr", "isan", "imdb", "titleid"), False),
    "year": Column("Year", "tells two titles of one name apart", ("production year", "release year"), False,
                   example="2022"),
    "territories": Column("Territories", "codes, countries or groups, separated by commas; “World excluding US, CA”", (
        "territory", "countries", "country", "region", "regions", "licensed territory", "area"),
        example="World excluding US, CA"),
    "media": Column("Media", "SVOD, pay TV, television, all …", (
        "rights", "medium", "rights type", "right", "licence type", "license type", "media rights", "licensed rights"),
        example="SVOD, pay TV"),
    "languages": Column("Languages", "all, or languages: “French dubbed, English”", (
        "language", "licensed language", "language version"), example="all"),
    "starts_on": Column("From", "the first day: 2027-01-01", (
        "start", "starts", "start date", "starts on", "licence start", "license start", "term start", "begin", "begins",
        "window start", "first day"), example="2027-01-01"),
    "ends_on": Column("To", "the last day, included; or “perpetuity”", (
        "end", "ends", "end date", "ends on", "licence end", "license end", "term end", "until", "expiry", "expires",
        "window end", "last day"), example="2029-12-31"),
    "exclusive": Column("Exclusive", "yes or no", ("exclusivity", "excl", "exclusive y n"), example="yes"),
    "licensor": Column("Licensor", "from whom you have it", ("producer", "rights holder", "rightsholder"), False,
                       Kind.MANDATES, "Blue Ferry Films"),
    "licensee": Column("Licensee", "to whom it is licensed", (
        "buyer", "client", "customer", "distributor", "broadcaster", "platform", "sold to"), True, Kind.LICENCES,
        "Formosa Stream"),
    "contract": Column("Contract", "its number", ("contract number", "contract no", "agreement", "deal memo"), False,
                       example="HP-D-012"),
    "runs": Column("Runs", "how many, where they are counted", ("number of runs", "transmissions"), False),
    "hereafter": Column("Later media", "yes, where media that come later are granted, too", ("hereafter",), False),
    "future": Column("Later episodes", "yes, where later seasons and episodes are granted, too", ("future",), False,
                     Kind.LICENCES),
    "external_id": Column("Reference", "your own mark of this line: it is recorded once", (
        "ref", "line id", "row id", "deal id", "deal number", "mandate id", "id"), False),
}
ANSWERS = ("Status", "Why", "Nearest right value")  # our own columns in an error workbook: read over
MATCHED = {normalised(name): field for field, column in COLUMNS.items()
           for name in (column.label, field, *column.aliases)}
OURS = {normalised(name) for name in ANSWERS}
HEADER_WITHIN = 20  # rows


def of(kind: Kind) -> dict[str, Column]:
    """The columns that books of this kind have, in the order of the template."""
    return {field: column for field, column in COLUMNS.items() if column.only in (None, kind)}


class Unmatched(Exception):
    """A sheet whose columns are not those of its kind. The text is a sentence for who sent it."""


@dataclass(frozen=True)
class Header:
    number: int  # of its row
    texts: list[str]
    places: dict[str, int]  # field → which cell of a row
    ignored: list[str]  # texts that mean nothing here


def header(rows, kind: Kind) -> Header:
    """Find the row that names the columns among the first of [(number, cells)]. Raises Unmatched."""
    best = max((_header(number, cells, kind) for number, cells in rows[:HEADER_WITHIN]),
               key=lambda each: len(each.places), default=None)
    wanted = {field: column for field, column in of(kind).items() if column.required}
    if "title_id" in (best.places if best else ()):
        del wanted["title"]
    missing = [column.label for field, column in wanted.items() if best is None or field not in best.places]
    if missing:
        raise Unmatched(f"The columns of {kind} are {', '.join(column.label for column in of(kind).values())}. "
                        f"Missing: {', '.join(missing)}.")
    return best


def _header(number, cells, kind):
    places, ignored, known = {}, [], of(kind)
    for place, text in enumerate(cells):
        words = normalised(text)
        field = MATCHED.get(words)
        if field in known and field not in places:
            places[field] = place
        elif words and words not in OURS:
            ignored.append(text[:60])
    return Header(number, cells, places, ignored)


def kind_named(name: str) -> Kind | None:
    """What the name of a sheet or of a file says it holds."""
    words = normalised(name)
    licences = any(each in words for each in ("licen", "deal", "rights out", "sales"))
    mandates = any(each in words for each in ("mandate", "rights in", "acquisition"))
    return None if licences == mandates else Kind.LICENCES if licences else Kind.MANDATES


# ------------------------------------------------------------------ cells

class Wrong(Exception):
    """A cell that cannot be taken: why, and the nearest right value, where there is one."""

    def __init__(self, why: str, nearest: str = ""):
        super().__init__(why)
        self.why, self.nearest = why, nearest


WITHOUT = re.compile(r"\b(?:excluding|excludes|except(?: for)?|excl\.?|without|but not)(?=[\s:(])", re.I)
ALL_LANGUAGES = {"*", "all", "any", "all languages", "any language", "every language", "world"}
USE_WORDS = {"dub": "dub", "dubbed": "dub", "dubs": "dub", "sub": "sub", "subs": "sub", "subtitled": "sub",
             "subtitles": "sub", "subbed": "sub", "original": "original", "ov": "original"}
FOR_EVER = {"perpetuity", "in perpetuity", "perpetual", "no end", "for ever", "forever", "unlimited", "open end"}
YES, NO = {"yes", "y", "true", "1", "x", "exclusive", "excl", "e"}, {
    "no", "n", "false", "0", "non exclusive", "nonexclusive", "non excl", "ne", "not exclusive"}
MONTHS = {name: number for number, names in enumerate((
    "jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july", "aug august",
    "sep sept september", "oct october", "nov november", "dec december"), 1) for name in names.split()}


def _named(text, known) -> list[str]:
    """The names in a cell: commas, semicolons, bars, plus signs and lines part them. What only together with what
    follows is a name, is one: “Korea, Republic of”."""
    parts = [each.strip() for each in re.split(r"[,;|\n]|\s\+\s", text) if each.strip()]
    ways = [None] * len(parts) + [[]]  # from each part on: its names, where all can be read
    for place in reversed(range(len(parts))):
        for end in range(place + 1, min(place + 5, len(ways))):
            if ways[end] is not None and known(name := ", ".join(parts[place:end])):
                ways[place] = [name, *ways[end]]
                break
    return parts if ways[0] is None else ways[0]


def _readable(module):
    def known(name):
        try:
            return bool(module.read([name]))
        except Unreadable:
            return False
    return known


_TERRITORY, _MEDIUM = _readable(territories), _readable(media)


def territories_in(text: str) -> list[str]:
    """["World", "-US"] of "World excluding US"."""
    granted, *excluded = WITHOUT.split(text)
    names = _named(granted.strip(" ,;(:"), lambda name: _TERRITORY(name.lstrip("-−")))
    for part in excluded:
        names += [f"-{name.lstrip('-−')}" for name in _named(part.strip(" ,;():"), _TERRITORY)]
    return _set(territories, names)


def media_in(text: str) -> list[str]:
    return _set(media, _named(text, _MEDIUM))


def languages_in(text: str) -> list[str]:
    """["fr:dub", "en"] of "French dubbed, English"."""
    if normalised(text) in ALL_LANGUAGES or text == "*":
        return ["*"]
    names = []
    for name in _named(text, _readable(languages)):
        tongue, _, use = name.replace("(", " ").replace(")", " ").strip().rpartition(" ")
        names.append(f"{tongue.strip()}:{USE_WORDS[use.lower()]}" if tongue and use.lower() in USE_WORDS else name)
    return _set(languages, names)


def _set(module, names) -> list[str]:
    try:
        module.read(names)
    except Unreadable as problem:
        raise Wrong(str(problem), ", ".join(map(str, problem.choices[:4]))) from None
    return names


def day(text: str) -> date:
    """A day written so that it means one day only."""
    bare = re.sub(r"[ T]\d\d:\d\d.*", "", text.strip().rstrip("."))
    if found := (re.fullmatch(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})", bare)
                 or re.fullmatch(r"(\d{4})(\d\d)(\d\d)", bare)):
        return _day(text, *map(int, found.groups()))
    if found := re.fullmatch(r"(\d{1,2})[-. ]*([A-Za-z]{3,9})[-., ]*(\d{4})", bare):
        return _day(text, int(found[3]), MONTHS.get(found[2].lower(), 0), int(found[1]))
    if found := re.fullmatch(r"([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4})", bare):
        return _day(text, int(found[3]), MONTHS.get(found[1].lower(), 0), int(found[2]))
    if found := re.fullmatch(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})", bare):
        return _day(text, int(found[3]), int(found[2]), int(found[1]))
    if found := re.fullmatch(r"(\d{1,2})[-/](\d{1,2})[-/](\d{4})", bare):
        one, two, year = map(int, found.groups())
        if one <= 12 and two <= 12 and one != two:
            raise Wrong(f"{text!r:.40} can mean two days.", f"{year}-{two:02}-{one:02} or {year}-{one:02}-{two:02}")
        return _day(text, year, min(one, two) if max(one, two) > 12 else one, max(one, two))
    if re.fullmatch(r"\d{4}", bare):
        raise Wrong(f"{text!r:.40} is a year, not a day.", f"{bare}-01-01 or {bare}-12-31")
    raise Wrong(f"{text!r:.40} is no day we can read. Write it as 2027-01-31.")


def _day(text, year, month, number):
    try:
        return date(year, month, number)
    except ValueError:
        fits = 1 <= year <= 9999 and 1 <= month <= 12 and 28 < number <= 31
        last = f"{year}-{month:02}-{monthrange(year, month)[1]}" if fits else ""
        raise Wrong(f"{text!r:.40} is no day of the calendar.", last) from None


def last_day(text: str) -> date | None:
    return None if normalised(text) in FOR_EVER else day(text)


def truth(text: str) -> bool:
    words = normalised(text)
    if words in YES or words in NO:
        return words in YES
    near = get_close_matches(words, sorted(YES | NO), 1)
    raise Wrong(f"{text!r:.40} is neither yes nor no.", "yes" if near and near[0] in YES else "no" if near else "")


def number(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,6}", text) and int(text):
        return int(text)
    digits = re.sub(r"\D", "", text)
    raise Wrong(f"{text!r:.40} is no number from 1 to 999999.", str(int(digits)) if 0 < len(digits) <= 6 else "")


def words(text: str) -> str:
    if len(text) > 200:
        raise Wrong(f"{len(text):,} characters, 200 at most.")
    return " ".join(text.split())


READ = {"territories": territories_in, "media": media_in, "languages": languages_in, "starts_on": day,
        "ends_on": last_day, "exclusive": truth, "runs": number, "hereafter": truth, "future": truth, "year": number}
SILENT = {"languages": "all", "ends_on": "perpetuity", "exclusive": "no"}


@lru_cache(maxsize=20_000)  # a sheet says the same again and again
def value(field: str, text: str):
    """What one cell says; nobody changes it. None where it is empty and may be. Raises Wrong."""
    if not text:
        if COLUMNS[field].required and field != "title":
            raise Wrong("It is empty, and silence is never “all”: say it.", SILENT.get(field, ""))
        return None
    return READ.get(field, words)(text)


def letter(place: int) -> str:
    """A column as spreadsheets call it: 0 is A, 26 is AA."""
    return (letter(place // 26 - 1) if place >= 26 else "") + chr(65 + place % 26)
