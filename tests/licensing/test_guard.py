"""The database as the last word: what its guard takes and refuses, against an oracle that knows no engine."""
import json
import random
from datetime import date
from itertools import islice

import pytest

from accounts import people
from catalogue import titles
from core import clock
from core.database import db
from licensing import counting, guard
from licensing.models import Licence, Line
from tests.licensing.test_doors import some_terms
from tests.scale import at

LINES = at(ci=3_000, long=100_000)
FAMILIES = LINES // 100
AT_ONCE = 5_000
RAW = """
    CREATE FUNCTION raw_insert(line json) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO licence_guard SELECT * FROM json_populate_record(NULL::licence_guard, line);
        RETURN true;
    EXCEPTION WHEN exclusion_violation THEN RETURN false; END $$"""  # one insert, refused or not, as `guard.post` does


def families(rng, house):
    """Films, and series with two episodes. Yields (title ids of a family, {title: its leaves})."""
    def made(kind, parent=None):
        return titles.create(house.id, kind=kind, original_title=kind, titles=[], parent=parent, status="published")

    for _ in range(FAMILIES):
        top = made(rng.choice(["film", "series"]))
        below = [made("episode", top) for _ in range(2)] if top.kind == "series" else []
        leaves = {each.id: {each.id} for each in below}
        yield {top.id: set().union(*leaves.values()) or {top.id}, **leaves}


def clash(one, other):
    """May these two (leaves, line, terms) not stand side by side? Said without the engine, from the domain's words."""
    (mine, line, said), (theirs, held, taken) = one, other
    return (line.licence_id != held.licence_id and (line.exclusive or held.exclusive) and bool(mine & theirs)
            and said.territories & taken.territories and said.media & taken.media
            and said.languages & taken.languages
            and line.starts_on <= (held.ends_on or date.max) and held.starts_on <= (line.ends_on or date.max))


@pytest.mark.postgresql
@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_raw_inserts_into_the_guard_agree_with_the_oracle(fresh):
    """A line goes in exactly when it meets no claim of another licence; many licences have two lines."""
    app, rng = fresh(), random.Random(5)
    with app.app_context():
        house, now = people.found("House", ["seller"]), clock.now()
        known = [(leaves, counting.Family(db.session, list(leaves))) for leaves in families(rng, house)]
        db.session.execute(db.text(RAW))
        taken, refused, numbers = [[] for _ in known], 0, iter(range(1, LINES + 1))
        while some := list(islice(numbers, AT_ONCE)):
            asked = [(place, rng.choice(sorted(known[place][0])), some_terms(rng), number)
                     for number in some for place in [rng.randrange(FAMILIES)]]
            db.session.execute(Licence.__table__.insert(), [
                {"id": number, "organisation_id": house.id, "licensee_name": "L", "recorded_at": now}
                for number in some])
            lines = [Line(id=number, title_id=title_id, counts_from=now, recorded_at=now, **said.columns(),
                          leaves=sorted(known[place][0][title_id]),
                          licence_id=number if number % 3 or number == some[0] else number - 1)
                     for place, title_id, said, number in asked]
            db.session.execute(Line.__table__.insert(), [
                {column.name: getattr(line, column.name) for column in Line.__table__.columns} for line in lines])
            rows = [guard.row(line, known[place][1]) for line, (place, *_) in zip(lines, asked, strict=True)]
            went_in = db.session.scalars(db.text(
                "SELECT raw_insert(line) FROM json_array_elements(CAST(:rows AS json)) WITH ORDINALITY AS t (line, nr)"
                " ORDER BY nr"), {"rows": json.dumps(rows)}).all()
            for line, (place, _, said, number), inserted in zip(lines, asked, went_in, strict=True):
                mine = set(line.leaves), line, said
                assert inserted != any(clash(mine, other) for other in taken[place]), number
                if inserted:
                    taken[place].append(mine)
                else:
                    refused += 1
        assert LINES / 20 < refused < LINES * 19 / 20, refused
        assert db.session.scalar(db.text("SELECT count(*) FROM licence_guard")) == LINES - refused
