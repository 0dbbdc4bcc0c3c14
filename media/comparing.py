"""Whether the objects in the store are those that the rows name: `flask media check`."""
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from core.database import db
from core.outbox import OutboxRow
from core.storage.contract import Store
from media.models import PICTURES, Asset, State


def differences(store: Store) -> list[str]:
    """In what rows and objects disagree, one line each; what the worker still has to do is no difference."""
    waiting = set(db.session.scalars(select(OutboxRow.subject_id).where(OutboxRow.topic.in_(["asset", "film"]))))
    rows = db.session.scalars(select(Asset).where(Asset.swept_at.is_(None), Asset.state != State.REJECTED.value)
                              .options(selectinload(Asset.renditions))).all()
    settling = {row.key for row in rows if row.state != State.READY} | {
        row.key for row in db.session.scalars(select(Asset).where(Asset.id.in_(waiting)))}
    wanted = {key: (row, size) for row in rows if row.key not in settling for key, size in _objects(row)}
    found, broken = set(), []
    for each in store.listing("kept/"):
        found.add(each.key)
        if each.key in wanted:
            row, size = wanted[each.key]
            if each.size != size:
                broken.append(f"Asset {row.id} has {size:,} bytes, its object {each.key} has {each.size:,}.")
        elif each.key.split("/")[1] not in settling:
            broken.append(f"The object {each.key} belongs to no asset.")
    broken += [f"Asset {wanted[key][0].id} lacks its object {key}." for key in sorted(wanted.keys() - found)]
    return broken


def _objects(asset) -> list[tuple[str, int]]:
    """(key, bytes) of every object a ready asset has."""
    made = [(f"kept/{asset.key}/{each.name}", each.size) for each in asset.renditions]
    return made if made and asset.kind in PICTURES else [*made, (f"kept/{asset.key}/original", asset.size)]
