"""Rights in words: the sentences that pages, answers and refusals share."""
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from licensing.rights import languages, media, territories
from licensing.rights.availability import Code, Verdict
from licensing.rights.axes import Unreadable
from licensing.rights.views import Views

SLOTS = {"media": (media, "any"), "territories": (territories, "anywhere"), "languages": (languages, "all languages")}


def day(value: date) -> str:
    return f"{value.day} {value:%b %Y}"


def day_of(iso: str) -> str:
    """The same for an ISO date."""
    return day(date.fromisoformat(iso))


def window(starts_on: date, ends_on: date | None) -> str:
    """Both ends included: "1 Jan 2027–31 Dec 2029", "from 1 Jan 2027"."""
    return f"from {day(starts_on)}" if ends_on is None else f"{day(starts_on)}–{day(ends_on)}"


def parts(asked) -> list[str]:
    """Terms as [media, territories, languages, window, exclusivity]."""
    return [*(named(asked, axis) for axis in SLOTS), window(asked.starts_on, asked.ends_on),
            "exclusive" if asked.exclusive else "non-exclusive"]


def line(asked) -> str:
    """Terms in one line of words."""
    return " · ".join(parts(asked))


class Since(NamedTuple):
    """What names say today beside what they said when they were written: `also` came in, `gone` went out."""
    called: str
    also: int
    gone: int
    said: str


def since(asked) -> dict[str, Since]:
    """{axis: what became of its names} where names of a line mean something else today than the line does."""
    found = {axis: _since(axis, getattr(asked, axis), tuple(asked.written[axis]), asked.hereafter) for axis in SLOTS}
    return {axis: each for axis, each in found.items() if each}


@lru_cache(maxsize=4096)
def _since(axis, mask, names, hereafter) -> Since | None:
    module = SLOTS[axis][0]
    try:
        now = module.read(names)
    except Unreadable:
        return Since(f"{module.label(mask)}, written as {', '.join(names)},", 0, mask,
                     "today that is no name we can read")
    also, gone = now & ~mask, mask & ~now
    if not also and not gone:
        return None
    called = module.label(now, *([names] if axis == "territories" else []))
    whose, has = (f"today’s {called}", "has") if len(names) == 1 else ("today these names", "have")
    told = [f"no longer {has} {module.label(gone)}"] if gone else []
    if axis == "media" and hereafter:  # it grants what came later, and keeps what went: domain.md, "Media"
        told = [f"it also grants {module.label(also)}, which came later"] * bool(also) + [
            f"{whose} {each}" for each in told]
        return Since(called, also, gone, "; ".join(told))
    if also:
        told = [f"also {has} {module.label(also)}", *(f"no longer {module.label(gone)}" for _ in told)]
    return Since(called, also, gone, f"{whose} {', '.join(told)}")


def named(asked, axis: str) -> str:
    """One axis of terms in words. The names of a stored line are frozen with their leaves: where they mean something
    else today, both are said: "EU as of 1 Mar 2024 (today’s EU also has Croatia, no longer United Kingdom)"."""
    if moved := since(asked).get(axis):
        then = f"as of {day(asked.written_on)}" if asked.written_on else "as it was"
        return f"{moved.called} {then} ({moved.said})"
    return SLOTS[axis][0].label(getattr(asked, axis), *([asked.written[axis]] if axis == "territories" else []))


def block(each) -> str:
    return " · ".join((territories.label(each.territories), media.label(each.media),
                       languages.label(each.languages), window(*each.dates.window)))


def place(each) -> str:
    """What a block is of, but for its dates: "Taiwan, SVOD"."""
    tongues = [] if each.languages == languages.ALL else [languages.label(each.languages)]
    return ", ".join((territories.label(each.territories), media.label(each.media), *tongues))


def where(each) -> str:
    """A block inside a sentence: "Taiwan, SVOD, from 1 Jul 2028"."""
    return f"{place(each)}, {window(*each.dates.window)}"


def slots(typed) -> dict[str, str]:
    """A line as it was typed, slot by slot; what cannot be read stands as it was written."""
    said = {}
    for axis, (module, silent) in SLOTS.items():
        written = typed.get(axis) or []
        try:
            said[axis] = module.label(module.read(written), *([tuple(written)] if module is territories else []))
        except Unreadable:
            said[axis] = ", ".join(written) or silent
    try:
        ends_on = None if typed["ends_on"] is None else date.fromisoformat(typed["ends_on"])
        said["dates"] = window(date.fromisoformat(typed["starts_on"]), ends_on)
    except (KeyError, TypeError, ValueError):
        said["dates"] = "any time"
    said["exclusive"] = "exclusive" if typed.get("exclusive") in (True, "true") else "non-exclusive"
    return said


def facet(kind: str, code: str) -> str:
    """What a country, a language or a kind is called."""
    if kind == "country":
        return territories.name(code) if code in territories.NUMBER or code in territories.PARENTS else code
    return languages.name(code) if kind == "language" else code.capitalize()


SAID = {
    "NO_RIGHTS_IN": "Not this seller's to license",
    "NO_EXCLUSIVE_RIGHTS_IN": "This seller's own rights are not exclusive",
    "RIGHTS_OUT": "Licensed",
    "HOLDBACK": "Held back",
    "RUNS_EXHAUSTED": "No runs are left",
    "LIMITED_BY_CHILDREN": "Not free on every part of it",
    "IN_PAST": "Lies in the past",
    "HELD": "Held for a buyer",
    "SOFT_HOLDBACK": "A soft holdback asks to wait",
    "ENCUMBERED": "Somebody has the first word",
    "TENTATIVE": "Waits for a date that is not announced yet",
}
OPTIONS = {"first_negotiation": "the first negotiation", "first_refusal": "the first refusal",
           "last_refusal": "the last refusal"}
ORDINALS = ("First", "Second", "Third", "Fourth", "Fifth")


MARKS = {"R": "first word", "S": "soft holdback", "T": "tentative date"}


def rank(number: int) -> str:
    """Which hold it is."""
    return f"{ORDINALS[number - 1] if number <= len(ORDINALS) else f'{number}th'} hold"


def _said(each, known) -> str:
    """The beginning of a reason; `known` is what stands behind it, for the seller."""
    if deal := known.get("deal"):
        return f"Licensed {'exclusively' if deal['exclusive'] else 'non-exclusively'} to {deal['licensee']}"
    if (holdback := known.get("holdback")) and holdback["licensee"]:
        return f"Held back from {holdback['licensee']}"
    if hold := known.get("hold"):
        return f"{rank(hold['rank'])} for {hold['organisation']}, until {day_of(hold['expires_at'][:10])}"
    if option := known.get("option"):
        return (f"{option['organisation']} has {OPTIONS[option['kind']]}, to be answered until "
                f"{day_of(option['deadline'])}")
    return SAID[str(each.code)]


def reason(each, known=None) -> str:
    """Why some of it is not free, where and when; to whom only when that is `known` (to the seller)."""
    said = _said(each, known or {}) + (" (tentative)" if each.tentative and each.code != Code.TENTATIVE else "")
    if each.code == Code.ENCUMBERED:
        return (f"{said}: {territories.label(_union(each.blocks, 'territories'))}, "
                f"{media.label(_union(each.blocks, 'media'))}.")
    where = territories.label(_union(each.blocks, "territories"))
    what = media.label(_union(each.blocks, "media"))
    starts = min(b.dates.window[0] for b in each.blocks)
    ends = [b.dates.window[1] for b in each.blocks]
    return f"{said}: {where}, {what}, {window(starts, None if None in ends else max(ends))}."


def _union(blocks, axis):
    mask = 0
    for each in blocks:
        mask |= getattr(each, axis)
    return mask


def exception(answer, asked) -> str:
    """What is free of what was asked, the exception first: never a bare yes or no.

    Countries that are free throughout are named together; the others with the days from or until which
    they are free; those of which nothing is free are left out of the sentence, or named as not free.
    """
    if answer.verdict == Verdict.AVAILABLE:
        return "All of it, the whole window."
    if answer.verdict == Verdict.UNAVAILABLE:
        return "Nothing of it is free."
    throughout, partly, none, countries = [], {}, [], territories.countries(answer.request.block.territories)
    for code, part in countries:
        mine, whole = _free_in(answer, part)
        if whole:
            throughout.append(code)
        elif mine:
            partly.setdefault(_when(mine, answer.request.block), []).append(code)
        else:
            none.append(code)
    parts = []
    if throughout:
        parts.append(f"{_named(throughout, len(countries))}: the whole window")
    parts += [f"{_named(codes, len(countries))}: {words}" for words, codes in list(partly.items())[:3]]
    if len(partly) > 3:
        parts.append("others in part")
    if none:
        parts.append(f"{_named(none, len(countries))}: not free")
    return "; ".join(parts) + "."


def strip(answer) -> list[dict]:
    """One cell for each country asked: {code, name, state, word}, as the drawings of the same answer have it."""
    asked = answer.request.block
    views = Views(answer, asked)
    return [{"code": code, "name": territories.name(code), "state": cell.state, "word": states(cell)}
            for code, part in territories.countries(asked.territories) for cell in [views.cell(part, asked.media)]]


STATES = {"free": "free", "part": "free in part", "shared": "only non-exclusively", "sold": "licensed",
          "back": "held back", "children": "not free on every part of it", "none": "not this seller's", "past": "past"}
KEYS = {"free": "Free", "part": "Free in part", "shared": "Only non-exclusively", "sold": "Licensed",
        "back": "Held back", "none": "Not this seller's", "past": "Past"}
CLAUSES = 3  # said of a box that changes often
COLUMNS = {"theatrical": "Theatr.", "non_theatrical": "Non-th.", "public_video": "Public", "airline": "Airline",
           "ship": "Ship", "hotel": "Hotel", "train": "Train", "educational": "Educ.", "rental": "Rental",
           "sell_through": "Sell-th.", "pay_tv": "Pay TV", "free_tv": "Free TV"}  # over a narrow column of the grid


def states(cell) -> str:
    """What becomes of a box in the asked window: "licensed to 31 Dec 2028, then free"."""
    return spans(cell.spans) or STATES[cell.state]


def spans(some) -> str:
    """Spans one after the other; of an end that the answer does not know nothing is said."""
    said = []
    for place, each in enumerate(some):
        last = each.open or each.ends_on is None or each.state == "free" and place == len(some) - 1
        said.append(STATES[each.state] + ("" if last else f" to {day(each.ends_on)}"))
    if len(said) > CLAUSES + 1:
        said[CLAUSES:] = [f"{len(said) - CLAUSES} changes more"]
    return ", then ".join(said)


def why(each, box, known=None) -> str:
    """A reason in few words, as far as it touches a box: what it says, then where, in which media and languages,
    and when, if not in all of it."""
    met = [block & box for block in each.blocks if block.meets(box)]
    where, what, tongues = (_union(met, axis) for axis in ("territories", "media", "languages"))
    parts = [territories.label(where) if where != box.territories else "",
             media.label(what) if what != box.media else "",
             languages.label(tongues) if tongues != box.languages else "",
             *({window(*block.dates.window) for block in met if block.dates != box.dates} if len(met) == 1 else ())]
    said = ", ".join(part for part in parts if part)
    return _said(each, known or {}) + (f": {said}" if said else "")


def _named(codes, of) -> str:
    if len(codes) <= 3:
        return ", ".join(territories.name(code) for code in codes)
    return f"{len(codes)} of {of} territories"


def _free_in(answer, part):
    """(free blocks that touch a part of the territories, whether all of the part is free throughout)."""
    mine = [block for block in answer.free if block.territories & part]
    wanted = answer.request.block
    whole = sum((block.territories & part).bit_count() for block in mine
                if (block.media, block.languages, block.dates) == (wanted.media, wanted.languages, wanted.dates))
    return mine, whole == part.bit_count()


def _when(blocks, wanted) -> str:
    """When a part is free: in full from or until a day, or only in part."""
    starts_on = min(block.dates.window[0] for block in blocks)
    ends = [block.dates.window[1] for block in blocks]
    ends_on = None if None in ends else max(ends)
    asked_from, asked_to = wanted.dates.window
    late, early = starts_on > asked_from, ends_on is not None and (asked_to is None or ends_on < asked_to)
    when = (window(starts_on, ends_on) if late and early else f"from {day(starts_on)}" if late
            else f"until {day(ends_on)}" if early else "")
    whole = len(blocks) == 1 and (blocks[0].media, blocks[0].languages) == (wanted.media, wanted.languages)
    return when if whole and when else f"in part {when}".strip()


def alternative(kind, line, asked) -> str:
    """What to change to get a yes."""
    kind = str(kind)
    if kind == "without_territories":
        dropped = asked.territories & ~line.territories
        return f"Without {territories.label(dropped)}: {territories.label(line.territories)}"
    if kind == "without_media":
        return f"Without {media.label(asked.media & ~line.media)}"
    if kind == "later_start":
        return f"From {day(line.starts_on)}"
    if kind == "earlier_end":
        return f"Until {day(line.ends_on)}"
    if kind == "fewer_languages":
        return f"In {languages.label(line.languages)} only"
    return "Non-exclusively"


def audience(title) -> str:
    """Who sees a title, in a sentence for its seller; its audience was read (`titles.told`)."""
    names = title.audience["names"]
    if title.status != "published":
        return "Only your organisation sees it."
    if title.audience["kind"] == "public":
        return "Everyone sees it."
    if title.audience["kind"] == "market":
        return f"Who takes part in {names[0]} sees it."
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    said = ", ".join(names[:3]) + more if more else " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    return f"{said} see{'s' if len(names) == 1 else ''} it, beside your organisation."
