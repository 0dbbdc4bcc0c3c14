"""Territories: 256 leaves, split countries, named groups and the names people use for them.

The facts are in data/territories.json; how a name is read is its territories.md: codes first, as written,
then the normalised name. A split country has no cells of its own.
"""
from functools import lru_cache

from licensing.rights.axes import Unreadable, bits, check_number, load, normalised, unknown

_data = load("territories")
NUMBER = {leaf["code"]: leaf["number"] for leaf in _data["leaves"]}
_CODE = {number: code for code, number in NUMBER.items()}
_NAME = {each["code"]: each["name"] for each in _data["leaves"] + _data["parents"]}
ALL = sum(1 << number for number in NUMBER.values())


def _mask(codes) -> int:
    mask = 0
    for code in codes:
        mask |= 1 << NUMBER[code]
    return mask


PARENTS = {parent["code"]: _mask(parent["parts"]) for parent in _data["parents"]}
GROUPS = {group["key"]: _mask(group["members"]) for group in _data["groups"]}
GROUP_LABEL = {group["key"]: group["label"] for group in _data["groups"]}
CODES = {**{code: 1 << number for code, number in NUMBER.items()}, **PARENTS,
            **{each["alpha3"]: 1 << NUMBER[each["code"]] for each in _data["leaves"] if each.get("alpha3")},
            **{each["alpha3"]: PARENTS[each["code"]] for each in _data["parents"] if each.get("alpha3")}}
KNOWN: dict[str, tuple[int, str]] = {}  # normalised name → (set, what to call it)
for _code, _named in _NAME.items():
    KNOWN[normalised(_named)] = (CODES[_code], _named)
for _alias, _code in _data["aliases"].items():
    KNOWN.setdefault(_alias, (CODES[_code], _NAME[_code]))
for _group in _data["groups"]:
    for _name in (_group["key"], _group["label"], *_group.get("aliases", ())):
        KNOWN.setdefault(normalised(_name), (GROUPS[_group["key"]], _group["label"]))
for _name in _data["ambiguous"]:
    KNOWN.pop(_name, None)
_SUGGESTED = {**{normalised(_NAME[code]): code for code in _NAME}, **{
    alias: code for alias, code in _data["aliases"].items()}, **{
    normalised(name): group["key"] for group in _data["groups"]
    for name in (group["key"], group["label"], *group.get("aliases", ()))}}
# Which groups stand for a set in a label: large ones first; of equal sets the one named first in the data.
_BY_SIZE = sorted(GROUPS.items(), key=lambda item: -item[1].bit_count())
SHOWN = 4  # names in a label before it counts instead


@lru_cache(maxsize=4096)
def resolve(name: str) -> tuple[int, str]:
    """(set, what to call it) of one name. Raises Unreadable, with the choices, for what means nothing or too much."""
    code = name.strip().upper()
    if code in CODES:
        found = CODES[code]
        return found, _NAME.get(code) or label(found)
    words = normalised(name)
    if words in _data["ambiguous"]:
        choices = _data["ambiguous"][words]
        said = ", ".join(f"{GROUP_LABEL.get(each) or _NAME.get(each, each)} ({each})" for each in choices)
        raise Unreadable(f"{name[:80]!r} can mean more than one thing: {said}. Write the code you mean.",
                         "ambiguous", name, choices)
    if words in KNOWN:
        return KNOWN[words]
    if words in _data["part_of"]:
        whole = _data["part_of"][words]
        raise Unreadable(f"{name[:80]!r} is sold as a part of {_NAME[whole]}; write {whole} to take all of it.",
                         "unknown", name, [whole])
    raise unknown(name, "territory", _SUGGESTED)


def read(names) -> int:
    """The set that names say: "World", "-US", "-CA" is World without the two, in any order.

    Raises Unreadable for an empty list, an unknown or ambiguous name, and where nothing is left.
    """
    check_number(names, "territory")
    granted = excluded = 0
    for name in names:
        bare = name.strip()
        if bare[:1] in ("-", "−"):
            excluded |= resolve(bare[1:])[0]
        else:
            granted |= resolve(bare)[0]
    if not granted & ~excluded:
        raise Unreadable("Nothing is left: everything named is excluded again, or only exclusions are named.", "empty")
    return granted & ~excluded


@lru_cache(maxsize=4096)
def _codes(mask: int) -> tuple[str, ...]:
    return tuple(sorted(_CODE[number] for number in bits(mask)))


def codes(mask: int) -> list[str]:
    """The leaves of a set, sorted."""
    return list(_codes(mask))


def short(mask: int) -> list[str]:
    """The shortest list of codes for a set: World less a few, or leaves with split countries made whole."""
    if mask == ALL:
        return ["World"]
    if (ALL & ~mask).bit_count() <= 12:
        return ["World", *(f"-{code}" for code in _whole_countries(ALL & ~mask))]
    return _whole_countries(mask)


def _whole_countries(mask):
    whole = [code for code, parts in PARENTS.items() if parts & ~mask == 0]
    for code in whole:
        mask &= ~PARENTS[code]
    return sorted([*whole, *_codes(mask)])


def countries(mask: int) -> list[tuple[str, int]]:
    """(code, its part of the set) for each country in a set, a split country once, sorted by code."""
    split = {code: parts & mask for code, parts in PARENTS.items() if parts & mask}
    for parts in split.values():
        mask &= ~parts
    return sorted([*split.items(), *((code, 1 << NUMBER[code]) for code in _codes(mask))])


def name(code: str) -> str:
    """What a leaf or a split country is called."""
    return _NAME[code]


def label(mask: int, written=None) -> str:
    """A set in a few words. `written`, the names it was given as, is used where it still means this set."""
    if written:
        try:
            if read(list(written)) == mask and len(written) <= 8:
                return _as_written(written)
        except Unreadable:
            pass  # a name that was redefined since: say what is in the set
    return _label(mask)


def _as_written(written):
    plain = [resolve(each)[1] for each in written if each.strip()[:1] not in ("-", "−")]
    without = [resolve(each.strip()[1:])[1] for each in written if each.strip()[:1] in ("-", "−")]
    return " + ".join(dict.fromkeys(plain)) + (f" excl. {', '.join(dict.fromkeys(without))}" if without else "")


@lru_cache(maxsize=4096)
def _label(mask):
    if mask == ALL:
        return "World"
    names = [_NAME[code] for code in _whole_countries(mask)]
    if len(names) <= SHOWN:
        return " + ".join(names)
    for key, members in _BY_SIZE:
        if members == mask:
            return GROUP_LABEL[key]
    missing = _whole_countries(ALL & ~mask)
    if len(missing) <= 5:
        return f"World excl. {', '.join(_NAME[code] for code in missing)}"
    parts, rest = [], mask
    for key, members in _BY_SIZE:
        if members & ~rest == 0 and members.bit_count() > 2:
            parts.append(GROUP_LABEL[key])
            rest &= ~members
    parts += [_NAME[code] for code in _whole_countries(rest)]
    return " + ".join(parts) if len(parts) <= SHOWN else f"{len(_whole_countries(mask))} territories"


def vocabulary() -> dict:
    """Leaves, split countries and groups as plain data, for the API."""
    return {"territories": [{"code": code, "name": _NAME[code]} for code in NUMBER],
            "split_countries": [{"code": code, "name": _NAME[code], "parts": codes(parts)}
                                for code, parts in PARENTS.items()],
            "groups": [{"key": key, "label": GROUP_LABEL[key], "leaves": codes(members)}
                       for key, members in GROUPS.items()]}
