"""Holdbacks, options, and the dates that terms wait for. Recorded, and ended from a day; never edited."""
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from accounts import people
from accounts.models import Organisation
from accounts.permissions import Relation, Viewer, allows
from catalogue import changes
from catalogue.models import Title
from core import clock
from core.database import db
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from licensing.models import Holdback, Licence, Option, TitleEvent
from licensing.terms import Terms

LICENSOR, LICENSEE = BINDS = ("licensor", "licensee")
KINDS = ("first_negotiation", "first_refusal", "last_refusal")


def hold_back(title: Title, said: Terms, *, hard: bool, binds: str, licence_id: int | None = None,
              note: str | None = None) -> Holdback:
    """A promise not to exploit these media in these territories. The caller holds the title's lock.

    One that binds a licensee is part of a licence of this title. Licences granted before stand: a holdback shortens
    what may still be licensed.
    """
    licence = db.session.get(Licence, licence_id) if licence_id is not None else None
    if (binds == LICENSEE) != (licence_id is not None) or (
            licence_id is not None and (licence is None or licence.organisation_id != title.organisation_id)):
        raise Invalid({"licence_id": ["A holdback of a licensee names a licence of yours; one of the licensor none."]})
    columns = {name: value for name, value in said.columns().items()
               if name in ("territories_key", "media_key", "starts_on", "ends_on", "tba")}
    holdback = Holdback(title_id=title.id, organisation_id=title.organisation_id, hard=hard, binds=binds, note=note,
                        licence_id=licence_id, written={axis: said.written[axis] for axis in ("territories", "media")},
                        counts_from=clock.now(), recorded_at=clock.now(), **columns)
    db.session.add(holdback)
    db.session.flush()
    changes.note(title.id, among=_bound(holdback))
    return holdback


def holdbacks(title: Title):
    """A query for every holdback recorded on a title, newest first; for its seller."""
    return (select(Holdback).where(Holdback.title_id == title.id).order_by(Holdback.id.desc())
            .options(joinedload(Holdback.licence)))


def get_holdback(holdback_id: int, viewer: Viewer) -> Holdback:
    """A holdback of the viewer's own organisation, or NotFound; NotAllowed where the role does not suffice."""
    holdback = db.session.scalar(select(Holdback).where(
        Holdback.id == holdback_id, Holdback.organisation_id == viewer.organisation_id))
    if holdback is None or not allows(viewer, "mandate.see", Relation.OWN):
        raise NotFound()
    if not allows(viewer, "mandate.end", Relation.OWN):
        raise NotAllowed("Only a rights manager may end a holdback.")
    return holdback


def end_holdback(holdback: Holdback, first_day_gone: date, note: str | None = None) -> Holdback:
    """The holdback no longer binds on `first_day_gone` and later. Returns what is left of it, or itself, ended."""
    if holdback.counts_until is not None or (holdback.ends_on and holdback.ends_on < first_day_gone):
        raise Conflict(f"This holdback does not reach {first_day_gone} any more.")
    holdback.counts_until, holdback.note = clock.now(), note or holdback.note
    changes.note(holdback.title_id, among=_bound(holdback))
    if holdback.starts_on >= first_day_gone:
        return holdback
    copied = ("title_id", "organisation_id", "licence_id", "territories_key", "media_key", "starts_on", "written",
              "hard", "binds")
    rest = Holdback(**{name: getattr(holdback, name) for name in copied}, ends_on=first_day_gone - timedelta(days=1),
                    counts_from=clock.now(), recorded_at=clock.now())
    db.session.add(rest)
    db.session.flush()
    return rest


def _bound(holdback) -> list[int] | None:
    """To whom a holdback of a licensee is anything: it touches nobody else's requests. None for one of the licensor."""
    if holdback.binds != LICENSEE:
        return None
    licensee = db.session.get(Licence, holdback.licence_id).licensee_id
    return [holdback.organisation_id, *[licensee] * (licensee is not None)]


def option(title: Title, said: Terms, *, kind: str, organisation_id: int, days: int) -> Option:
    """First negotiation, first or last refusal over what is linked to this title later: sequel, remake, spin-off."""
    holder = buyer(organisation_id)
    columns = said.columns()
    made = Option(title_id=title.id, organisation_id=title.organisation_id, holder_id=holder.id, kind=kind, days=days,
                  territories_key=columns["territories_key"], media_key=columns["media_key"],
                  written={axis: said.written[axis] for axis in ("territories", "media")},
                  counts_from=clock.now(), recorded_at=clock.now())
    db.session.add(made)
    db.session.flush()
    return made


def options(title: Title):
    """A query for the options carried by a title; for its seller."""
    return select(Option).where(Option.title_id == title.id).order_by(Option.id).options(joinedload(Option.holder))


def happen(title: Title, event: str, happens_on: date) -> TitleEvent:
    """An event has its date: everything that waited for it is computed anew. A later word replaces an earlier one.
    The caller holds the title's lock."""
    made = TitleEvent(title_id=title.id, event=event, happens_on=happens_on, recorded_at=clock.now())
    db.session.add(made)
    db.session.flush()
    changes.note(title.id)
    return made


def buyer(organisation_id) -> Organisation:
    try:
        return people.organisation(organisation_id)
    except NotFound:
        raise Invalid({"organisation": ["There is no organisation with this id."]}) from None
