"""What changed between two versions of an offer, term by term."""
from dataclasses import replace

from core.money import figure
from licensing import terms, wording
from licensing.models import Version
from licensing.money.prices import Plan, Pricing
from licensing.terms import AXES

TERMS = {"territories": "Territories", "media": "Media", "languages": "Languages", "starts_on": "From",
         "ends_on": "To", "exclusivity": "Exclusivity", "runs": "Runs", "price": "Price", "pricing": "Kind of price",
         "instalments": "Instalments", "payment_days": "Days to pay", "withholding_tax": "Withholding tax"}


def between(before: Version | None, after: Version) -> list[dict]:
    """[{title_id, title, term, before, after}]: words for people; `before` is None for a line that is new, and a term
    of the whole offer names no title."""
    old, new = by_title(before), by_title(after)
    changes = []
    for title_id, place in dict.fromkeys((*old, *new)):
        was, now = old.get((title_id, place)), new.get((title_id, place))
        title = (now or was).title.original_title
        if was is None or now is None:
            if before:
                changes.append({"title_id": str(title_id), "title": title, "term": "title",
                                "before": was and title, "after": now and title})
            continue
        mine, theirs = said(was, after.offer.currency), said(now, after.offer.currency)
        changes += [{"title_id": str(title_id), "title": title, "term": term, "before": mine[term],
                     "after": theirs[term]} for term in mine if mine[term] != theirs[term]]
    if before:
        mine, theirs = payment(before), payment(after)
        changes += [{"title_id": None, "title": None, "term": term, "before": mine[term], "after": theirs[term]}
                    for term in mine if mine[term] != theirs[term]]
    return changes


def payment(version: Version) -> dict[str, str]:
    """Each term of when a version's price is paid, in words."""
    plan = Plan.of(version.payment)
    return {"instalments": ", ".join(plan.words(place, version.offer.currency) for place in range(len(plan.parts))),
            "payment_days": f"{plan.days} days", "withholding_tax": plan.withholding_tax or "nothing said"}


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
    return {**{axis: wording.named(row, axis) if axis in moved else module.label(getattr(row, axis))
               for axis, module in AXES.items()},
            "starts_on": wording.day(row.starts_on),
            "ends_on": wording.day(row.ends_on) if row.ends_on else "in perpetuity",
            "exclusivity": "exclusive" if row.exclusive else "non-exclusive",
            "runs": f"{line.runs:,}" if line.runs else "not limited",
            "price": figure(line.price, currency) if line.price is not None else "to be named",
            "pricing": Pricing.of(line.pricing).words(currency)}
