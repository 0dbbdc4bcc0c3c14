"""Licences: rights out. The one path that grants them, whether signed here or recorded as done elsewhere."""
from datetime import date

from sqlalchemy import false, or_, select
from sqlalchemy.orm import joinedload, selectinload

from accounts import permissions
from accounts.permissions import Relation, Viewer
from catalogue import changes
from catalogue.models import Title
from core import clock
from core.database import db
from core.errors import Conflict, NotAllowed, NotFound
from licensing import avails, guard, mandates
from licensing.models import Licence, Line
from licensing.rights.availability import Verdict
from licensing.terms import Terms


class RightsTaken(Conflict):
    """What was to be granted is not free. `answers` are (title, terms, answer) for each line that is not."""

    def __init__(self, refused, viewer: Viewer | None):
        self.refused = refused
        title, said, answer = refused[0]
        reasons = [reason for title, said, answer in refused
                   for reason in (avails.reasons_json(answer, said, title, viewer) if viewer else [])]
        words = reasons[0]["text"] if reasons else "It is not free."
        super().__init__(f"{title.original_title} cannot be licensed like this. {words}", reasons=reasons)


def refused(lines, recording: bool = False):
    """Those of [(title, terms)] that cannot be granted now, with their answers.

    `recording` knows no past: deals done elsewhere may be recorded with any dates.
    """
    ask = avails.granting if recording else avails.ask
    answers = [(title, said, ask(title.id, said)) for title, said in lines]
    return [each for each in answers if each[2].verdict != Verdict.AVAILABLE]


def grant(seller_id: int, lines: list[tuple[Title, Terms]], *, licensee_id: int | None, licensee_name: str,
          contract=None, offer_id=None, external_id=None, viewer: Viewer | None = None, recording=False) -> Licence:
    """Write a licence over [(title, terms)]. The caller holds the lock of every title.

    Raises RightsTaken when any line is not free or lies outside the mandates: a licence must lie inside
    them on the day it is granted (domain.md, "Availability"). Nothing is written then.
    """
    if taken := refused(lines, recording):
        raise RightsTaken(taken, viewer)
    licence = Licence(organisation_id=seller_id, licensee_id=licensee_id, licensee_name=licensee_name,
                      contract=contract, offer_id=offer_id, external_id=external_id, recorded_at=clock.now())
    for title, said in lines:
        licence.lines.append(Line(title_id=title.id, counts_from=clock.now(), recorded_at=clock.now(),
                                  **said.columns()))
    db.session.add(licence)
    db.session.flush()
    for line, (title, _) in zip(licence.lines, lines, strict=True):
        guard.post(line, title)
    changes.note(*{title.id for title, _ in lines})
    return licence


def terminate(licence: Licence, first_day_gone: date, note: str | None = None):
    """The licence no longer covers `first_day_gone` and later; those cells are free again."""
    touched = mandates.cut(licence.lines, first_day_gone, note)
    if not touched:
        raise Conflict(f"This licence does not reach {first_day_gone} any more.")
    for ended, rest in touched:
        guard.lift(ended)
        if rest:
            guard.post(rest, db.session.get(Title, rest.title_id))
    changes.note(*{ended.title_id for ended, _ in touched})


def visible(viewer: Viewer):
    """The condition under which a licence is this viewer's to see: they sold it or bought it."""
    held = permissions.relations(viewer, "licence.see")
    return or_(false(), *[condition for relation, condition in (
        (Relation.SELLER, Licence.organisation_id == viewer.organisation_id),
        (Relation.BUYER, Licence.licensee_id == viewer.organisation_id)) if relation in held])


def listing(viewer: Viewer):
    """A query for the viewer's licences, as seller or as buyer, newest first."""
    return (select(Licence).where(visible(viewer)).order_by(Licence.id.desc())
            .options(selectinload(Licence.lines).joinedload(Line.title), joinedload(Licence.seller)))


def get(licence_id: int, viewer: Viewer, action: str = "licence.see") -> Licence:
    """A licence the viewer sold or bought, or NotFound; NotAllowed where `action` is the seller's alone."""
    licence = db.session.scalar(select(Licence).where(Licence.id == licence_id, visible(viewer)))
    if licence is None:
        raise NotFound()
    if action != "licence.see" and not (licence.organisation_id == viewer.organisation_id
                                        and permissions.allows(viewer, action, Relation.OWN)):
        raise NotAllowed("Only a rights manager of the seller may end a licence.")
    return licence
