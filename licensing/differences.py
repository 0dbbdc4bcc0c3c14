"""What changed between two versions of an offer, term by term."""
import re
from dataclasses import replace
from datetime import date, timedelta

from core.errors import Invalid
from core.money import figure, words
from licensing import terms, wording
from licensing.models import Offer, OfferLine, Version
from licensing.money.prices import Plan, Pricing
from licensing.rights import territories
from licensing.terms import AXES

TERMS = {"territories": "Territories", "media": "Media", "languages": "Languages", "starts_on": "From",
         "ends_on": "To", "exclusivity": "Exclusivity", "hereafter": "Later media", "future": "Later episodes",
         "runs": "Runs", "starts_tba": "Start waits for", "ends_tba": "End waits for", "price": "Price",
         "pricing": "Kind of price", "title": "Title", "instalments": "Instalments", "payment_days": "Days to pay",
         "withholding_tax": "Withholding tax", "valid_until": "Valid until"}


def between(before: Version | None, after: Version) -> list[dict]:
    """[{title_id, title, term, before, after, delta}]: words for people. `before` is None for a line that is new, a
    term of the whole offer names no title, and `delta` says the change alone: "− Switzerland", "+ 6 months",
    "USD 40,000 → 46,000"."""
    old, new = by_title(before), by_title(after)
    changes = []
    for title_id, place in dict.fromkeys((*old, *new)):
        was, now = old.get((title_id, place)), new.get((title_id, place))
        title = (now or was).title.original_title
        if was is None or now is None:
            if before:
                changes.append({"title_id": str(title_id), "title": title, "term": "title",
                                "before": was and title, "after": now and title,
                                "delta": f"+ {title}" if now else f"− {title}"})
            continue
        mine, theirs = said(was, after.offer.currency), said(now, after.offer.currency)
        changes += [{"title_id": str(title_id), "title": title, "term": term, "before": mine.get(term),
                     "after": theirs.get(term), "delta": _delta(term, was, now, mine, theirs, after.offer.currency)}
                    for term in TERMS if mine.get(term) != theirs.get(term)]
    if before:
        mine, theirs = ({**payment(version), "valid_until": _validity(version)} for version in (before, after))
        changes += [{"title_id": None, "title": None, "term": term, "before": mine[term], "after": theirs[term],
                     "delta": f"{mine[term]} → {theirs[term]}"} for term in mine if mine[term] != theirs[term]]
    return changes


def payment(version: Version) -> dict[str, str]:
    """Each term of when a version's price is paid, in words."""
    plan = Plan.of(version.payment)
    return {"instalments": ", ".join(plan.words(place, version.offer.currency) for place in range(len(plan.parts))),
            "payment_days": f"{plan.days} days", "withholding_tax": plan.withholding_tax or "nothing said"}


def _validity(version) -> str:
    return wording.day(version.valid_until) if version.valid_until else "no last day"


def asked(offer: Offer, before: int, after: int) -> list[dict]:
    """The difference between any two versions, by their numbers. Raises Invalid where there is none of a number."""
    known = {version.number: version for version in offer.versions}
    for name, number in (("from", before), ("to", after)):
        if number not in known:
            raise Invalid({name: [f"This offer has the versions 1 to {offer.number}."]})
    return between(known[before], known[after])


# ------------------------------------------------------------------ one term

def _delta(term, was: OfferLine, now: OfferLine, mine, theirs, currency) -> str:
    if term in AXES:
        before, after = (getattr(terms.of_row(line), term) for line in (was, now))
        parts = [f"{sign} {_listed(term, mask)}" for sign, mask in (("−", before & ~after), ("+", after & ~before))
                 if mask]
        return ", ".join(parts) or f"{mine[term]} → {theirs[term]}"  # the same leaves, by names that were redefined
    if term == "ends_on":
        return _longer(was.ends_on, now.ends_on)
    if term == "starts_on":
        span = _span(*sorted((was.starts_on, now.starts_on)))
        return f"{span} {'later' if now.starts_on > was.starts_on else 'earlier'}"
    if term == "price" and was.price is not None and now.price is not None:
        return f"{words(was.price, currency)} → {figure(now.price, currency)}"
    if term == "price" and was.price is None:
        return f"to be named → {words(now.price, currency)}"
    return f"{mine.get(term, 'none')} → {theirs.get(term, 'none')}"


def _listed(axis, mask) -> str:
    """A set in words that names all of it: who agrees to a change wants no number of countries."""
    module = AXES[axis]
    label = module.label(mask)
    if not re.search(r"\d (territories|media|languages)$", label):
        return label
    if module is territories:
        return ", ".join(territories.name(code) for code, _ in territories.countries(mask))
    return ", ".join(module.label(module.read([name])) for name in module.short(mask))


def _longer(was: date | None, now: date | None) -> str:
    """How an end moved: "+ 6 months", "− 1 year"."""
    if was is None or now is None:
        return f"{wording.day(was)} → in perpetuity" if was else f"in perpetuity → {wording.day(now)}"
    first, last = sorted((was + timedelta(days=1), now + timedelta(days=1)))  # whole months end before a first day
    return f"{'+' if now > was else '−'} {_span(first, last)}"


def _span(first: date, last: date) -> str:
    """The time between two days: in years and months where it is whole ones, else in days."""
    months = 12 * (last.year - first.year) + last.month - first.month
    if first.day != last.day or not months:
        return _count((last - first).days, "day")
    return " ".join(_count(number, word) for number, word in ((months // 12, "year"), (months % 12, "month")) if number)


def _count(number, word) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def by_title(version: Version | None) -> dict:
    """The lines of a version by (title id, which of the title's lines): a title may stand on several."""
    found = {}
    for line in version.lines if version else ():
        found[line.title_id, sum(title_id == line.title_id for title_id, _ in found)] = line
    return found


def said(line, currency: str) -> dict[str, str]:
    """Each term of an offer's line in words; nothing for a line that is not there."""
    if line is None:
        return {}
    row = replace(terms.of_row(line), written_on=None)  # the same terms read the same in every version
    moved = wording.since(row)
    more = {"hereafter": "included" if row.hereafter else None, "future": "included" if row.future else None,
            **{f"{end}_tba": _awaited(each) for end, each in (row.tba or {}).items()}}
    return {**{axis: wording.named(row, axis) if axis in moved else module.label(getattr(row, axis))
               for axis, module in AXES.items()},
            "starts_on": wording.day(row.starts_on),
            "ends_on": wording.day(row.ends_on) if row.ends_on else "in perpetuity",
            "exclusivity": "exclusive" if row.exclusive else "non-exclusive",
            "runs": f"{line.runs:,}" if line.runs else "not limited",
            **{term: each for term, each in more.items() if each},
            "price": figure(line.price, currency) if line.price is not None else "to be named",
            "pricing": Pricing.of(line.pricing).words(currency)}


def _awaited(tba) -> str:
    """An event whose date is to be announced: "release + 30 days, between 1 Jan 2027 and 1 Jan 2028"."""
    days = tba["lag_days"]
    lag = f" {'+' if days > 0 else '−'} {_count(abs(days), 'day')}" if days else ""
    return (f"{tba['event']}{lag}, between {wording.day_of(tba['not_before'])} and "
            f"{wording.day_of(tba['not_after'])}")
