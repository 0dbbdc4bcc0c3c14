"""Pictures: clean sizes made of what was sent, and a title's poster."""
import json
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from core import clock
from core.database import db
from core.storage.contract import Store
from media.models import Asset, Kind, Rendition, State

DECODER = Path(__file__).with_name("decoder.py")
PATIENCE = 15  # seconds by the clock on the wall; the decoder limits its own processor time
WIDTHS = {Kind.POSTER: (72, 144, 176, 352, 1600), Kind.STILL: (320, 640, 1920)}  # as shown, the same doubled, whole
KEPT_SECONDS = 600  # for which one address is given again, so that browsers find their copy
SMALL, LARGE = (72, 144), (176, 352)


class Unfit(Exception):
    """The text is a sentence for who sent the picture."""


def make(kind: str, type: str, file, folder: Path) -> list[tuple[Rendition, Path]]:
    """Clean pictures of `file` in `folder`. Raises Unfit for what cannot be read within the limits of the decoder."""
    file.seek(0)
    try:
        done = subprocess.run(command(kind, type, folder), stdin=file, capture_output=True,  # noqa: S603 - our words
                              timeout=PATIENCE, env={}, text=True)
    except subprocess.TimeoutExpired:
        raise Unfit("This picture takes longer to read than any picture should.") from None
    if done.returncode < 0:  # killed at its limits
        raise Unfit("This picture takes more to read than any picture should.")
    if done.returncode:
        raise Unfit(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "This picture cannot be read.")
    return [(Rendition(name=f"{width}.webp", width=width, height=height, size=size), folder / f"{width}.webp")
            for width, height, size in json.loads(done.stdout)]


def command(kind: str, type: str, folder: Path) -> list[str]:
    """The words that run the decoder, which reads a file from its standard input."""
    return [sys.executable, "-I", "-B", str(DECODER), type, str(folder), *map(str, WIDTHS[Kind(kind)])]


@dataclass(frozen=True)
class Picture:
    """A picture to be shown: addresses for one and for two pixels a dot, words, and what stays in view (per cent)."""
    src: str
    srcset: str
    alt: str
    focal_x: int
    focal_y: int


def posters(title_ids, store: Store, large=()) -> dict[int, Picture]:
    """The newest poster of each of these titles that has one, in the large size for those whose ids are in `large`.
    Ask only for titles the viewer may see."""
    rows = db.session.scalars(
        select(Asset).where(Asset.title_id.in_(list(title_ids)), Asset.kind == Kind.POSTER.value,
                            Asset.state == State.READY.value)
        .order_by(Asset.id).options(selectinload(Asset.renditions)))
    return {row.title_id: shown(row, store, LARGE if row.title_id in large else SMALL)
            for row in rows if row.pictures}


def shown(asset: Asset, store: Store, widths) -> Picture:
    """A picture in the sizes nearest to (as shown, doubled)."""
    one, two = (_at_least(asset.pictures, width) for width in widths)
    first, second = (_address(store, f"kept/{asset.key}/{each.name}", _window()) for each in (one, two))
    return Picture(first, f"{first} 1x, {second} 2x", asset.alt or "", asset.focal_x, asset.focal_y)


def _at_least(renditions, width):
    return next((each for each in renditions if each.width >= width), renditions[-1])


def _window() -> int:
    return int(clock.now().timestamp()) // KEPT_SECONDS


@lru_cache(maxsize=20_000)
def _address(store, key, window):
    """Signed once in a window, for two: a page made at its end shows its pictures for as long again."""
    return store.signed_get(key, 2 * KEPT_SECONDS)
