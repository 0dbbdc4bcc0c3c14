"""What a store of objects promises, whichever it is. Both stores pass one suite: `tests/core/test_storage.py`.

A *key* names an object and tells nothing of it. Whoever has a signed address may do the one thing it was
signed for, until it expires: bytes go between browser and store, past the web processes of an S3 store.
Sizes are bytes, lifetimes whole seconds.
"""
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

KEY = re.compile(r"[a-z0-9]+(?:[/._-][a-z0-9]+)*")
LONGEST_KEY = 200
CHUNK = 1 << 20
MOST_POSTED = 64 << 20   # of one signed form; what is larger comes in parts
MOST_PARTS = 10_000      # S3's own limit
LEAST_PART = 5 << 20     # S3's own limit, for all parts but the last


class Missing(Exception):
    """There is no such object or upload."""


class Taken(Exception):
    """An object of that key is there already, and was to be written only if it was not."""


class Unavailable(Exception):
    """The store does not answer, or not as it should. The text says what it said."""


@dataclass(frozen=True)
class Stored:
    """An object that is there. `type` is empty in listings: S3 does not say it there."""
    key: str
    size: int
    modified: datetime
    type: str = ""


@dataclass(frozen=True)
class Part:
    """A part of an upload that has arrived."""
    number: int
    size: int
    etag: str


@dataclass(frozen=True)
class Upload:
    """An upload in parts that was begun and not ended. `key` is empty where its maker was killed before it said it."""
    key: str
    upload_id: str
    begun: datetime


@dataclass(frozen=True)
class Form:
    """Where and with which fields a browser posts one file; the file's own field is `file`, and the last."""
    url: str
    fields: dict[str, str]


def checked(key: str) -> str:
    """The key, or ValueError where it could be taken for anything else than a key."""
    if len(key) > LONGEST_KEY or not KEY.fullmatch(key):
        raise ValueError(f"{key!r} is not a key.")
    return key


def disposition(name: str) -> str:
    """The header that makes a download of an answer (RFC 6266): the name in any script, and nothing but a name."""
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "-_. ") else "_" for char in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


class Store(ABC):
    """One place for objects. Every call may raise Unavailable; those that name what is not there raise Missing."""

    reading_seconds = 300  # that an address for reading a film or a paper lives
    origin = ""  # scheme and host that browsers reach the objects at; empty where it is the application's own

    @abstractmethod
    def prepare(self, sites: list[str], say=lambda words: None, *, dry_run=False) -> None:
        """Make the place if it is not there, let browsers of these sites and nobody else in, and let what was left
        expire. Each difference is said before it is made even; `dry_run` only says them. Again, it changes nothing."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it can be used at all just now; told within a few seconds."""

    @abstractmethod
    def put(self, key: str, stream, type: str, *, fresh: bool = False) -> None:
        """Write an object from a seekable stream of bytes, whole or not at all. `fresh` raises Taken where it is."""

    @abstractmethod
    def read(self, key: str, start: int = 0, end: int | None = None):
        """The bytes from `start` up to but without `end`, as an iterator of pieces."""

    @abstractmethod
    def head(self, key: str) -> Stored:
        """What is known of an object without reading it."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Let it be gone, also where it never was."""

    @abstractmethod
    def listing(self, prefix: str = ""):
        """Every object whose key begins with `prefix`, by key, as an iterator."""

    @abstractmethod
    def source(self, key: str, seconds: int) -> str:
        """What a program beside us reads an object from: a path, or an address that no browser is told."""

    @abstractmethod
    def signed_get(self, key: str, seconds: int, *, download: str | None = None) -> str:
        """An address that reads this object, with ranges. `download` is the file's name, and makes it a download."""

    @abstractmethod
    def signed_post(self, key: str, type: str, seconds: int, *, least: int = 1, most: int = MOST_POSTED) -> Form:
        """A form that writes this one key, of this type, of `least` to `most` bytes. ValueError above MOST_POSTED."""

    @abstractmethod
    def begin(self, key: str, type: str) -> str:
        """Begin an upload in parts. Returns its id; nothing can be read before `complete`."""

    @abstractmethod
    def signed_part(self, key: str, upload_id: str, number: int, size: int, seconds: int) -> str:
        """An address to PUT part `number` (from 1) to, of exactly `size` bytes. Sending it again replaces it."""

    @abstractmethod
    def parts(self, key: str, upload_id: str) -> list[Part]:
        """The parts that have arrived, by number."""

    @abstractmethod
    def complete(self, key: str, upload_id: str, parts: list[Part]) -> None:
        """Make the object of these parts. After it the upload and every address signed for it are gone."""

    @abstractmethod
    def abort(self, key: str, upload_id: str) -> None:
        """Drop an upload and its parts, also where there is none."""

    @abstractmethod
    def uploads(self):
        """Every Upload, as an iterator."""
