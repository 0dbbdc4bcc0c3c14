"""What is free instead: the lines of an offer with one of them changed to an alternative of its answer."""
from accounts.permissions import Viewer
from catalogue import titles
from catalogue.models import Name, Title
from core.database import db
from core.errors import Conflict, Invalid, NotFound
from licensing import avails, drafts, terms
from licensing.models import Offer
from licensing.rights.alternatives import Kind
from licensing.terms import Terms


def lines(offer: Offer, viewer: Viewer, line_id: int, kind: str) -> list[dict]:
    """The lines of the current version for the next one, with the alternative of this kind for one. Prices stay.

    Raises NotFound for another version's line, Conflict where this alternative is not free any more.
    """
    if line_id not in {line.id for line in offer.current.lines}:
        raise NotFound()
    drafts.check_seen(offer, viewer)
    found = drafts.lines_of(offer)
    place = next(place for place, line in enumerate(offer.current.lines) if line.id == line_id)
    line = offer.current.lines[place]
    answer = avails.ask(line.title_id, terms.of_row(line), offer.buyer_id)
    chosen = next((each for each in answer.alternatives if each.kind == kind), None)
    if chosen is None:
        raise Conflict("What is free has changed since you looked at it. Look again.")
    new = Terms.of_line(chosen.request).again()
    moved = {Kind.LATER_START: "starts_tba", Kind.EARLIER_END: "ends_tba"}.get(Kind(kind))
    found[place] = {**found[place], **new, **{name: found[place][name] for name in ("hereafter", "future")}}
    found[place].pop(moved, None)  # a day that was waited for is a day that is named now
    return found


def with_title(offer: Offer, viewer: Viewer, some: list[dict], named: str) -> list[dict]:
    """The lines of a form with one more, for a title of the seller by its name as it is listed, or its number. It
    begins with the terms of the first line, without a price. Invalid where there is no such title, or more than one."""
    named = named.strip()
    wanted = Title.id == int(named) if named.isdecimal() and len(named) < 10 else Title.id.in_(
        db.select(Name.title_id).where(Name.value == named))
    found = db.session.scalars(db.select(Title).where(
        wanted, Title.organisation_id == offer.seller_id, titles.visible(viewer)).limit(2)).all()
    if not found:
        raise Invalid({"add": ["There is no such title of this seller. Write its name as it is listed, or the number "
                               "in its address."]})
    if len(found) > 1:
        raise Invalid({"add": ["More than one title is called so. Write the number in its address."]})
    first = some[0] if some else drafts.lines_of(offer)[0]
    return [*some, {**first, "title_id": str(found[0].id), "price": None}]
