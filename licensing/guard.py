"""The database's own guard against selling twice, on PostgreSQL: one row per licence line that counts now.

The lock of `titles.lock` is for order and throughput; this exclusion constraint is for truth. On SQLite,
where there is one writer at a time, the lock alone is both, and these functions do nothing.
"""
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core.database import db
from core.errors import Conflict
from licensing import counting, terms
from licensing.models import Line
from licensing.rights import languages

INSERT = text("""
    INSERT INTO licence_guard
        (line_id, licence_id, root_id, leaves, territories, media, languages, days, solo)
    VALUES (:line_id, :licence_id, :root_id, CAST(:leaves AS int8multirange), CAST(:territories AS int4multirange),
            CAST(:media AS int4multirange), CAST(:languages AS int4multirange), CAST(:days AS daterange),
            CAST(:solo AS int8range))""")


def _active():
    return db.session.get_bind().dialect.name == "postgresql"


def post(line: Line):
    """Set a guard on a licence line. Raises Conflict when it meets one that is not compatible."""
    if not _active():
        return
    values = row(line, counting.Family(db.session, [line.title_id]))
    try:
        with db.session.begin_nested():
            db.session.execute(INSERT, values)
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) == "23P01":  # exclusion_violation
            raise Conflict("These rights were licensed a moment ago.", reasons=[]) from error
        raise


def row(line: Line, family: counting.Family) -> dict:
    """What the guard keeps of a line."""
    said = terms.of_row(line)
    end = "" if line.ends_on is None else line.ends_on.isoformat()
    return {
        "line_id": line.id, "licence_id": line.licence_id, "root_id": family.path(line.title_id)[-1],
        "leaves": multirange(family.covered(line)),
        "territories": multirange(_bits(said.territories)), "media": multirange(_bits(said.media)),
        "languages": "{(,)}" if said.languages == languages.ALL else multirange(_bits(said.languages)),
        "days": f"[{line.starts_on.isoformat()},{end}{']' if end else ')'}",
        "solo": "(,)" if line.exclusive else f"[{line.licence_id},{line.licence_id}]",
    }


def lift(line: Line):
    """Take the guard of a line away, when the line stops counting."""
    if _active():
        db.session.execute(text("DELETE FROM licence_guard WHERE line_id = :id"), {"id": line.id})


def _bits(mask):
    return {place for place in range(mask.bit_length()) if mask >> place & 1}


def multirange(numbers) -> str:
    """A PostgreSQL multirange literal: {1,2,3,7} → {[1,4),[7,8)}."""
    runs = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number:
            runs[-1][1] = number + 1
        else:
            runs.append([number, number + 1])
    return "{" + ",".join(f"[{start},{end})" for start, end in runs) + "}"
