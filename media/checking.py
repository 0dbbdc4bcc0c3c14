"""Whether a file is what it was said to be: the one time its bytes are read here, by the worker.

Nothing is open in the database while bytes are read. Each step may be repeated: a worker that was killed goes on
where it stood, for the row says what must be and the store is brought in line with it.
"""
import hashlib
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

from sqlalchemy import select

from core import clock
from core.database import db, reading
from core.storage.contract import Missing, Store
from media import assets, pictures, types, webvtt
from media.models import PICTURES, Asset, Kind, Rendition, State


class Lie(Exception):
    """The file is not what it was said to be. The text says how, to who sent it."""


def attend(asset_id: int, store: Store):
    """Bring one asset's row and objects in line, whatever its state is. The caller commits."""
    with reading():
        asset = db.session.get(Asset, asset_id)
        db.session.expunge_all()
        db.session.rollback()
    if asset is None:
        return
    if asset.state == State.CHECKING:
        _check(asset, store)
    elif asset.state == State.READY and asset.upload_id is None:
        store.delete(asset.arriving)
    elif asset.state == State.REJECTED:
        remove(asset, store)


def _check(asset, store):
    try:
        renditions = _look(asset, store)
    except Lie as lie:
        renditions, reason = None, str(lie)
    row = db.session.get(Asset, asset.id)
    if row.state != State.CHECKING:  # deleted meanwhile
        return
    if renditions is None:
        assets.reject(row, reason)
    else:
        assets.accept(row, renditions)


def _look(asset, store) -> list[Rendition]:
    """Read it once. Returns what was made of it, with the objects kept; raises Lie."""
    if asset.upload_id:
        _join(asset, store)
    try:
        found = store.head(asset.arriving)
    except Missing:
        raise Lie("The file never arrived.") from None
    if found.size != asset.size:
        raise Lie(f"The file has {found.size:,} bytes, not {asset.size:,}.")
    with ExitStack() as open_until_kept:
        copy = None if asset.upload_id else open_until_kept.enter_context(tempfile.TemporaryFile())
        _compare(asset, store.read(asset.arriving), copy)
        return [] if copy is None else _keep(asset, store, copy)


def _join(asset, store):
    """Make the object of its parts, if that was not done before."""
    with suppress(Missing):
        parts = store.parts(asset.arriving, asset.upload_id)
        if sum(part.size for part in parts) != asset.size:
            raise Lie(f"The parts have {sum(part.size for part in parts):,} bytes together, not {asset.size:,}.")
        store.complete(asset.arriving, asset.upload_id, parts)


def _compare(asset, pieces, copy):
    digest, head, size = hashlib.sha256(), b"", 0
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
        if len(head) < types.HEAD:
            head = (head + piece)[:types.HEAD]
        if copy:
            copy.write(piece)
    if size != asset.size or digest.hexdigest() != asset.sha256:
        raise Lie("The file is not the one that was sent: its checksum (SHA-256) is another.")
    if (really := types.of(head)) != asset.type:
        raise Lie(f"The file says it is {asset.type}, but its content is {really or 'nothing that is taken here'}.")


def _keep(asset, store, copy) -> list[Rendition]:
    """Keep the very bytes that were read. What came by a form is kept under a key that no form was signed for."""
    if asset.kind not in PICTURES:
        copy.seek(0)
        if asset.kind == Kind.SUBTITLE:
            _read_words(copy.read())
            copy.seek(0)
        store.put(f"kept/{asset.key}/original", copy, asset.type)
        return []
    with tempfile.TemporaryDirectory() as folder:
        try:
            made = pictures.make(asset.kind, asset.type, copy, Path(folder))
        except pictures.Unfit as problem:
            raise Lie(str(problem)) from None
        for rendition, path in made:
            with path.open("rb") as file:
                store.put(f"kept/{asset.key}/{rendition.name}", file, "image/webp")
    return [rendition for rendition, _ in made]


def _read_words(data):
    try:
        webvtt.check(data)
    except webvtt.Unfit as problem:
        raise Lie(str(problem)) from None


def remove(asset: Asset, store: Store):
    """Remove every object of an asset, also of an upload that was never ended."""
    if asset.upload_id:
        store.abort(asset.arriving, asset.upload_id)
    store.delete(f"arriving/{asset.key}")
    for each in list(store.listing(f"kept/{asset.key}/")):
        store.delete(each.key)


def sweep(store: Store) -> int:
    """Remove what nobody will want back. Returns how many assets it touched; the caller commits.

    Uploads that were never ended are rejected, objects of deleted assets are removed, each after a week; what
    arrived for an asset long settled goes too, as do uploads that no asset knows of.
    """
    with reading():
        unsent, gone = (db.session.scalars(select(Asset).where(
            Asset.state == state.value, Asset.swept_at.is_(None),
            Asset.changed_at < clock.now() - age).limit(1000)).all()
            for state, age in ((State.UPLOADING, assets.UNSENT_AFTER), (State.DELETED, assets.SWEPT_AFTER)))
        db.session.expunge_all()
        db.session.rollback()
    for asset in gone:
        remove(asset, store)
    late = clock.now() - assets.UNSENT_AFTER
    left = [each for each in store.listing("arriving/") if each.modified < late]
    begun = [each for each in store.uploads() if each.begun < late]
    awaited = _awaited([each.key for each in (*left, *begun)])
    for each in left:
        if each.key not in awaited:
            store.delete(each.key)
    for each in begun:
        if each.key not in awaited:
            store.abort(each.key, each.upload_id)
    for asset in gone:
        db.session.get(Asset, asset.id).swept_at = clock.now()
    for asset in unsent:
        row = db.session.get(Asset, asset.id)
        if row.state == State.UPLOADING:
            assets.reject(row, "The file was never sent to its end.")
    return len(gone) + len(unsent)


def _awaited(keys) -> set[str]:
    """Those of these keys that an asset is still to be read from for its check."""
    names, found = sorted({key.split("/")[1] for key in keys if key}), set()
    with reading():
        for start in range(0, len(names), 1_000):
            found |= set(db.session.scalars(select(Asset.key).where(
                Asset.key.in_(names[start:start + 1_000]), Asset.state == State.CHECKING.value)))
        db.session.rollback()
    return {key for key in keys if key and key.split("/")[1] in found}
