"""Requests for screeners: a buyer asks for one of a title, its seller grants or declines it.

A title without a screener is asked for too: its seller learns what is wanted. No buyer learns of another's requests.
"""
from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import joinedload

from accounts import people, permissions
from accounts.models import Person
from accounts.permissions import Relation, Viewer
from catalogue.models import Title
from core import clock
from core.database import db
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from media import grants
from media.models import Asset, Grant, Kind, ScreenerRequest, State

OPEN = ScreenerRequest.answered_at.is_(None)
STATES = {"open": OPEN, "granted": ScreenerRequest.grant_id.is_not(None),
          "declined": ScreenerRequest.answered_at.is_not(None) & ScreenerRequest.grant_id.is_(None)}
WHOLE = (joinedload(ScreenerRequest.title).selectinload(Title.names), joinedload(ScreenerRequest.seller),
         joinedload(ScreenerRequest.organisation), joinedload(ScreenerRequest.person),
         joinedload(ScreenerRequest.grant))


def visible(viewer: Viewer):
    """The condition under which this viewer may see a request: as the seller asked, or as the organisation asking."""
    held = permissions.relations(viewer, "request.see")
    ways = [condition for relation, condition in (
        (Relation.SELLER, ScreenerRequest.seller_id == viewer.organisation_id),
        (Relation.BUYER, ScreenerRequest.organisation_id == viewer.organisation_id)) if relation in held]
    return or_(False, *ways)


def listing(viewer: Viewer, state: str | None = None):
    """A query for the requests this viewer may see, newest first: all, or the open, granted or declined ones."""
    query = select(ScreenerRequest).where(visible(viewer)).order_by(ScreenerRequest.id.desc()).options(*WHOLE)
    return query.where(STATES[state]) if state else query


def asked(viewer: Viewer):
    """The same for what the viewer's own organisation asked for."""
    return listing(viewer).where(ScreenerRequest.organisation_id == viewer.organisation_id)


def waiting(viewer: Viewer):
    """The same for what this viewer's house has to answer, and those who have waited longest first."""
    return (listing(viewer).where(ScreenerRequest.seller_id == viewer.organisation_id, OPEN)
            .order_by(None).order_by(ScreenerRequest.id))


def count(viewer: Viewer) -> int | None:
    """How many wait for this viewer's house, for the masthead; None for who answers none."""
    if not (viewer.sells and permissions.allows(viewer, "asset.grant", Relation.OWN)):
        return None
    return db.session.scalar(select(func.count()).where(ScreenerRequest.seller_id == viewer.organisation_id, OPEN))


def may_ask(title: Title, viewer: Viewer) -> bool:
    return title.organisation_id != viewer.organisation_id and permissions.allows(viewer, "screener.request",
                                                                                  Relation.PUBLISHED)


def latest(title: Title, viewer: Viewer) -> ScreenerRequest | None:
    """What the viewer's organisation asked last of this title."""
    return db.session.scalar(select(ScreenerRequest).where(
        visible(viewer), ScreenerRequest.organisation_id == viewer.organisation_id,
        ScreenerRequest.title_id == title.id).order_by(ScreenerRequest.id.desc()).limit(1)
        .options(joinedload(ScreenerRequest.person)))


def create(title: Title, by: Viewer, note: str | None = None) -> ScreenerRequest:
    """Ask for a screener of a title the viewer may see. Raises Conflict where this was asked, or granted, already."""
    if not may_ask(title, by):
        raise NotAllowed("A title of your own house needs no request: its screeners stand under Media.")
    if grants.watchable(title, by):
        raise Conflict("You may watch a screener of this title already. It stands under Your screeners.")
    if db.session.scalar(select(ScreenerRequest.id).where(
            ScreenerRequest.title_id == title.id, ScreenerRequest.organisation_id == by.organisation_id, OPEN)):
        raise Conflict(f"Your organisation has asked already, and {title.seller.name} has not answered yet.")
    request = ScreenerRequest(title=title, seller_id=title.organisation_id, organisation_id=by.organisation_id,
                              person_id=by.person_id, note=note or None, asked_at=clock.now())
    db.session.add(request)
    db.session.flush()
    grants.tell(people.acting_for([title.organisation_id]), title, "/screeners", "You can grant or decline it.",
                f"{by.organisation_name} asks for a screener: {title.original_title}", request.note)
    return request


def get(request_id: int, viewer: Viewer) -> ScreenerRequest:
    """A request this viewer may answer; NotFound where it is not theirs to see, NotAllowed where only to see."""
    request = db.session.scalar(listing(viewer).where(ScreenerRequest.id == request_id))
    if request is None:
        raise NotFound()
    if request.seller_id != viewer.organisation_id:
        raise NotAllowed("Only the seller that was asked may answer.")
    return request


def screeners(title_ids) -> dict[int, list[Asset]]:
    """{title: its screeners that are ready, newest first}. Ask only for titles of the viewer's own house."""
    found = {title_id: [] for title_id in title_ids}
    for asset in db.session.scalars(select(Asset).where(
            Asset.title_id.in_(found), Asset.kind == Kind.SCREENER.value, Asset.state == State.READY.value)
            .order_by(Asset.id.desc())):
        found[asset.title_id].append(asset)
    return found


def grant(request: ScreenerRequest, by: Viewer, asset: Asset, **terms) -> Grant:
    """Grant what was asked, in the terms of `grants.give`; for the whole organisation unless they name a person.

    Raises Conflict where it was answered meanwhile, Invalid for the screener of another title.
    """
    if asset.title_id != request.title_id:
        raise Invalid({"asset": ["This is a screener of another title."]})
    if not any(map(terms.get, ("person_id", "organisation_id", "email"))):
        terms["organisation_id"] = request.organisation_id
    if terms.get("person_id") is not None:
        terms["acting_for_id"] = request.organisation_id
    given = grants.give(asset, by, **terms)
    _answer(request, by, grant_id=given.id)
    return given


def decline(request: ScreenerRequest, by: Viewer, reply: str):
    """Decline, with a sentence for those who asked. Raises Conflict where it was answered meanwhile."""
    if not reply.strip():
        raise Invalid({"reply": ["Say why, in a sentence for those who asked."]})
    _answer(request, by, reply=reply.strip())
    grants.tell(people.acting_for([request.organisation_id]), request.title, f"/titles/{request.title_id}", "",
                f"{by.organisation_name} sends no screener: {request.title.original_title}", request.reply)


def _answer(request, by, **said):
    answered = db.session.execute(update(ScreenerRequest).where(ScreenerRequest.id == request.id, OPEN).values(
        answered_at=clock.now(), by_id=by.person_id, **said))
    if not answered.rowcount:
        raise Conflict("This request was answered already. Look at it again.")
    db.session.refresh(request)


def settle(given: Grant):
    """A grant that was given without looking at the requests answers what its organisation or person asked for."""
    if given.email:
        theirs = ScreenerRequest.person_id == select(Person.id).where(Person.email == given.email).scalar_subquery()
    else:
        theirs = ScreenerRequest.organisation_id == (given.organisation_id or given.acting_for_id)
        if given.person_id is not None:
            theirs &= ScreenerRequest.person_id == given.person_id
    title_id = select(Asset.title_id).where(Asset.id == given.asset_id).scalar_subquery()
    db.session.execute(update(ScreenerRequest).where(ScreenerRequest.title_id == title_id, theirs, OPEN).values(
        answered_at=clock.now(), by_id=given.by_id, grant_id=given.id).execution_options(synchronize_session=False))
