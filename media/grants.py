"""Screeners: who may watch one, from when to when and how often, and how far they came.

A grant is read anew for every address that is signed, so that ending it works at once for new addresses; an old one
works for five minutes more at most. Days are those of the installation's zone, both ends included.

Whoever asked this seller for a screener can be named as a person; anybody else by address. Such a grant is given
whether or not somebody has the address: it waits for them, and its seller learns who they are when they watch.
"""
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import false, func, or_, select, update
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from accounts import notices, people, permissions
from accounts.models import Organisation, Person
from accounts.permissions import Relation, Viewer
from catalogue.models import Name, Title
from core import clock, outbox
from core.database import db
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.storage.contract import Store
from media import assets
from media.models import Asset, Grant, Kind, Play, ScreenerRequest, State

TOPIC = "grant"  # given to an address: somebody may have it
LONGEST_PLAY = timedelta(hours=12)  # one view: pauses included
MOST_WATCHED = 200  # screeners shown to one viewer at once
LEFT = or_(Grant.max_views.is_(None), Grant.views < Grant.max_views)  # has it a view left


def give(asset: Asset, by: Viewer, *, starts_on: date, ends_on: date, organisation_id=None, person_id=None, email=None,
         max_views=None, download=False, acting_for_id=None) -> Grant:
    """Let everyone of one organisation, or one person, watch a screener. Raises Invalid, and Conflict before it is
    ready.

    A person watches while acting for one organisation, and no longer than they belong to it: `acting_for_id`, or else
    one for which they asked.
    """
    if asset.kind != Kind.SCREENER or asset.state != State.READY:
        raise Conflict("Only a screener that is ready can be granted.")
    if [organisation_id, person_id, email].count(None) != 2:
        raise Invalid({"organisation": ["Name an organisation or a person, and not both."]})
    if organisation_id is not None and db.session.get(Organisation, organisation_id) is None:
        raise Invalid({"organisation": ["There is no such organisation."]})
    if ends_on < starts_on:
        raise Invalid({"ends_on": ["Lies before the first day."]})
    if person_id is not None:
        asked = [each for each in _houses(person_id) if each in _asked(person_id, by.organisation_id)
                 and acting_for_id in (None, each)]
        if not asked:  # in the same words whether or not there is such a person
            raise Invalid({"person": ["Name somebody who asked you for a screener, or else write their address."]})
        acting_for_id = asked[0]
    grant = Grant(asset=asset, organisation_id=organisation_id, person_id=person_id, acting_for_id=acting_for_id,
                  email=email and people.address(email), starts_on=starts_on, ends_on=ends_on, max_views=max_views,
                  download=download, by_id=by.person_id, created_at=clock.now())
    db.session.add(grant)
    db.session.flush()
    if email:
        outbox.put(TOPIC, grant.id)
    else:
        _tell([people.viewer(person_id, acting_for_id)] if person_id else people.acting_for([organisation_id]), grant)
    return grant


def _houses(person_id):
    """The ids of the organisations a person may act for, those that buy first."""
    theirs = sorted((each.organisation for each in people.memberships(person_id)), key=lambda each: not each.buys)
    return [each.id for each in theirs]


def _asked(person_id, seller_id):
    """For which organisations a person asked a seller for screeners."""
    return set(db.session.scalars(select(ScreenerRequest.organisation_id).where(
        ScreenerRequest.person_id == person_id, ScreenerRequest.seller_id == seller_id)))


def attend(grant_ids):
    """Who has the address that a grant was given to watches for the organisation they act for now, and is told."""
    waiting = select(Grant).where(Grant.id.in_(grant_ids), Grant.email.is_not(None), Grant.acting_for_id.is_(None))
    for grant in db.session.scalars(waiting).all():
        seller_id, person = grant.asset.title.organisation_id, people.find(grant.email)
        theirs = [each for each in _houses(person.id) if each != seller_id] if person else []
        if theirs:
            asked = _asked(person.id, seller_id)
            grant.acting_for_id = next((each for each in theirs if each in asked), theirs[0])
            _tell([people.viewer(person.id, grant.acting_for_id)], grant)


def _tell(readers, grant):
    title, first, last = grant.asset.title, grant.starts_on, grant.ends_on
    tell(filter(None, readers), title, "/your-screeners",
         f"You can watch it from {first.day} {first:%b %Y} to {last.day} {last:%b %Y}.",
         f"{title.seller.name} granted you a screener: {title.original_title}")


def tell(readers, title: Title, path: str, todo: str, subject: str, note: str | None = None):
    """Tell those who may see requests for screeners of one, or of a grant, in the transaction of the change."""
    notices.tell([each for each in readers if permissions.relations(each, "request.see")], "screeners", notices.News(
        subject, path, [f"“{note}”"] if note else [], todo=todo,
        names={title.original_title: title.original_language}))


def listing(asset: Asset):
    """A query for the grants of an asset, newest first, with what was watched."""
    return select(Grant).where(Grant.asset_id == asset.id).order_by(Grant.id.desc()).options(selectinload(Grant.plays))


def end(asset: Asset, grant_id: int):
    """Let nobody watch by this grant any more. Raises NotFound."""
    grant = db.session.scalar(select(Grant).where(Grant.id == grant_id, Grant.asset_id == asset.id))
    if grant is None:
        raise NotFound()
    grant.ended_at = grant.ended_at or clock.now()


def find(asset: Asset, viewer: Viewer) -> Grant | None:
    """The grant by which the viewer may watch now: the one with views left that lasts longest, or None."""
    return db.session.scalar(select(Grant).where(
        Grant.asset_id == asset.id, assets.granted(viewer), LEFT).order_by(Grant.ends_on.desc(), Grant.id).limit(1))


def check_download(asset: Asset, viewer: Viewer):
    """Raises NotAllowed where no grant of this viewer's, with views left, allows the file itself."""
    if not db.session.scalar(select(Grant.id).where(
            Grant.asset_id == asset.id, assets.granted(viewer), LEFT, Grant.download.is_(True))):
        raise NotAllowed("This screener is for watching, or every view was used. Play it, or ask its seller.")


def play(asset: Asset, viewer: Viewer, store: Store) -> tuple[Play, str]:
    """Begin to watch, which is one view. Returns the play and its first address. Raises NotAllowed with none left."""
    grant = None
    if asset.kind == Kind.SCREENER and not assets.is_own(asset, viewer):
        grant = find(asset, viewer)
        if grant is None or not db.session.execute(
                update(Grant).where(Grant.id == grant.id, LEFT).values(views=Grant.views + 1)).rowcount:
            raise NotAllowed("Every view of this grant was used. Ask the seller for another.")
        if grant.email:  # nobody had the address when it was given
            grant.acting_for_id = viewer.organisation_id
    address = assets.address(asset, store)
    begun = Play(asset_id=asset.id, grant_id=grant and grant.id, person_id=viewer.person_id, started_at=clock.now(),
                 told_at=clock.now(), seconds=0)
    db.session.add(begun)
    db.session.flush()
    return begun, address


def go_on(play_id: int, viewer: Viewer, store: Store, seconds: int) -> tuple[Play, str]:
    """Say how far a play is (seconds of the film), and have a fresh address. Raises NotFound for another's play,
    and as soon as its asset may not be seen any more."""
    begun = db.session.scalar(select(Play).where(Play.id == play_id, Play.person_id == viewer.person_id))
    if begun is None:
        raise NotFound()
    asset = assets.get(begun.asset_id, viewer)
    if begun.grant_id and not db.session.scalar(
            select(Grant.id).where(Grant.id == begun.grant_id, assets.granted(viewer))):
        raise NotFound()
    if clock.now() - begun.started_at > LONGEST_PLAY:
        raise Conflict("This play has lasted long enough. Begin a new one.")
    begun.seconds, begun.told_at = max(begun.seconds, seconds), clock.now()
    return begun, assets.address(asset, store)


def address(asset: Asset, viewer: Viewer, store: Store, download=False) -> str:
    """A signed address of a file the viewer may see. A screener of another house is watched, and counted: as a file
    it is had only where a grant says so. Raises NotAllowed."""
    if asset.kind == Kind.SCREENER and not assets.is_own(asset, viewer):
        check_download(asset, viewer)
        download = True
    return assets.address(asset, store, download, assets.name_for(asset, viewer))


# ------------------------------------------------------------------ looking at them

def watchable(title: Title, viewer: Viewer) -> int | None:
    """The id of the newest screener of a title that a grant lets this viewer watch now, or None."""
    return db.session.scalar(_to_watch(viewer, Asset.id).where(Asset.title_id == title.id)
                             .order_by(Asset.id.desc()).limit(1))


def mine(viewer: Viewer) -> list[Grant]:
    """The grants by which this viewer may watch now, one for each screener: the one that lasts longest."""
    found = {}
    for each in db.session.scalars(_to_watch(viewer, Grant).order_by(Grant.ends_on.desc(), Grant.id).limit(MOST_WATCHED)
                                   .options(joinedload(Grant.asset).joinedload(Asset.title).options(
                                       selectinload(Title.names), joinedload(Title.seller)))):
        found.setdefault(each.asset_id, each)
    return list(found.values())


def _to_watch(viewer, what):
    return select(what).select_from(Grant).join(Asset, Asset.id == Grant.asset_id).where(
        Asset.state == State.READY.value, Asset.kind == Kind.SCREENER.value, assets.granted(viewer), LEFT)


def of_house(viewer: Viewer, words: str = ""):
    """A query for the grants that this viewer's house gave, newest first: of titles with these words in a name."""
    allowed = permissions.allows(viewer, "asset.grant", Relation.OWN)
    query = (select(Grant).join(Grant.asset).join(Asset.title)
             .where(Title.organisation_id == viewer.organisation_id if allowed else false())
             .order_by(Grant.id.desc()).options(
                 contains_eager(Grant.asset).contains_eager(Asset.title).options(selectinload(Title.names)),
                 joinedload(Grant.organisation), joinedload(Grant.person), joinedload(Grant.acting_for)))
    named = select(Name.id).where(Name.title_id == Title.id, Name.value.icontains(words, autoescape=True)).exists()
    return query.where(or_(Title.original_title.icontains(words, autoescape=True), named)) if words else query


def standing(grant: Grant) -> str:
    """How a grant stands today, in a word or two."""
    if grant.ended_at:
        return "taken back"
    if grant.starts_on > clock.today():
        return "to come"
    if grant.ends_on < clock.today():
        return "over"
    return "used up" if grant.max_views is not None and grant.views >= grant.max_views else "live"


def days_left(grant: Grant) -> int:
    """Of its days, today included."""
    return max(0, (grant.ends_on - max(clock.today(), grant.starts_on)).days + 1)


@dataclass(frozen=True)
class Watched:
    """What one person watched by one grant."""
    name: str
    times: int
    seconds: int  # of the film: the furthest
    last_at: datetime


def watched(some) -> dict[int, list[Watched]]:
    """{grant: who watched by it, the last first}, with one query."""
    found = {grant.id: [] for grant in some}
    last = func.max(Play.told_at)
    for grant_id, *said in db.session.execute(
            select(Play.grant_id, Person.name, func.count(), func.max(Play.seconds), last)
            .join(Person, Person.id == Play.person_id).where(Play.grant_id.in_(found))
            .group_by(Play.grant_id, Person.id, Person.name).order_by(last.desc())):
        found[grant_id].append(Watched(*said))
    return found
