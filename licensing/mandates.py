"""Mandates: rights in. Recorded, and ended from a day; never edited."""
from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from accounts.permissions import Relation, Viewer, allows
from catalogue import changes
from catalogue.models import Title
from core import clock
from core.database import db
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.money import Money
from licensing import terms
from licensing.models import Line, Mandate
from licensing.rights import territories
from licensing.rights.axes import Unreadable
from licensing.terms import Terms


def record(title: Title, said: Terms, *, contract=None, licensor=None, floors=(), external_id=None) -> Mandate:
    """What the seller of `title` may sell of it. The caller holds the title's lock.

    `floors` are [{territories, amount, currency}]: the least price the seller takes there.
    """
    mandate = Mandate(organisation_id=title.organisation_id, title_id=title.id, contract=contract,
                      licensor=licensor, floors=_floors(floors), external_id=external_id, recorded_at=clock.now())
    mandate.lines.append(Line(title_id=title.id, counts_from=clock.now(), recorded_at=clock.now(), **said.columns()))
    db.session.add(mandate)
    db.session.flush()
    changes.note(title.id)
    return mandate


def record_all(wanted):
    """`record` for many, in a few statements. Each has title_id, organisation_id, terms, licensor, contract and
    external_id. The caller holds the titles' locks."""
    now = clock.now()
    terms.write_sets(*(each.terms for each in wanted))
    for each in wanted:
        line = Line(title_id=each.title_id, counts_from=now, recorded_at=now, **each.terms.columns())
        db.session.add(Mandate(organisation_id=each.organisation_id, title_id=each.title_id, contract=each.contract,
                               licensor=each.licensor, floors=[], external_id=each.external_id, recorded_at=now,
                               lines=[line]))
    db.session.flush()
    changes.note(*{each.title_id for each in wanted})


def _floors(floors):
    kept, errors = [], {}
    for place, floor in enumerate(floors):
        try:
            territories.read(floor["territories"])
            money = Money.read(floor["amount"], floor["currency"])
            kept.append({"territories": floor["territories"], "amount": str(money.amount), "currency": money.currency})
        except (Unreadable, ValueError) as problem:
            errors[str(place)] = [str(problem)]
    if errors:
        raise Invalid({"floors": errors})
    return kept


def listing(title: Title) -> list[Mandate]:
    """Every mandate ever recorded on a title, newest first; for its seller."""
    return db.session.scalars(select(Mandate).where(Mandate.title_id == title.id).order_by(Mandate.id.desc())
                              .options(joinedload(Mandate.lines))).unique().all()


def get(mandate_id: int, viewer: Viewer, action: str = "mandate.see") -> Mandate:
    """A mandate of the viewer's own organisation, or NotFound; NotAllowed where the role does not suffice."""
    mandate = db.session.scalar(select(Mandate).where(
        Mandate.id == mandate_id, Mandate.organisation_id == viewer.organisation_id))
    if mandate is None or not allows(viewer, "mandate.see", Relation.OWN):
        raise NotFound()
    if not allows(viewer, action, Relation.OWN):
        raise NotAllowed("Only a rights manager may end a mandate.")
    return mandate


def end(mandate: Mandate, first_day_gone: date, note: str | None = None):
    """The mandate no longer covers `first_day_gone` and later. Licences granted under it stand."""
    if not cut(mandate.lines, first_day_gone, note):
        raise Conflict(f"This mandate does not reach {first_day_gone} any more.")
    changes.note(mandate.title_id)


def reaches(line: Line, day: date) -> bool:
    """Whether a line counts, and covers this day or a later one."""
    return line.counts_until is None and (line.ends_on is None or line.ends_on >= day)


def cut(lines, first_day_gone: date, note: str | None) -> list[tuple[Line, Line | None]]:
    """End the counting lines that reach `first_day_gone`, replacing each by what is left before it.

    Returns (ended, replacement or None) for each line touched.
    """
    touched = []
    for line in list(lines):
        if not reaches(line, first_day_gone):
            continue
        line.counts_until, line.note = clock.now(), note
        rest = None
        if line.starts_on < first_day_gone:
            kept = replace(terms.of_row(line), ends_on=first_day_gone - timedelta(days=1))
            rest = Line(title_id=line.title_id, mandate_id=line.mandate_id, licence_id=line.licence_id,
                        counts_from=clock.now(), recorded_at=clock.now(), leaves=line.leaves, **kept.columns())
            db.session.add(rest)
        touched.append((line, rest))
    db.session.flush()
    return touched
