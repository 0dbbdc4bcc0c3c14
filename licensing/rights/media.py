"""Media: a tree whose leaves are what is licensed. Granting a parent grants the leaves that exist now."""
from functools import lru_cache

from licensing.rights.axes import Unreadable, bits, check_number, load, normalised, unknown

_data = load("media")
_NODES = {node["key"]: node for node in _data["nodes"]}
NUMBER = {key: node["number"] for key, node in _NODES.items() if "number" in node}
_CODE = {number: key for key, number in NUMBER.items()}
ALL = sum(1 << number for number in NUMBER.values())


def _below(key) -> int:
    if key in NUMBER:
        return 1 << NUMBER[key]
    mask = 0
    for child, node in _NODES.items():
        if node["parent"] == key:
            mask |= _below(child)
    return mask


MASKS = {key: _below(key) for key in _NODES}
PARENTS = {key: mask for key, mask in MASKS.items() if key not in NUMBER}
_AMBIGUOUS = {normalised(name): choices for name, choices in _data["ambiguous"].items()}
KNOWN: dict[str, int] = {"all": ALL}
for _key, _node in _NODES.items():
    for _name in (_key, _node["label"]):
        KNOWN.setdefault(normalised(_name), MASKS[_key])
for _key, _node in _NODES.items():
    for _name in _node["aliases"]:
        KNOWN.setdefault(normalised(_name), MASKS[_key])
_SUGGESTED = {normalised(name): key for key, node in _NODES.items()
              for name in (*node["aliases"], node["label"], key) if normalised(name) not in _AMBIGUOUS}


def read(names) -> int:
    """The set that names say: leaves, parents, "all", or what sheets call them. Raises Unreadable."""
    check_number(names, "medium")
    mask = 0
    for name in names:
        if name.strip()[:1] in ("-", "−"):
            raise Unreadable(f"Media are not excluded with a minus ({name[:80]!r}); name those that are meant.",
                             "unknown", name)
        words = normalised(name)
        if words in MASKS:
            mask |= MASKS[words]
        elif words in _AMBIGUOUS:
            choices = _AMBIGUOUS[words]
            choices = choices.get("candidates", []) if isinstance(choices, dict) else choices
            raise Unreadable(f"{name[:80]!r} can mean more than one medium: {', '.join(map(str, choices))}.",
                             "ambiguous", name, choices)
        elif words in KNOWN:
            mask |= KNOWN[words]
        else:
            raise unknown(name, "medium", _SUGGESTED)
    return mask


@lru_cache(maxsize=4096)
def _codes(mask):
    return tuple(sorted(_CODE[number] for number in bits(mask)))


def codes(mask: int) -> list[str]:
    """The leaves of a set, sorted."""
    return list(_codes(mask))


def short(mask: int) -> list[str]:
    """The shortest list of names: parents where all their leaves are in."""
    if mask == ALL:
        return ["all"]
    whole = [key for key, leaves in PARENTS.items() if leaves & ~mask == 0 and leaves.bit_count() > 1]
    for key in whole:
        mask &= ~PARENTS[key]
    return sorted([*whole, *_codes(mask)])


@lru_cache(maxsize=4096)
def label(mask: int) -> str:
    """A set in a few words: "SVOD, free TV", "all media"."""
    if mask == ALL:
        return "all media"
    keys, rest = [], mask
    for key, leaves in PARENTS.items():
        if leaves & ~rest == 0 and leaves.bit_count() > 1:
            keys.append(key)
            rest &= ~leaves
    keys += [key for key, number in NUMBER.items() if rest >> number & 1]
    order = list(_NODES)
    keys.sort(key=order.index)
    if len(keys) > 5:
        missing = [_NODES[key]["label"] for key, number in NUMBER.items() if not mask >> number & 1]
        return f"all media but {', '.join(missing)}" if len(missing) <= 3 else f"{mask.bit_count()} media"
    return ", ".join(_NODES[key]["label"] for key in keys)


def vocabulary() -> list[dict]:
    """The tree as plain data, for the API: key, label, parent, leaf or not."""
    return [{"key": key, "label": node["label"], "parent": node["parent"], "leaf": key in NUMBER,
             "definition": node["definition"]} for key, node in _NODES.items()]
