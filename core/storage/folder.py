"""Objects in a folder, with signed addresses on the application itself: for `make run` and small installations.

The signature is an HMAC over the method and everything the address says; `core.storage.door` serves it. Two
trees lie beside each other: `objects` and, by the same keys, `types`; `uploads` holds parts.
"""
import base64
import hashlib
import hmac
import json
import os
import secrets
import shutil
import tempfile
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from core import clock
from core.storage.contract import CHUNK, MOST_POSTED, Form, Missing, Part, Store, Stored, Taken, Upload, checked

DOOR = "/stored"


class Refused(Exception):
    """The signature does not allow this."""


class FolderStore(Store):
    """Objects below `folder`; `secret` signs. Addresses are paths on the application's own host."""

    def __init__(self, folder: str | Path, secret: str):
        self.folder = Path(folder)
        self._secret = hashlib.sha256(f"objects {secret}".encode()).digest()  # never the key of sessions itself

    def __str__(self):
        return f"folder {self.folder}"

    def prepare(self, sites, say=lambda words: None, *, dry_run=False):
        if not self.folder.is_dir():  # browsers come through the application itself: there is no more to it
            say(f"There is no {self}; it is made.")
            if not dry_run:
                self.folder.mkdir(parents=True)

    def answers(self):
        there = next(each for each in (self.folder, *self.folder.parents) if each.exists())
        return there.is_dir() and os.access(there, os.W_OK)

    def path(self, key: str, tree="objects") -> Path:
        return self.folder / tree / checked(key)

    # ------------------------------------------------------------------ objects

    def put(self, key, stream, type, *, fresh=False):
        with self._writing(key, type, fresh) as file:
            shutil.copyfileobj(stream, file, CHUNK)

    @contextmanager
    def _writing(self, key, type, fresh=False):
        """A file that becomes the object when the block ends well."""
        target, beside = self.path(key), self.path(key, "types")
        coming = self.folder / "uploads" / f"coming-{secrets.token_hex(8)}"  # swept with uploads if we are killed
        for each in (target.parent, beside.parent, coming):
            each.mkdir(parents=True, exist_ok=True)
        with (coming / "whole").open("wb") as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                if fresh and target.exists():
                    raise Taken(key)
                beside.write_text(type, encoding="utf-8")
                if fresh:
                    os.link(file.name, target)  # unlike a renaming, fails where somebody was quicker
                else:
                    os.replace(file.name, target)
            except FileExistsError:
                raise Taken(key) from None
            finally:
                shutil.rmtree(coming, ignore_errors=True)

    def read(self, key, start=0, end=None):
        with self._there(key).open("rb") as file:
            file.seek(start)
            left = None if end is None else end - start
            while piece := file.read(CHUNK if left is None else min(CHUNK, left)):
                left = None if left is None else left - len(piece)
                yield piece

    def _there(self, key) -> Path:
        path = self.path(key)
        if not path.is_file():
            raise Missing(key)
        return path

    def source(self, key, seconds):
        return str(self._there(key))

    def head(self, key):
        return self._stored(key, self._there(key), self.path(key, "types").read_text(encoding="utf-8"))

    @staticmethod
    def _stored(key, path, type=""):
        facts = path.stat()
        return Stored(key, facts.st_size, datetime.fromtimestamp(facts.st_mtime, UTC), type)

    def delete(self, key):
        for tree in ("objects", "types"):
            self.path(key, tree).unlink(missing_ok=True)

    def listing(self, prefix=""):
        root = self.folder / "objects"
        for path in _files(root, prefix):
            with suppress(FileNotFoundError):  # deleted meanwhile
                yield self._stored(str(path.relative_to(root)), path)

    # ------------------------------------------------------------------ signed addresses

    def signed_get(self, key, seconds, *, download=None):
        return self._address("GET", key, seconds, **({"name": download} if download else {}))

    def signed_post(self, key, type, seconds, *, least=1, most=MOST_POSTED):
        if not 0 <= least <= most <= MOST_POSTED:
            raise ValueError(f"A form takes up to {MOST_POSTED} bytes.")
        policy = base64.b64encode(json.dumps({"key": checked(key), "type": type, "least": least, "most": most,
                                              "until": _until(seconds)}).encode()).decode()
        return Form(DOOR, {"key": key, "Content-Type": type, "policy": policy, "signature": self._sign(policy)})

    def _address(self, method, key, seconds, **said):
        said = {name: str(value) for name, value in said.items()} | {"until": str(_until(seconds))}
        said["signature"] = self._sign(_statement(method, checked(key), said))
        return f"{DOOR}/{key}?{urlencode(said)}"

    def _sign(self, statement: str) -> str:
        return hmac.new(self._secret, statement.encode(), hashlib.sha256).hexdigest()

    def check_address(self, method: str, key: str, said: dict[str, str]):
        """Raises Refused where an address was not signed for this, or no longer is."""
        rest = {name: value for name, value in said.items() if name != "signature"}
        if not hmac.compare_digest(self._sign(_statement(method, key, rest)), said.get("signature", "")):
            raise Refused("This address was not signed for that.")
        _check_time(int(rest["until"]))

    def check_form(self, fields: dict[str, str]) -> dict:
        """The policy {key, type, least, most, until} of a posted form. Raises Refused where it does not hold."""
        if not hmac.compare_digest(self._sign(fields.get("policy", "")), fields.get("signature", "")):
            raise Refused("This form was not signed.")
        policy = json.loads(base64.b64decode(fields["policy"]))
        _check_time(policy["until"])
        if (fields.get("key"), fields.get("Content-Type")) != (policy["key"], policy["type"]):
            raise Refused("This form was signed for another key or another type.")
        return policy

    # ------------------------------------------------------------------ uploads in parts

    def begin(self, key, type):
        what = json.dumps({"key": checked(key), "type": type})
        upload_id = secrets.token_hex(16)
        folder = self.folder / "uploads" / upload_id
        folder.mkdir(parents=True)
        (folder / "what").write_text(what, encoding="utf-8")
        return upload_id

    def signed_part(self, key, upload_id, number, size, seconds):
        return self._address("PUT", key, seconds, upload=upload_id, part=number, size=size)

    def _upload(self, key, upload_id) -> tuple[Path, dict]:
        folder = self.folder / "uploads" / checked(upload_id)
        try:
            what = json.loads((folder / "what").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise Missing(upload_id) from None
        if what["key"] != key:
            raise Missing(upload_id)
        return folder, what

    def write_part(self, key, upload_id, number: int, stream) -> str:
        """Write one part from a stream that ends by itself. Returns its ETag."""
        folder, _ = self._upload(key, upload_id)
        digest = hashlib.md5(usedforsecurity=False)
        with tempfile.NamedTemporaryFile(dir=folder, prefix="coming-", delete=False) as file:
            for piece in iter(partial(stream.read, CHUNK), b""):
                digest.update(piece)
                file.write(piece)
        etag = digest.hexdigest()
        for old in folder.glob(f"{number:05}-*"):
            old.unlink()
        os.replace(file.name, folder / f"{number:05}-{etag}")
        return etag

    def parts(self, key, upload_id):
        folder, _ = self._upload(key, upload_id)
        return [Part(int(path.name[:5]), path.stat().st_size, path.name[6:])
                for path in sorted(folder.glob("[0-9]*-*"))]

    def complete(self, key, upload_id, parts):
        folder, what = self._upload(key, upload_id)
        with self._writing(key, what["type"]) as whole:
            for part in parts:
                with (folder / f"{part.number:05}-{part.etag}").open("rb") as piece:
                    shutil.copyfileobj(piece, whole, CHUNK)
        self.abort(key, upload_id)

    def abort(self, key, upload_id):
        folder = self.folder / "uploads" / checked(upload_id)
        (folder / "what").unlink(missing_ok=True)  # first: an upload is there whole or not at all
        shutil.rmtree(folder, ignore_errors=True)

    def uploads(self):
        for path in sorted((self.folder / "uploads").glob("*")):
            with suppress(FileNotFoundError):  # ended meanwhile
                begun = datetime.fromtimestamp(_begun(path).stat().st_mtime, UTC)
                yield Upload(_key(path), path.name, begun)


def _files(folder: Path, prefix: str):
    """Files below, in the order of their keys; of each folder the names alone are held."""
    head, slash, rest = prefix.partition("/")
    try:
        entries = sorted((each.name + "/" * each.is_dir(), each.path) for each in os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for name, path in entries:
        if not name.endswith("/"):
            if not slash and name.startswith(prefix):
                yield Path(path)
        elif slash and name == head + slash:
            yield from _files(Path(path), rest)
        elif not slash and name.startswith(prefix):
            yield from _files(Path(path), "")


def _key(upload: Path) -> str:
    what = upload / "what"
    return json.loads(what.read_text(encoding="utf-8"))["key"] if what.exists() else ""


def _begun(upload: Path) -> Path:
    """What is as old as the upload: the folder itself where its maker was killed before it wrote the rest."""
    return upload / "what" if (upload / "what").exists() else upload


def _until(seconds: int) -> int:
    return int(clock.now().timestamp()) + seconds


def _check_time(until: int):
    if clock.now().timestamp() > until:
        raise Refused("This address has expired.")


def _statement(method, key, said) -> str:
    return json.dumps([method, key, sorted(said.items())])
