"""A film's still and its smaller rendition, where ffmpeg is on the machine; without it films are shown as they came.

ffmpeg reads the object from the store, by a path or an address of ours, with the demuxer its checked type names, and
may open nothing else. Whatever becomes of it, the film stays as it is: a worker that was killed begins again.
"""
import json
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from core import clock
from core.database import db, reading
from core.storage.contract import Store
from media import pictures
from media.models import FILMS, SMALLER, Asset, Kind, Rendition, State

BOUNDED = Path(__file__).with_name("bounded.py")
TALL = 720  # pixels: what is taller is made that tall
DEMUXERS = {"video/mp4": "mov", "video/webm": "matroska"}
GB = 1 << 30
MEMORY, LARGEST = 3 * GB, 5 * GB  # the second is what S3 takes in one piece: some four hours at this rate
LOOKING_SECONDS, ENCODING_SECONDS = 120, 6 * 3600
PROCESSORS = 2
PREFIX, LEFT_SECONDS = "slate-film-", 24 * 3600
QUIET = ("-nostdin", "-v", "error", "-y")


class Failed(Exception):
    """A program did not do what it was asked; the text is what it said last."""


def can() -> bool:
    """Whether this machine can make stills and renditions."""
    return all(map(shutil.which, ("ffmpeg", "ffprobe")))


def attend(asset_id: int, store: Store, say=print):
    """Make what is made of a film, and note it. The caller commits. Nothing is open in the database meanwhile."""
    with reading():
        asset = db.session.get(Asset, asset_id)
        db.session.expunge_all()
        db.session.rollback()
    if asset is None or asset.state != State.READY or asset.kind not in FILMS or not can():
        return
    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
        made = []
        for make in (still, smaller):
            try:
                made += make(asset, store, Path(folder))
            except (Failed, pictures.Unfit) as problem:
                say(f"Film {asset.id} is shown as it is ({make.__name__}): {problem}")
        for rendition, path in made:
            with path.open("rb") as file:
                store.put(f"kept/{asset.key}/{rendition.name}", file,
                          "video/mp4" if rendition.name == SMALLER else "image/webp")
    row = db.session.get(Asset, asset.id)
    if row.state == State.READY:  # else its objects go with it
        row.renditions = [rendition for rendition, _ in made]


def sweep():
    """Remove what a worker that was killed left half made, a day later: others at work here may use theirs."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(FileNotFoundError):
            if folder.stat().st_mtime < clock.now().timestamp() - LEFT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def still(asset: Asset, store: Store, folder: Path) -> list[tuple[Rendition, Path]]:
    """A picture from a tenth into the film, cleaned as every picture is, in the sizes of a still."""
    taken, source = folder / "still.jpg", _input(asset, store, LOOKING_SECONDS)
    run("ffmpeg", LOOKING_SECONDS, *QUIET, "-ss", f"{facts(*source)['seconds'] / 10:.3f}", *source, "-map", "0:V:0",
        "-frames:v", "1", "-vf", r"scale=min(1920\,iw):-2,thumbnail=24", "-q:v", "3", "-f", "image2", "-update", "1",
        str(taken))
    if not taken.exists():
        raise Failed("it has no picture there")
    with taken.open("rb") as file:
        return pictures.make(Kind.STILL, "image/jpeg", file, folder)


def smaller(asset: Asset, store: Store, folder: Path) -> list[tuple[Rendition, Path]]:
    """The film at 720 lines in H.264 and AAC, its chapters kept; nothing where it is no taller."""
    target, source = folder / SMALLER, _input(asset, store, ENCODING_SECONDS)
    if facts(*source)["height"] <= TALL:
        return []
    run("ffmpeg", ENCODING_SECONDS, *QUIET, *source, "-map", "0:V:0", "-map", "0:a:0?", "-map_chapters", "0",
        "-map_metadata:g", "-1", "-sn", "-dn", "-vf", f"scale=-2:{TALL}", "-c:v", "libx264", "-preset", "veryfast",
        "-crf", "23", "-maxrate", "2500k", "-bufsize", "5000k", "-pix_fmt", "yuv420p", "-threads", str(PROCESSORS),
        "-c:a", "aac", "-b:a", "128k", "-ac", "2", "-movflags", "+faststart", "-f", "mp4", str(target))
    made = facts("-protocol_whitelist", "file", "-i", str(target))
    return [(Rendition(name=SMALLER, width=made["width"], height=made["height"], size=target.stat().st_size), target)]


def facts(*words: str) -> dict:
    """{width, height, seconds} of the film that these words name. Raises Failed."""
    said = json.loads(run("ffprobe", LOOKING_SECONDS, "-v", "error", "-select_streams", "V:0", "-show_entries",
                          "stream=width,height:format=duration", "-of", "json", *words))
    if not said["streams"]:
        raise Failed("it has no pictures")
    [stream] = said["streams"]
    return {**stream, "seconds": float(said["format"].get("duration", 0))}


def _input(asset, store, seconds) -> list[str]:
    """The words that name the film to read, and the only ways by which anything may be read."""
    source = store.source(f"kept/{asset.key}/original", seconds)
    ways = "file" if source.startswith("/") else "https,tls,tcp" if source.startswith("https:") else "http,tcp"
    sure = ["-tls_verify", "1"] if source.startswith("https:") else []
    return ["-protocol_whitelist", ways, *sure, "-f", DEMUXERS[asset.type], "-i", source]


def run(program: str, seconds: int, *words: str) -> str:
    """What the program writes, run within limits: `seconds` by the clock, as many of each processor. Raises Failed."""
    limits = map(str, (seconds * PROCESSORS, MEMORY, LARGEST))
    try:
        done = subprocess.run([sys.executable, "-I", "-B", str(BOUNDED), *limits,  # noqa: S603 - our own words
                               shutil.which(program), *words],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, env={}, text=True,
                              errors="replace")
    except subprocess.TimeoutExpired:
        raise Failed(f"{program} took longer than {seconds} s") from None
    if done.returncode:
        said = done.stderr
        for address in (word for word in words if "://" in word):  # it is signed: nothing for a log
            said = said.replace(address, "the film")
        raise Failed((said.strip().splitlines() or [f"{program} ended with {done.returncode}"])[-1][:300])
    return done.stdout
