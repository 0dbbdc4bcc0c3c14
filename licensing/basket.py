"""A buyer's basket: titles of any seller with the line asked of each, until they are sent, an offer to each seller."""
import hashlib
import json
from collections import defaultdict
from datetime import datetime
from itertools import groupby

from sqlalchemy import ForeignKey, String, UniqueConstraint, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column, relationship, selectinload

from accounts.permissions import Viewer
from catalogue import titles
from catalogue.models import Title
from core import clock
from core.database import UtcDateTime, db
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from licensing import avails, drafts, offers, sharing, terms
from licensing.models import Offer, _Terms
from licensing.terms import Terms

WAYS = ("request", "submit")  # ask each seller for a price, or make an offer


class BasketLine(_Terms, db.Model):
    """A title one person, for one organisation, means to ask for, and what of it. Nobody else sees it."""
    __tablename__ = "basket_line"
    __table_args__ = (UniqueConstraint("person_id", "organisation_id", "said"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    said: Mapped[str] = mapped_column(String(40))  # title and terms in one word: the same twice is one line
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    title: Mapped[Title] = relationship()


def _own(viewer: Viewer):
    return (BasketLine.person_id == viewer.person_id) & (BasketLine.organisation_id == viewer.organisation_id)


def add(title: Title, asked: Terms, viewer: Viewer) -> BasketLine:
    """Put a line into the viewer's basket; the one that is there already, where it says the same."""
    if not viewer.buys:
        raise NotAllowed("A basket is a buyer's. Propose your titles to a buyer from their pages or from your slate.")
    if title.organisation_id == viewer.organisation_id:
        raise Invalid({"title_id": ["This title is your own."]})
    columns = asked.columns()
    said = hashlib.sha256(json.dumps([title.id, {**columns, "written": None}], default=str).encode()).hexdigest()[:40]
    if there := db.session.scalar(select(BasketLine).where(_own(viewer), BasketLine.said == said)):
        return there
    if size(viewer) >= drafts.MOST_LINES:
        raise Conflict(f"A basket holds {drafts.MOST_LINES} lines. Send some of them first, or take them out.")
    line = BasketLine(person_id=viewer.person_id, organisation_id=viewer.organisation_id, title_id=title.id, said=said,
                      added_at=clock.now(), **columns)
    db.session.add(line)
    db.session.flush()
    return line


def answers(some: list[BasketLine], viewer: Viewer) -> dict[int, dict]:
    """{line id: the answer object}: lines that ask the same of several titles are asked together."""
    together = defaultdict(list)
    for line in some:
        together[json.dumps(terms.of_row(line).as_json())].append(line)
    found = {}
    for alike in together.values():
        asked = terms.of_row(alike[0])
        known = avails.ask_all({line.title_id for line in alike}, asked, avails.licensee(viewer))
        found |= {line.id: avails.described(known[line.title_id], asked, line.title, viewer) for line in alike}
    return found


def size(viewer: Viewer) -> int:
    """How many lines are in the viewer's basket."""
    return db.session.scalar(select(func.count()).select_from(BasketLine).where(_own(viewer)))


def lines(viewer: Viewer) -> list[BasketLine]:
    """The viewer's basket, by seller, in the order in which it was filled. A title that was withdrawn since is none."""
    return db.session.scalars(
        select(BasketLine).join(BasketLine.title).where(_own(viewer), titles.visible(viewer))
        .order_by(Title.organisation_id, BasketLine.id)
        .options(selectinload(BasketLine.title).options(selectinload(Title.names), selectinload(Title.seller)))).all()


def by_seller(some: list[BasketLine]) -> list[tuple]:
    """[(seller, their lines)] of lines in order."""
    grouped = [list(each) for _, each in groupby(some, key=lambda line: line.title.organisation_id)]
    return [(each[0].title.seller, each) for each in grouped]


def remove(viewer: Viewer, line_id: int):
    """Take one line out, or NotFound."""
    if not db.session.execute(delete(BasketLine).where(_own(viewer), BasketLine.id == line_id)).rowcount:
        raise NotFound()


def tidy(viewer: Viewer) -> int:
    """Take out the lines whose titles are not on sale any more. Returns how many there were."""
    there = select(Title.id).where(Title.id == BasketLine.title_id, titles.visible(viewer)).exists()
    return db.session.execute(delete(BasketLine).where(_own(viewer), ~there)
                              .execution_options(synchronize_session=False)).rowcount


def send(viewer: Viewer, wanted: list[dict]) -> list[Offer]:
    """Send parts of the basket, each as one offer to its seller: all of them, or none.

    `wanted` are {seller, as: of WAYS, currency, valid_until, note, price_of_all, lines: [{id, price}]}. The lines leave
    the basket first, so that of two who send the same lines at once the second finds them gone (Conflict).
    """
    ids = [each["id"] for part in wanted for each in part["lines"]]
    found = {line.id: line for line in lines(viewer) if line.id in set(ids)}
    said = {line.id: {**terms.of_row(line).again(), "title_id": line.title_id} for line in found.values()}
    sellers = {line.id: line.title.organisation_id for line in found.values()}
    taken = db.session.execute(delete(BasketLine).where(_own(viewer), BasketLine.id.in_(said))
                               .execution_options(synchronize_session=False)).rowcount
    if not ids or taken != len(ids):
        raise Conflict("Your basket has changed since you looked at it. Look at it again, then send it.")
    sent, errors = [], {}
    terms.write_sets(*(terms.read(line) for line in said.values()))
    for part in sorted(wanted, key=lambda each: each["seller"]):
        try:
            if any(sellers[each["id"]] != part["seller"] for each in part["lines"]):
                raise Invalid({"lines": ["A line is another seller's."]})
            sent.append(_send(viewer, part, said))
        except Invalid as problem:
            errors[str(part["seller"])] = problem.errors
    if errors:
        raise Invalid(errors)
    return sent


def _send(viewer, part, said) -> Offer:
    asked = [{**said[each["id"]], "price": each.get("price")} for each in part["lines"]]
    if part["as"] == "request":  # what it may cost is the seller's to say
        asked = [{**line, "price": None} for line in asked]
    else:
        asked = sharing.over(asked, part.get("price_of_all"), part["currency"])
    offer = drafts.create(viewer, currency=part["currency"], lines=asked, seller_id=part["seller"],
                          valid_until=part.get("valid_until"))
    offers.advance(offer, viewer, part["as"], note=part.get("note"))
    return offer
