"""What granted licences rest on: a mandate that is ended later leaves them standing, and is shown on them."""
from collections import defaultdict
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from core import clock
from core.database import db
from licensing import counting, terms, wording
from licensing.models import Line
from licensing.rights.blocks import Block, canonical, subtract
from licensing.rights.dates import Dates


def bare(licences) -> dict[int, list[str]]:
    """{licence line: sentences} for the lines that, from today on, reach outside what the mandates cover now.

    Each cell of a line needs a mandate on every leaf that the line covers, an exclusive one where it is exclusive.
    Mandates are the seller's to know: this is for nobody else.
    """
    lines = {line.id: line for licence in licences for line in licence.lines if line.counts_until is None}
    left, leaves, ahead = defaultdict(list), defaultdict(set), Dates.since(clock.today())
    shares = counting.shares(db.session, {line.title_id for line in lines.values()}, claims=False) if lines else {}
    for share in (share for some in shares.values() for share in some):
        for held in share.holdings.licences:
            if held.ref[1] in lines:
                left[held.ref[1]] += subtract([replace(held.block, dates=held.block.dates & ahead)], [
                    mandate.block for mandate in share.holdings.mandates if mandate.exclusive or not held.exclusive])
                leaves[held.ref[1]].update(share.leaves)
    found = {line_id: canonical(blocks) for line_id, blocks in left.items() if blocks}
    ended = _ended(set().union(*(leaves[line_id] for line_id in found))) if found else []
    return {line_id: [_sentence(lines[line_id], block, ended) for block in blocks] for line_id, blocks in found.items()}


def _ended(leaves) -> list[Line]:
    """The mandate lines on these leaves, and above them, that were ended."""
    family = counting.Family(db.session, leaves)
    above = {title_id for leaf in leaves for title_id in family.path(leaf)}
    return db.session.scalars(select(Line).where(
        Line.title_id.in_(above), Line.mandate_id.is_not(None), Line.counts_until.is_not(None))
        .options(joinedload(Line.mandate)).order_by(Line.id)).unique().all()


def _sentence(line: Line, block: Block, ended: list[Line]) -> str:
    """What rests on nothing, and which mandate it rested on when it was granted."""
    rested = {row.mandate: None for row in ended if row.counts_from <= line.licence.recorded_at < row.counts_until
              and terms.of_row(row).line().block.meets(block)}
    causes = [f"Mandate {mandate.contract or mandate.id} ended{_last_day(mandate)}" for mandate in rested]
    return f"{', '.join(causes) or 'No mandate covers all of it'}: rests on nothing in {wording.where(block)}."


def _last_day(mandate) -> str:
    last = max((line.ends_on for line in mandate.lines if line.counts_until is None and line.ends_on), default=None)
    return f" {wording.day(last)}" if last else ""
