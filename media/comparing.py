"""Whether the objects in the store are those that the rows name, and mending it where they are not.

Both sides are read in the order of their keys, beside each other, so that neither is held whole. People send and the
worker works meanwhile: whatever seems to disagree is looked at once more by itself before it is told.
"""
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, groupby

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from core import clock
from core.database import db, reading
from core.outbox import OutboxRow
from core.storage.contract import Missing, Store
from media import assets
from media.models import PICTURES, Asset, State

LEFT_ALONE = timedelta(days=1)  # what is nobody's and younger may still become somebody's
PAGE = 1_000
SENDING = {State.UPLOADING, State.CHECKING}
LOST = "The file is no longer in the store as it was checked. Send it again."


@dataclass(frozen=True)
class Difference:
    """Where rows and objects disagree: an asset whose objects are not as they were checked, or what is nobody's."""
    text: str
    asset_id: int | None = None
    key: str = ""
    upload_id: str | None = None
    since: datetime | None = None


def differences(store: Store) -> list[str]:
    """In what rows and objects disagree, one line each; what the worker still has to do is no difference."""
    return [each.text for each in compare(store)]


def compare(store: Store, *, checksums=False, told=lambda done, total: None) -> Iterator[Difference]:
    """The same one by one. `checksums` reads every object; `told(done, total)` hears how many bytes of them were."""
    yield from _of_what_is_kept(store, checksums, told)
    for name, found in _by_name(store.listing("arriving/")):
        row = _row(name)
        if row is None or row.state not in SENDING:
            yield from (each for each in _nobodys(found) if each.since < clock.now() - LEFT_ALONE)
    for upload in store.uploads():
        row = _row(_name(upload.key)) if upload.key else None
        sent = row is not None and row.upload_id == upload.upload_id and (row.state in SENDING or _unswept(row))
        if not sent and upload.begun < clock.now() - LEFT_ALONE:
            yield Difference(f"An upload of {upload.key or 'no key'} was begun on {upload.begun:%d %b %Y} and belongs "
                             "to no file that is being sent.", None, upload.key, upload.upload_id, upload.begun)


def _of_what_is_kept(store, checksums, told):
    done, total = 0, checksums and _bytes_in_all()
    for name, row, found in _beside(_rows(), _by_name(store.listing("kept/"))):
        broken = list(_faults(row, found)) and list(_looked_at_again(name, store))
        yield from broken
        if checksums and row is not None and row.state == State.READY and not broken:
            for read in _changed(row, store):
                if isinstance(read, Difference):
                    yield read
                else:
                    done += read
                    told(done, total)


def _bytes_in_all() -> int:
    with reading():
        total = db.session.scalar(select(func.sum(Asset.size)).where(
            Asset.state == State.READY.value, Asset.kind.not_in([each.value for each in PICTURES])))
        db.session.rollback()
    return total or 0


# ------------------------------------------------------------------ both sides, in order

def _name(key: str) -> str:
    return key.split("/")[1]


def _by_name(listing):
    return ((name, list(found)) for name, found in groupby(listing, key=lambda each: _name(each.key)))


def _rows():
    last = ""
    while page := _page(Asset.key > last):
        yield from page
        last = page[-1].key


def _page(condition) -> list[Asset]:
    """Assets in the order of their keys, read at once so that nothing is open while the store is asked."""
    with reading():
        rows = db.session.scalars(select(Asset).where(condition).order_by(Asset.key).limit(PAGE)
                                  .options(selectinload(Asset.renditions))).all()
        db.session.expunge_all()
        db.session.rollback()
    return rows


def _row(name) -> Asset | None:
    return next(iter(_page(Asset.key == name)), None)


def _beside(rows, groups):
    """(name, row or None, objects) for every name on either side."""
    row, group = next(rows, None), next(groups, None)
    while row or group:
        if group is None or row and row.key < group[0]:
            yield row.key, row, []
            row = next(rows, None)
        elif row is None or group[0] < row.key:
            yield group[0], None, group[1]
            group = next(groups, None)
        else:
            yield row.key, row, group[1]
            row, group = next(rows, None), next(groups, None)


# ------------------------------------------------------------------ one asset

def _unswept(row):
    return row.state == State.DELETED and row.swept_at is None


def _faults(row, found):
    """In what one row and its objects disagree."""
    if row is None or row.state == State.REJECTED or row.swept_at:
        yield from _nobodys(found)
    elif row.state == State.READY:
        wanted, there = dict(_objects(row)), {each.key: each for each in found}
        for key, size in wanted.items():
            if key not in there:
                yield Difference(f"Asset {row.id} lacks its object {key}.", row.id)
            elif there[key].size != size:
                yield Difference(f"Asset {row.id} has {size:,} bytes, its object {key} has {there[key].size:,}.",
                                 row.id)
        yield from _nobodys(each for each in found if each.key not in wanted)


def _nobodys(found):
    return (Difference(f"The object {each.key} belongs to no asset.", None, each.key, None, each.modified)
            for each in found)


def _objects(asset) -> list[tuple[str, int]]:
    """(key, bytes) of every object a ready asset has. Of a picture only what was made of it is kept."""
    original = [] if asset.kind in PICTURES else [(f"kept/{asset.key}/original", asset.size)]
    return original + [(f"kept/{asset.key}/{each.name}", each.size) for each in asset.renditions]


def _looked_at_again(name, store):
    """The faults that stand when the row is read before and after the objects, and the worker has nothing to do."""
    before = _row(name)
    if before is not None and _waits(before):
        return
    found = [each for each in store.listing(f"kept/{name}") if _name(each.key) == name]
    after = _row(name)
    if before is None or (before.state, before.swept_at) == (after.state, after.swept_at):
        yield from _faults(after, found)


def _waits(row) -> bool:
    with reading():
        waits = db.session.scalar(select(OutboxRow.id).where(
            OutboxRow.topic.in_(["asset", "film"]), OutboxRow.subject_id == row.id).limit(1))
        db.session.rollback()
    return waits is not None


def _changed(row, store):
    """Reads every object of a ready asset: yields how many bytes were read, and at the end what has changed.

    Of a film or paper the checksum is known. What was made of a picture is known by its size alone, and has to begin
    as such a file begins.
    """
    changed = []
    try:
        for key, size in _objects(row):
            if key.endswith("/original"):
                digest = hashlib.sha256()
                for piece in store.read(key):
                    digest.update(piece)
                    yield len(piece)
                if digest.hexdigest() != row.sha256:
                    changed.append(f"Asset {row.id} has another checksum (SHA-256) than its object {key}.")
            elif key.endswith(".webp"):
                head = b"".join(store.read(key, 0, 12))
                if head != b"RIFF" + (size - 8).to_bytes(4, "little") + b"WEBP":
                    changed.append(f"The object {key} of asset {row.id} is no picture any more.")
    except Missing:  # deleted meanwhile, or else the next check will say so
        return
    after = _row(row.key)
    if after.state == State.READY:
        yield from (Difference(each, row.id) for each in changed)


# ------------------------------------------------------------------ mending

def holds_nothing(store: Store) -> bool:
    """Whether rows name objects and the store has none at all: the wrong bucket rather than a loss."""
    ready = _page(Asset.state == State.READY.value)[:1]
    return bool(ready) and next(chain(store.listing("kept/"), [None])) is None


def mend(difference: Difference, store: Store) -> str:
    """Make one difference even, if it still stands. Returns what was done, in a sentence; the caller commits.

    What is nobody's is removed, unless it is younger than a day. An asset whose objects are not as they were checked
    is rejected with the reason, so that nobody is led to it, and the worker removes what is left of it.
    """
    if difference.asset_id is not None:
        row = db.session.get(Asset, difference.asset_id)
        if row.state == State.READY:
            assets.reject(row, LOST)
        return f"Asset {row.id} is {row.state}."
    if difference.since > clock.now() - LEFT_ALONE:
        return "It is younger than a day, and left alone."
    if difference.upload_id is not None:
        store.abort(difference.key, difference.upload_id)
    else:
        store.delete(difference.key)
    return "It is removed."
