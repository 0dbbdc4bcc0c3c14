"""Licences done elsewhere from the rows of availability.csv, and the mandate that covers what a seller imports."""
import hashlib
from datetime import UTC, date, datetime
from typing import NamedTuple

from sqlalchemy import select

from catalogue import changes, titles
from catalogue.imports import Bad, Report, batches, known, nothing, once, said, shaped, titled
from catalogue.models import Title
from core import clock
from core.database import db
from core.errors import Invalid
from licensing import contracts, terms, wording
from licensing.models import Licence, Line, Mandate
from licensing.terms import Terms

AVAILABILITY = "availability.csv"
COLUMNS = ("title_id", "service", "service_name", "service_title_id", "territories", "begin")
KEY = ("title_id", "service", "service_title_id", "territories", "begin")  # of a licence: what makes it this one
MANDATE_ID = "import"  # the external id of the mandate an import gives
WHOLE_WORLD = {"territories": ["World"], "media": ["all"], "languages": ["*"], "starts_on": date(1900, 1, 1),
               "ends_on": None, "exclusive": True}
MOST = 4000  # characters of a list of territories


class Silent(Bad):
    """A row that leaves open where or when it counts. That is no mistake, but silence is never "all"."""


class Done(NamedTuple):
    """A licence done elsewhere, as one row says it."""
    title_id: int
    line: int
    licensee: str
    contract: str | None
    external_id: str
    terms: Terms


def load_mandates(title_ids: set[int], report: Report, commit, tick=nothing):
    """Give the seller World, all media, every language, exclusively, for ever, on titles that have no such mandate."""
    held = _with_mandate() & title_ids
    report.counts["mandates unchanged"] += len(held)
    tick(len(held))
    for batch in batches(sorted(title_ids - held)):
        titles.lock(batch)
        fresh = sorted(set(batch) - _with_mandate(batch))  # asked again: another import may have been at work
        _record(fresh)
        report.counts["mandates recorded"] += len(fresh)
        report.counts["mandates unchanged"] += len(batch) - len(fresh)
        tick(len(batch))
        commit()


def _with_mandate(title_ids=None) -> set[int]:
    """The titles, of these or of all, on which an import gave a mandate."""
    given = select(Mandate.title_id).where(Mandate.external_id == MANDATE_ID)
    return set(db.session.scalars(given if title_ids is None else given.where(Mandate.title_id.in_(title_ids))))


def _record(title_ids):
    """What `mandates.record` does for one title, for many in a few statements; a test holds the two equal."""
    said, now = terms.read(WHOLE_WORLD).columns(), clock.now()
    for title in db.session.scalars(select(Title).where(Title.id.in_(title_ids)).order_by(Title.id)):
        line = Line(title_id=title.id, counts_from=now, recorded_at=now, **said)
        db.session.add(Mandate(organisation_id=title.organisation_id, title_id=title.id, contract="Import", floors=[],
                               external_id=MANDATE_ID, recorded_at=now, lines=[line]))
    db.session.flush()
    changes.note(*title_ids)


def read_availability(rows, organisation_id: int, report: Report) -> list[Done]:
    """The licences that (line number, row) pairs say, by title. A row that leaves them open is named, and left out."""
    ids, seen, done = known(organisation_id), {}, []
    for number, row in rows:
        try:
            licence = _read(row, number, ids)
            once(seen, licence.external_id, number, "row", "the same")
            done.append(licence)
        except Silent as problem:
            report.say("notice", AVAILABILITY, number, problem.where, problem.why)
        except Bad as problem:
            report.refuse(AVAILABILITY, number, problem.where, problem.why)
    return sorted(done)


def load_licences(licences: list[Done], organisation_id: int, report: Report, commit, tick=nothing):
    """Record licences that are not there yet. One that collides or lies outside the mandates is refused, and named."""
    held = _held(organisation_id)
    fresh = [each for each in licences if each.external_id not in held]
    report.counts["licences unchanged"] += len(licences) - len(fresh)
    tick(len(licences) - len(fresh))
    for batch in batches(fresh):
        titles.lock({each.title_id for each in batch})
        _grant(batch, organisation_id, report)
        tick(len(batch))
        commit()


def _held(organisation_id, external_ids=None) -> set[str]:
    """Which licences, of these or of all, a seller has recorded, by their external ids."""
    ids = select(Licence.external_id).where(Licence.organisation_id == organisation_id)
    return set(db.session.scalars(ids if external_ids is None else ids.where(Licence.external_id.in_(external_ids))))


def _grant(licences, organisation_id, report):
    held = _held(organisation_id, [each.external_id for each in licences])  # another import may have been at work
    fresh = [each for each in licences if each.external_id not in held]
    refused = contracts.grant_all(organisation_id, fresh)
    for place, answer in refused.items():
        report.refuse(AVAILABILITY, fresh[place].line, "territories", wording.reason(answer.reasons[0]))
    report.counts["licences unchanged"] += len(held)
    report.counts["licences recorded"] += len(fresh) - len(refused)


def _read(row, number, ids) -> Done:
    """Non-exclusive, SVOD, every language, from its first day on, in perpetuity. Raises Bad or Silent."""
    row = {name: shaped(row[name], MOST if name == "territories" else 200, name) for name in (*COLUMNS, "end")
           if name in row}
    for name in ("territories", "begin"):
        if row[name] is None:
            raise Silent(name, f"is empty, and silence is never all: {row['service_name'] or row['service']} on "
                               f"{row['title_id']} is not loaded.")
    if row.get("end"):
        raise Bad("end", f"{row['end']!r:.40} would be lost, for licences are imported in perpetuity")
    key = "|".join(row[name] or "" for name in KEY)
    if len(key) > 200:
        key = f"{key[:135]}#{hashlib.sha256(key.encode()).hexdigest()}"
    return Done(titled(row, "title_id", ids), number, said(row["service_name"], "service_name"),
                row["service_title_id"], key, _terms(row))


def _terms(row):
    try:
        begin = datetime.fromisoformat(row["begin"])
        day = (begin.astimezone(UTC) if begin.tzinfo else begin).date()
    except (ValueError, OverflowError):
        raise Bad("begin", f"{row['begin']!r:.40} is no date") from None
    try:
        return terms.read({"territories": [each.strip() for each in row["territories"].split("|")], "media": ["svod"],
                           "languages": ["*"], "starts_on": day, "ends_on": None, "exclusive": False})
    except Invalid as problem:
        field, why = next(iter(problem.errors.items()))
        raise Bad("begin" if field == "starts_on" else field, why[0]) from None
