"""Rights in words: the sentences that pages, answers and refusals share."""
from datetime import date

from licensing.rights import languages, media, territories
from licensing.rights.availability import Verdict


def day(value: date) -> str:
    return f"{value.day} {value:%b %Y}"


def window(starts_on: date, ends_on: date | None) -> str:
    """Both ends included: "1 Jan 2027–31 Dec 2029", "from 1 Jan 2027"."""
    return f"from {day(starts_on)}" if ends_on is None else f"{day(starts_on)}–{day(ends_on)}"


def line(asked) -> str:
    """Terms as one sentence part: media, territories, languages, window, exclusivity."""
    return " · ".join((media.label(asked.media), territories.label(asked.territories, asked.written["territories"]),
                       languages.label(asked.languages), window(asked.starts_on, asked.ends_on),
                       "exclusive" if asked.exclusive else "non-exclusive"))


def block(each) -> str:
    return " · ".join((territories.label(each.territories), media.label(each.media),
                       languages.label(each.languages), window(*each.dates.window)))


SAID = {
    "NO_RIGHTS_IN": "Not this seller's to license",
    "NO_EXCLUSIVE_RIGHTS_IN": "This seller's own rights are not exclusive",
    "RIGHTS_OUT": "Licensed",
    "IN_PAST": "Lies in the past",
}


def reason(each, deal=None) -> str:
    """Why some of it is not free, where and when; to whom only when `deal` is given (to the seller)."""
    said = SAID[str(each.code)]
    if deal:
        said = f"Licensed {'exclusively' if deal['exclusive'] else 'non-exclusively'} to {deal['licensee']}"
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

    Territory by territory, those that are free throughout are named together; the others with the day
    from which (or until which) they are free, or with nothing where nothing of them is.
    """
    if answer.verdict == Verdict.AVAILABLE:
        return "All of it, the whole window."
    if answer.verdict == Verdict.UNAVAILABLE:
        return "Nothing of it is free."
    wanted = answer.request.block
    throughout, partly = 0, {}
    asked_codes = territories.codes(wanted.territories)
    for code in asked_codes:
        bit = territories.read([code])
        mine = [b for b in answer.free if b.territories & bit]
        whole = _covers(mine, wanted)
        if whole:
            throughout |= bit
        elif mine:
            starts_on, ends_on = mine[0].dates.window[0], mine[-1].dates.window[1]
            narrow = (_union(mine, "media") != wanted.media or _union(mine, "languages") != wanted.languages
                      or len(mine) > 1)
            when = _when(starts_on, ends_on, *wanted.dates.window)
            words = "in part" if not when else f"in part {when}" if narrow else when
            partly[words] = partly.get(words, 0) | bit
    parts = []
    if throughout:
        count = bin(throughout).count("1")
        parts.append(f"{territories.label(throughout)}: the whole window" if count <= 3
                     else f"{count} of {len(asked_codes)} territories: the whole window")
    parts += [f"{territories.label(mask)} {words}" for words, mask in list(partly.items())[:3]]
    if len(partly) > 3:
        parts.append("others in part")
    return "; ".join(parts) + "."


def _covers(blocks, wanted) -> bool:
    return len(blocks) == 1 and (blocks[0].media, blocks[0].languages, blocks[0].dates) == (
        wanted.media, wanted.languages, wanted.dates)


def _when(starts_on, ends_on, asked_from, asked_to) -> str:
    late, early = starts_on > asked_from, ends_on is not None and (asked_to is None or ends_on < asked_to)
    if late and early:
        return window(starts_on, ends_on)
    if late:
        return f"from {day(starts_on)}"
    return f"until {day(ends_on)}" if early else ""


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
