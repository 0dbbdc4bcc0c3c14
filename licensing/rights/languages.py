"""Languages and their uses: a leaf is a language as original, dubbed or subtitled.

"*" is every language in every use, listed or not, now or later: all listed leaves and one bit more, which
stands for the languages that are not listed. So "*" meets everything, and only "*" covers "*".
"""
from functools import lru_cache

from licensing.rights.axes import Unreadable, bits, check_number, load, unknown

USES = ("original", "dub", "sub")
_WORD = {"original": "original", "dub": "dubbed", "sub": "subtitled"}
_data = load("languages")
_LANGUAGES = {each["code"]: each for each in _data["languages"]}
NUMBER = {f"{code}:{use}": each["first"] + place for code, each in _LANGUAGES.items()
          for place, use in enumerate(each["uses"])}
_CODE = {number: code for code, number in NUMBER.items()}
UNLISTED = 1  # number 0 is no leaf: it stands for what is not listed
LISTED = sum(1 << number for number in NUMBER.values())
ALL = LISTED | UNLISTED
PARENTS = _data["parents"]
_BY_LOWER = {code.lower(): code for code in (*_LANGUAGES, *PARENTS)}
_ALIASES = {alias.lower(): code for alias, code in _data["aliases"].items()}


def _of(code, use) -> int:
    """The leaves of one language in one use; of a split language, of all its parts."""
    if code in PARENTS:
        mask = 0
        for part in PARENTS[code]["parts"].get(use, ()):
            mask |= _of(part, use)
        return mask
    number = NUMBER.get(f"{code}:{use}")
    return 0 if number is None else 1 << number


MASKS = {(code, use): _of(code, use) for code in (*_LANGUAGES, *PARENTS) for use in USES}
WHOLE = {code: MASKS[code, "original"] | MASKS[code, "dub"] | MASKS[code, "sub"] for code in (*_LANGUAGES, *PARENTS)}
_NAMES = {**{code: each["name"] for code, each in _LANGUAGES.items()},
          **{code: each["name"] for code, each in PARENTS.items()}}
KNOWN = {name.casefold(): code for code, name in _NAMES.items()}
_SUGGESTED = {**{code.lower(): code for code in _NAMES}, **{name.casefold(): code for name, code in KNOWN.items()}}


def read(names) -> int:
    """The set that names say: "*", "fr" (any use), "fr:dub", "zh-Hant:sub". Raises Unreadable."""
    check_number(names, "language")
    mask = 0
    for name in names:
        if name.strip() == "*":
            mask |= ALL
            continue
        tag, _, use = name.strip().partition(":")
        use = use.lower()
        code = _BY_LOWER.get(tag.lower()) or _ALIASES.get(tag.lower()) or KNOWN.get(tag.casefold())
        if code is None:
            raise unknown(tag, "language", _SUGGESTED)
        if use and use not in USES:
            raise Unreadable(f"{use[:40]!r} is no use of a language; write {code}:original, {code}:dub or {code}:sub.",
                             "unknown", name, [f"{code}:{each}" for each in USES if MASKS[code, each]])
        found = MASKS[code, use] if use else WHOLE[code]
        if not found:
            uses = [each for each in USES if MASKS[code, each]]
            raise Unreadable(f"{_NAMES[code]} is not licensed as {_WORD[use]}; write {code}:{uses[0]}.",
                             "unknown", name, [f"{code}:{each}" for each in uses])
        mask |= found
    return mask


@lru_cache(maxsize=4096)
def _codes(mask):
    return tuple(sorted(_CODE[number] for number in bits(mask & LISTED)))


def codes(mask: int) -> list[str]:
    """["*"] for everything; else the listed leaves, sorted."""
    return ["*"] if mask == ALL else list(_codes(mask))


def count(mask: int) -> int:
    """How many listed leaves a set has: what coverage counts."""
    return (mask & LISTED).bit_count()


def short(mask: int) -> list[str]:
    """The shortest list of names: whole languages, then single uses."""
    if mask == ALL:
        return ["*"]
    rest, names = mask & LISTED, []
    for code in (*PARENTS, *_LANGUAGES):
        if WHOLE[code] & ~rest == 0 and rest:
            names.append(code)
            rest &= ~WHOLE[code]
    for code in PARENTS:
        for use in USES:
            if MASKS[code, use] & ~rest == 0 and rest & MASKS[code, use]:
                names.append(f"{code}:{use}")
                rest &= ~MASKS[code, use]
    return sorted([*names, *_codes(rest)])


@lru_cache(maxsize=4096)
def label(mask: int) -> str:
    """A set in a few words: "all languages", "French", "French dubbed, Cantonese"."""
    if mask == ALL:
        return "all languages"
    missing = ALL & ~mask
    if missing.bit_count() <= mask.bit_count() and missing & LISTED == missing:
        return f"all languages but {_named(short(missing), 4)}"
    return _named(short(mask), 6)


def _named(names, most):
    if len(names) > most:
        return f"{len({each.partition(':')[0] for each in names})} languages"
    return ", ".join(f"{_NAMES[code]} {_WORD[use]}" if use else _NAMES[code]
                     for code, _, use in (each.partition(":") for each in names))


def name(code: str) -> str:
    """What a language tag is called in English; the tag itself where it is not listed."""
    return _NAMES.get(_BY_LOWER.get(code.lower(), code), code)


def vocabulary() -> list[dict]:
    """Languages as plain data, for the API: code, name, uses; split languages with their parts."""
    return [{"code": code, "name": each["name"], "uses": each["uses"]} for code, each in _LANGUAGES.items()] + [
        {"code": code, "name": each["name"], "uses": list(USES), "parts": each["parts"]}
        for code, each in PARENTS.items()]
