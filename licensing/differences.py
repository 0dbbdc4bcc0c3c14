"""What changed between two versions of an offer, term by term."""
from licensing import terms, wording
from licensing.models import Version
from licensing.rights import languages, media, territories

AXES = {"territories": territories, "media": media, "languages": languages}


def between(before: Version | None, after: Version) -> list[dict]:
    """[{title_id, title, term, before, after}]: words for people; `before` is None for a line that is new."""
    old = {line.title_id: line for line in before.lines} if before else {}
    new = {line.title_id: line for line in after.lines}
    changes = []
    for title_id in dict.fromkeys((*old, *new)):
        was, now = old.get(title_id), new.get(title_id)
        title = (now or was).title.original_title
        if was is None or now is None:
            if before:
                changes.append({"title_id": str(title_id), "title": title, "term": "title",
                                "before": was and title, "after": now and title})
            continue
        mine, theirs = _said(was), _said(now)
        changes += [{"title_id": str(title_id), "title": title, "term": term, "before": mine[term],
                     "after": theirs[term]} for term in mine if mine[term] != theirs[term]]
    return changes


def _said(line):
    said = terms.of_row(line)
    return {**{axis: module.label(getattr(said, axis)) for axis, module in AXES.items()},
            "starts_on": wording.day(said.starts_on),
            "ends_on": wording.day(said.ends_on) if said.ends_on else "in perpetuity",
            "exclusivity": "exclusive" if said.exclusive else "non-exclusive",
            "price": f"{line.price:,.2f}".removesuffix(".00") if line.price is not None else "to be named"}
