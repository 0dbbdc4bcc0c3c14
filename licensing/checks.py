"""What must always be true of rights, checked over the whole database: `flask check`."""
from collections import defaultdict
from itertools import combinations

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from catalogue.models import Title
from core.database import db
from licensing import counting, terms
from licensing.models import Licence, Line
from licensing.rights.blocks import subtract


def sold_twice(root_id: int | None = None) -> list[str]:
    """Pairs of licences that share a right although one of them is exclusive: one sentence each.

    Over the whole database, or in the hierarchy below one root.
    """
    held = defaultdict(list)
    query = select(Line, Title.root_id).join(Title, Title.id == Line.title_id).where(
        Line.licence_id.is_not(None), Line.counts_until.is_(None)).options(joinedload(Line.licence))
    if root_id is not None:
        query = query.where(Title.root_id == root_id)
    for line, root in db.session.execute(query):
        held[root].append((line, terms.of_row(line).line()))
    broken = []
    for lines in held.values():
        if len(lines) < 2 or not any(line.exclusive for line, _ in lines):
            continue
        family = counting.Family(db.session, [lines[0][0].title_id])
        below = {line.id: family.covered(line) for line, _ in lines}
        for (one, mine), (other, theirs) in combinations(lines, 2):
            if (one.licence_id != other.licence_id and (one.exclusive or other.exclusive)
                    and below[one.id] & below[other.id] and mine.block.meets(theirs.block)):
                broken.append(f"Licences {one.licence_id} ({one.licence.licensee_name}) and {other.licence_id} "
                              f"({other.licence.licensee_name}) both hold rights in title {one.title_id}.")
    return broken


def outside_mandates() -> list[str]:
    """Licence lines that did not lie inside the mandates when they began to count: one sentence each."""
    mandates = defaultdict(list)
    for row in db.session.scalars(select(Line).where(Line.mandate_id.is_not(None))):
        mandates[row.title_id].append(row)
    parents = dict(db.session.execute(select(Title.id, Title.parent_id).where(Title.parent_id.is_not(None))).all())
    broken = []
    replaced = set()  # what a termination left of a licence was granted with the licence, not on that day
    for line in db.session.scalars(select(Line).where(Line.licence_id.is_not(None)).order_by(Line.id)):
        if (line.licence_id, line.title_id) in replaced:
            continue
        if line.counts_until is not None:
            replaced.add((line.licence_id, line.title_id))
        near, owned = line.title_id, []
        while near is not None:
            owned += [row for row in mandates[near] if row.counts_from <= line.counts_from
                      and (row.counts_until is None or row.counts_until > line.counts_from)
                      and (row.exclusive or not line.exclusive)]
            near = parents.get(near)
        if subtract([terms.of_row(line).line().block], [terms.of_row(row).line().block for row in owned]):
            name = db.session.get(Licence, line.licence_id).licensee_name
            broken.append(f"Licence {line.licence_id} ({name}) on title {line.title_id} was outside the mandates "
                          f"on {line.counts_from:%d %b %Y}.")
    return broken
