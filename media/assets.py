"""Assets: sending them, what they are found to be, who may have them."""
import mimetypes
import secrets
from datetime import timedelta

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import joinedload, selectinload

from accounts import permissions
from accounts.permissions import Relation, Viewer
from catalogue import audiences
from catalogue.models import Title
from core import clock, outbox
from core.database import db
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.storage.contract import MOST_POSTED, Missing, Store
from media import types
from media.models import FILMS, NEXT, PICTURES, SHOWN, Asset, Grant, Kind, State, Track

MB = 1 << 20
SMALL_PART, LARGE_PART, MANY_PARTS = 16 * MB, 64 * MB, 1_000
SENDING_SECONDS = 3600  # a signed address for sending: a slow line needs a while for 64 MB
ADDRESSES = 100         # of parts, signed at once
UNSENT_AFTER, SWEPT_AFTER = timedelta(days=7), timedelta(days=7)


def visible(viewer: Viewer):
    """The condition under which this viewer may see an asset; joins Title. The start of every query for assets."""
    seen, held = permissions.relations(viewer, "asset.see"), permissions.relations(viewer, "asset.send")
    own = Title.organisation_id == viewer.organisation_id
    shown = and_(Asset.state == State.READY.value, Asset.kind.in_([each.value for each in SHOWN]))
    by_grant = and_(Asset.state == State.READY.value, Asset.kind == Kind.SCREENER.value,
                    select(Grant.id).where(Grant.asset_id == Asset.id, granted(viewer)).exists())
    ways = [condition for allowed, condition in (
        (Relation.OWN in held, and_(own, Asset.state != State.DELETED.value)),
        (Relation.OWN in seen, and_(own, shown)),
        (Relation.GRANTED in seen, by_grant),
        (Relation.PUBLISHED in seen, and_(audiences.shown_to(viewer.organisation_id), shown))) if allowed]
    return or_(False, *ways)


def granted(viewer: Viewer):
    """The condition under which a grant is for this viewer, and lives today."""
    today = clock.today()
    person = and_(Grant.person_id == viewer.person_id, Grant.acting_for_id == viewer.organisation_id)
    address = and_(Grant.email == viewer.email,
                   or_(Grant.acting_for_id.is_(None), Grant.acting_for_id == viewer.organisation_id))
    return and_(or_(Grant.organisation_id == viewer.organisation_id, person, address),
                Grant.starts_on <= today, Grant.ends_on >= today, Grant.ended_at.is_(None))


def listing(viewer: Viewer, title_id: int):
    """A query for what this viewer may see of a title, newest first."""
    return (select(Asset).join(Asset.title).where(Asset.title_id == title_id, visible(viewer))
            .order_by(Asset.id.desc()).options(joinedload(Asset.title), selectinload(Asset.renditions)))


def get(asset_id: int, viewer: Viewer) -> Asset:
    """One asset this viewer may see, or NotFound."""
    found = db.session.scalar(select(Asset).join(Asset.title).where(Asset.id == asset_id, visible(viewer))
                              .options(joinedload(Asset.title), selectinload(Asset.renditions)))
    if found is None:
        raise NotFound()
    return found


def own(asset_id: int, viewer: Viewer) -> Asset:
    """The same for whoever may change it, or NotAllowed."""
    asset = get(asset_id, viewer)
    if not is_own(asset, viewer):
        raise NotAllowed("Only the seller that lists this title may do that, with the role it needs.")
    return asset


def is_own(asset: Asset, viewer: Viewer) -> bool:
    """Whether the viewer sends, describes and deletes this asset's like."""
    return asset.title.organisation_id == viewer.organisation_id and permissions.allows(viewer, "asset.send",
                                                                                        Relation.OWN)


# ------------------------------------------------------------------ sending

def create(title: Title | None, by: Viewer, store: Store, *, kind: str, filename: str, content_type: str, size: int,
           sha256=None, language=None, alt=None, focal_point=None, film_id=None, track=None) -> Asset:
    """Announce a file that will be sent. Raises Invalid where files of this type or size are nothing for its kind.

    Subtitles that name a film (a trailer or screener of the same title) are shown over it. A file of no title is for
    whoever keeps it (`licensing.remarks`), and stands on no list of files.
    """
    allowed, most = types.ALLOWED[Kind(kind)]
    if content_type not in allowed:
        raise Invalid({"content_type": [f"A {kind} is one of {', '.join(sorted(allowed))}."]})
    if size > most:
        raise Invalid({"size": [f"A {kind} has {most // MB:,} MB at most."]})
    if not (filename := types.plain_name(filename)):
        raise Invalid({"filename": ["Give the file a name that can be read."]})
    if film_id is not None or track is not None:
        _check_film(title, kind, film_id, language)
        track = track or Track.SUBTITLES.value
    asset = Asset(title=title, person_id=by.person_id, kind=kind, key=secrets.token_hex(16), filename=filename,
                  type=content_type, size=size, sha256=sha256, language=language, alt=alt, film_id=film_id, track=track,
                  created_at=clock.now(), changed_at=clock.now())
    focus(asset, focal_point)
    if size > MOST_POSTED:
        asset.upload_id = store.begin(f"kept/{asset.key}/original", content_type)
    db.session.add(asset)
    db.session.flush()
    return asset


def _check_film(title, kind, film_id, language):
    if kind != Kind.SUBTITLE:
        raise Invalid({"film_id": ["Only subtitles belong to a film."]})
    if not db.session.scalar(select(Asset.id).where(
            Asset.id == film_id, Asset.title_id == title.id, Asset.kind.in_([each.value for each in FILMS]),
            Asset.state.in_([State.UPLOADING.value, State.CHECKING.value, State.READY.value]))):
        raise Invalid({"film_id": ["Name a trailer or a screener of this title, that is there or being sent."]})
    if not language:
        raise Invalid({"language": ["Say the language of the words, such as en or zh-Hant."]})


def focus(asset: Asset, point: dict | None):
    """Say what of a picture stays in view where it is cropped: {x, y}, each from 0 to 1; None is the middle."""
    asset.focal_x, asset.focal_y = (round(100 * (point or {}).get(axis, 0.5)) for axis in "xy")


def describe(asset: Asset, **said):
    """Say anew its language, its words for those who do not see it, or its focal point; the rest stays."""
    if "focal_point" in said:
        focus(asset, said.pop("focal_point"))
    for name in ("language", "alt"):
        if name in said:
            setattr(asset, name, said[name] or None)


def upload(asset: Asset, store: Store) -> dict:
    """How to send it: {method, url, headers, fields} for a form, or {method, part_size, parts} for parts."""
    if asset.upload_id is None:
        form = store.signed_post(asset.arriving, asset.type, SENDING_SECONDS, least=asset.size, most=asset.size)
        return {"method": "POST", "url": form.url, "headers": {}, "fields": form.fields, "parts": []}
    first = range(1, min(count_parts(asset), ADDRESSES) + 1)
    return {"method": "PUT", "url": None, "headers": {}, "fields": {}, "part_size": part_size(asset),
            "parts": part_addresses(asset, store, first)}


def part_size(asset: Asset) -> int:
    """Bytes of every part but the last."""
    return SMALL_PART if asset.size <= SMALL_PART * MANY_PARTS else LARGE_PART


def count_parts(asset: Asset) -> int:
    return -(-asset.size // part_size(asset))


def _size_of_part(asset, number):
    return min(part_size(asset), asset.size - (number - 1) * part_size(asset))


def part_addresses(asset: Asset, store: Store, numbers) -> list[dict]:
    """[{number, url, size}] for the parts of these numbers. Raises Conflict where nothing is being sent in parts."""
    if asset.state != State.UPLOADING or asset.upload_id is None:
        raise Conflict("This file is not being sent in parts.")
    last = count_parts(asset)
    if wrong := [each for each in numbers if not 1 <= each <= last]:
        raise Invalid({"numbers": [f"There is no part {wrong[0]}: the parts are 1 to {last}."]})
    return [{"number": each, "size": _size_of_part(asset, each), "url": store.signed_part(
        asset.arriving, asset.upload_id, each, _size_of_part(asset, each), SENDING_SECONDS)} for each in numbers]


def arrived(asset: Asset, store: Store) -> list[int]:
    """The numbers of the parts that have arrived whole: sending goes on with the others."""
    try:
        parts = store.parts(asset.arriving, asset.upload_id)
    except Missing:
        raise Conflict("This upload was dropped. Send the file anew.") from None
    return [part.number for part in parts if part.size == _size_of_part(asset, part.number)]


def sending(asset: Asset, store: Store, numbers) -> dict:
    """How far an upload in parts is: {part_size, count, parts (addresses for these numbers), arrived}."""
    return {"parts": part_addresses(asset, store, numbers), "arrived": arrived(asset, store),
            "part_size": part_size(asset), "count": count_parts(asset)}


def complete(asset: Asset, store: Store, sha256: str | None):
    """Everything was sent: let it be checked. Raises Conflict where a part is missing, Invalid without a checksum."""
    if asset.state != State.UPLOADING:
        raise Conflict(f"This file is {asset.state} already.")
    if asset.sha256 and sha256 and asset.sha256 != sha256:
        raise Invalid({"sha256": ["This is not the checksum the file was announced with."]})
    if not (sha256 or asset.sha256):
        raise Invalid({"sha256": ["Send the SHA-256 of the file, in hexadecimal."]})
    if asset.upload_id and (left := set(range(1, count_parts(asset) + 1)) - set(arrived(asset, store))):
        raise Conflict(f"{len(left)} parts have not arrived, the first of them is part {min(left)}.")
    asset.sha256 = sha256 or asset.sha256
    _move(asset, State.CHECKING)


def delete(asset: Asset):
    """Let nobody have it any more, nor the subtitles of a film. Objects are removed when nobody may want them back."""
    _move(asset, State.DELETED)
    for words in db.session.scalars(select(Asset).where(
            Asset.film_id == asset.id, Asset.state != State.DELETED.value)).all():
        _move(words, State.DELETED)


def _move(asset: Asset, state: State, reason: str | None = None):
    if state not in NEXT[State(asset.state)]:
        raise Conflict(f"This file is {asset.state}; it cannot become {state}.")
    moved = db.session.execute(update(Asset).where(Asset.id == asset.id, Asset.state == asset.state).values(
        state=state.value, reason=reason, changed_at=clock.now()))
    if not moved.rowcount:
        raise Conflict("This file changed at the same moment. Look at it again.")
    db.session.refresh(asset, ["state", "reason", "changed_at"])
    outbox.put("asset", asset.id)


# ------------------------------------------------------------------ what the worker found

def accept(asset: Asset, renditions):
    """It is what it was said to be."""
    asset.renditions = list(renditions)
    db.session.flush()
    _move(asset, State.READY)
    if asset.kind in FILMS:
        outbox.put("film", asset.id)


def reject(asset: Asset, reason: str):
    """It is not, and why: a sentence for who sent it."""
    _move(asset, State.REJECTED, reason)


# ------------------------------------------------------------------ reading

def name_for(asset: Asset, viewer: Viewer) -> str:
    """What a file is called: to its seller as it was sent; to others what it is, for what it was called is the
    seller's."""
    if is_own(asset, viewer):
        return asset.filename
    return asset.kind + (".webp" if asset.kind in PICTURES else mimetypes.guess_extension(asset.type) or "")


def address(asset: Asset, store: Store, download=False, name: str | None = None) -> str:
    """A signed address of the file. Raises Conflict before it is ready. What is no film or picture is a download, by
    the `name` it was sent under unless another is given; a download is what was sent, of a film."""
    if asset.state != State.READY:
        raise Conflict(f"This file is {asset.state}.")
    if download or asset.kind not in PICTURES | FILMS:
        return store.signed_get(asset.kept, store.reading_seconds, download=name or asset.filename)
    return store.signed_get(asset.shown, store.reading_seconds)
