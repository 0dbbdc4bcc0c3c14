"""A buyer's brief as they write it, read into a search: "Cantonese crime series, SVOD, Taiwan and Singapore, 2027 to
2029, exclusive". Pure.

What is surely a right is read as one, the rest stays words. Names that could as well be words of a story ("a train
thriller") are rights only where the brief says so ("train rights"); nothing is guessed of names that mean two things.
"""
import re
from dataclasses import dataclass, field
from datetime import date, timedelta

from licensing.rights import languages, media, territories
from licensing.rights.axes import normalised
from search import grammar

LONGEST = 5_000  # characters of a brief
YEARS = 3  # of a licence, where nobody says how long
SHORT = 3  # letters: such a name counts only in capitals, for "us" is also a word
STORY = {"all", "rent", "buy", "bus", "buses", "train", "trains", "rail", "ship", "ships", "boat", "boats", "vehicle",
         "military", "hospitals", "schools", "university", "academic", "education", "festival", "festivals", "physical",
         "subscription", "kino", "marine", "cruise", "aircraft", "aviation", "fast", "hotel", "hotels", "cinema",
         "cinemas", "theatre", "theatres", "theaters", "video", "linear", "digital ownership", "film clubs", "coaches",
         "ferries", "oil rigs", "airline", "airlines", "retail video", "tv"}
TO_US = "about|contact|for|let|of|send|tell|to|with"  # before it, in a text all of capitals, US is no country
NO_CODES = {"TV", "AD", "PM", "CD"}  # in capitals they are more often something else
ASIAN = {name: (axis, key) for axis, key, names in (
    ("language", "yue", "粤语 粵語"), ("language", "cmn", "国语 國語 普通话 普通話"),
    ("language", "ja", "日语 日語 日本語"), ("language", "ko", "韩语 韓語 한국어"), ("language", "en", "英语 英語"),
    ("kind", "film", "电影 電影 映画 영화"),
    ("kind", "series", "剧集 劇集 电视剧 電視劇 剧 劇 ドラマ 드라마")) for name in names.split()}
KINDS = {"film": "film", "films": "film", "movie": "film", "movies": "film", "feature": "film", "features": "film",
         "feature films": "film", "tv series": "series", "drama series": "series", "series": "series",
         "tv shows": "series", "shows": "series", "specials": "special", "tv movie": "film", "tv movies": "film"}
FILLER = frozenset(re.findall(r"\S+", """
 a about after all also an and any are as at available be been both but by can could deal dear
 each either etc exclusively for from further get have has hello hi if i in including into is it its kindly know let
 licence licences license licensing like list looking may me media more must need needs no not of offer on one only
 contact or our package please period preferably rights send should slot slots some something starting start such term
 terms
 territories territory than thanks that the their them then there these this title titles to up us want wanted
 wanting we what which who will with within would year years you your interested budget per open regards acquire
 acquiring acquisition plus non-exclusive exclusive window language languages version versions until through ww onwards
 和 与 與 及 或 到 至 年 的 我们 我們 需要 寻找 尋找 权利 權利 の と と、 및""")) 
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_LEAVING_OUT = re.compile(r"\b(?:excl(?:uding|\.)?|except(?: for)?|without|minus|ex)(?=\s)", re.IGNORECASE)
_MONTH = rf"({'|'.join(MONTHS)})[a-z]*\.?"
_DAY = r"{}(?:st|nd|rd|th)?"
_DATE = re.compile(r"(?<![\dA-Za-z.])(?:(?P<iso>\d{4}-\d\d-\d\d)"
                   rf"|{_DAY.format(r'(?P<day>[0-9]{1,2})')} {_MONTH},? (?P<of>[0-9]{{4}})"
                   rf"|{_MONTH} (?:{_DAY.format(r'(?P<day2>[0-9]{1,2})')},? )?(?P<of2>[0-9]{{4}})"
                   r"|(?P<year>(?:19|20)\d\d)年?)(?!\d|-\d\d-)", re.IGNORECASE)
_LASTING = re.compile(rf"(?<![\w.])(\d{{1,2}}|{'|'.join(NUMBERS)})[ -]years?\b", re.IGNORECASE)
_EXCLUSIVE = re.compile(r"\b(non[- ]?)?exclusiv(?:e|ely|ity)\b|(?:(非)?(?:独家|獨家|独占))", re.IGNORECASE)
_ENDLESS = re.compile(r"\b(?:in )?perpetuity\b", re.IGNORECASE)
_VERSION = re.compile(r"(?P<use>dub|sub)(?:bed|titled|titles?|s)?\b", re.IGNORECASE)


@dataclass
class Brief:
    """What was read: words, filters and the fields of a line as `asking.line` has them; `assumed` says what the
    brief does not say and was filled in."""
    words: str = ""
    kind: list[str] = field(default_factory=list)
    language: list[str] = field(default_factory=list)
    country: list[str] = field(default_factory=list)
    year_from: int | None = None
    year_to: int | None = None
    territories: list[str] = field(default_factory=list)
    media: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    starts_on: date | None = None
    ends_on: date | None = None
    exclusive: bool = False
    assumed: list[str] = field(default_factory=list)

    @property
    def asks(self) -> bool:
        """Whether it asks for rights: where or what for is said."""
        return bool(self.territories or self.media)


class _Text:
    """The brief; what was read of it is blanked, so that nothing is read twice."""

    def __init__(self, text):
        self.whole = self.left = text

    def take(self, pattern):
        """The matches of a pattern, which are taken out."""
        found = list(re.finditer(pattern, self.left))
        for each in found:
            self.blank(*each.span())
        return found

    def blank(self, start, end):
        self.left = self.left[:start] + " " * (end - start) + self.left[end:]


def read(text: str, today: date) -> Brief:
    """Never raises: what cannot be read stays words."""
    if len(text) > LONGEST:
        text = text[:LONGEST].rsplit(None, 1)[0]
    brief, rest = Brief(), _Text(text)
    brief.exclusive = any(not (each[1] or each[2]) for each in rest.take(_EXCLUSIVE))
    endless = bool(rest.take(_ENDLESS))
    _dates(brief, rest, today, endless)
    leaving_out = [(each.start(), _clause(rest.left, each.end())) for each in _LEAVING_OUT.finditer(rest.left)]
    for start, end, axis, name in sorted(_names(rest.left)):
        if axis == "territories" and (country := _origin(rest.whole[:start], name)):
            brief.country.append(country)
        elif axis == "territories":
            out = any(begin <= start < stop for begin, stop in leaving_out)
            brief.territories.append(f"-{name}" if out else name)
        elif axis == "media":
            brief.media.append(name)
        elif axis == "kind":
            brief.kind.append(name)
        else:
            _language(brief, rest, name, end)
        rest.blank(start, end)
    for start, _ in leaving_out:
        rest.take(re.compile(rf"(?<!.{{{start + 1}}}){_LEAVING_OUT.pattern}", re.IGNORECASE | re.DOTALL))
    rest.take(_VERSION)
    for name in ("kind", "language", "country", "territories", "media", "languages"):
        setattr(brief, name, list(dict.fromkeys(getattr(brief, name))))
    brief.words = _words(rest.left)
    if brief.asks:
        _assume(brief, today, endless)
    return brief


def _clause(text, start):
    """Where the clause ends that begins here."""
    end = re.search(r"[.;\n)]", text[start:])
    return start + end.start() if end else len(text)


def _origin(before, name):
    """The country, where titles from there are meant and not rights there: "animation from Japan"."""
    countries = territories.countries(territories.read([name]))
    from_there = re.search(r"\b(?:from|made in|produced in) (?:[\w-]+(?:,| and| or) )*$", before, re.IGNORECASE)
    return countries[0][0] if from_there and len(countries) == 1 else None


# ------------------------------------------------------------------ names

def _vocabulary():
    """{name as people write it, folded: (axis, name as it is read)}, the later overruling the earlier."""
    found = {name: ("media", name) for name in media.KNOWN}
    found |= {name: ("language", code) for name, code in languages.KNOWN.items()}
    found |= {name: ("territories", name) for name in territories.KNOWN}
    return found | {name: ("kind", kind) for name, kind in KINDS.items()} | ASIAN


_NAMES = _vocabulary()
_MOST_WORDS = max(name.count(" ") + 1 for name in _NAMES)
_UNSPACED = sorted((name for name in _NAMES if re.match(r"[\u3040-\u9fff\uac00-\ud7a3]", name)), key=len, reverse=True)


def _names(text):
    """(start, end, axis, name) of each name in a text, the longest where several begin."""
    words = list(re.finditer(r"[^\W_]+(?:['’.-][^\W_]+)*|&", text))
    capitals = text.isupper()
    place = 0
    while place < len(words):
        for many in range(min(_MOST_WORDS, len(words) - place), 0, -1):
            start, end = words[place].start(), words[place + many - 1].end()
            if found := _named(text[start:end], text[:start], text[end:], capitals):
                yield start, end, *found
                place += many - 1
                break
        else:
            yield from _unspaced(words[place])
        place += 1


def _named(said, before, after, capitals):
    """(axis, name) of what is surely a name."""
    if not capitals and re.fullmatch(r"[A-Z]{2}(-[A-Z]{2,3})?", said) and said in territories.CODES.keys() - NO_CODES:
        return "territories", said
    words = normalised(said)
    axis, name = _NAMES.get(words, (None, None))
    if axis is None or re.search(r"[,;:\n]", said):
        return None
    if len(words) <= SHORT and words.isascii() and axis != "kind" and (
            not said.isupper() or capitals and re.search(rf"\b(?:{TO_US}) $", before, re.IGNORECASE)):
        return None
    if words in STORY and not re.match(r"\s+(?:rights|use)\b", after, re.IGNORECASE):
        return None
    return axis, name


def _unspaced(word):
    """Names inside a run of a script that writes without spaces."""
    said, taken = word.group(), 0
    while taken < len(said):
        name = next((each for each in _UNSPACED if said.startswith(each, taken)), None)
        if name:
            yield word.start() + taken, word.start() + taken + len(name), *_NAMES[name]
        taken += len(name or "x")


def _language(brief, rest, code, end):
    """A language is what a title was made in, or, beside a word for it, a version that is wanted."""
    after = re.match(r"[\s-]*(?:is )?" + _VERSION.pattern, rest.whole[end:], re.IGNORECASE)
    before = re.search(_VERSION.pattern + r" (?:in(?:to)?|version in) (?:[\w-]+(?:,| and| or) )*$",
                       rest.whole[:end - 1].rsplit(" ", 1)[0] + " ", re.IGNORECASE)
    if use := (after or before):
        brief.languages.append(f"{code}:{use['use'].lower()}")
        return
    parts = languages.PARENTS.get(code, {}).get("parts", {}).get("original", [])
    brief.language += [code, *parts]


# ------------------------------------------------------------------ dates

def _dates(brief, rest, today, endless):
    """Days and years to come are of the licence; years that are over are those in which titles were made."""
    said = []
    for each in _DATE.finditer(rest.left):
        try:
            said.append((each, *_day(each)))
        except ValueError:
            continue  # no such day
    made = [(each, first) for each, first, _ in said if first.year < today.year and each["year"]]
    coming = [each for each in said if each[1].year >= today.year]
    for each, *_ in [*made, *coming]:
        rest.blank(*each.span())
    if made:
        brief.year_from, brief.year_to = min(day.year for _, day in made), max(day.year for _, day in made)
    lasting = rest.take(_LASTING)
    if coming:
        alone = len(coming) == 1 and re.search(r"(?:until|till|to|through|by|before|end of)\s*(?:the )?$",
                                               rest.left[:coming[0][0].start()].rstrip() + " ", re.IGNORECASE)
        if not alone:
            brief.starts_on = coming[0][1]
        if alone or len(coming) > 1:
            brief.ends_on = coming[-1][2]
        elif coming[0][0]["year"] and not lasting and not re.search(
                r"(?:from|starting|since|as of)\s*$", rest.left[:coming[0][0].start()].rstrip() + " ", re.IGNORECASE):
            brief.ends_on = coming[0][2]  # "in 2027" is that year
    if lasting and brief.ends_on is None and not endless:
        number = lasting[0][1].lower()
        brief.starts_on = brief.starts_on or today
        years = NUMBERS.index(number) + 1 if number in NUMBERS else int(number)
        brief.ends_on = _after(brief.starts_on, years) if years else None


def _day(each):
    """(first, last) day of what was written."""
    if each["iso"]:
        day = date.fromisoformat(each["iso"])
        return day, day
    if each["year"]:
        return date(int(each["year"]), 1, 1), date(int(each["year"]), 12, 31)
    month = MONTHS.index(next(part for part in each.groups() if part and part.lower() in MONTHS).lower()) + 1
    if number := each["day"] or each["day2"]:
        day = date(int(each["of"] or each["of2"]), month, int(number))
        return day, day
    first = date(int(each["of2"]), month, 1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _after(day, years):
    """The last day of so many years that begin with a day."""
    try:
        return day.replace(year=day.year + years) - timedelta(days=1)
    except ValueError:  # 29 February
        return date(day.year + years, 2, 28)


def _assume(brief, today, endless):
    """Fill in what a line needs and the brief does not say; said, so that it can be corrected."""
    if not brief.territories:
        brief.territories = ["World"]
        brief.assumed.append("no territory is named: the world")
    elif all(name.startswith("-") for name in brief.territories):
        brief.territories.insert(0, "World")
    if not brief.media:
        brief.media = ["all"]
        brief.assumed.append("no media are named: all")
    if not brief.starts_on:
        brief.starts_on = today
        brief.assumed.append("no first day is named: from today")
    if not brief.ends_on and not endless:
        brief.ends_on = _after(brief.starts_on, YEARS)
        brief.assumed.append(f"no last day is named: {YEARS} years")
    brief.languages = brief.languages or ["*"]


def _words(text):
    """What is left and says something, as a search takes it."""
    words = [each for each in re.findall(r"[^\W_]+(?:['’.-][^\W_]+)*", text) if each.casefold() not in FILLER]
    words = [each for each in dict.fromkeys(words) if not each.isdigit() and (len(each) > 1 or not each.isascii())]
    said = " ".join(words[:grammar.MOST_WORDS - 2])
    return said[:grammar.LONGEST].rsplit(" ", 1)[0] if len(said) > grammar.LONGEST else said
