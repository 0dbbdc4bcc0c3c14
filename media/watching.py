"""Watching a film: what a play of it is, before it begins, and what stands over and beside it."""
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from accounts.permissions import Viewer
from catalogue.models import Title
from core import clock
from core.database import db
from core.errors import Conflict, NotFound
from core.storage.contract import Store
from media import assets, grants, pictures
from media.models import FILMS, Asset, Grant, Kind, Play, State

STILL_SIZES = (640, 1920)


@dataclass(frozen=True)
class Standing:
    """How a viewer stands to a screener: by which grant they may begin to watch (None: every view was used, or it is
    their own), and which play may be gone on with."""
    own: bool
    grant: Grant | None
    play: Play | None

    @property
    def left(self) -> int | None:
        """Views left; None where they are not counted."""
        return self.grant.max_views - self.grant.views if self.grant and self.grant.max_views else None


def film(asset_id: int, viewer: Viewer) -> Asset:
    """A film this viewer may watch. Raises NotFound, and Conflict where it is not ready (for its seller alone)."""
    found = assets.get(asset_id, viewer)
    if found.kind not in FILMS:
        raise NotFound()
    if found.state != State.READY:
        raise Conflict(f"This film is {found.state}. It can be watched when it was checked and is ready.")
    return found


def trailer(title: Title) -> int | None:
    """The id of a title's newest trailer that is ready, or None. Who may see the title may watch it."""
    return db.session.scalar(select(func.max(Asset.id)).where(
        Asset.title_id == title.id, Asset.kind == Kind.TRAILER.value, Asset.state == State.READY.value))


def standing(found: Asset, viewer: Viewer) -> Standing:
    """What a play of this screener by this viewer would be."""
    own = assets.is_own(found, viewer)
    lives = Play.grant_id.is_(None) if own else select(Grant.id).where(
        Grant.id == Play.grant_id, assets.granted(viewer)).exists()
    play = db.session.scalar(select(Play).where(
        Play.asset_id == found.id, Play.person_id == viewer.person_id, lives, Play.seconds > 0,
        Play.started_at > clock.now() - grants.LONGEST_PLAY).order_by(Play.id.desc()).limit(1))
    return Standing(own, None if own else grants.find(found, viewer), play)


def tracks(film_ids) -> dict[int, list[Asset]]:
    """The subtitles, captions and chapters of each of these films, by language. Ask only for films that are watched."""
    rows = db.session.scalars(select(Asset).where(
        Asset.film_id.in_(list(film_ids)), Asset.kind == Kind.SUBTITLE.value, Asset.state == State.READY.value)
        .order_by(Asset.track, Asset.language, Asset.id)).all()
    found = {}
    for row in rows:
        found.setdefault(row.film_id, []).append(row)
    return found


def track_addresses(words, store: Store) -> dict[int, str]:
    """Where each of these can be read from, to be shown over the film: not a download."""
    return {each.id: store.signed_get(each.kept, store.reading_seconds) for each in words}


def stills(films, store: Store) -> dict[int, pictures.Picture]:
    """What stands in each film's place before it plays: its own still, else the newest still of its title."""
    bare = {each.title_id for each in films if not each.pictures}
    newest = select(func.max(Asset.id)).where(Asset.title_id.in_(bare), Asset.kind == Kind.STILL.value,
                                              Asset.state == State.READY.value).group_by(Asset.title_id)
    lent = {} if not bare else {row.title_id: row for row in db.session.scalars(
        select(Asset).where(Asset.id.in_(newest)).options(selectinload(Asset.renditions)))}
    shown = {each.id: each if each.pictures else lent.get(each.title_id) for each in films}
    return {key: pictures.shown(each, store, STILL_SIZES) for key, each in shown.items() if each and each.pictures}
