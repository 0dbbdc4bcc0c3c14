"""The terms of offers: drafts, and the versions that follow them."""
from datetime import date

from sqlalchemy import or_, select

from accounts import people
from accounts.permissions import Viewer
from catalogue import titles
from catalogue.models import Title
from core import clock
from core.database import db
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.money import LARGEST
from licensing import moves, remarks, terms
from licensing.models import Offer, OfferLine, Version
from licensing.money import prices
from licensing.workflow import FINAL, Side, State

MOST_LINES = 100


def create(viewer: Viewer, *, currency: str, lines: list[dict], seller_id: int | None = None,
           buyer_id: int | None = None, valid_until: date | None = None, payment: dict | None = None) -> Offer:
    """A new draft, seen by its author's organisation only.

    Name the other organisation: a buyer names the seller, a seller names the buyer. `lines` are lines of
    api.md with `title_id` and a `price` in the offer's currency, or None to ask for one; `pricing` says how the price
    is meant, `payment` when it is paid (`money.prices`).
    """
    side = _drafting_side(viewer, seller_id, buyer_id)
    other_id = seller_id if side is Side.BUYER else buyer_id
    try:
        other = people.organisation(other_id)
    except NotFound:
        other = None
    field = "seller" if side is Side.BUYER else "buyer"
    if other is None or not (other.sells if side is Side.BUYER else other.buys) or other_id == viewer.organisation_id:
        raise Invalid({field: [f"There is no {field} with this id."]})
    offer = Offer(buyer_id=viewer.organisation_id if side is Side.BUYER else other_id,
                  seller_id=other_id if side is Side.BUYER else viewer.organisation_id,
                  started_by=side.value, currency=currency, created_at=clock.now(), updated_at=clock.now())
    set_validity(offer, valid_until)
    db.session.add(offer)
    write_version(offer, viewer, side, lines, payment)
    db.session.flush()
    return offer


def _drafting_side(viewer, seller_id, buyer_id):
    if (seller_id is None) == (buyer_id is None):
        raise Invalid({"seller": ["Name the other side: the seller if you buy, the buyer if you sell."]})
    side = Side.BUYER if seller_id is not None else Side.SELLER
    if not (viewer.buys if side is Side.BUYER else viewer.sells):
        verb = "buy" if side is Side.BUYER else "sell"
        raise NotAllowed(f"Your organisation does not {verb} rights here.")
    if not moves.may(viewer, side, "submit"):
        raise NotAllowed("Your role does not allow you to make offers for this side.")
    return side


def revise(offer: Offer, viewer: Viewer, *, currency=None, lines=None, valid_until=False, payment=None):
    """Change a draft. Once submitted, terms change by new versions only."""
    _check_draft(offer, viewer)
    if currency is not None:
        offer.currency = currency
    if valid_until is not False:
        set_validity(offer, valid_until)
        offer.current.valid_until = valid_until
    if lines is not None or currency is not None or payment is not None:
        lines = lines if lines is not None else lines_of(offer)
        version = offer.current
        version.created_at = clock.now()  # its names are read anew
        version.lines.clear()
        db.session.flush()
        _fill(version, offer, viewer, Side(offer.started_by), lines, payment)
    offer.updated_at = clock.now()
    db.session.flush()


def lines_of(offer: Offer) -> list[dict]:
    """The lines of the current version, to be written again with what changes."""
    return [{"title_id": line.title_id, "price": line.price, "pricing": line.pricing, **terms.of_row(line).again()}
            for line in offer.current.lines]


def discard(offer: Offer, viewer: Viewer):
    """Delete a draft: nobody else has ever seen it."""
    _check_draft(offer, viewer)
    remarks.discard(offer)
    db.session.delete(offer)
    db.session.flush()


def _check_draft(offer, viewer):
    if not moves.may(viewer, moves.side_of(offer, viewer), "submit"):
        raise NotAllowed("Your role does not allow you to change offers.")
    if offer.state != State.DRAFT:
        raise Conflict("This offer has been sent. Change its terms with a counter.")


def set_validity(offer: Offer, valid_until: date | None):
    """The last day on which the offer can be accepted; the clock lets it lapse on the next."""
    if valid_until is not None and valid_until < clock.today():
        raise Invalid({"valid_until": ["The last day this offer is valid has passed already."]})
    offer.valid_until = valid_until


def write_version(offer: Offer, viewer: Viewer, side: Side, lines: list[dict], payment: dict | None = None):
    """The next version of an offer, put forward by `side`, valid as the offer is. Where no `payment` is named, that of
    the last one stays."""
    number = offer.versions[-1].number + 1 if offer.versions else 1
    version = Version(number=number, side=side.value, person_id=viewer.person_id, created_at=clock.now(),
                      valid_until=offer.valid_until,
                      payment=offer.versions[-1].payment if offer.versions else None)
    _fill(version, offer, viewer, side, lines, payment)
    offer.versions.append(version)
    offer.number, offer.author = number, side.value


def _fill(version, offer, viewer, side, lines, payment):
    errors, read = {}, []
    if not lines:
        raise Invalid({"lines": ["An offer names at least one title."]})
    if len(lines) > MOST_LINES:
        raise Invalid({"lines": [f"An offer has {MOST_LINES} lines at most."]})
    fit = _titles([data.get("title_id") for data in lines], offer, viewer)
    for place, data in enumerate(lines):
        try:
            said = terms.read(data)
            if (title := fit.get(data.get("title_id"))) is None:
                raise Invalid({"title_id": ["There is no such title of this seller."]})
            read.append((said, title, *prices.read_price(data.get("price"), data.get("pricing"), offer.currency,
                                                         data.get("runs"))))
        except Invalid as problem:
            errors[str(place)] = problem.errors
    if errors:
        raise Invalid({"lines": errors})
    _set_payment(version, offer, payment, [price for _, _, price, _ in read])
    terms.write_sets(*(said for said, *_ in read))
    version.lines += [OfferLine(position=place, title=title, title_id=title.id, price=price,
                                pricing=pricing.as_json(), **said.columns())
                      for place, (said, title, price, pricing) in enumerate(read)]


def _set_payment(version, offer, payment, amounts):
    """When the price is paid: as named now, or as the version says already, which must still add up."""
    total = None if None in amounts else sum(amounts)
    if total is not None and total >= LARGEST:
        raise Invalid({"lines": ["All prices together are below one thousand thousand million."]})
    if sent := payment or version.payment:
        try:
            plan = prices.read_plan(sent, total, offer.currency, clock.today() if payment else None)
        except Invalid as problem:
            raise Invalid({"payment": problem.errors}) from None
        version.payment = plan.as_json()


def _titles(title_ids, offer, viewer) -> dict[int, Title]:
    """Of these titles those this offer may name: the seller's that the author may see, and what is on the table."""
    on_the_table = {line.title_id for version in offer.versions for line in version.lines}
    return {title.id: title for title in db.session.scalars(select(Title).where(
        Title.id.in_([each for each in title_ids if each is not None]), Title.organisation_id == offer.seller_id,
        or_(titles.visible(viewer), Title.id.in_(on_the_table))))}


def hidden(offer: Offer, viewer: Viewer) -> set[int]:
    """Titles of a draft, or of an offer that came to nothing, that the viewer may not see any more: neither is a way to
    go on asking about them. While an offer runs its parties go on with what is on the table (docs/decisions/0019)."""
    if offer.state not in {State.DRAFT, *FINAL}:
        return set()
    named = {line.title_id for line in offer.current.lines}
    return named - titles.seen(named, viewer)


def check_seen(offer: Offer, viewer: Viewer):
    """Raises Invalid where a draft names what its author may not see any more (`hidden`)."""
    gone = hidden(offer, viewer)
    errors = {str(place): {"title_id": ["The seller does not show you this title any more. Leave it out."]}
              for place, line in enumerate(offer.current.lines) if line.title_id in gone}
    if errors:
        raise Invalid({"lines": errors})


def price_text(line: OfferLine) -> str | None:
    """A price as the API writes it: a decimal string without needless zeros."""
    return None if line.price is None else prices.plain(line.price)
