"""Licences: rights out. The one path that grants them, whether signed here or recorded as done elsewhere."""
from dataclasses import replace
from datetime import date

from sqlalchemy import false, or_, select
from sqlalchemy.orm import joinedload, selectinload

from accounts import permissions
from accounts.permissions import Relation, Viewer
from catalogue import changes, titles
from catalogue.models import Title
from core import clock, outbox
from core.database import db
from core.errors import Conflict, NotAllowed, NotFound
from licensing import avails, checks, guard, mandates, terms
from licensing.models import Licence, Line
from licensing.rights import availability
from licensing.rights.availability import Verdict
from licensing.terms import Terms


class RightsTaken(Conflict):
    """What was to be granted is not free. `answers` are (title, terms, answer) for each line that is not."""

    def __init__(self, refused, viewer: Viewer | None):
        self.refused = refused
        title, said, answer = refused[0]
        reasons = [{"title_id": str(title.id), **reason} for title, said, answer in refused
                   for reason in (avails.reasons_json(answer, said, title, viewer) if viewer else [])]
        words = reasons[0]["text"] if reasons else "It is not free."
        super().__init__(f"{title.original_title} cannot be licensed like this. {words}", reasons=reasons)


def refused(lines, recording: bool = False, licensee: int | None = None, leaving_out: int | None = None):
    """Those of [(title, terms)] that cannot be granted now, with their answers.

    A licence is written over its whole window, so all of it is judged, also what lies before today; only a deal
    wholly in the past is refused, unless it is `recording` what was done elsewhere.
    """
    answers = []
    for title, said in lines:
        over = said.ends_on is not None and said.ends_on < clock.today() and not recording
        answer = (avails.ask(title.id, said, licensee, leaving_out=leaving_out) if over
                  else avails.granting(title.id, said, licensee, leaving_out))
        answers.append((title, said, answer))
    return [each for each in answers if each[2].verdict != Verdict.AVAILABLE]


def grant(seller_id: int, lines: list[tuple[Title, Terms]], *, licensee_id: int | None, licensee_name: str,
          contract=None, offer_id=None, amendment_id=None, external_id=None, viewer: Viewer | None = None,
          recording=False) -> Licence:
    """Write a licence over [(title, terms)]. The caller holds the lock of every title.

    Raises RightsTaken when any line is not free or lies outside the mandates: a licence must lie inside
    them on the day it is granted (domain.md, "Availability"). Nothing is written then.
    """
    lines = [(title, _counted(title, said)) for title, said in lines]
    if taken := refused(lines, recording, licensee_id):
        raise RightsTaken(taken, viewer)
    terms.write_sets(*(said for _, said in lines))
    licence = Licence(organisation_id=seller_id, licensee_id=licensee_id, licensee_name=licensee_name,
                      contract=contract, offer_id=offer_id, amendment_id=amendment_id, external_id=external_id,
                      recorded_at=clock.now())
    for title, said in lines:
        leaves = avails.leaves(title.id)
        licence.lines.append(Line(title_id=title.id, counts_from=clock.now(), recorded_at=clock.now(),
                                  leaves=None if leaves == [title.id] else leaves, **said.columns()))
    db.session.add(licence)
    db.session.flush()
    for line in licence.lines:
        guard.post(line)
    changes.note(*{title.id for title, _ in lines})
    if viewer:  # a person did it: open offers over the same rights are checked again (`licensing.overtaken`)
        outbox.put("licensed", licence.id)
    return licence


def grant_all(seller_id: int, wanted) -> dict[int, availability.Answer]:
    """`grant` for many licences done elsewhere, in a few statements: {place: answer} of those refused.

    Each has title_id, terms, licensee, contract and external_id. The rights are read once, under the locks that the
    caller holds, and each licence is judged after those before it.
    """
    refused, granted, now = {}, [], clock.now()
    answers = avails.granting_all([(each.title_id, each.terms) for each in wanted])
    terms.write_sets(*(each.terms for each in wanted))
    for place, (each, (answer, leaves, said)) in enumerate(zip(wanted, answers, strict=True)):
        if answer is not None:
            refused[place] = answer
            continue
        line = Line(title_id=each.title_id, counts_from=now, recorded_at=now, **said.columns(),
                    leaves=None if leaves == [each.title_id] else leaves)
        db.session.add(Licence(organisation_id=seller_id, licensee_name=each.licensee, contract=each.contract,
                               external_id=each.external_id, recorded_at=now, lines=[line]))
        granted.append(line)
    db.session.flush()
    for line in granted:
        guard.post(line)
    changes.note(*{line.title_id for line in granted})
    return refused


def _counted(title: Title, said: Terms) -> Terms:
    """A licence drawn on a mandate with runs names a number: one, where none is said."""
    if said.runs is None and avails.has_runs(title.id, said):
        return replace(said, runs=1)
    return said


def follow(title: Title, old_root: int):
    """After a title came into a hierarchy, or moved, its licences follow: what a licence on the old parent covered of
    it stays covered, and every guard names the leaves of now. Raises Conflict where rights would now be sold twice.
    The caller holds the locks of both roots."""
    if old_root != title.root_id:
        below = titles.family_below(title.id)
        for line in db.session.scalars(_counting().where(Title.root_id == old_root)).all():
            if moved := sorted(below & set(line.leaves or ())):
                _split(line, moved, title)
    lines = db.session.scalars(_counting().where(Title.root_id == title.root_id)).all()
    for line in lines:
        guard.lift(line)
    for line in lines:
        guard.post(line)
    if broken := checks.sold_twice(title.root_id):
        raise Conflict(f"This move would sell rights twice. {broken[0]}")


def _counting():
    return select(Line).join(Line.title).where(Line.licence_id.is_not(None), Line.counts_until.is_(None))


def _split(line, moved, title):
    """End a line, and replace it by what it covered of the titles that moved and of those that stayed."""
    line.counts_until, line.note = clock.now(), "A part of it moved to another series."
    guard.lift(line)
    stayed = [leaf for leaf in line.leaves if leaf not in moved]
    for leaves, title_id, future in ((stayed, line.title_id, line.future), (moved, title.id, False)):
        if leaves:
            said = {**terms.of_row(line).columns(), "future": future}
            part = Line(title_id=title_id, licence_id=line.licence_id, leaves=leaves, counts_from=clock.now(),
                        recorded_at=clock.now(), **said)
            db.session.add(part)
            db.session.flush()
            guard.post(part)


def replace_licence(licence_id: int, note: str, **granted) -> Licence:
    """Grant a licence in the place of another, whose lines count until the instant at which the new ones begin to.
    `granted` is what `grant` takes. The caller holds the lock of every title of both."""
    old, now = db.session.get(Licence, licence_id), clock.now()
    for line in old.lines:
        if line.counts_until is None:
            line.counts_until, line.note = now, note
            guard.lift(line)
            changes.note(line.title_id)
    db.session.flush()
    made = grant(old.organisation_id, **granted)
    for line in made.lines:
        line.counts_from = now
    return made


def reaches(licence: Licence, day: date) -> bool:
    """Whether the licence still covers this day or a later one."""
    return any(mandates.reaches(line, day) for line in licence.lines)


def terminate(licence: Licence, first_day_gone: date, note: str | None = None):
    """The licence no longer covers `first_day_gone` and later; those cells are free again."""
    touched = mandates.cut(licence.lines, first_day_gone, note)
    if not touched:
        raise Conflict(f"This licence does not reach {first_day_gone} any more.")
    for ended, rest in touched:
        guard.lift(ended)
        if rest:
            guard.post(rest)
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
