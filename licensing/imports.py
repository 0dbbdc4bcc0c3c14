"""Licences done elsewhere from availability.csv, and the mandate that covers what a seller imports."""
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path

from sqlalchemy import select

from catalogue import titles
from catalogue.imports import BATCH, Report, rows_of
from catalogue.models import Title
from core.database import db
from core.errors import Invalid, Refusal
from licensing import contracts, mandates, terms
from licensing.models import Licence, Mandate

COLUMNS = ("title_id", "service", "service_name", "service_title_id", "territories", "begin")
MANDATE_ID = "import"  # the external id of the mandate an import gives
WHOLE_WORLD = {"territories": ["World"], "media": ["all"], "languages": ["*"], "starts_on": date(1900, 1, 1),
               "ends_on": None, "exclusive": True}


def load_mandates(organisation_id: int, report: Report, commit, tick=lambda: None):
    """Give the seller World, all media, every language, exclusively, for ever, on each title imported."""
    have = select(Mandate.title_id).where(Mandate.external_id == MANDATE_ID)
    wanted = db.session.scalars(select(Title).where(
        Title.organisation_id == organisation_id, Title.external_id.is_not(None), Title.id.not_in(have))
        .order_by(Title.id)).all()
    said = terms.read(WHOLE_WORLD)
    for start in range(0, len(wanted), BATCH):
        batch = wanted[start:start + BATCH]
        titles.lock([title.id for title in batch])
        for title in batch:
            mandates.record(title, said, contract="Import", external_id=MANDATE_ID)
            report.counts["mandates recorded"] += 1
            tick()
        commit()


def load_availability(path: Path, organisation_id: int, report: Report, commit, tick=lambda: None):
    """Each row is a licence: non-exclusive, SVOD, every language, from its first day on, in perpetuity.

    A row without territories or a begin is named and not loaded: silence is never "all". One that collides
    or lies outside the mandates is refused with its reason.
    """
    known = dict(db.session.execute(select(Title.external_id, Title.id).where(
        Title.organisation_id == organisation_id, Title.external_id.is_not(None))).all())
    have = set(db.session.scalars(select(Licence.external_id).where(Licence.organisation_id == organisation_id)))
    rows, done = [], 0
    for number, row in rows_of(path, report, COLUMNS):
        tick()
        key = "|".join((row["title_id"], row["service"], row["service_title_id"], row["territories"], row["begin"]))
        if not row["territories"] or not row["begin"]:
            field = "begin" if row["territories"] else "territories"
            report.say("notice", path, number, field, f"is empty, and silence is never all; {row['service_name']} "
                       f"on {row['title_id']} is not loaded.")
        elif row["title_id"] not in known:
            report.say("error", path, number, "title_id", f"there is no title {row['title_id'][:100]!r}; not loaded.")
        elif key[:200] in have:
            report.counts["licences unchanged"] += 1
        elif said := _read(row, path, number, report):
            have.add(key[:200])
            rows.append((known[row["title_id"]], number, row, key[:200], said))
    rows.sort(key=lambda each: (each[0], each[1]))
    for title_id, group in groupby(rows, key=lambda each: each[0]):
        titles.lock([title_id])
        title = db.session.get(Title, title_id)
        for _, number, row, key, said in group:
            try:
                contracts.grant(organisation_id, [(title, said)], licensee_id=None, licensee_name=row["service_name"],
                                contract=row["service_title_id"] or None, external_id=key, recording=True)
                report.counts["licences recorded"] += 1
            except Refusal as problem:
                report.say("error", path, number, "row", f"{problem.detail} Not loaded.")
            done += 1
        if done >= BATCH:
            commit()
            done = 0
    commit()


def _read(row, path, number, report):
    """The terms of a row, or None where it is named in the report."""
    try:
        begin = datetime.fromisoformat(row["begin"]).replace(tzinfo=None) if row["begin"][-1:] != "Z" else (
            datetime.fromisoformat(row["begin"]).astimezone(UTC))
    except ValueError:
        report.say("error", path, number, "begin", f"{row['begin'][:40]!r} is no date; not loaded.")
        return None
    try:
        return terms.read({"territories": [each.strip() for each in row["territories"].split("|") if each.strip()],
                           "media": ["svod"], "languages": ["*"], "starts_on": begin.date(), "ends_on": None,
                           "exclusive": False})
    except Invalid as problem:
        for field, why in problem.errors.items():
            report.say("error", path, number, "begin" if field == "starts_on" else field, f"{why[0]} Not loaded.")
        return None
