"""Price floors: the least a seller takes in some territories, kept with a mandate. Nobody else may read them."""
from collections import defaultdict
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from catalogue.models import Title
from core import money
from core.database import db
from licensing import counting, terms
from licensing.models import Line
from licensing.rights import territories
from licensing.rights.axes import Unreadable
from licensing.terms import Terms


def of(title: Title, asked: Terms) -> list[dict]:
    """[{territories, label, amount, currency, text}]: the floors for what is asked, of the mandates on the title and
    above it. A floor is meant for each deal that takes any of its territories, so it counts wherever it is met.
    """
    return of_all([(title.id, asked)])[0]


def of_all(lines: list[tuple[int, Terms]]) -> list[list[dict]]:
    """The same for many (title id, terms), with a fixed number of queries."""
    family, rows = counting.Family(db.session, {title_id for title_id, _ in lines}), defaultdict(list)
    for row in db.session.scalars(select(Line).where(
            Line.title_id.in_(family.ids), Line.mandate_id.is_not(None), Line.counts_until.is_(None))
            .options(joinedload(Line.mandate)).order_by(Line.id)).unique():
        if row.mandate.floors:
            rows[row.title_id].append(row)
    return [_of(asked.line().block, [row for each in family.path(title_id) for row in rows[each]])
            for title_id, asked in lines]


def _of(block, rows):
    found = {}
    for row in sorted(rows, key=lambda row: row.id):
        if terms.of_row(row).line().block.meets(block):
            for floor in row.mandate.floors:
                if (where := _read(floor["territories"])) & block.territories:
                    label = territories.label(where, floor["territories"])
                    found[where, floor["amount"], floor["currency"]] = {
                        **floor, "label": label, "text": f"Your floor for {label} is {words(floor)}"}
    return list(found.values())


def _read(names) -> int:
    try:
        return territories.read(names)
    except Unreadable:  # a name was given up since: rather a floor too many than one too few
        return territories.ALL


def judged(floors: list[dict], price: Decimal | None, currency: str) -> list[dict]:
    """The same with `below`: whether a price for the whole line lies under each; None where that cannot be said, for
    want of a price, or of a rate between two currencies."""
    found = []
    for floor in floors:
        below, text = None, floor["text"]
        if floor["currency"] != currency:
            text += f"; the offer is in {currency}"
        elif price is not None:
            below = price < Decimal(floor["amount"])
            text = f"Below your floor of {words(floor)} for {floor['label']}" if below else text
        found.append({**floor, "below": below, "text": text})
    return found


def words(floor: dict) -> str:
    """What a floor is: USD 5,000."""
    return money.words(Decimal(floor["amount"]), floor["currency"])
